"""Time-ordered ids that only grow within a process, even when the clock steps back."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable

from ulid import ULID

from syncd.clock import Clock

NewId = Callable[[], str]


class Ulids:
    """Makes ULIDs, each greater than the one before; safe to call from several threads.

    Args:
        clock: Gives the time part.
        floor: An id that all new ones must exceed; "" for none.
    """

    def __init__(self, clock: Clock, floor: str = "") -> None:
        self._clock = clock
        self._last = int(ULID.from_str(floor)) if floor else 0
        self._turn = threading.Lock()

    def __call__(self) -> str:
        """The next id."""
        with self._turn:
            fresh = self._fresh()
            # not simply the next number: other processes with the same floor, or this one restarted, would make it too
            self._last = fresh if fresh > self._last else self._last + 1 + secrets.randbits(64)
            return str(ULID.from_int(self._last))

    def _fresh(self) -> int:
        milliseconds = int(self._clock.now().timestamp() * 1000)
        return milliseconds << 80 | secrets.randbits(80)
