"""Whose an order or a cart is, and what of it counts as revenue: the policy as SQL expressions.

Orders and carts belong to the account's contact, a guest's to the contact made from the order or cart itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Numeric,
    Subquery,
    Table,
    and_,
    case,
    cast,
    null,
    select,
    type_coerce,
    union_all,
)

from syncd import money
from syncd.model import ContactKind
from syncd.store.engine import table_of
from syncd.store.rows import carts, orders
from syncd.store.tables import ContactRow, FactsRow
from syncd.store.types import RevenuePolicy

contacts = table_of(ContactRow)
facts = table_of(FactsRow)

_WEIGHT_STEP = Decimal("1e-9")  # finer rates would leave too little of 64 bits for the amounts


def owned(
    table: Table, kind: ContactKind, columns: Sequence[ColumnElement[Any]], *conditions: ColumnElement[bool]
) -> Subquery:
    """The rows of orders or carts that are not deleted, each with the profile it belongs to.

    Args:
        kind: What a guest's row of the table makes: order or cart.
        conditions: Over the table and its contacts; all must hold. In a query over `facts` they may name its row.
    """
    by_account = and_(contacts.c.kind == ContactKind.ACCOUNT, table.c.customer_id == contacts.c.external_id)
    by_guest = and_(
        contacts.c.kind == kind,
        table.c.external_id == contacts.c.external_id,
        table.c.customer_id.is_(None),
    )
    parts = (
        select(contacts.c.profile_id, *columns)
        .join_from(contacts, table, and_(table.c.store_id == contacts.c.store_id, link))
        .where(table.c.deleted_at.is_(None), *conditions)
        .correlate(facts)
        for link in (by_account, by_guest)
    )
    return union_all(*parts).subquery()


def owned_orders(
    policy: RevenuePolicy, columns: Sequence[ColumnElement[Any]], *conditions: ColumnElement[bool]
) -> Subquery:
    """The orders that count as revenue, each with the profile it belongs to."""
    return owned(orders, ContactKind.ORDER, columns, *_is_revenue(policy), *conditions)


def owned_open_carts(columns: Sequence[ColumnElement[Any]], *conditions: ColumnElement[bool]) -> Subquery:
    """The open carts, each with the profile it belongs to."""
    return owned(carts, ContactKind.CART, columns, carts.c.is_open.is_(True), *conditions)


def _is_revenue(policy: RevenuePolicy) -> tuple[ColumnElement[bool], ...]:
    excluded = sorted(policy.excluded_states)
    return orders.c.is_test.is_(False), orders.c.state.not_in(excluded)


def net_of(policy: RevenuePolicy) -> ColumnElement[int]:
    """What an order brought in: the total less refunds, and less tax and shipping where the policy says so."""
    net: ColumnElement[int] = orders.c.total_minor - orders.c.refunded_minor
    left_out = [column for column, counts in _parts(policy) if not counts]
    if not left_out:
        return net
    rest = net - sum(left_out[1:], start=left_out[0])
    # A refund gives tax and shipping back too: taking them off a second time must not go below nothing.
    return case((rest > 0, rest), else_=0)


def _parts(policy: RevenuePolicy) -> tuple[tuple[ColumnElement[int], bool], ...]:
    return (orders.c.tax_minor, policy.include_tax), (orders.c.shipping_minor, policy.include_shipping)


def converted(amounts: Mapping[str, int], currency: str, rates: Mapping[str, Decimal] | None) -> int | None:
    """The sum of amounts by currency, in minor units of one currency; None if a rate is missing."""
    parts = [
        money.convert(minor, source, currency, _rate(source, currency, rates)) for source, minor in amounts.items()
    ]
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _rate(source: str, currency: str, rates: Mapping[str, Decimal] | None) -> Decimal | None:
    return Decimal(1) if source == currency else (rates or {}).get(source)


class Weights:
    """Whole-number weights that turn amounts of many currencies into one exact sum inside the database.

    SQLite has no decimals, so the sum stays in a small part of the currency's minor unit: `scale` of them are one.
    """

    def __init__(self, currency: str, policy: RevenuePolicy) -> None:
        exact = {code: _weight(code, currency, rate) for code, rate in (policy.rates or {}).items()}
        if currency:
            exact[currency] = Decimal(1)
        decimals = max((-int(weight.as_tuple().exponent) for weight in exact.values()), default=0)
        self.scale = 10 ** max(0, decimals)
        self._whole = {code: int(weight * self.scale) for code, weight in sorted(exact.items())}

    def weigh(self, amount: ColumnElement[int], code: ColumnElement[str]) -> ColumnElement[Any]:
        """An amount in its currency as parts of the one currency; NULL if a rate is missing."""
        wide = type_coerce(cast(amount, Numeric), BigInteger)  # else PostgreSQL stops at 64 bits
        whens = [(code == name, type_coerce(weight, BigInteger)) for name, weight in self._whole.items()]
        return wide * case(*whens) if whens else cast(null(), BigInteger)


def _weight(source: str, currency: str, rate: Decimal) -> Decimal:
    shifted = rate.scaleb(money.exponent(currency) - money.exponent(source))
    return shifted.quantize(_WEIGHT_STEP, rounding=ROUND_HALF_EVEN).normalize()
