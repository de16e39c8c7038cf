"""What is due of one store: whose turn it is, how it ended, and when it is tried again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from syncd.app import App, Selection
from syncd.connectors.config import Schedule
from syncd.daemon.breaker import Breaker
from syncd.errors import ConfigInvalid, Interrupted, RateLimited, RetryLater, StopStore, SyncdError
from syncd.logs import get_logger
from syncd.model import Lane, Stream
from syncd.store.types import LaneKey

_PAUSED_RETRY = timedelta(minutes=10)  # a key that was mended, a plan that was paid: nobody has to tell us

log = get_logger(__name__)


class Pulls:
    """One store's pulls on schedule; used by one thread at a time."""

    def __init__(self, app: App, store_id: str) -> None:
        self._app = app
        self._store_id = store_id
        self._streams = tuple(app.settings.store(store_id).streams)
        self._store_breaker = Breaker(app.clock)
        self._breakers = {stream: Breaker(app.clock) for stream in self._streams}
        self._has_begun = False

    def work(self) -> bool:
        """Pull what is due, stream after stream; whether there was anything."""
        pulled = [stream for stream in self._perhaps_due() if self._pull(stream)]
        return bool(pulled)

    def _perhaps_due(self) -> list[Stream]:
        """The streams to look at; at first all of them, since a process that died may have left one at work."""
        if not self._has_begun:
            self._has_begun = True
            return list(self._streams)
        now, due_at = self._app.clock.now(), self._app.database.turns.due_at(self._store_id)
        times = {stream: due_at.get(stream) for stream in self._streams}
        return [stream for stream, at in times.items() if at is None or at <= now or at > self._latest(stream, now)]

    def _latest(self, stream: Stream, now: datetime) -> datetime:
        """The furthest that a stream's next turn can lie off; one beyond was written before the clock stepped back."""
        rest = max(self._store_breaker.rest_left, self._breakers[stream].rest_left)
        return max(self._schedule(stream).latest(now, self._app.settings.timezone), now + rest)

    def _schedule(self, stream: Stream) -> Schedule:
        return self._app.settings.store(self._store_id).streams[stream]

    def _pull(self, stream: Stream) -> bool:
        """Pull a stream whose turn it is; whether it was, and no other process took it."""
        if self._app.stop.is_set():
            return False
        now, key = self._app.clock.now(), self._key(stream)
        next_at = self._schedule(stream).after(now, self._app.settings.timezone)
        if not self._app.database.turns.take(key, now=now, next_at=next_at, latest=self._latest(stream, now)):
            return False
        for outcome in self._app.pull(Selection(stores=(self._store_id,), streams=(stream,)), self._app.live_ask):
            if outcome.error is None:
                self._is_well(stream)
            else:
                self._mind(stream, outcome.error)
        return True

    def _is_well(self, stream: Stream) -> None:
        if self._store_breaker.has_failed:
            log.info("store_well", store=self._store_id)
        self._store_breaker.well()
        self._breakers[stream].well()

    def _mind(self, stream: Stream, error: SyncdError) -> None:
        """Leave alone what failed: the stream, or the whole store."""
        if isinstance(error, Interrupted):
            self._put_off((stream,), timedelta())
        elif isinstance(error, RetryLater):
            if not self._store_breaker.has_failed:
                log.warning("store_failing", store=self._store_id, stream=stream, reason=error.advice)
            asked_s = error.retry_after_s if isinstance(error, RateLimited) else 0.0
            self._put_off(self._streams, self._store_breaker.failed(asked_s))
        elif isinstance(error, StopStore) and error.stops_stream_only:
            self._put_off((stream,), self._breakers[stream].rest(_PAUSED_RETRY))
        elif isinstance(error, (StopStore, ConfigInvalid)):
            self._put_off(self._streams, self._store_breaker.rest(_PAUSED_RETRY))

    def _put_off(self, streams: Iterable[Stream], rest: timedelta) -> None:
        at = self._app.clock.now() + rest
        for stream in streams:
            self._app.database.turns.put_off(self._key(stream), at)

    def _key(self, stream: Stream) -> LaneKey:
        return LaneKey(store_id=self._store_id, stream=stream, lane=Lane.LIVE)
