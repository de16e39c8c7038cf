"""Which segments stand as they were evaluated, and until when.

Whoever changes what conditions ask about forgets, in the same transaction, that segments were evaluated. So a crash
between a change and the evaluation that it calls for leaves segments that are to be evaluated, never ones that are
wrong and look right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, delete, literal, or_, select, update

from syncd import __version__
from syncd.condition import Condition
from syncd.store.engine import table_of, upsert
from syncd.store.schema import wait_for_turn
from syncd.store.tables import SegmentState, UtcDateTime
from syncd.store.types import RevenuePolicy

_states = table_of(SegmentState)
_FACTS = ""  # no segment's name: the row says by which policy the facts were worked out
_FORGOTTEN = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A segment as it was evaluated.

    Args:
        basis: What it was evaluated by; see `basis_of`.
        due_at: When time alone may change it next; None for never.
    """

    segment: str
    basis: str
    evaluated_at: datetime
    due_at: datetime | None


def basis_of(policy: RevenuePolicy, condition: Condition | None = None) -> str:
    """Names everything but data that memberships rest on, or that facts do where no condition is given."""
    excluded = sorted(state.value for state in policy.excluded_states)
    rates = sorted((policy.rates or {}).items())
    parts = (__version__, condition, excluded, policy.include_tax, policy.include_shipping, policy.currency, rates)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def facts_basis(connection: Connection) -> str:
    """What the facts rest on; empty before they were ever worked out."""
    return connection.execute(select(_states.c.condition_hash).where(_states.c.segment == _FACTS)).scalar() or ""


def rest_facts(connection: Connection, basis: str, now: datetime) -> None:
    """Note what the facts rest on from now on."""
    stand(connection, Standing(segment=_FACTS, basis=basis, evaluated_at=now, due_at=None))


def states(connection: Connection, now: datetime) -> dict[str, str]:
    """Every segment that was ever evaluated, with what it rests on; that of one that no longer stands is empty.

    One that was evaluated later than now is none that stands: a clock stepped back.
    """
    is_due = or_(_states.c.due_at <= now, _states.c.evaluated_at > now)
    query = select(_states.c.segment, _states.c.condition_hash, is_due.label("is_due"))
    query = query.where(_states.c.segment != _FACTS)
    return {row.segment: _FORGOTTEN if row.is_due else row.condition_hash for row in connection.execute(query)}


def stand(connection: Connection, standing: Standing) -> None:
    """Note that a segment was evaluated; within the turn on segments."""
    row = {
        "segment": standing.segment,
        "condition_hash": standing.basis,
        "evaluated_at": standing.evaluated_at,
        "due_at": standing.due_at,
    }
    upsert(connection, _states, [row])


def stand_on(connection: Connection, segment: str, now: datetime, due_at: datetime | None) -> None:
    """Note that a segment that stands was evaluated for some profiles; within the turn on segments.

    Args:
        due_at: When time alone may move one of those; None for never.
    """
    values: dict[str, Any] = {"evaluated_at": now}
    if due_at is not None:
        moment = literal(due_at, UtcDateTime)
        values["due_at"] = case((_states.c.due_at <= moment, _states.c.due_at), else_=moment)
    connection.execute(update(_states).where(_states.c.segment == segment).values(values))


def forget(connection: Connection, segments: Collection[str] | None = None) -> None:
    """Have segments evaluated anew; all of them where none are named. Where people are grouped, that turn is first."""
    # An evaluation that has not seen the change may be under way: it must not note itself after this.
    wait_for_turn(connection, "segments")
    named = _states.c.segment != _FACTS if segments is None else _states.c.segment.in_(sorted(segments))
    is_noted = _states.c.condition_hash != _FORGOTTEN
    connection.execute(update(_states).where(named, is_noted).values(condition_hash=_FORGOTTEN))


def drop(connection: Connection, keep: Collection[str]) -> None:
    """Take out the states of all other segments."""
    connection.execute(delete(_states).where(_states.c.segment.not_in([_FACTS, *sorted(keep)])))
