"""The orders of the last so many days: what each counts for, and what they come to.

For conditions they are summed up for each profile; for what time alone changes, as they drop out one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Subquery, case, func, literal, true

from syncd import money
from syncd.condition import Term
from syncd.store.operands import Whole, days_before
from syncd.store.revenue import Weights, net_of, owned_orders
from syncd.store.rows import orders
from syncd.store.tables import UtcDateTime
from syncd.store.types import RevenuePolicy

RECENT = ("orders_in_last", "spent_in_last")

Aggregate = Callable[[Any], ColumnElement[Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """What a condition is evaluated against.

    Args:
        now: What relative dates count from.
        currency: The currency of amounts; "" where there is no one currency: sums are then in parts of a hundred.
        among: Only these profiles; None for all.
    """

    now: datetime
    policy: RevenuePolicy
    currency: str
    among: Collection[str] | None = None

    def within(self, profile_id: ColumnElement[str]) -> ColumnElement[bool]:
        """Whether a profile is one of those looked at."""
        return true() if self.among is None else profile_id.in_(sorted(self.among))


class Recent:
    """One function of the last days' orders: a term whose name is in `RECENT`."""

    def __init__(self, term: Term, scope: Scope) -> None:
        self._scope = scope
        self.days = int(str(term.args[0]))
        weights = Weights(scope.currency, scope.policy)
        self._counts = term.name == "orders_in_last"
        self._factor = 1 if self._counts else 10 ** money.exponent(scope.currency) * weights.scale
        amount = weights.weigh(net_of(scope.policy), orders.c.currency)
        self._parts = literal(1, BigInteger) if self._counts else amount

    def orders(self, *conditions: ColumnElement[bool]) -> Subquery:
        """The orders that count now: `profile_id`, `placed_at`, and `parts`, NULL where a rate is missing."""
        since = literal(days_before(self._scope.now, self.days), UtcDateTime)
        columns = [orders.c.placed_at, self._parts.label("parts")]
        return owned_orders(self._scope.policy, columns, *conditions, orders.c.placed_at >= since)

    def total(self, parts: ColumnElement[Any], over: Aggregate = lambda aggregate: aggregate) -> ColumnElement[Any]:
        """What orders come to; no value where that of one is unknown.

        Args:
            over: Makes each aggregate a window's.
        """
        is_known = over(func.count()) == over(func.count(parts))
        return case((is_known, func.coalesce(over(func.sum(parts)), 0)))

    def operand(self, total: ColumnElement[Any]) -> Whole:
        """A total as something to compare with."""
        return Whole(column=total, factor=self._factor)
