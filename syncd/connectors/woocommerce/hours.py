"""When a shop is busy with its own customers: hours of its day in which it is asked gently."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_SPAN = re.compile(r"\s*(\d\d?:\d\d)\s*-\s*(\d\d?:\d\d)\s*")
_OFFSET = re.compile(r"UTC([+-])(\d\d):(\d\d)")


@dataclass(frozen=True, kw_only=True, slots=True)
class QuietHours:
    """A span of each day by the shop's own clock, from `start` to before `end`; it may pass midnight."""

    start: time
    end: time

    @staticmethod
    def parse(text: str | None) -> QuietHours | None:
        """The hours that a text such as `09:00-18:00` names; None for none.

        Raises:
            ValueError: It names none.
        """
        if text is None:
            return None
        found = _SPAN.fullmatch(text)
        if found is None:
            raise ValueError("quiet hours are two times of the shop's day, such as 09:00-18:00")
        start, end = (time.fromisoformat(part.zfill(5)) for part in found.groups())
        return QuietHours(start=start, end=end)

    def holds(self, at: datetime) -> bool:
        """Whether a moment, in the shop's own time, is quiet."""
        now = at.time()
        if self.start <= self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end


def zone_of(name: str) -> tzinfo:
    """The time zone that a shop says it keeps, by name or as a fixed offset; UTC where it does not say."""
    offset = _OFFSET.fullmatch(name)
    if offset:
        ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(ahead if offset[1] == "+" else -ahead)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
