"""Records of a page into their tables: what is new, changed, unchanged or stale, and what that means for people."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, select

from syncd.model import Cart, ContactKey, Customer, Order, Stream
from syncd.store.closing import close_left_carts, reopened_carts, settled_cart_values
from syncd.store.deletion import KINDS, account_keys, owners, raw_records
from syncd.store.engine import insert_rows, rows_in, upsert
from syncd.store.grouping import News
from syncd.store.rows import CHILDREN, MAIN, WITHHELD, addresses, child_rows, consents, main_row, owner_of, pack
from syncd.store.types import Accepted, Rejected


class Fate(enum.StrEnum):
    """What becomes of a record; a refreshed one has its old content under a later source time."""

    NEW = "new"
    CHANGED = "changed"
    REFRESHED = "refreshed"
    UNCHANGED = "unchanged"
    STALE = "stale"


_STORED = frozenset({Fate.NEW, Fate.CHANGED})
_WRITTEN = _STORED | {Fate.REFRESHED}
_UP_TO_DATE = _WRITTEN | {Fate.UNCHANGED}


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Records of one stream to be stored together.

    Args:
        asked_at: When the shop was asked for them; None for kept payloads, which say nothing new of tags.
        seen_at: When payloads that are here already came from the shop, by external id.
        is_kept: Whether these payloads were here already, so that they say nothing later than what is stored.
    """

    store_id: str
    stream: Stream
    accepted: tuple[Accepted, ...]
    rejected: tuple[Rejected, ...]
    mapper_version: int
    asked_at: datetime | None
    seen_at: Mapping[str, datetime] = field(default_factory=dict)
    is_kept: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Sorting:
    """The distinct records of a batch by external id, each with its fate."""

    items: Mapping[str, Accepted]
    fates: Mapping[str, Fate]

    def of(self, fates: Collection[Fate]) -> list[Accepted]:
        """The records with one of the fates, by external id."""
        return [item for external_id, item in sorted(self.items.items()) if self.fates[external_id] in fates]


def sort_records(connection: Connection, batch: Batch) -> Sorting:
    """Compare a batch with what is stored; of a record that comes twice the newest counts."""
    items: dict[str, Accepted] = {}
    for item in batch.accepted:
        rival = items.get(item.raw.external_id)
        if rival is None or not _is_older(item.source_time, rival.source_time):
            items[item.raw.external_id] = item
    known = _known(connection, batch, items)
    return Sorting(items=items, fates={key: fate_of(item, known.get(key), batch) for key, item in items.items()})


def fate_of(item: Accepted, known: Row[Any] | None, batch: Batch) -> Fate:
    """What becomes of a record beside what is stored of it.

    Only a strictly older source time is stale, and that only where it may be one of the past: a shop that was asked
    after we stored what we have means what it says.
    """
    if known is None:
        return Fate.NEW
    if _is_older(item.source_time, known.source_time) and not _is_later_answer(batch, known.fetched_at):
        return Fate.STALE
    if known.deleted_at is not None or known.content_hash != item.content_hash:
        return Fate.CHANGED
    is_later = item.source_time is not None and item.source_time != known.source_time
    return Fate.REFRESHED if is_later or known.mapper_version != batch.mapper_version else Fate.UNCHANGED


def write_records(connection: Connection, batch: Batch, sorting: Sorting, now: datetime) -> News:
    """Write what is new, changed or refreshed; what it means for people is handed back, not yet acted on."""
    changed = sorting.of({Fate.CHANGED})
    former_owners = owners(connection, batch.store_id, batch.stream, _ids(changed))
    once = () if batch.asked_at else ("fetched_at",)
    upsert(connection, raw_records, _raw_rows(batch, sorting, now), withheld=("source_time",), once=once)
    unchanged = [item.unified for item in sorting.of({Fate.UNCHANGED})]
    reopened = reopened_carts(connection, batch.store_id, unchanged)
    _write_main(connection, batch, [*sorting.of(_WRITTEN), *(sorting.items[key] for key in sorted(reopened))])
    stored = sorting.of(_STORED)
    kept = {table: set(_ids(item for item in changed if _keeps(item, table))) for table in CHILDREN[batch.stream]}
    for table, owners_kept in kept.items():
        _clear_children(connection, batch, table, [key for key in _ids(changed) if key not in owners_kept])
    _write_children(connection, batch, stored, kept)
    left = close_left_carts(connection, batch.store_id, [item.unified for item in stored])
    people = stored if batch.asked_at else sorting.of(_UP_TO_DATE)  # what is read of a person may have changed, too
    also = {*left, *reopened.values(), *account_keys(batch.store_id, former_owners)}
    return _news(batch, people, changed, also | _concerned(batch, stored))


