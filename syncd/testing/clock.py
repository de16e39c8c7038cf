"""A clock that tests move by hand."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class ManualClock:
    """A `syncd.clock.Clock` that stands still until it is moved; sleeping moves it and takes no time.

    Args:
        start: The first answer of `now()`, aware UTC.
    """

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._elapsed_s = 0.0
        self._mutex = threading.Lock()
        self.slept: list[float] = []  # every wait asked for, in seconds

    def now(self) -> datetime:
        """The wall clock, aware UTC."""
        return self._now

    def monotonic(self) -> float:
        """Seconds moved so far; `step` leaves them alone."""
        return self._elapsed_s

    def sleep(self, seconds: float) -> bool:
        """Move on by `seconds` at once; never cut short."""
        self.slept.append(seconds)
        self.advance(seconds)
        return False

    def advance(self, seconds: float) -> None:
        """Let time pass, on both clocks."""
        with self._mutex:
            self._elapsed_s += max(0.0, seconds)
            self._now += timedelta(seconds=max(0.0, seconds))

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back, as an administrator would; no time passes."""
        with self._mutex:
            self._now += timedelta(seconds=seconds)
