"""Whose turn it is: when each lane is to be worked next; several processes share the work without doubling it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from syncd import process
from syncd.model import Lane, Stream
from syncd.store.engine import Engines
from syncd.store.leases import checkpoints, ensure_checkpoint, write_checkpoint
from syncd.store.types import LaneKey


class Turns:
    """When lanes are due, and who takes the turn."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def due_at(self, store_id: str) -> Mapping[Stream, datetime | None]:
        """When each stream's live lane is to be worked next; None is at once, one never worked is left out."""
        query = select(checkpoints.c.stream, checkpoints.c.due_at).where(
            checkpoints.c.store_id == store_id, checkpoints.c.lane == Lane.LIVE.value
        )
        with self._engines.read() as connection:
            return {Stream(row.stream): row.due_at for row in connection.execute(query)}

    def take(self, key: LaneKey, *, now: datetime, next_at: datetime, latest: datetime) -> bool:
        """Whether the lane is due and the turn is the caller's; to all others it is due again at `next_at`.

        A lane whose process died at work is due at once. One that another living process works is nobody's turn; a
        lease of this very process is what it could not give back while the database was away.

        Args:
            latest: No lane waits beyond this: a later due time was set before the clock stepped back.
        """
        with self._engines.write() as connection:
            row = ensure_checkpoint(connection, key)
            is_orphaned = row.lease_owner is not None and process.is_gone(row.lease_owner)
            if not is_orphaned and (_is_held(row, now) or not _is_due(row, now, latest)):
                return False
            # An orphaned lease left in place would give the turn to the next who asks, too.
            freed = {"lease_owner": None, "lease_until": None} if is_orphaned else {}
            write_checkpoint(connection, key, due_at=next_at, **freed)
            return True

    def put_off(self, key: LaneKey, at: datetime) -> None:
        """Let a lane be due at another time."""
        with self._engines.write() as connection:
            ensure_checkpoint(connection, key)
            write_checkpoint(connection, key, due_at=at)


def _is_held(row: Row[Any], now: datetime) -> bool:
    is_others = row.lease_owner not in (None, process.own_name())
    return is_others and row.lease_until is not None and row.lease_until > now


def _is_due(row: Row[Any], now: datetime, latest: datetime) -> bool:
    return row.due_at is None or row.due_at <= now or row.due_at > latest
