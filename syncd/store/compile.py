"""From a segment's condition to one query over all live profiles; the only meaning a condition has.

Facts are columns. What is not a fact (`bought`, `orders_in_last`, ...) is a grouped query, joined once per distinct
term: databases join a million profiles well, but run a query per profile badly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Subquery, case, false, func, literal, not_, select, tuple_

from syncd import money
from syncd.condition import AllOf, AnyOf, Between, Compare, Condition, IsNull, IsTrue, Like, Not, OneOf, Term, Value
from syncd.model import ContactKind
from syncd.store.engine import table_of
from syncd.store.memberships import memberships
from syncd.store.operands import Days, Flag, Moment, Operand, Whole, Words, all_of, any_of, days_before, holds
from syncd.store.revenue import Weights, contacts, net_of, owned_orders
from syncd.store.rows import order_lines, orders
from syncd.store.tables import FactsRow, ProfileRow, SpendRow, Store, TagState, UtcDateTime
from syncd.store.types import RevenuePolicy

_profiles = table_of(ProfileRow)
_facts = table_of(FactsRow)
_spend = table_of(SpendRow)
_stores = table_of(Store)
_tags = table_of(TagState)

_COUNTS = (
    "orders_count",
    "accounts_count",
    "guest_orders_count",
    "stores_count",
    "platforms_count",
    "open_carts_count",
)
_MONEY = {
    "spent": _facts.c.spent_minor,
    "average_order": _facts.c.average_order_minor,
    "refunded": _facts.c.refunded_minor,
    "open_cart_value": _facts.c.open_cart_minor,
}
_DAYS = {
    "days_since_first_order": _facts.c.first_order_at,
    "days_since_last_order": _facts.c.last_order_at,
    "days_since_open_cart": _facts.c.open_cart_at,
}
_PLAIN: Mapping[str, Operand] = {
    **{name: Whole(column=_facts.c[name]) for name in _COUNTS},
    **{name: Moment(column=_facts.c[name]) for name in ("first_order_at", "last_order_at")},
    **{name: Words(_facts.c[name]) for name in ("email_consent", "sms_consent")},
    **{name: Words(_profiles.c[name]) for name in ("email", "country")},
    "is_staff": Flag(column=_facts.c.is_staff.is_(True)),
    "can_email": Flag(column=_facts.c.email_consent == "yes"),
    "can_sms": Flag(column=_facts.c.sms_consent == "yes"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """What a condition is evaluated against.

    Args:
        now: What relative dates count from.
        currency: The currency of amounts; "" where there is no one currency: sums are then in parts of a hundred.
    """

    now: datetime
    policy: RevenuePolicy
    currency: str


def members(condition: Condition, scope: Scope) -> Select[Any]:
    """Selects `profile_id` of every live profile for which the condition holds."""
    compiler = _Compiler(scope)
    clause = compiler.clause(condition)
    return select(_facts.c.profile_id).select_from(compiler.source).where(_profiles.c.merged_into.is_(None), clause)


class _Compiler:
    """Collects the joins that a condition's clauses need while it makes them."""

    def __init__(self, scope: Scope) -> None:
        self.source: FromClause = _facts.join(_profiles, _facts.c.profile_id == _profiles.c.profile_id)
        self._scope = scope
        self._operands: dict[Term, Operand] = {}

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
                return self._plain(condition)

    def _plain(self, condition: Compare | Between | OneOf | Like | IsNull | IsTrue) -> ColumnElement[bool]:
        operand = self._operand(condition.term)
        match condition:
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

    def _operand(self, term: Term) -> Operand:
        if term not in self._operands:
            self._operands[term] = self._function(term) if term.args else self._fact(term.name)
        return self._operands[term]

    def _fact(self, name: str) -> Operand:
        if name in _MONEY:
            return Whole(column=_MONEY[name], factor=10 ** money.exponent(self._scope.currency))
        if name in _DAYS:
            return Days(column=_DAYS[name], now=self._scope.now)
        return _PLAIN[name]

    def _function(self, term: Term) -> Operand:
        argument = term.args[0]
        if term.name in _CLAIMS:
            joined = self._join(_CLAIMS[term.name](argument, self._scope.policy).distinct())
            return Flag(column=joined.c.profile_id.is_not(None))
        if term.name == "spent":
            return self._spent(str(argument))
        since = days_before(self._scope.now, int(str(argument)))
        return self._orders_since(since) if term.name == "orders_in_last" else self._spent_since(since)

    def _spent(self, currency: str) -> Operand:
        joined = self._join(select(_spend.c.profile_id, _spend.c.spent_minor).where(_spend.c.currency == currency))
        return Whole(column=func.coalesce(joined.c.spent_minor, 0), factor=10 ** money.exponent(currency))

    def _orders_since(self, since: datetime) -> Operand:
        owned = owned_orders(self._scope.policy, [], orders.c.placed_at >= literal(since, UtcDateTime)).c
        joined = self._join(select(owned.profile_id, func.count().label("count")).group_by(owned.profile_id))
        return Whole(column=func.coalesce(joined.c.count, 0))

    def _spent_since(self, since: datetime) -> Operand:
        scope = self._scope
        weights = Weights(scope.currency, scope.policy)
        parts = weights.weigh(net_of(scope.policy), orders.c.currency).label("parts")
        owned = owned_orders(scope.policy, [parts], orders.c.placed_at >= literal(since, UtcDateTime)).c
        is_known = func.count() == func.count(owned.parts)
        total = case((is_known, func.sum(owned.parts))).label("total")
        joined = self._join(select(owned.profile_id, total).group_by(owned.profile_id))
        none_at_all = joined.c.profile_id.is_(None)
        factor = 10 ** money.exponent(scope.currency) * weights.scale
        return Whole(column=case((none_at_all, 0), else_=joined.c.total), factor=factor)

    def _join(self, query: Select[Any]) -> Subquery:
        joined = query.subquery()
        self.source = self.source.outerjoin(joined, joined.c.profile_id == _facts.c.profile_id)
        return joined


