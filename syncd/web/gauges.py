"""The gauges of one merchant: what its database says at this moment, in figures with labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncd.app import App
from syncd.store.readings import OPEN_STATES
from syncd.store.types import Reading, Size, Stock, StreamReading
from syncd.web.aside import Aside

_COUNT_EVERY_S = 60.0
_COUNT_SHARE = 100  # of the time may go into counting, one part

Figure = tuple[str, tuple[str, ...], float]  # a metric's name, its labels behind the merchant's, its value

_UNREAD = StreamReading(fresh_until=None, succeeded_at=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """A database at one moment."""

    now: datetime
    reading: Reading
    size: Size


class Gauges:
    """Reads one merchant's database for whoever asks, in threads of its own.

    Args:
        app: Its database is open.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self._database = app.database
        self._places = [
            (store_id, stream.value) for store_id, config in app.settings.stores.items() for stream in config.streams
        ]
        self._snapshot = Aside(self._read, app.clock, lambda _: 0.0)
        self._stock = Aside(self._database.readings.stock, app.clock, _until_next_count_s)

    @property
    def places(self) -> list[tuple[str, str]]:
        """The configured stores with their streams."""
        return self._places

    def ask(self) -> list[Future[Any]]:
        """Begin to read, to be waited for before `figures` is called."""
        return [self._snapshot.ask(), self._stock.ask()]

    def rest(self, patience_s: float) -> None:
        """Wait for what is being read, for some seconds at most."""
        under_way: list[Future[Any]] = [*self._snapshot.under_way(), *self._stock.under_way()]
        wait(under_way, timeout=patience_s)

    def figures(self, asked: Iterable[Future[Any]]) -> Iterator[Figure]:
        """What came of an `ask` so far; where the database did not answer in time, only that."""
        coming, _ = asked
        snapshot: Snapshot | None = coming.result() if coming.done() else None
        yield "syncd_database_up", (), snapshot is not None
        if snapshot is not None:
            yield from self._of_snapshot(snapshot)
        if snapshot is not None and self._stock.latest is not None:
            yield from self._of_stock(self._stock.latest)

    def _read(self) -> Snapshot:
        return Snapshot(now=self.app.clock.now(), reading=self._database.readings.now(), size=self._database.size())

    def _of_snapshot(self, snapshot: Snapshot) -> Iterator[Figure]:
        yield "syncd_database_bytes", (), snapshot.size.file_bytes
        yield "syncd_wal_bytes", (), snapshot.size.wal_bytes
        for place in self._places:
            yield from _freshness(place, snapshot)
        yield from self._pauses(snapshot.reading)
        for store_id in self.app.settings.stores:
            for state in OPEN_STATES:
                yield "syncd_outbox_rows", (store_id, state), snapshot.reading.outbox.get((store_id, state), 0)

    def _pauses(self, reading: Reading) -> Iterator[Figure]:
        pulls = {(pause.store_id, pause.stream) for pause in reading.pauses if not pause.is_push}
        pushes = {pause.store_id for pause in reading.pauses if pause.is_push}
        for store_id, stream in self._places:
            yield "syncd_paused", (store_id, stream, "pull"), (store_id, None) in pulls or (store_id, stream) in pulls
        for store_id in self.app.settings.stores:
            yield "syncd_paused", (store_id, "", "push"), store_id in pushes

    def _of_stock(self, stock: Stock) -> Iterator[Figure]:
        for place in self._places:
            yield "syncd_stored_records", place, stock.stored.get(place, 0)
            yield "syncd_rejected_records", place, stock.rejected.get(place, 0)


def _freshness(place: tuple[str, str], snapshot: Snapshot) -> Iterator[Figure]:
    stream = snapshot.reading.streams.get(place, _UNREAD)
    if stream.fresh_until is not None:
        lag_s = (snapshot.now - stream.fresh_until).total_seconds()
        yield "syncd_stream_lag_seconds", place, max(0.0, lag_s)
    succeeded_s = stream.succeeded_at.timestamp() if stream.succeeded_at else 0.0
    yield "syncd_last_success_timestamp_seconds", place, succeeded_s


def _until_next_count_s(took_s: float) -> float:
    return max(_COUNT_EVERY_S, _COUNT_SHARE * took_s)
