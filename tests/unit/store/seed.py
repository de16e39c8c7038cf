"""Rows put straight into a fresh database, so that a test says only what it is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import insert, select
from sqlmodel import SQLModel

from syncd.store import tables
from syncd.store.engine import Engines, table_of
from tests.clock import START


def ago(days: float) -> datetime:
    """So many days before the test clock's start."""
    return START - timedelta(days=days)


class Seed:
    """Puts rows into the tables and reads them back."""

    def __init__(self, engines: Engines) -> None:
        self.engines = engines
        self._ids = count(1)

    def new_id(self) -> str:
        """Ids that grow."""
        return f"ID{next(self._ids):06}"

    def put(self, model: type[SQLModel], **values: Any) -> None:
        """One row; columns left out get the model's defaults."""
        row = model(**values).model_dump()
        with self.engines.write() as connection:
            connection.execute(insert(table_of(model)), [row])

    def rows(self, model: type[SQLModel], **equal: Any) -> list[Any]:
        """All rows with these values, by primary key."""
        table = table_of(model)
        query = select(table).where(*(table.c[name] == value for name, value in equal.items()))
        with self.engines.read() as connection:
            return list(connection.execute(query.order_by(*table.primary_key)).all())

    def store(self, store_id: str = "eu", platform: str = "woocommerce") -> None:
        """A store."""
        self.put(tables.Store, store_id=store_id, platform=platform, identity=store_id, first_seen_at=START)

    def profile(self, profile_id: str, **values: Any) -> None:
        """A profile, on the touched list."""
        self.put(tables.ProfileRow, profile_id=profile_id, created_at=START, **values)
        self.touch(profile_id)

    def touch(self, profile_id: str) -> None:
        """Put a profile on the touched list."""
        self.put(tables.TouchedProfile, profile_id=profile_id)

    def contact(self, profile_id: str, kind: str, external_id: str, store_id: str = "eu", **values: Any) -> None:
        """A contact of a profile."""
        self.put(
            tables.ContactRow,
            contact_id=self.new_id(),
            store_id=store_id,
            kind=kind,
            external_id=external_id,
            profile_id=profile_id,
            identity_hash=b"",
            created_at=START,
            **values,
        )

    def account(self, profile_id: str, external_id: str, store_id: str = "eu", **customer: Any) -> None:
        """A profile's account: the contact and its customer."""
        self.contact(profile_id, "account", external_id, store_id)
        self.put(tables.CustomerRow, store_id=store_id, external_id=external_id, **customer)

    def order(self, external_id: str, store_id: str = "eu", **values: Any) -> None:
        """A completed order in EUR, placed yesterday unless the test says otherwise."""
        standard = {"state": "completed", "currency": "EUR", "placed_at": ago(1)}
        self.put(tables.OrderRow, store_id=store_id, external_id=external_id, **{**standard, **values})

    def cart(self, external_id: str, store_id: str = "eu", **values: Any) -> None:
        """An open cart in EUR."""
        self.put(tables.CartRow, store_id=store_id, external_id=external_id, **{"currency": "EUR", **values})

    def consent(self, customer_id: str, state: str, at: datetime | None = None, channel: str = "email") -> None:
        """What an account said about a channel."""
        row = {"store_id": "eu", "customer_id": customer_id, "channel": channel, "state": state, "at": at}
        self.put(tables.ConsentRow, **row)


@contextmanager
def seeded(url: str) -> Iterator[Seed]:
    """A fresh database with one store."""
    engines = Engines(url)
    with engines.write() as connection:
        SQLModel.metadata.create_all(connection)
    seed = Seed(engines)
    seed.store()
    try:
        yield seed
    finally:
        engines.close()
