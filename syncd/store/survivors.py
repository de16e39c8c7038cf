"""What a profile shows of itself: for each field the most recent value that is not empty, accounts before guests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, func, literal, select, union_all

from syncd.model import ContactKind, Stream
from syncd.store.revenue import contacts
from syncd.store.rows import MAIN, Values, addresses, customers, owner_of

_FIELDS = (("first_name", "last_name"), ("email",), ("phone",), ("country",))  # names stay together
_NEVER = datetime.min.replace(tzinfo=UTC)
_KINDS = {
    Stream.CUSTOMERS: ContactKind.ACCOUNT,
    Stream.ORDERS: ContactKind.ORDER,
    Stream.CARTS: ContactKind.CART,
}


def displays(connection: Connection, profile_ids: Collection[str]) -> list[Values]:
    """Names, e-mail, phone and country of each profile that has a source left."""
    sources = union_all(*(_source(stream, profile_ids) for stream in Stream))
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(sources):
        found[row.profile_id].append(row)
    return [{"profile_id": profile_id, **_survivors(rows)} for profile_id, rows in sorted(found.items())]


def _source(stream: Stream, profile_ids: Collection[str]) -> Select[Any]:
    table = MAIN[stream]
    made_at = table.c.placed_at if stream is Stream.ORDERS else table.c.created_at
    same = and_(table.c.store_id == contacts.c.store_id, table.c.external_id == contacts.c.external_id)
    return (
        select(
            contacts.c.profile_id,
            literal(table is not customers).label("is_guest"),
            func.coalesce(table.c.updated_at, made_at).label("seen_at"),
            table.c.store_id,
            table.c.external_id,
            *(table.c[name] for name in ("first_name", "last_name", "email", "phone")),
            _country(stream, table).label("country"),
        )
        .join_from(contacts, table, same)
        .where(
            contacts.c.profile_id.in_(profile_ids),
            contacts.c.kind == _KINDS[stream],
            contacts.c.deleted_at.is_(None),
            table.c.deleted_at.is_(None),
        )
    )


def _country(stream: Stream, table: Table) -> ColumnElement[str]:
    return (
        select(addresses.c.country)
        .where(
            addresses.c.store_id == table.c.store_id,
            addresses.c.owner == owner_of(stream),
            addresses.c.owner_id == table.c.external_id,
            addresses.c.country != "",
        )
        .order_by(addresses.c.kind != "billing", addresses.c.position)
        .limit(1)
        .scalar_subquery()
    )


def _survivors(rows: Sequence[Row[Any]]) -> Values:
    known = sorted(rows, key=lambda row: (row.store_id, row.external_id))
    known.sort(key=lambda row: row.seen_at or _NEVER, reverse=True)
    known.sort(key=lambda row: row.is_guest)
    return {name: value for names in _FIELDS for name, value in _first(known, names).items()}


def _first(rows: Sequence[Row[Any]], names: Sequence[str]) -> dict[str, str]:
    for row in rows:
        values = {name: row._mapping[name] or "" for name in names}
        if any(values.values()):
            return values
    return dict.fromkeys(names, "")
