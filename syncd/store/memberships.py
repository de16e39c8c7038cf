"""Who enters and who leaves a segment: the wanted members beside those who are in it, both read in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, Select, select, update

from syncd.store.byte_order import byte_order
from syncd.store.engine import insert_rows, table_of
from syncd.store.ids import NewId
from syncd.store.tables import Membership

memberships = table_of(Membership)

_CHUNK = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A profile that enters, or a membership that ends."""

    enters: str = ""
    ends: str = ""


def differences(connection: Connection, wanted: Select[Any], there: Select[Any]) -> Iterator[Change]:
    """What has to change until exactly the wanted profiles are in the segment; lazy.

    Args:
        connection: Another one than the changes are written by: it must go on seeing what was there before.
        wanted: Selects `profile_id` in byte order.
        there: Who is in the segment, as `open_ones` selects them.
    """
    return _beside(_streamed(connection, wanted), _streamed(connection, there))


def move(
    connection: Connection, segment: str, changes: Iterator[Change], now: datetime, new_id: NewId
) -> tuple[int, int]:
    """Open and close memberships; how many entered and how many left."""
    entered_count = left_count = 0
    while some := list(islice(changes, _CHUNK)):
        entering = [change.enters for change in some if change.enters]
        leaving = [change.ends for change in some if change.ends]
        _enter(connection, segment, entering, now, new_id)
        _leave(connection, leaving, now)
        entered_count += len(entering)
        left_count += len(leaving)
    return entered_count, left_count


def _streamed(connection: Connection, query: Select[Any]) -> Iterator[Row[Any]]:
    return iter(connection.execute(query.execution_options(yield_per=_CHUNK)))


def open_ones(segment: str) -> Select[Any]:
    """Selects everybody in a segment, in byte order of `profile_id`."""
    return (
        select(memberships.c.profile_id, memberships.c.membership_id)
        .where(memberships.c.segment == segment, memberships.c.left_at.is_(None))
        .order_by(byte_order(memberships.c.profile_id))
    )


def _beside(wanted: Iterator[Row[Any]], there: Iterator[Row[Any]]) -> Iterator[Change]:
    # A join would do, but a planner that has not counted a fresh table yet compares every row with every other.
    left, right = next(wanted, None), next(there, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left.profile_id < right.profile_id):
            yield Change(enters=left.profile_id if left else "")
            left = next(wanted, None)
        elif left is None or right.profile_id < left.profile_id:
            yield Change(ends=right.membership_id)
            right = next(there, None)
        else:
            left, right = next(wanted, None), next(there, None)


def _enter(connection: Connection, segment: str, profile_ids: list[str], now: datetime, new_id: NewId) -> None:
    rows = [
        {"membership_id": new_id(), "segment": segment, "profile_id": profile_id, "entered_at": now}
        for profile_id in profile_ids
    ]
    insert_rows(connection, memberships, rows)


def _leave(connection: Connection, membership_ids: list[str], now: datetime) -> None:
    if membership_ids:
        statement = update(memberships).where(memberships.c.membership_id.in_(membership_ids)).values(left_at=now)
        connection.execute(statement)
