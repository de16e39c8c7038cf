"""Signs of life: who is at work, and who has been silent for too long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from syncd.clock import Clock
from syncd.meter import Meter


class Pulse:
    """The last sign of life of every worker; safe to share between threads.

    Args:
        clock: Its monotonic seconds are used, so that steps of the wall clock alarm nobody.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._seen: dict[str, float] = {}
        self._limits: dict[str, float] = {}

    def expect(self, worker: str, silence_s: float) -> None:
        """Count a worker as alive from now on, for as long as it beats at least every so many seconds."""
        with self._guard:
            self._limits[worker] = silence_s
            self._seen[worker] = self._clock.monotonic()

    def beat(self, worker: str) -> None:
        """Note a sign of life; one of a worker that nobody expects is nothing."""
        with self._guard:
            if worker in self._limits:
                self._seen[worker] = self._clock.monotonic()

    def forget(self, worker: str) -> None:
        """Expect nothing more of a worker; safe to call twice."""
        with self._guard:
            self._limits.pop(worker, None)
            self._seen.pop(worker, None)

    @contextmanager
    def at_work(self, worker: str, silence_s: float) -> Iterator[None]:
        """Expect signs of life of a worker within the block only."""
        self.expect(worker, silence_s)
        try:
            yield
        finally:
            self.forget(worker)

    def silent(self) -> list[str]:
        """Who was silent for too long, each in words."""
        now = self._clock.monotonic()
        with self._guard:
            overdue = {
                worker: now - self._seen[worker]
                for worker, limit_s in self._limits.items()
                if now - self._seen[worker] > limit_s
            }
        return [f"{worker} gave no sign of life for {seconds:.0f} s" for worker, seconds in sorted(overdue.items())]


class Watched:
    """A meter that takes everything counted for a sign of life of its store.

    Args:
        beat: Told the store's id.
    """

    def __init__(self, meter: Meter, beat: Callable[[str], None]) -> None:
        self._meter = meter
        self._beat = beat

    def exchanged(self, store_id: str, code: str) -> None:
        """A request was answered, or was given up."""
        self._beat(store_id)
        self._meter.exchanged(store_id, code)

    def throttled(self, store_id: str) -> None:
        """A store asked us to wait."""
        self._beat(store_id)
        self._meter.throttled(store_id)

    def stored(self, store_id: str, stream: str, results: Mapping[str, int]) -> None:
        """A page was stored."""
        self._beat(store_id)
        self._meter.stored(store_id, stream, results)

    def pushed(self, store_id: str, outcomes: Mapping[str, int]) -> None:
        """Tag changes were settled."""
        self._beat(store_id)
        self._meter.pushed(store_id, outcomes)
