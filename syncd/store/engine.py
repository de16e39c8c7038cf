"""Connections to the profile database, one transaction each; SQLite and PostgreSQL look the same from here on.

In comes a URL, out come Core connections. What the driver raises is told as a leaf of the error tree, without the
URL's password and without bound values.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, Table, create_engine, event, func, insert, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import SQLModel

from syncd.errors import ConfigInvalid, DatabaseUnavailable
from syncd.store.faults import as_leaf
from syncd.store.statements import COMPILED

BUSY_TIMEOUT_S = 10
LOOKUP_BATCH = 500
_LOST_SERVER = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "tcp_user_timeout": 60_000}
# Else a process that is stopped inside a transaction would hold up all others; what the operator set stays.
_BOUNDS = """
    SELECT set_config(name, bound, true)
    FROM (VALUES ('lock_timeout', '30s'), ('idle_in_transaction_session_timeout', '60s')) AS bounds(name, bound)
    WHERE current_setting(name) = '0'
"""
# Told to each transaction, not kept by the session: a session that was told to read and then to write again would
# write also where the server has said that by default nobody does, as some do when their disk fills up.
_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
_ON_EVERY_ENGINE: Mapping[str, Any] = {"hide_parameters": True, "execution_options": {"compiled_cache": COMPILED}}

RowValues = Mapping[str, Any]
Guard = Callable[[Table, Any], ColumnElement[bool]]


class Engines:
    """The two ways into one database: `write` for read-modify-write transactions, `read` for snapshots.

    Args:
        url: `sqlite:///path` (a query `?timeout=` sets the seconds to wait for a lock) or `postgresql://...`, whose
            query goes to the server's client library as it is.

    Raises:
        ConfigInvalid: The URL is no URL, or of another database.
    """

    def __init__(self, url: str) -> None:
        self._url = parse_url(url)
        self.dialect = self._url.get_backend_name()
        self.place = _place(self._url)
        makers = {"sqlite": _sqlite_engines, "postgresql": _postgres_engines}
        self._writer, self._reader = makers[self.dialect](self._url)
        self._turn = threading.RLock() if self.dialect == "sqlite" else nullcontext()

    @property
    def path(self) -> Path | None:
        """The database's file; None where it is a server."""
        return Path(self._url.database or "") if self.dialect == "sqlite" else None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write, committed at the end of the block; on SQLite one at a time in the process.

        Raises:
            DatabaseBusy: Another process holds the database, or a concurrent transaction won.
            DatabaseUnavailable: The server cannot be reached, or the disk is full or read-only.
            DatabaseCorrupt: The file is damaged or no database.
        """
        with self._turn, self._told(), self._writer.begin() as connection:
            if self.dialect == "postgresql":
                connection.exec_driver_sql(_BOUNDS)
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only transaction that sees one moment of the database; raises as `write` does."""
        with self._told(), self._reader.begin() as connection:
            if self.dialect == "postgresql":
                connection.exec_driver_sql(_SNAPSHOT)
            yield connection

    @contextmanager
    def alone(self) -> Iterator[sqlite3.Connection]:
        """The SQLite writer's own connection between two transactions, for what works in none; raises as `write`."""
        with self._turn, self._told(), closing(self._writer.raw_connection()) as held:
            connection: Any = held.driver_connection
            yield connection

    def close(self) -> None:
        """Give the connections back; safe to call twice."""
        self._writer.dispose()
        self._reader.dispose()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, sqlite3.Error, NoConnectionFree) as error:
            told = as_leaf(error, self.place)
            if told is None:
                raise
            if isinstance(told, DatabaseUnavailable):
                self.close()  # a file opened while it was read-only stays so: the next transaction opens it anew
            raise told from None


