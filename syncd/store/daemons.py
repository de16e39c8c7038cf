"""Which processes work the database on its schedules, as they say themselves."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select

from syncd.store.engine import Engines, table_of, upsert
from syncd.store.tables import DaemonRow
from syncd.store.types import Daemon

daemons = table_of(DaemonRow)


class Daemons:
    """The daemons that say they are there."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def seen(self, owner: str, now: datetime, started_at: datetime) -> None:
        """Note that a daemon is there.

        Args:
            owner: The name that its leases carry.
        """
        row = {"owner": owner, "started_at": started_at, "seen_at": now}
        with self._engines.write() as connection:
            upsert(connection, daemons, [row])

    def gone(self, owner: str) -> None:
        """Note that a daemon ended."""
        with self._engines.write() as connection:
            connection.execute(delete(daemons).where(daemons.c.owner == owner))

    def all(self) -> list[Daemon]:
        """Every daemon that did not say it ended, the latest seen first; some may have died."""
        query = select(daemons).order_by(daemons.c.seen_at.desc(), daemons.c.owner)
        with self._engines.read() as connection:
            return [Daemon(**row._mapping) for row in connection.execute(query)]
