"""Schedules: when something is next due, by an interval or by a cron line, on days of 23 and 25 hours too."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.connectors.config import Schedule, StreamConfig, SweepConfig

NOW = datetime(2026, 11, 22, 12, 0, 0, 500, tzinfo=UTC)  # a Sunday
START = datetime(2000, 1, 1, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def _by(line: str, jitter: timedelta = timedelta()) -> Schedule:
    return SweepConfig(cron=line, jitter=jitter)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("30 3 * * *", datetime(2026, 11, 23, 2, 30, tzinfo=UTC)),
        ("*/15 * * * *", datetime(2026, 11, 22, 12, 15, tzinfo=UTC)),
        ("0 13 * * *", datetime(2026, 11, 23, 12, 0, tzinfo=UTC)),
        ("0 3 1 jan *", datetime(2027, 1, 1, 2, 0, tzinfo=UTC)),
        ("0 3 * * 0", datetime(2026, 11, 29, 2, 0, tzinfo=UTC)),
        ("0 3 * * 7", datetime(2026, 11, 29, 2, 0, tzinfo=UTC)),
        ("0 3 * * 1-5", datetime(2026, 11, 23, 2, 0, tzinfo=UTC)),
        ("0 3 * * TUE,sat", datetime(2026, 11, 24, 2, 0, tzinfo=UTC)),
        ("0 3 * * sat-sun", datetime(2026, 11, 28, 2, 0, tzinfo=UTC)),
        ("0 3 * * 0-7", datetime(2026, 11, 23, 2, 0, tzinfo=UTC)),
        ("0 3 * * */3", datetime(2026, 11, 25, 2, 0, tzinfo=UTC)),
        ("0 3 * * 5/1", datetime(2026, 11, 27, 2, 0, tzinfo=UTC)),
    ],
)
def test_a_cron_line_means_what_crontab_means(line: str, expected: datetime) -> None:
    """Times are those of the merchant's zone, Sunday is 0 and 7, and a time that is now is over."""
    assert _by(line).after(NOW, BERLIN) == expected


def test_a_time_that_the_clocks_skip_comes_an_hour_later() -> None:
    """On the night when 02:30 is missing the line is not missed."""
    before = datetime(2026, 3, 28, 2, 0, tzinfo=UTC)

    assert _by("30 2 * * *").after(before, BERLIN) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
def test_days_of_another_length_keep_the_pace(day: datetime) -> None:
    """Every half hour stays every half hour while the clocks are put forward or back."""
    schedule, moments = _by("*/30 * * * *"), [day]

    while len(moments) < 10:
        moments.append(schedule.after(moments[-1], BERLIN))

    assert {later - earlier for earlier, later in itertools.pairwise(moments)} == {timedelta(minutes=30)}


@given(moment=st.integers(0, 4_000_000_000_000_000).map(lambda us: START + timedelta(microseconds=us)))
@pytest.mark.parametrize("schedule", [StreamConfig(), _by("0 3 * * *", timedelta(minutes=7))], ids=["every", "cron"])
def test_jitter_stays_within_its_bound(schedule: Schedule, moment: datetime) -> None:
    """The next time lies behind the moment, no later than the latest, and is the same whenever it is asked for."""
    due = schedule.after(moment, BERLIN)

    assert moment < due <= schedule.latest(moment, BERLIN)
    assert due == schedule.after(moment, BERLIN)


def test_jitter_spreads() -> None:
    """Streams that ran within one second are not due within one."""
    moments = [NOW + timedelta(milliseconds=n) for n in range(100)]

    late = [StreamConfig().after(moment, BERLIN) - moment - timedelta(minutes=5) for moment in moments]

    assert max(late) - min(late) > timedelta(seconds=8)


def test_jitter_is_a_tenth_of_a_short_interval_at_most() -> None:
    """A stream that is pulled each second stays one that is pulled each second."""
    schedule = StreamConfig(every=timedelta(seconds=1))

    assert schedule.latest(NOW, BERLIN) == NOW + timedelta(seconds=1.1)


def test_what_is_due_past_the_latest_was_set_by_a_clock_that_stepped_back() -> None:
    """Due times set before are never past the latest, unless the clock went back by more than the jitter."""
    schedule = StreamConfig()
    due = schedule.after(NOW, BERLIN)

    assert due <= schedule.latest(NOW + timedelta(minutes=1), BERLIN)
    assert due > schedule.latest(NOW - timedelta(hours=1), BERLIN)


def test_the_clock_in_force_is_the_one_that_is_told() -> None:
    """A described schedule names its interval or its cron line, not both."""
    assert set(StreamConfig().model_dump()) == {"every", "jitter"}
    assert set(_by("0 3 * * *").model_dump()) == {"cron", "jitter"}
