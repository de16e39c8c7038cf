"""Who enters and who leaves a segment: the wanted members against those who are in it, as one query."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select, union_all, update

from syncd.store.engine import insert_rows, table_of
from syncd.store.ids import NewId
from syncd.store.tables import Membership

memberships = table_of(Membership)

_CHUNK = 1000


def move(connection: Connection, segment: str, wanted: Select[Any], now: datetime, new_id: NewId) -> tuple[int, int]:
    """Open and close memberships until exactly the wanted profiles are in the segment.

    Args:
        wanted: Selects `profile_id`.

    Returns:
        How many entered and how many left.
    """
    entered_count = left_count = 0
    result = connection.execute(_differences(segment, wanted).execution_options(yield_per=_CHUNK))
    for rows in result.partitions():
        entering = [row.profile_id for row in rows if row.membership_id is None]
        leaving = [row.membership_id for row in rows if row.membership_id is not None]
        _enter(connection, segment, entering, now, new_id)
        _leave(connection, leaving, now)
        entered_count += len(entering)
        left_count += len(leaving)
    return entered_count, left_count


def _differences(segment: str, wanted: Select[Any]) -> Select[Any]:
    there = (
        select(memberships.c.membership_id, memberships.c.profile_id)
        .where(memberships.c.segment == segment, memberships.c.left_at.is_(None))
        .cte("there")
    )
    picked = wanted.cte("picked")
    same = picked.c.profile_id == there.c.profile_id
    entering = (
        select(picked.c.profile_id, there.c.membership_id)
        .outerjoin_from(picked, there, same)
        .where(there.c.profile_id.is_(None))
    )
    leaving = (
        select(there.c.profile_id, there.c.membership_id)
        .outerjoin_from(there, picked, same)
        .where(picked.c.profile_id.is_(None))
    )
    both = union_all(entering, leaving).subquery()
    return select(both).order_by(both.c.profile_id)


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
