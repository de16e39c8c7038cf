"""When time alone next changes whom a condition picks: one cheap aggregate for each part that depends on time.

Only two kinds of term do: days since something, and what the orders of the last days come to. A time itself is
compared with a fixed one. The moment told is never too late; it may be too early where the parts of a condition
cancel each other out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Subquery, case, func, literal, select

from syncd.condition import Between, Compare, Condition, Leaf, OneOf, leaves
from syncd.store.compile import DAYS, said
from syncd.store.operands import day_edges, days_after, days_before, holds
from syncd.store.recent import RECENT, Aggregate, Recent, Scope
from syncd.store.revenue import contacts, facts
from syncd.store.tables import UtcDateTime

_TICK = timedelta(microseconds=1)  # an order counts up to and including the moment that its days are over


def next_turn(connection: Connection, condition: Condition, scope: Scope) -> datetime | None:
    """The first moment after `scope.now` at which somebody may enter or leave without any news; None for never."""
    return min((moment for leaf in leaves(condition) for moment in _turns(connection, leaf, scope)), default=None)


def _turns(connection: Connection, leaf: Leaf, scope: Scope) -> Iterator[datetime]:
    if leaf.term.name in DAYS:
        yield from _birthdays(connection, leaf, scope)
    elif leaf.term.name in RECENT:
        recent = Recent(leaf.term, scope)
        yield from _farewells(connection, leaf, recent, recent.orders(scope.within(contacts.c.profile_id)))


def _birthdays(connection: Connection, leaf: Leaf, scope: Scope) -> Iterator[datetime]:
    """When the first profile's days next complete each number of days at which the leaf turns."""
    since, edges = DAYS[leaf.term.name], sorted(_edges(leaf))
    if not edges:
        return
    ahead = [func.min(case((since > literal(days_before(scope.now, edge), UtcDateTime), since))) for edge in edges]
    found = connection.execute(select(*ahead).where(scope.within(facts.c.profile_id))).one()
    yield from (days_after(first, edge) for first, edge in zip(found, edges, strict=True) if first is not None)


def _edges(leaf: Leaf) -> set[int]:
    match leaf:
        case Compare(operator=sign, value=value):
            asked = [(sign, value)]
        case Between(low=low, high=high):
            asked = [(">=", low), ("<=", high)]
        case OneOf(values=values):
            asked = [("=", value) for value in values]
        case _:
            asked = []
    return {edge for sign, value in asked if value is not None for edge in day_edges(sign, value)}


def _farewells(connection: Connection, leaf: Leaf, recent: Recent, orders: Subquery) -> Iterator[datetime]:
    """When the first order drops out whose going turns the leaf for its profile."""
    counted = orders.c

    def to_the_last(end: int) -> Aggregate:
        # Orders placed at one moment drop out together, so they are one step.
        return lambda aggregate: aggregate.over(
            partition_by=counted.profile_id, order_by=counted.placed_at.desc(), groups=(None, end)
        )

    def told(end: int) -> ColumnElement[Any]:
        return holds(said(leaf, recent.operand(recent.total(counted.parts, to_the_last(end)))))

    steps = select(counted.placed_at, told(0).label("before"), told(-1).label("after")).subquery().c
    first = connection.execute(select(func.min(steps.placed_at)).where(steps.before != steps.after)).scalar()
    if first is not None:
        yield days_after(first, recent.days) + _TICK
