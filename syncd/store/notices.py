"""Troubles that somebody is told of once when they begin and once when they are over, whichever process tells.

Whoever sees a trouble claims its topic, whoever sees that it is gone ends it. To tell is a right that one process
takes for a short while; if it dies with it, another takes it over.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from syncd.store.engine import Engines, RowValues, insert_rows, table_of
from syncd.store.schema import wait_for_turn
from syncd.store.tables import NoticeRow
from syncd.store.types import Notice

notices = table_of(NoticeRow)

TELLING = timedelta(minutes=2)  # how long the right to tell lasts; telling has to be done, or given up, within it

_FIELDS = [notices.c[name] for name in Notice.__dataclass_fields__]
_MAYBE_TOLD = or_(notices.c.told_at.is_not(None), notices.c.tried_at.is_not(None))


class Notices:
    """The troubles that are not over yet, and those whose end is still to be told."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def claim(self, topic: str, words: str, now: datetime, *, remedy: str = "") -> bool:
        """Note a trouble; True to the one caller that is the first to see it, False if it is noted already.

        Args:
            now: Since when it lasts.
        """
        row = {"topic": topic, "words": words, "remedy": remedy, "raised_at": now}
        with self._engines.write() as connection:
            wait_for_turn(connection, "notices")
            is_noted = connection.execute(select(notices.c.topic).where(notices.c.topic == topic)).first() is not None
            connection.execute(update(notices).where(notices.c.topic == topic).values(over_at=None))
            insert_rows(connection, notices, [] if is_noted else [row])
            return not is_noted

    def end(self, topic: str, now: datetime) -> None:
        """Note that a trouble is over; one that nobody was told of is forgotten, as is one that is not noted."""
        lasts = and_(notices.c.topic == topic, notices.c.over_at.is_(None))
        if not self._is_any(lasts):
            return
        with self._engines.write() as connection:
            wait_for_turn(connection, "notices")
            connection.execute(update(notices).where(lasts, _MAYBE_TOLD).values(over_at=now))
            connection.execute(delete(notices).where(lasts))

    def take(self, notice: Notice, now: datetime) -> bool:
        """Take the right to tell of a trouble, or of its end, for a while.

        Returns:
            False where another has it, or has told since the notice was read.
        """
        is_same = and_(
            notices.c.topic == notice.topic,
            notices.c.told_at.is_not_distinct_from(notice.told_at),
            notices.c.over_at.is_not_distinct_from(notice.over_at),
        )
        is_free = or_(
            notices.c.tried_at.is_(None), notices.c.tried_at <= now - TELLING, notices.c.tried_at > now + TELLING
        )
        return self._set(and_(is_same, is_free), {"tried_at": now})

    def release(self, notice: Notice) -> None:
        """Give the right to tell back, because telling failed; what is over by now without being told is forgotten."""
        is_same = notices.c.topic == notice.topic
        with self._engines.write() as connection:
            wait_for_turn(connection, "notices")
            if notice.over_at is None:
                connection.execute(
                    delete(notices).where(is_same, notices.c.over_at.is_not(None), notices.c.told_at.is_(None))
                )
            connection.execute(update(notices).where(is_same).values(tried_at=None))

    def told(self, notice: Notice, now: datetime) -> None:
        """Note that somebody was told of a trouble, or of its end; one that came back meanwhile is told anew."""
        is_same = notices.c.topic == notice.topic
        if notice.over_at is None:
            self._set(is_same, {"told_at": now, "tried_at": None})
            return
        with self._engines.write() as connection:
            wait_for_turn(connection, "notices")
            connection.execute(delete(notices).where(is_same, notices.c.over_at.is_not(None)))
            connection.execute(update(notices).where(is_same).values(told_at=None, tried_at=None))

    def all(self) -> list[Notice]:
        """Every trouble noted, the oldest first."""
        query = select(*_FIELDS).order_by(notices.c.raised_at, notices.c.topic)
        with self._engines.read() as connection:
            return [Notice(**row._mapping) for row in connection.execute(query)]

    def drop(self, topic: str) -> None:
        """Forget a trouble, because its end need not be told; nothing happens where there is none."""
        with self._engines.write() as connection:
            connection.execute(delete(notices).where(notices.c.topic == topic))

    def _is_any(self, chosen: ColumnElement[bool]) -> bool:
        """Looked up first, because most of what could be over has never begun."""
        with self._engines.read() as connection:
            return connection.execute(select(notices.c.topic).where(chosen)).first() is not None

    def _set(self, chosen: ColumnElement[bool], values: RowValues) -> bool:
        with self._engines.write() as connection:
            return connection.execute(update(notices).where(chosen).values(**values)).rowcount > 0