def parse_url(url: str) -> URL:
    """The URL with the driver syncd uses; other databases and in-memory ones are refused."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise _url_refused() from None
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed
    raise _url_refused()


def _url_refused() -> ConfigInvalid:
    return ConfigInvalid(
        "database.url is not a database syncd can use",
        hint="write sqlite:///path/to/file.db or postgresql://user:password@host/name",
    )


def _place(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    port = f":{url.port}" if url.port else ""
    return f"{url.host or 'local server'}{port}/{url.database or ''}"


def _postgres_engines(url: URL) -> tuple[Engine, Engine]:
    bounds = {name: value for name, value in _LOST_SERVER.items() if name not in url.query}
    engine = create_engine(url, pool_pre_ping=True, connect_args=bounds, **_ON_EVERY_ENGINE)
    return engine, engine


def _sqlite_engines(url: URL) -> tuple[Engine, Engine]:
    create_file(Path(url.database or ""))
    pragmas = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")
    return _sqlite_engine(url, "IMMEDIATE", pragmas), _sqlite_engine(url, "DEFERRED", (*pragmas[1:], "query_only=ON"))


def create_file(path: Path) -> None:
    """An empty file that only its owner may read, unless there is one already; its folder is made as well.

    Raises:
        ConfigInvalid: It cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))
    except OSError as error:
        message = f"the database {path} cannot be opened: {error.strerror}"
        raise ConfigInvalid(message, hint="check database.url and the rights of its folder") from None


def _sqlite_engine(url: URL, begin: str, pragmas: Iterable[str]) -> Engine:
    arguments: dict[str, Any] = {"isolation_level": None}
    if "timeout" not in url.query:
        arguments["timeout"] = BUSY_TIMEOUT_S
    engine = create_engine(url, connect_args=arguments, **_ON_EVERY_ENGINE)

    @event.listens_for(engine, "do_connect")
    def open_only(_dialect: object, _record: object, place: list[Any], arguments: dict[str, Any]) -> None:
        # A file that went away, with its disk perhaps, is not to be replaced by an empty one.
        place[0] = f"{Path(place[0]).as_uri()}?mode=rw"
        arguments["uri"] = True

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        # The driver's own transactions begin too late: a read-modify-write would lose updates without any error.
        connection.exec_driver_sql(f"BEGIN {begin}")

    return engine


def table_of(model: type[SQLModel]) -> Table:
    """The Core table behind a SQLModel class."""
    table: Table = model.__table__  # type: ignore[attr-defined]
    return table


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[RowValues],
    *,
    guard: Guard | None = None,
    withheld: Collection[str] = (),
    once: Collection[str] = (),
) -> None:
    """Insert rows, or update those that are there, by primary key and in key order.

    Args:
        rows: All with the same columns; columns left out keep what they hold.
        guard: Given the table and the row proposed, whether the update may happen; always if left out.
        withheld: Columns where None means unknown and never overwrites a known value.
        once: Columns that keep the value they were inserted with.
    """
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    dialect: Any = {"sqlite": sqlite, "postgresql": postgresql}[connection.dialect.name]
    statement = dialect.insert(table)
    changes = {
        name: func.coalesce(statement.excluded[name], table.c[name]) if name in withheld else statement.excluded[name]
        for name in rows[0]
        if name not in keys and name not in once
    }
    if changes:
        where = guard(table, statement.excluded) if guard is not None else None
        statement = statement.on_conflict_do_update(index_elements=keys, set_=changes, where=where)
    else:
        statement = statement.on_conflict_do_nothing()
    connection.execute(statement, sorted(rows, key=lambda row: [row[key] for key in keys]))


def insert_rows(connection: Connection, table: Table, rows: Sequence[RowValues]) -> None:
    """Insert new rows that have the same columns each; nothing at all for none."""
    if rows:
        connection.execute(insert(table), rows)


def rows_in(
    connection: Connection, query: Select[Any], column: ColumnElement[Any], values: Iterable[Any]
) -> Iterator[Row[Any]]:
    """The query's rows where the column is one of the values, looked up in batches; none for no values."""
    ordered = iter(sorted(set(values)))
    while batch := list(islice(ordered, LOOKUP_BATCH)):
        yield from connection.execute(query.where(column.in_(batch)))
