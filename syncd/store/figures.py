"""The facts of a batch of profiles: a few grouped queries, then one row each.

In come profile ids and the revenue policy, out come rows for `facts` and `spend`. Nothing is written here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, case, distinct, func, select

from syncd import money
from syncd.model import ContactKind
from syncd.store.engine import table_of
from syncd.store.revenue import contacts, converted, net_of, owned_open_carts, owned_orders
from syncd.store.rows import Values, carts, consents, customers, orders
from syncd.store.tables import ProfileRow, Store
from syncd.store.types import RevenuePolicy

profiles = table_of(ProfileRow)
stores = table_of(Store)

_STRICTNESS = ("yes", "pending", "no")  # what counts as a statement, the strictest last
_Rows = Mapping[str, Sequence[Row[Any]]]

is_live_account = and_(
    contacts.c.kind == ContactKind.ACCOUNT,
    contacts.c.store_id == customers.c.store_id,
    contacts.c.external_id == customers.c.external_id,
    customers.c.deleted_at.is_(None),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """Rows for `facts` and `spend`; profiles that are no more have none."""

    facts: list[Values]
    spend: list[Values]


def figures(connection: Connection, profile_ids: Collection[str], policy: RevenuePolicy, now: datetime) -> Figures:
    """What is known now of the profiles that are alive: not merged away and with a contact left."""
    wanted = contacts.c.profile_id.in_(profile_ids)
    orders_of = _grouped(connection, _order_sums(policy, wanted))
    carts_of = _grouped(connection, _cart_sums(wanted))
    consents_of = _grouped(connection, _statements(wanted))
    people = connection.execute(_people(wanted)).mappings().all()
    return Figures(
        facts=[
            {
                **person,
                **_amounts(orders_of.get(person["profile_id"], ()), carts_of.get(person["profile_id"], ()), policy),
                **_consents(consents_of.get(person["profile_id"], ())),
                "is_staff": bool(person["is_staff"]),
                "computed_at": now,
            }
            for person in people
        ],
        spend=[row for person in people for row in _spend(orders_of.get(person["profile_id"], ()))],
    )


def _grouped(connection: Connection, query: Select[Any]) -> _Rows:
    rows: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(query):
        rows[row.profile_id].append(row)
    return rows


def _people(wanted: Any) -> Select[Any]:
    is_account = contacts.c.kind == ContactKind.ACCOUNT
    return (
        select(
            contacts.c.profile_id,
            func.count(case((is_account, 1))).label("accounts_count"),
            func.count(distinct(contacts.c.store_id)).label("stores_count"),
            func.count(distinct(stores.c.platform)).label("platforms_count"),
            func.max(case((customers.c.is_staff, 1), else_=0)).label("is_staff"),
        )
        .join_from(contacts, profiles, contacts.c.profile_id == profiles.c.profile_id)
        .outerjoin(stores, contacts.c.store_id == stores.c.store_id)
        .outerjoin(customers, is_live_account)
        .where(wanted, contacts.c.deleted_at.is_(None), profiles.c.merged_into.is_(None))
        .group_by(contacts.c.profile_id)
    )


def _order_sums(policy: RevenuePolicy, wanted: Any) -> Select[Any]:
    owned = owned_orders(
        policy,
        [
            orders.c.currency,
            net_of(policy).label("net"),
            orders.c.refunded_minor,
            orders.c.placed_at,
            orders.c.customer_id,
        ],
        wanted,
    ).c
    return select(
        owned.profile_id,
        owned.currency,
        func.count().label("orders_count"),
        func.sum(owned.net).label("spent"),
        func.sum(owned.refunded_minor).label("refunded"),
        func.min(owned.placed_at).label("first_at"),
        func.max(owned.placed_at).label("last_at"),
        func.count(case((owned.customer_id.is_(None), 1))).label("guest_count"),
    ).group_by(owned.profile_id, owned.currency)


def _cart_sums(wanted: Any) -> Select[Any]:
    seen_at = func.coalesce(carts.c.updated_at, carts.c.created_at).label("seen_at")
    owned = owned_open_carts([carts.c.currency, carts.c.total_minor, seen_at], wanted).c
    return select(
        owned.profile_id,
        owned.currency,
        func.count().label("carts_count"),
        func.sum(owned.total_minor).label("value"),
        func.max(owned.seen_at).label("seen_at"),
    ).group_by(owned.profile_id, owned.currency)


def _statements(wanted: Any) -> Select[Any]:
    of_account = and_(consents.c.store_id == contacts.c.store_id, consents.c.customer_id == contacts.c.external_id)
    return (
        select(contacts.c.profile_id, consents.c.channel, consents.c.state, consents.c.at)
        .join_from(contacts, customers, is_live_account)
        .join(consents, of_account)
        .where(wanted, contacts.c.deleted_at.is_(None))
    )


def _amounts(bought: Sequence[Row[Any]], waiting: Sequence[Row[Any]], policy: RevenuePolicy) -> Values:
    currency = policy.currency or _shared_currency(bought or waiting)
    spent = _sum(bought, "spent", currency, policy)
    orders_count = sum(row.orders_count for row in bought)
    return {
        "currency": currency,
        "orders_count": orders_count,
        "guest_orders_count": sum(row.guest_count for row in bought),
        "spent_minor": spent,
        "average_order_minor": _average(spent, orders_count),
        "refunded_minor": _sum(bought, "refunded", currency, policy),
        "first_order_at": min(_known(row.first_at for row in bought), default=None),
        "last_order_at": max(_known(row.last_at for row in bought), default=None),
        "open_carts_count": sum(row.carts_count for row in waiting),
        "open_cart_minor": _sum(waiting, "value", currency, policy),
        "open_cart_at": max(_known(row.seen_at for row in waiting), default=None),
    }


def _average(spent: int | None, orders_count: int) -> int | None:
    return None if spent is None or not orders_count else money.round_minor(Decimal(spent) / orders_count)


def _shared_currency(rows: Sequence[Row[Any]]) -> str:
    return rows[0].currency if len(rows) == 1 else ""


def _sum(rows: Sequence[Row[Any]], name: str, currency: str, policy: RevenuePolicy) -> int | None:
    return converted({row.currency: int(row._mapping[name]) for row in rows}, currency, policy.rates)


def _known(times: Iterable[datetime | None]) -> list[datetime]:
    return [at for at in times if at is not None]


def _spend(bought: Sequence[Row[Any]]) -> list[Values]:
    return [
        {
            "profile_id": row.profile_id,
            "currency": row.currency,
            "orders_count": row.orders_count,
            "spent_minor": int(row.spent),
        }
        for row in bought
    ]


def _consents(statements: Sequence[Row[Any]]) -> Values:
    return {f"{channel}_consent": _decided(statements, channel) for channel in ("email", "sms")}


def _decided(statements: Sequence[Row[Any]], channel: str) -> str:
    said = [row for row in statements if row.channel == channel and row.state in _STRICTNESS]
    latest = max(_known(row.at for row in said), default=None)
    valid = [row.state for row in said if row.at == latest]
    return max(valid, key=_STRICTNESS.index, default="unknown")
