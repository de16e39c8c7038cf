"""Segments follow a few profiles whose facts have changed, without a look at all the others.

Happens in the transaction that changes the facts, so that there is no moment at which the one is known and the other
is not.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from syncd.store.ageing import next_turn
from syncd.store.compile import members
from syncd.store.ids import NewId
from syncd.store.memberships import differences, memberships, move, open_ones
from syncd.store.recent import Scope
from syncd.store.schema import wait_for_turn
from syncd.store.standing import basis_of, forget, stand_on, states
from syncd.store.types import Rule


def follow(connection: Connection, rules: Sequence[Rule], scope: Scope, new_id: NewId) -> None:
    """Bring the segments that stand up to date for the profiles in scope; all others are due from now on.

    Args:
        rules: Each after those that it builds on.
    """
    wait_for_turn(connection, "segments")
    noted = states(connection, scope.now)
    standing = [rule for rule in rules if noted.get(rule.segment) == basis_of(scope.policy, rule.condition)]
    for rule in standing:
        _follow(connection, rule, scope, new_id)
    forget(connection, noted.keys() - {rule.segment for rule in standing})


def _follow(connection: Connection, rule: Rule, scope: Scope, new_id: NewId) -> None:
    there = open_ones(rule.segment).where(scope.within(memberships.c.profile_id))
    changes = list(
        differences(connection, members(rule.condition, scope), there)
    )  # they are written where they are read
    move(connection, rule.segment, iter(changes), scope.now, new_id)
    stand_on(connection, rule.segment, scope.now, next_turn(connection, rule.condition, scope))
