"""What keeps a database small and quick over the months: old runs, dead daemons, SQLite's log and statistics."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, delete, select

from syncd import process
from syncd.store.daemons import daemons
from syncd.store.engine import Engines
from syncd.store.reports import old_runs, runs
from syncd.store.types import HouseReport, Size

_SILENT_FOR = timedelta(days=1)  # a daemon elsewhere of which nothing can be known
_SHORT_WAIT_MS = 1_000  # for readers: writers of other processes wait as long as we do


def keep_house(engines: Engines, now: datetime, keep_runs: timedelta) -> HouseReport:
    """Drop old runs and dead daemons, then empty SQLite's log and refresh its statistics.

    Args:
        keep_runs: For how long ended runs stay.
    """
    with engines.write() as connection:
        runs_dropped = connection.execute(delete(runs).where(old_runs(now - keep_runs))).rowcount
        daemons_dropped = _drop_dead_daemons(connection, now)
    if engines.path is not None:
        with engines.alone() as file:
            _tidy(file)
    return HouseReport(runs_dropped=runs_dropped, daemons_dropped=daemons_dropped, size=size(engines))


def size(engines: Engines) -> Size:
    """How much room the database takes."""
    if engines.path is not None:
        return Size(file_bytes=_bytes(engines.path), wal_bytes=_bytes(Path(f"{engines.path}-wal")))
    with engines.read() as connection:
        count = connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
        return Size(file_bytes=count, wal_bytes=0)


def _drop_dead_daemons(connection: Connection, now: datetime) -> int:
    rows = connection.execute(select(daemons.c.owner, daemons.c.seen_at))
    dead = [row.owner for row in rows if process.is_gone(row.owner) or row.seen_at < now - _SILENT_FOR]
    return connection.execute(delete(daemons).where(daemons.c.owner.in_(dead))).rowcount


def _tidy(file: sqlite3.Connection) -> None:
    """Refresh statistics, then empty the log; a reader in the way leaves the log for the next time."""
    file.execute("PRAGMA analysis_limit = 400").fetchall()
    file.execute("PRAGMA optimize").fetchall()
    (patience_ms,) = file.execute("PRAGMA busy_timeout").fetchone()
    file.execute(f"PRAGMA busy_timeout = {_SHORT_WAIT_MS}")
    try:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        file.execute(f"PRAGMA busy_timeout = {patience_ms}")


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
