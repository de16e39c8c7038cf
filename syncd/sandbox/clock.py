"""The sandbox's own time: it runs like the machine's, can be moved, and can be stopped."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class SandboxClock:
    """What time it is inside the sandbox, in aware UTC.

    Args:
        start: The time at which it starts; the machine's now if left out.
        frozen: Whether it stands still until it is moved.
    """

    def __init__(self, start: datetime | None = None, *, frozen: bool = False) -> None:
        self._base = start or datetime.now(UTC)
        self._frozen = frozen
        self._since = time.monotonic()

    def now(self) -> datetime:
        """The sandbox's wall clock."""
        if self._frozen:
            return self._base
        return self._base + timedelta(seconds=time.monotonic() - self._since)

    def second(self) -> datetime:
        """The wall clock cut to whole seconds, as shops stamp their records."""
        return self.now().replace(microsecond=0)

    def advance(self, seconds: float) -> datetime:
        """Move the clock by some seconds (back, if negative); gives the new time."""
        return self.set(self.now() + timedelta(seconds=seconds))

    def set(self, moment: datetime) -> datetime:
        """Move the clock to a moment; gives the new time."""
        self._base, self._since = moment.astimezone(UTC), time.monotonic()
        return self._base
