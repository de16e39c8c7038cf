"""How long what fails is left alone: longer with every failure, until it answers again."""

from __future__ import annotations

from datetime import timedelta

from syncd.clock import Clock

_FIRST_REST = timedelta(minutes=1)
_LONGEST_REST = timedelta(minutes=15)


class Breaker:
    """One store's or stream's: rests begin with a failure; one run then tries again.

    Rests are measured on the monotonic clock: a wall clock that steps neither shortens nor lengthens one. Only the
    worker of its store uses it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._rests_until_s = 0.0

    @property
    def has_failed(self) -> bool:
        """Whether its latest run failed."""
        return self._failures > 0

    @property
    def rest_left(self) -> timedelta:
        """How much longer it is to be left alone."""
        return timedelta(seconds=max(0.0, self._rests_until_s - self._clock.monotonic()))

    def failed(self, at_least_s: float = 0.0) -> timedelta:
        """Begin a rest twice as long as the last one, within bounds.

        Args:
            at_least_s: What the platform asked for.

        Returns:
            The rest.
        """
        rest = min(_FIRST_REST * 2 ** min(self._failures, 10), _LONGEST_REST)
        self._failures += 1
        return self.rest(max(rest, timedelta(seconds=at_least_s)))

    def rest(self, span: timedelta) -> timedelta:
        """Begin a rest of a span; the same span."""
        self._rests_until_s = self._clock.monotonic() + span.total_seconds()
        return span

    def well(self) -> None:
        """End every rest; the next one is a short one."""
        self._failures, self._rests_until_s = 0, 0.0
