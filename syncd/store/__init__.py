"""The profile database: the only place that knows tables and SQL. Drivers see `Database` and the values in `types`."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType

from sqlalchemy import Connection, func, select

from syncd.clock import Clock
from syncd.store import housekeeping, schema
from syncd.store.daemons import Daemons
from syncd.store.engine import Engines, insert_rows, table_of
from syncd.store.grouping import Grouping
from syncd.store.ids import NewId, Ulids
from syncd.store.notices import Notices
from syncd.store.pages import Pages
from syncd.store.pauses import Pauses
from syncd.store.people import People
from syncd.store.removal import Stores
from syncd.store.runs import Runs
from syncd.store.tables import ContactRow, Merchant
from syncd.store.turns import Turns
from syncd.store.types import HouseReport, Resolver, Size

_merchant = table_of(Merchant)
_contacts = table_of(ContactRow)


class Database:
    """One merchant's profile database; use `open`, and close it or leave its block when done.

    Args:
        new_id: Makes ids that grow, such as `Ulids`.
    """

    def __init__(self, engines: Engines, clock: Clock, resolver: Resolver | None, new_id: NewId) -> None:
        from syncd.store.exports import Exports
        from syncd.store.facts import Facts
        from syncd.store.readings import Readings
        from syncd.store.tags import Tags

        grouping = Grouping(resolver, clock, new_id)
        self._engines = engines
        self.new_id = new_id
        self.runs = Runs(engines, clock, grouping)
        self.turns = Turns(engines)
        self.pauses = Pauses(engines, clock)
        self.daemons = Daemons(engines)
        self.notices = Notices(engines)
        self.pages = Pages(engines, clock, grouping)
        self.people = People(engines)
        self.stores = Stores(engines, clock, grouping)
        self.facts = Facts(engines, clock, new_id)
        self.tags = Tags(engines, clock, new_id)
        self.exports = Exports(engines)
        self.readings = Readings(engines)

    @classmethod
    def open(cls, url: str, *, merchant: str, clock: Clock, resolver: Resolver | None = None) -> Database:
        """The merchant's database; an empty one is created at head.

        Args:
            resolver: Who is who; only what stores contacts needs it.

        Raises:
            SchemaMismatch: It is older or newer than this version.
            ConfigInvalid: It is another merchant's, or no database that syncd can use.
            DatabaseCorrupt: The file is damaged or no database.
            DatabaseBusy: Another process holds it.
        """
        with ExitStack() as unless_opened:
            engines = Engines(url)
            unless_opened.callback(engines.close)
            with engines.write() as connection:
                schema.ensure(connection, engines.place)
                _stamp(connection, merchant, clock)
                newest = connection.execute(select(func.max(_contacts.c.contact_id))).scalar()
            unless_opened.pop_all()
        return cls(engines, clock, resolver, Ulids(clock, floor=newest or ""))

    @staticmethod
    def upgrade(url: str, *, merchant: str, backup: bool) -> Path | None:
        """Bring an older database to this version's schema; the copy made of an SQLite file first, if any.

        Raises:
            SchemaMismatch: It is newer than this version.
            ConfigInvalid: It is another merchant's, or no database that syncd can use.
        """
        engines = Engines(url)
        try:
            return schema.upgrade(engines, merchant, backup=backup)
        finally:
            engines.close()

    @property
    def path(self) -> Path | None:
        """The database's file; None where it is a server's."""
        return self._engines.path

    def keep_house(self, now: datetime, keep_runs: timedelta) -> HouseReport:
        """Drop what nobody will ask for any more, and let the database tidy itself; safe at any time.

        Args:
            keep_runs: For how long ended runs stay in `history`; each stream's last ones stay for ever.
        """
        return housekeeping.keep_house(self._engines, now, keep_runs)

    def size(self) -> Size:
        """How much room the database takes now."""
        return housekeeping.size(self._engines)

    def close(self) -> None:
        """Give the connections back; safe to call twice."""
        self._engines.close()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _stamp(connection: Connection, merchant: str, clock: Clock) -> None:
    if not schema.is_owned(connection, merchant):
        row = {"name": merchant, "salt": secrets.token_bytes(32), "created_at": clock.now()}
        insert_rows(connection, _merchant, [row])
