"""From a segment's condition to one query over all live profiles; the only meaning a condition has.

Facts are columns. What is not a fact (`bought`, `orders_in_last`, ...) is looked up for each profile through an index:
the one shape that stays linear on both databases even before they have counted their rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, not_, select

from syncd import money
from syncd.condition import (
    AllOf,
    AnyOf,
    Between,
    Compare,
    Condition,
    IsNull,
    IsTrue,
    Leaf,
    Like,
    Not,
    OneOf,
    Term,
    Value,
)
from syncd.model import ContactKind
from syncd.store.byte_order import byte_order
from syncd.store.engine import table_of
from syncd.store.knowntags import tag_state
from syncd.store.memberships import memberships
from syncd.store.operands import Days, Flag, Moment, Operand, Whole, Words, all_of, any_of, holds
from syncd.store.recent import RECENT, Recent, Scope
from syncd.store.revenue import contacts, facts, owned_orders
from syncd.store.rows import order_lines, orders
from syncd.store.tables import ProfileRow, SpendRow, Store
from syncd.store.types import RevenuePolicy

_profiles = table_of(ProfileRow)
_spend = table_of(SpendRow)
_stores = table_of(Store)
_IS_OWN = contacts.c.profile_id == facts.c.profile_id

_COUNTS = (
    "orders_count",
    "accounts_count",
    "guest_orders_count",
    "stores_count",
    "platforms_count",
    "open_carts_count",
)
_MONEY = {
    "spent": facts.c.spent_minor,
    "average_order": facts.c.average_order_minor,
    "refunded": facts.c.refunded_minor,
    "open_cart_value": facts.c.open_cart_minor,
}
DAYS = {
    "days_since_first_order": facts.c.first_order_at,
    "days_since_last_order": facts.c.last_order_at,
    "days_since_open_cart": facts.c.open_cart_at,
}
_PLAIN: Mapping[str, Operand] = {
    **{name: Whole(column=facts.c[name]) for name in _COUNTS},
    **{name: Moment(column=facts.c[name]) for name in ("first_order_at", "last_order_at")},
    **{name: Words(facts.c[name]) for name in ("email_consent", "sms_consent")},
    **{name: Words(_profiles.c[name]) for name in ("email", "country")},
    "is_staff": Flag(column=facts.c.is_staff.is_(True)),
    "can_email": Flag(column=facts.c.email_consent == "yes"),
    "can_sms": Flag(column=facts.c.sms_consent == "yes"),
}


def members(condition: Condition, scope: Scope) -> Select[Any]:
    """Selects `profile_id` of every live profile in scope for which the condition holds, in byte order."""
    return (
        select(facts.c.profile_id)
        .join_from(facts, _profiles, facts.c.profile_id == _profiles.c.profile_id)
        .where(_profiles.c.merged_into.is_(None), scope.within(facts.c.profile_id), _Compiler(scope).clause(condition))
        .order_by(byte_order(facts.c.profile_id))
    )


class _Compiler:
    """Makes the clauses of one condition."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def clause(self, condition: Condition) -> ColumnElement[bool]:
        """The condition as a WHERE clause."""
        match condition:
            case AllOf(items=items):
                return all_of([self.clause(item) for item in items])
            case AnyOf(items=items):
                return any_of([self.clause(item) for item in items])
            case Not(item=item):
                return not_(holds(self.clause(item)))
            case _:
                return said(condition, self._operand(condition.term))

    def _operand(self, term: Term) -> Operand:
        return self._function(term) if term.args else self._fact(term.name)

    def _fact(self, name: str) -> Operand:
        if name in _MONEY:
            return Whole(column=_MONEY[name], factor=10 ** money.exponent(self._scope.currency))
        if name in DAYS:
            return Days(column=DAYS[name], now=self._scope.now)
        return _PLAIN[name]

    def _function(self, term: Term) -> Operand:
        argument = term.args[0]
        if term.name in _CLAIMS:
            return Flag(column=_CLAIMS[term.name](argument, self._scope.policy).exists())
        return _recent(Recent(term, self._scope)) if term.name in RECENT else self._spent(str(argument))

    def _spent(self, currency: str) -> Operand:
        own = _spend.c.profile_id == facts.c.profile_id
        amount = select(_spend.c.spent_minor).where(own, _spend.c.currency == currency).scalar_subquery()
        return Whole(column=func.coalesce(amount, 0), factor=10 ** money.exponent(currency))


def said(leaf: Leaf, operand: Operand) -> ColumnElement[bool]:
    """What a leaf says of its term, for whatever the term is in SQL."""
    match leaf:
        case Compare(operator=sign, value=value):
            return _compared(operand, sign, value)
        case Between(low=low, high=high):
            return all_of([_compared(operand, ">=", low), _compared(operand, "<=", high)])
        case OneOf(values=values):
            return any_of([_compared(operand, "=", value) for value in values])
        case Like(pattern=pattern):
            return operand.like(pattern) if isinstance(operand, Words) else false()
        case IsNull():
            return operand.column.is_(None)
        case IsTrue():
            return operand.compare("=", True)


def _recent(recent: Recent) -> Operand:
    total = recent.total(recent.orders(_IS_OWN).c.parts)
    return recent.operand(select(total).scalar_subquery())


def _compared(operand: Operand, sign: str, value: Value) -> ColumnElement[bool]:
    return false() if value is None else operand.compare(sign, value)


def _bought(sku: Value, policy: RevenuePolicy) -> Select[Any]:
    of_order = and_(
        order_lines.c.store_id == orders.c.store_id,
        order_lines.c.order_id == orders.c.external_id,
        order_lines.c.sku == sku,
    )
    return select(owned_orders(policy, [], _IS_OWN, exists().where(of_order)))


def _on_store(store_id: Value, _policy: RevenuePolicy) -> Select[Any]:
    return select(contacts.c.profile_id).where(
        _IS_OWN, contacts.c.deleted_at.is_(None), contacts.c.store_id == store_id
    )


def _on_platform(platform: Value, _policy: RevenuePolicy) -> Select[Any]:
    there = contacts.c.store_id == _stores.c.store_id
    return (
        select(contacts.c.profile_id)
        .join_from(contacts, _stores, there)
        .where(_IS_OWN, contacts.c.deleted_at.is_(None), _stores.c.platform == platform)
    )


def _in_segment(segment: Value, _policy: RevenuePolicy) -> Select[Any]:
    own = memberships.c.profile_id == facts.c.profile_id
    return select(memberships.c.profile_id).where(
        own, memberships.c.segment == segment, memberships.c.left_at.is_(None)
    )


def _has_tag(tag: Value, _policy: RevenuePolicy) -> Select[Any]:
    same = and_(tag_state.c.store_id == contacts.c.store_id, tag_state.c.external_id == contacts.c.external_id)
    return (
        select(contacts.c.profile_id)
        .join_from(contacts, tag_state, same)
        .where(
            _IS_OWN,
            contacts.c.kind == ContactKind.ACCOUNT,
            contacts.c.deleted_at.is_(None),
            tag_state.c.tag == tag,
            tag_state.c.is_present.is_(True),
        )
    )


_CLAIMS: Mapping[str, Callable[[Value, RevenuePolicy], Select[Any]]] = {
    "bought": _bought,
    "on_store": _on_store,
    "on_platform": _on_platform,
    "in_segment": _in_segment,
    "has_tag": _has_tag,
}
