"""Cron lines: minute, hour, day of the month, month and weekday, as crontab reads them.

APScheduler computes the times. It counts weekdays from Monday and takes a day of the month *and* a weekday where
crontab takes either, so weekdays are handed on by name, and a line that restricts both is refused.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

_FIELDS = ("minute", "hour", "day", "month", "day_of_week")
_WORDS = ("minute", "hour", "day of the month", "month", "weekday")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAY = rf"[0-7]|{'|'.join(_WEEKDAYS)}"
_EXAMPLE = '"30 3 * * *" (at 03:30) or "*/15 6-22 * * mon-fri"'
_JUST_BEHIND = timedelta(microseconds=1)


def checked(line: str) -> str:
    """The line itself.

    Raises:
        ValueError: It is no cron line, or a time that never comes.
    """
    fields = line.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"must be five fields: minute, hour, day of the month, month, weekday, such as {_EXAMPLE}")
    for name, words, text in zip(_FIELDS, _WORDS, fields, strict=True):
        _check_field(name, words, text)
    if fields[2] != "*" and fields[4] != "*":
        raise ValueError("names a day of the month and a weekday; write * for one of the two")
    if _trigger(line, "UTC").get_next_fire_time(None, datetime(2024, 1, 1, tzinfo=UTC)) is None:
        raise ValueError("is a time that never comes, such as February 31st; mend the day or the month")
    return line


def next_after(line: str, moment: datetime, timezone: str) -> datetime:
    """The first time behind the moment that fits the line, by the clocks of a time zone."""
    found: datetime = _trigger(line, timezone).get_next_fire_time(None, moment + _JUST_BEHIND)
    return found.astimezone(UTC)


def _check_field(name: str, words: str, text: str) -> None:
    from apscheduler.triggers.cron import CronTrigger

    try:
        CronTrigger(timezone=UTC, **{name: _weekdays(text) if name == "day_of_week" else text})
    except ValueError:
        raise ValueError(
            f'has no {words} that can be read; write figures as in "5", "1,5", "1-5", "*/5" or *'
        ) from None


@lru_cache(maxsize=256)
def _trigger(line: str, timezone: str) -> CronTrigger:
    from apscheduler.triggers.cron import CronTrigger

    *days, weekdays = line.split()
    fields = dict(zip(_FIELDS, (*days, _weekdays(weekdays)), strict=True))
    return CronTrigger(timezone=ZoneInfo(timezone), **fields)


def _weekdays(text: str) -> str:
    """The weekdays by name; crontab's 0 and 7 are both Sunday."""
    if text == "*":
        return text
    numbers = {number % 7 for part in text.lower().split(",") for number in _numbers(part)}
    return ",".join(_WEEKDAYS[number] for number in sorted(numbers))


def _numbers(part: str) -> range:
    match = re.fullmatch(rf"(?:\*|({_DAY})(-(?:{_DAY}))?)(?:/([1-9]))?", part)
    if match is None:
        raise ValueError(part)
    first, step = _number(match[1] or "0") % 7, int(match[3] or 1)
    is_open = match[1] is None or (match[3] and not match[2])
    last = 6 if is_open else _number(match[2][1:]) if match[2] else first
    return range(first, last + 1 if last >= first else last + 8, step)


def _number(day: str) -> int:
    return int(day) if day.isdigit() else _WEEKDAYS.index(day)
