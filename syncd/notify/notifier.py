"""Rounds of looking and telling: what began, what is over, what is new; then the sign of life."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from syncd.errors import ConfigInvalid, DatabaseUnavailable
from syncd.notify.courier import Courier, Message
from syncd.notify.troubles import NEWS, kind_of, troubles
from syncd.notify.words import Writer
from syncd.store.types import Notice

if TYPE_CHECKING:
    from syncd.app import App

Send = Callable[[Message], bool]

_AWAY_AFTER = timedelta(minutes=1)  # a server that is started again is back by then


class Notifier:
    """Tells one merchant's people; any number of processes may, each notice goes out once.

    Args:
        send: Sends a message, True if it arrived; to `notify.urls` if left out.
        faults: Why this process should be started again, in words; while there are any, no sign of life is given.
    """

    def __init__(self, app: App, *, send: Send | None = None, faults: Callable[[], Sequence[str]] = tuple) -> None:
        courier = courier_of(app)
        self._app = app
        self._send = send or courier.send
        self._has_ears = send is not None or courier.has_addresses
        self._beat = courier.beat
        self._faults = faults
        self._away: Notice | None = None

    def round(self) -> None:
        """Tell what is to be told now, once; what cannot be sent is tried again at the next round.

        Raises:
            DatabaseBusy: Others hold the database; the next round does it.
        """
        if self._app.stop.is_set():
            return
        try:
            if self._has_ears:
                self._look()
                self._tell()
        except DatabaseUnavailable as error:
            self._tell_of_away(error)
            return
        self._tell_of_return()
        if not self._faults():
            self._beat()

    def _look(self) -> None:
        """Note what began and what ended since the last round, whoever made it."""
        notices, now = self._app.database.notices, self._app.clock.now()
        known = {notice.topic: notice for notice in notices.all()}
        current = {trouble.topic: trouble for trouble in troubles(self._app)}
        for topic, trouble in current.items():
            if topic not in known or known[topic].over_at is not None:
                notices.claim(topic, trouble.words, trouble.since, remedy=trouble.remedy)
        for topic in sorted(known.keys() - current.keys()):
            if _is_news(topic):
                notices.drop(topic)
            else:
                notices.end(topic, now)

    def _tell(self) -> None:
        noted, writer = self._app.database.notices.all(), self._writer()
        new = [notice for notice in noted if notice.over_at is None and notice.told_at is None]
        self._tell_some([notice for notice in new if not _is_news(notice.topic)], writer.begun)
        self._tell_some([notice for notice in noted if notice.over_at is not None], writer.over)
        self._tell_some([notice for notice in new if _is_news(notice.topic)], writer.news)

    def _tell_some(self, wanted: Sequence[Notice], word: Callable[[Sequence[Notice]], Message]) -> None:
        """Send in one message what no other process is about to send."""
        notices, clock = self._app.database.notices, self._app.clock
        ours = [notice for notice in wanted if notices.take(notice, clock.now())]
        is_sent = bool(ours) and self._send(word(ours))
        for notice in ours:
            if is_sent:
                notices.told(notice, clock.now())
            else:
                notices.release(notice)

    def _writer(self) -> Writer:
        settings, database = self._app.settings, self._app.database
        regions = {store.country or database.runs.country(store_id) for store_id, store in settings.stores.items()}
        return writer_of(self._app, regions)

    # -- a database that cannot be asked, which only this process's memory can tell of ----------------------------

    def _tell_of_away(self, error: DatabaseUnavailable) -> None:
        now = self._app.clock.now()
        self._away = away = self._away or _away_notice(error, now)
        if away.told_at is None and now - away.raised_at >= _AWAY_AFTER:
            is_sent = self._send(writer_of(self._app).begun([away]))
            self._away = replace(away, told_at=now if is_sent else None)

    def _tell_of_return(self) -> None:
        if self._away is None:
            return
        ended = replace(self._away, over_at=self._app.clock.now())
        if ended.told_at is None or self._send(writer_of(self._app).over([ended])):
            self._away = None


def try_out(app: App) -> dict[str, bool]:
    """Send a test message to every address, and a sign of life; for each whether it arrived.

    Raises:
        ConfigInvalid: The settings name no address.
    """
    courier = courier_of(app)
    arrived = {**courier.send_each(writer_of(app).trial()), **courier.beat()}
    if not arrived:
        raise ConfigInvalid("there is nobody to tell", hint="Set notify.urls, notify.heartbeat_url, or both")
    return arrived


def courier_of(app: App) -> Courier:
    """The courier to the addresses that the settings name."""
    config = app.settings.notify
    urls = [url.get_secret_value() for url in config.urls]
    beats_at = config.heartbeat_url.get_secret_value() if config.heartbeat_url else None
    return Courier(urls, beats_at, stop=app.stop)


def writer_of(app: App, regions: Collection[str] = ()) -> Writer:
    """The writer of the merchant's messages."""
    return Writer(app.settings.merchant, app.settings.timezone, regions)


def _is_news(topic: str) -> bool:
    return kind_of(topic) == NEWS


def _away_notice(error: DatabaseUnavailable, now: datetime) -> Notice:
    remedy = f"{error.hint or 'Look at the database'}; syncd goes on by itself and loses nothing"
    words = f"nothing can be stored: {error.message}"
    return Notice(topic="database", words=words, remedy=remedy, raised_at=now, told_at=None, over_at=None)
