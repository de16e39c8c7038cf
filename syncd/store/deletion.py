"""Records that a complete walk no longer met: marked deleted, never removed.

The contact of a deleted account or guest order goes with it; that of a cart stays, because carts end by becoming
orders and the person is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, exists, select, update

from syncd.model import ContactKey, ContactKind, Stream
from syncd.store.engine import rows_in, table_of
from syncd.store.grouping import Grouping, News
from syncd.store.rows import MAIN
from syncd.store.tables import RawRecordRow
from syncd.store.walks import walk_seen

raw_records = table_of(RawRecordRow)

KINDS: Mapping[Stream, ContactKind] = {
    Stream.CUSTOMERS: ContactKind.ACCOUNT,
    Stream.ORDERS: ContactKind.ORDER,
    Stream.CARTS: ContactKind.CART,
}


def delete_missing(connection: Connection, checkpoint: Row[Any], grouping: Grouping, now: datetime) -> int:
    """Mark what the checkpoint's walk did not meet, and regroup the people concerned; how many records it was."""
    store_id, stream = checkpoint.store_id, Stream(checkpoint.stream)
    missing = _missing(connection, checkpoint)
    for table in (raw_records, MAIN[stream]):
        _mark(connection, table, missing, {"store_id": store_id, "stream": stream.value}, now)
    own = {ContactKey(store_id=store_id, kind=KINDS[stream], external_id=external_id) for external_id in missing}
    leaving = {} if stream is Stream.CARTS else dict.fromkeys(own)
    concerned = own | account_keys(store_id, owners(connection, store_id, stream, missing))
    grouping.settle(connection, News(leaving=leaving, concerned=frozenset(concerned)))
    return len(missing)


def owners(connection: Connection, store_id: str, stream: Stream, external_ids: Iterable[str]) -> set[str]:
    """The accounts that stored orders or carts belong to, as external ids; none for customers."""
    if stream is Stream.CUSTOMERS:
        return set()
    table = MAIN[stream]
    query = select(table.c.customer_id).where(table.c.store_id == store_id, table.c.customer_id.is_not(None))
    return {row.customer_id for row in rows_in(connection, query, table.c.external_id, external_ids)}


def account_keys(store_id: str, external_ids: Iterable[str]) -> set[ContactKey]:
    """The contacts of accounts."""
    return {
        ContactKey(store_id=store_id, kind=ContactKind.ACCOUNT, external_id=external_id) for external_id in external_ids
    }


def _missing(connection: Connection, checkpoint: Row[Any]) -> list[str]:
    was_met = exists().where(
        walk_seen.c.walk_id == checkpoint.walk_id, walk_seen.c.external_id == raw_records.c.external_id
    )
    query = select(raw_records.c.external_id).where(
        raw_records.c.store_id == checkpoint.store_id,
        raw_records.c.stream == checkpoint.stream,
        raw_records.c.deleted_at.is_(None),
        raw_records.c.fetched_at < checkpoint.walk_started_at,
        ~was_met,
    )
    return list(connection.execute(query.order_by(raw_records.c.external_id)).scalars())


def _mark(connection: Connection, table: Table, missing: list[str], place: Mapping[str, str], now: datetime) -> None:
    if not missing:
        return
    statement = update(table).where(table.c.external_id == bindparam("missing"))
    for name in place.keys() & table.c.keys():
        statement = statement.where(table.c[name] == place[name])
    connection.execute(statement.values(deleted_at=now), [{"missing": external_id} for external_id in missing])
