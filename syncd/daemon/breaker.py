"""How long what fails is left alone: longer with every failure, until it answers again."""

from __future__ import annotations

from datetime import datetime, timedelta

from syncd.clock import Clock

_FIRST_REST = timedelta(minutes=1)
_LONGEST_REST = timedelta(minutes=15)


class Breaker:
    """One store's or stream's: closed while it is well, open for a rest after each failure; one run then tries again.

    Rests are measured on the monotonic clock: a wall clock that steps neither shortens nor lengthens one. Only the
    worker of its store uses it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._open_until_s = 0.0

    @property
    def is_open(self) -> bool:
        """Whether it is to be left alone now."""
        return self._clock.monotonic() < self._open_until_s

    def failed(self, at_least_s: float = 0.0) -> datetime:
        """Leave it alone for a rest, twice as long as the last one, within bounds.

        Args:
            at_least_s: What the platform asked for.

        Returns:
            When it is tried again.
        """
        rest = min(_FIRST_REST * 2 ** min(self._failures, 10), _LONGEST_REST)
        self._failures += 1
        return self.rest(max(rest, timedelta(seconds=at_least_s)))

    def rest(self, span: timedelta) -> datetime:
        """Leave it alone for a span; when it is tried again."""
        self._open_until_s = self._clock.monotonic() + span.total_seconds()
        return self._clock.now() + span

    def well(self) -> None:
        """Close it."""
        self._failures, self._open_until_s = 0, 0.0
