"""Values that are taken in a thread of their own, so that one that does not come holds up nobody but itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from syncd.clock import Clock
from syncd.errors import SyncdError

Value = TypeVar("Value")


class Aside(Generic[Value]):
    """A value that is taken when somebody asks, once at a time.

    Args:
        take: Takes it; where it raises an error of syncd's tree, there is none.
        keep_s: For how many seconds a value serves, given how many it took.
    """

    def __init__(self, take: Callable[[], Value], clock: Clock, keep_s: Callable[[float], float]) -> None:
        self._take = take
        self._clock = clock
        self._keep_s = keep_s
        self._guard = threading.Lock()
        self._coming: Future[Value | None] | None = None
        self._serves_until_s = 0.0
        self.latest: Value | None = None

    def ask(self) -> Future[Value | None]:
        """The value that serves now, or is on its way; None comes where it cannot be had."""
        with self._guard:
            if self._coming is None or (self._coming.done() and self._clock.monotonic() >= self._serves_until_s):
                self._coming = Future()
                threading.Thread(target=self._bring, args=[self._coming], name="aside", daemon=True).start()
            return self._coming

    def under_way(self) -> list[Future[Value | None]]:
        """The value that is being taken, if any."""
        with self._guard:
            return [self._coming] if self._coming is not None else []

    def _bring(self, coming: Future[Value | None]) -> None:
        began_s = self._clock.monotonic()
        value = None
        try:
            value = self.latest = self._take()
        except SyncdError:
            self.latest = None
        finally:
            ended_s = self._clock.monotonic()
            self._serves_until_s = ended_s + (0.0 if value is None else self._keep_s(ended_s - began_s))
            coming.set_result(value)
