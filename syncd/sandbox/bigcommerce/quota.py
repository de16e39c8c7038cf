"""How much a client may ask: so many requests a window, and so many writes of a kind at once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from syncd.sandbox.bigcommerce.refusal import Refused
from syncd.sandbox.clock import SandboxClock

STANDARD_REQUESTS = 150
WINDOW = timedelta(seconds=30)
WRITES_AT_ONCE = 3
_TOO_MANY = "Too many requests"


@dataclass(kw_only=True)
class Quota:
    """Counts requests against the plan's window, by the sandbox's clock.

    Args:
        requests: How many a window; Standard and Plus plans have 150, Pro has 450.
        is_silent: Whether a 429 comes without the headers, as under platform load.
    """

    clock: SandboxClock
    requests: int = STANDARD_REQUESTS
    is_silent: bool = False

    def __post_init__(self) -> None:
        self._opened_at = self.clock.now()
        self._used = 0

    def spend(self) -> None:
        """Count one request.

        Raises:
            Refused: The window's requests are used up.
        """
        self._roll()
        if self._used >= self.requests:
            raise Refused(429, _TOO_MANY, headers={} if self.is_silent else self.headers())
        self._used += 1

    def headers(self) -> Mapping[str, str]:
        """What every answer says of the window."""
        self._roll()
        left_ms = (self._opened_at + WINDOW - self.clock.now()) / timedelta(milliseconds=1)
        return {
            "X-Rate-Limit-Requests-Left": str(max(0, self.requests - self._used)),
            "X-Rate-Limit-Requests-Quota": str(self.requests),
            "X-Rate-Limit-Time-Window-Ms": str(WINDOW // timedelta(milliseconds=1)),
            "X-Rate-Limit-Time-Reset-Ms": str(max(1, round(left_ms))),
        }

    def _roll(self) -> None:
        """Begin a new window where the old one is over (or the clock was moved back behind it)."""
        if not timedelta() <= self.clock.now() - self._opened_at < WINDOW:
            self._opened_at, self._used = self.clock.now(), 0


class Slots:
    """Lets only a few writes of one kind be under way at once.

    A write takes `seconds` of real time, which its answer waits for: whoever sends the next one after the answer to
    the last never sees a refusal.
    """

    def __init__(self) -> None:
        self.seconds = 0.02
        self._ends: dict[str, list[float]] = {}

    def check(self, kind: str) -> None:
        """Let a write of a kind begin.

        Raises:
            Refused: As many as allowed are under way.
        """
        if len(self._under_way(kind)) >= WRITES_AT_ONCE:
            raise Refused(429, _TOO_MANY)

    def take(self, kind: str) -> float:
        """Count a write as under way from now on; gives how long."""
        self._ends[kind] = [*self._under_way(kind), time.monotonic() + self.seconds]
        return self.seconds

    def _under_way(self, kind: str) -> list[float]:
        now = time.monotonic()
        return [end for end in self._ends.get(kind, []) if end > now]
