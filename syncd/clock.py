"""Time as a thing that is passed in: tests move it, a stop event cuts waits short."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is, and how to wait."""

    def now(self) -> datetime:
        """The wall clock, aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never steps."""
        ...

    def sleep(self, seconds: float) -> bool:
        """Wait; True if the wait was cut short because the process is to stop."""
        ...


class SystemClock:
    """The machine's clock; waits end at once when `stop` is set.

    Args:
        stop: Set when the process is to end; None for a clock nobody stops.
    """

    def __init__(self, stop: threading.Event | None = None) -> None:
        self._stop = stop or threading.Event()

    def now(self) -> datetime:
        """The wall clock, aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds on a clock that never steps."""
        return time.monotonic()

    def sleep(self, seconds: float) -> bool:
        """Wait; True if the wait was cut short because the process is to stop."""
        return self._stop.wait(max(0.0, seconds))
