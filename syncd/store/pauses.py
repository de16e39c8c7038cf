"""What rests and why: whole stores or single streams, pulling and pushing apart, each with its reason in words."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, select

from syncd.clock import Clock
from syncd.model import Stream
from syncd.store.engine import Engines, table_of, upsert
from syncd.store.schema import wait_for_turn
from syncd.store.tables import PauseRow
from syncd.store.types import Pause

pauses = table_of(PauseRow)

_PULL, _PUSH = "pull", "push"
_WHOLE_STORE = ""


class Pauses:
    """What drivers and people put to rest, and wake."""

    def __init__(self, engines: Engines, clock: Clock) -> None:
        self._engines = engines
        self._clock = clock

    def put(
        self, store_id: str, reason: str, *, stream: Stream | None = None, push: bool = False, by_hand: bool = False
    ) -> bool:
        """Pause a store or one stream of it; the first reason stays, unless a person now says another.

        Args:
            stream: Only this stream; the whole store if left out.
            push: Whether the writing to the shop rests; else the pulling.
            by_hand: Whether a person says so; then only a person lifts it.

        Returns:
            Whether it was not paused before.
        """
        place = _place(store_id, stream, push)
        values = {"since": self._clock.now(), "reason": reason, "by_hand": by_hand}
        with self._engines.write() as connection:
            wait_for_turn(connection, "pauses")
            is_new = connection.execute(select(pauses).filter_by(**place)).first() is None
            upsert(connection, pauses, [place | values], once=() if by_hand else tuple(values))
            return is_new

    def lift(self, store_id: str, *, stream: Stream | None = None, push: bool = False, by_hand: bool = False) -> bool:
        """End a pause; whether there was one to end.

        Args:
            stream: Only this stream's own pause; if left out the store's, and by hand those of its streams, too.
            by_hand: Whether a person says so: what a person paused stays paused otherwise.
        """
        chosen = _chosen(store_id, stream, push, by_hand)
        if not self._is_any(chosen):
            return False
        with self._engines.write() as connection:
            return connection.execute(delete(pauses).where(chosen)).rowcount > 0

    def all(self) -> list[Pause]:
        """Every pause, by store, then the whole store's before its streams'."""
        with self._engines.read() as connection:
            return all_pauses(connection)

    def _is_any(self, chosen: ColumnElement[bool]) -> bool:
        """Looked up first, because every pull that goes well lifts what may rest, and hardly ever anything does."""
        with self._engines.read() as connection:
            return bool(connection.execute(select(exists().where(chosen))).scalar())


def all_pauses(connection: Connection) -> list[Pause]:
    """Every pause, by store, then the whole store's before its streams'."""
    return [_pause(row) for row in connection.execute(select(pauses).order_by(*pauses.primary_key))]


def _chosen(store_id: str, stream: Stream | None, push: bool, by_hand: bool) -> ColumnElement[bool]:
    conditions = [pauses.c.store_id == store_id, pauses.c.lane == _lane(push)]
    if stream is not None or not by_hand:
        conditions.append(pauses.c.stream == _name(stream))
    if not by_hand:
        conditions.append(pauses.c.by_hand.is_(False))
    return and_(*conditions)


def _pause(row: Row[Any]) -> Pause:
    return Pause(
        store_id=row.store_id,
        stream=Stream(row.stream) if row.stream else None,
        is_push=row.lane == _PUSH,
        since=row.since,
        reason=row.reason,
        by_hand=row.by_hand,
    )


def _place(store_id: str, stream: Stream | None, push: bool) -> dict[str, str]:
    return {"store_id": store_id, "stream": _name(stream), "lane": _lane(push)}


def _name(stream: Stream | None) -> str:
    return stream.value if stream else _WHOLE_STORE


def _lane(push: bool) -> str:
    return _PUSH if push else _PULL
