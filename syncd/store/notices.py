"""Troubles that somebody is told of once, whichever process tells."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update

from syncd.store.engine import Engines, insert_rows, table_of
from syncd.store.schema import wait_for_turn
from syncd.store.tables import NoticeRow
from syncd.store.types import Notice

notices = table_of(NoticeRow)


class Notices:
    """The troubles that are not over yet."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def claim(self, topic: str, words: str, now: datetime) -> bool:
        """Note a trouble; True to the one caller that is to tell of it, False if it is noted already."""
        with self._engines.write() as connection:
            wait_for_turn(connection, "notices")
            is_noted = connection.execute(select(notices.c.topic).where(notices.c.topic == topic)).first() is not None
            rows = [] if is_noted else [{"topic": topic, "words": words, "raised_at": now, "told_at": None}]
            insert_rows(connection, notices, rows)
            return not is_noted

    def told(self, topic: str, now: datetime) -> None:
        """Note that somebody was told of a trouble."""
        with self._engines.write() as connection:
            connection.execute(update(notices).where(notices.c.topic == topic).values(told_at=now))

    def all(self) -> list[Notice]:
        """Every trouble noted, the oldest first."""
        query = select(notices).order_by(notices.c.raised_at, notices.c.topic)
        with self._engines.read() as connection:
            return [Notice(**row._mapping) for row in connection.execute(query)]

    def drop(self, topic: str) -> None:
        """Note that a trouble is over; nothing happens where there is none."""
        with self._engines.write() as connection:
            connection.execute(delete(notices).where(notices.c.topic == topic))
