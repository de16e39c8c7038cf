"""A clock that tests move: waiting takes no time and is written down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class StepClock:
    """Time stands still but for `advance` and `sleep`; `is_stopping` makes every wait end at once, cut short."""

    def __init__(self, now: datetime = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)) -> None:
        self._now = now
        self._elapsed_s = 0.0
        self.waits: list[float] = []
        self.is_stopping = False

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._elapsed_s

    def sleep(self, seconds: float) -> bool:
        self.waits.append(seconds)
        if not self.is_stopping:
            self.advance(seconds)
        return self.is_stopping

    def advance(self, seconds: float) -> None:
        self._elapsed_s += seconds
        self._now += timedelta(seconds=seconds)