def _compared(operand: Operand, sign: str, value: Value) -> ColumnElement[bool]:
    return false() if value is None else operand.compare(sign, value)


def _bought(sku: Value, policy: RevenuePolicy) -> Select[Any]:
    holding = select(order_lines.c.store_id, order_lines.c.order_id).where(order_lines.c.sku == sku)
    owned = owned_orders(policy, [], tuple_(orders.c.store_id, orders.c.external_id).in_(holding))
    return select(owned.c.profile_id)


def _on_store(store_id: Value, _policy: RevenuePolicy) -> Select[Any]:
    return select(contacts.c.profile_id).where(contacts.c.deleted_at.is_(None), contacts.c.store_id == store_id)


def _on_platform(platform: Value, _policy: RevenuePolicy) -> Select[Any]:
    there = select(_stores.c.store_id).where(_stores.c.platform == platform)
    return select(contacts.c.profile_id).where(contacts.c.deleted_at.is_(None), contacts.c.store_id.in_(there))


def _in_segment(segment: Value, _policy: RevenuePolicy) -> Select[Any]:
    is_open = memberships.c.left_at.is_(None)
    return select(memberships.c.profile_id).where(is_open, memberships.c.segment == segment)


def _has_tag(tag: Value, _policy: RevenuePolicy) -> Select[Any]:
    same = (_tags.c.store_id == contacts.c.store_id) & (_tags.c.external_id == contacts.c.external_id)
    return (
        select(contacts.c.profile_id)
        .join_from(_tags, contacts, same)
        .where(
            _tags.c.tag == tag,
            _tags.c.is_present.is_(True),
            contacts.c.kind == ContactKind.ACCOUNT,
            contacts.c.deleted_at.is_(None),
        )
    )


_CLAIMS: Mapping[str, Callable[[Value, RevenuePolicy], Select[Any]]] = {
    "bought": _bought,
    "on_store": _on_store,
    "on_platform": _on_platform,
    "in_segment": _in_segment,
    "has_tag": _has_tag,
}