def _is_older(left: datetime | None, right: datetime | None) -> bool:
    return left is not None and right is not None and left < right


def _is_later_answer(batch: Batch, fetched_at: datetime) -> bool:
    return not batch.is_kept and batch.asked_at is not None and batch.asked_at > fetched_at


def _ids(items: Iterable[Accepted]) -> list[str]:
    return [item.raw.external_id for item in items]


def _known(connection: Connection, batch: Batch, external_ids: Iterable[str]) -> dict[str, Row[Any]]:
    columns = ("external_id", "content_hash", "source_time", "fetched_at", "deleted_at", "mapper_version")
    query = select(*(raw_records.c[name] for name in columns)).where(
        raw_records.c.store_id == batch.store_id, raw_records.c.stream == batch.stream.value
    )
    return {row.external_id: row for row in rows_in(connection, query, raw_records.c.external_id, external_ids)}


def _raw_rows(batch: Batch, sorting: Sorting, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "store_id": batch.store_id,
            "stream": batch.stream.value,
            "external_id": item.raw.external_id,
            "payload": pack(item.raw.payload),
            "content_hash": item.content_hash,
            "source_time": item.source_time,
            "fetched_at": now,
            "mapper_version": batch.mapper_version,
            "deleted_at": None,
        }
        for item in sorting.of(_WRITTEN)
    ]


def _write_main(connection: Connection, batch: Batch, items: list[Accepted]) -> None:
    rows = {item.raw.external_id: main_row(batch.store_id, item.unified) for item in items}
    carts = [item.unified for item in items if isinstance(item.unified, Cart)]
    for external_id, values in settled_cart_values(connection, batch.store_id, carts).items():
        rows[external_id] |= values
    table = MAIN[batch.stream]
    withheld = (*WITHHELD, "updated_at")  # a time that is not told is that of the raw record
    upsert(connection, table, list(rows.values()), withheld=[name for name in withheld if name in table.c])


def _keeps(item: Accepted, table: Table) -> bool:
    """Whether a changed record's rows stay as they are known: the platform withholds now what they say."""
    if isinstance(item.unified, Customer) and table is consents:
        return item.is_withheld and not item.unified.consents
    return item.is_withheld and table is addresses


def _clear_children(connection: Connection, batch: Batch, table: Table, external_ids: list[str]) -> None:
    owner = table.c[CHILDREN[batch.stream][table]]
    statement = delete(table).where(table.c.store_id == batch.store_id, owner.in_(external_ids))
    if table is addresses:
        statement = statement.where(addresses.c.owner == owner_of(batch.stream))
    if external_ids:
        connection.execute(statement)


def _write_children(
    connection: Connection, batch: Batch, items: list[Accepted], kept: Mapping[Table, Collection[str]]
) -> None:
    rows: dict[Table, list[dict[str, Any]]] = {table: [] for table in kept}
    for item in items:
        for table, row in child_rows(batch.store_id, item.unified):
            if item.raw.external_id not in kept[table]:
                rows[table].append(row)
    for table, values in rows.items():
        insert_rows(connection, table, values)


def _concerned(batch: Batch, stored: list[Accepted]) -> set[ContactKey]:
    """The contacts whose records, orders or carts these are."""
    accounts = account_keys(batch.store_id, {account for item in stored if (account := _account_of(item))})
    return accounts | {item.contact.key for item in stored if item.contact is not None}


def _news(batch: Batch, people: list[Accepted], changed: list[Accepted], concerned: set[ContactKey]) -> News:
    return News(
        arriving=tuple(item.contact for item in people if item.contact is not None),
        veiled=frozenset(_own_key(batch, item) for item in people if item.is_withheld),
        leaving={_own_key(batch, item): _account_key(batch, item) for item in changed if _is_nobody(item)},
        concerned=frozenset(concerned),
    )


def _is_nobody(item: Accepted) -> bool:
    """Whether a record stands for no person of its own (any more)."""
    return item.contact is None and (not item.is_withheld or _account_of(item) is not None)


def _own_key(batch: Batch, item: Accepted) -> ContactKey:
    return ContactKey(store_id=batch.store_id, kind=KINDS[batch.stream], external_id=item.raw.external_id)


def _account_key(batch: Batch, item: Accepted) -> ContactKey | None:
    account = _account_of(item)
    return next(iter(account_keys(batch.store_id, [account])), None) if account else None


def _account_of(item: Accepted) -> str | None:
    record = item.unified
    return record.customer_id if isinstance(record, (Order, Cart)) else None
