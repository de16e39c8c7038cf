"""Walks under way: kept in the lane's checkpoint with their counts, and the ids they have met."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from syncd.model import Lane, Window
from syncd.store.engine import insert_rows, rows_in, table_of
from syncd.store.leases import ensure_checkpoint, write_checkpoint
from syncd.store.tables import WalkSeen
from syncd.store.types import Counts, LaneKey, LaneState, Walk, WalkEnd

walk_seen = table_of(WalkSeen)

_COUNTS = tuple(Counts.__dataclass_fields__)


def lane_state(row: Row[Any] | None) -> LaneState:
    """What a checkpoint row says of its lane."""
    if row is None:
        return LaneState()
    return LaneState(
        bookmark=row.bookmark,
        fresh_until=row.fresh_until,
        history_complete_since=row.history_complete_since,
        last_sweep_at=row.last_sweep_at,
        walk=_walk(row) if row.walk_id else None,
    )


def is_under_way(row: Row[Any], window: Window) -> bool:
    """Whether a checkpoint has a walk of this window that has not ended."""
    return bool(row.walk_id) and _walk(row).window == window


def walk_counts(row: Row[Any]) -> Counts:
    """The counts of the walk under way."""
    return Counts(**{name: getattr(row, f"walk_{name}") for name in _COUNTS})


def counts_values(counts: Counts) -> dict[str, int]:
    """The checkpoint's columns for a walk's counts."""
    return {f"walk_{name}": getattr(counts, name) for name in _COUNTS}


def walk_values(walk: Walk | None) -> dict[str, Any]:
    """The checkpoint's columns for a walk; None is no walk."""
    counts = counts_values(walk.counts if walk else Counts())
    return counts | {
        "walk_id": walk.walk_id if walk else None,
        "walk_kind": walk.kind if walk else None,
        "walk_since": walk.window.since if walk else None,
        "walk_until": walk.window.until if walk else None,
        "walk_signpost": walk.signpost if walk else None,
        "walk_started_at": walk.started_at if walk else None,
        "walk_cursor": walk.cursor if walk else None,
        "walk_declared": walk.declared if walk else None,
    }


def first_meetings(connection: Connection, walk_id: str, external_ids: Collection[str]) -> set[str]:
    """Those of the ids that the walk had not met before; they are met now."""
    query = select(walk_seen.c.external_id).where(walk_seen.c.walk_id == walk_id)
    met = {row.external_id for row in rows_in(connection, query, walk_seen.c.external_id, external_ids)}
    fresh = set(external_ids) - met
    rows = [{"walk_id": walk_id, "external_id": external_id} for external_id in sorted(fresh)]
    insert_rows(connection, walk_seen, rows)
    return fresh


def forget_walk(connection: Connection, row: Row[Any], key: LaneKey) -> None:
    """End the walk under way, if any: clear it from the checkpoint and empty what it met."""
    connection.execute(delete(walk_seen).where(walk_seen.c.walk_id == (row.walk_id or "")))
    write_checkpoint(connection, key, **walk_values(None))


def settle_lane(connection: Connection, row: Row[Any], key: LaneKey, end: WalkEnd, now: datetime) -> None:
    """Write what a walk stored whole means for a lane; a bookmark never moves back."""
    values = {
        "bookmark": _later(row.bookmark, end.bookmark),
        "fresh_until": _later(row.fresh_until, end.fresh_until),
        "history_complete_since": row.history_complete_since or (now if end.history_complete else None),
        "last_sweep_at": now if end.is_sweep else row.last_sweep_at,
        "succeeded_at": now,
    }
    write_checkpoint(connection, key, **values)


def seed_lane(connection: Connection, key: LaneKey, end: WalkEnd, now: datetime) -> None:
    """Give a live lane without a bookmark that of a complete backfill; one that has a bookmark stays as it is."""
    row = ensure_checkpoint(connection, key)
    if key.lane is Lane.LIVE and row.bookmark is None:
        settle_lane(connection, row, key, end, now)


def _walk(row: Row[Any]) -> Walk:
    return Walk(
        walk_id=row.walk_id,
        kind=row.walk_kind,
        window=Window(since=row.walk_since, until=row.walk_until),
        signpost=row.walk_signpost,
        started_at=row.walk_started_at,
        cursor=row.walk_cursor,
        declared=row.walk_declared,
        counts=walk_counts(row),
    )


def _later(left: datetime | None, right: datetime | None) -> datetime | None:
    return max((moment for moment in (left, right) if moment is not None), default=None)
