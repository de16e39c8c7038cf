"""Promise 13: steps of the wall clock by an hour, and the change to summer time, are harmless.

Over ten intervals every stream is pulled nine to eleven times, however the wall clock is set meanwhile; a schedule by
the hour misses none and doubles none on the days that have 23 or 25 of them.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from syncd.connectors.config import StreamConfig
from syncd.daemon import Works
from syncd.daemon.pulse import Pulse
from syncd.settings import load
from tests.clock import ManualClock
from tests.promises.shops import config, sandbox_of

INTERVAL_S, LOOK_S, HOUR_S = 300, 15, 3600
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def works(tmp_path: Path, database_url: str, clock: ManualClock) -> Iterator[Works]:
    """A merchant with one store, pulled every five minutes by a clock that the test moves."""
    with sandbox_of("us-woo") as sandbox:
        settings = load(config(tmp_path, [sandbox.shops["us-woo"]], database_url))
        opened = Works(settings, Pulse(clock), clock=clock)
        opened.open()
        yield opened
        opened.close()


def _pulls(works: Works) -> Counter[str]:
    return Counter(report.stream.value for report in works.app.database.runs.history(1000))


@pytest.mark.parametrize("steps", [[-HOUR_S], [HOUR_S], [-HOUR_S, HOUR_S], [HOUR_S, -HOUR_S, -HOUR_S]])
def test_clock_steps_neither_stop_nor_double_pulls(
    works: Works, clock: ManualClock, rng: random.Random, steps: list[int]
) -> None:
    """Ten intervals with the wall clock set forth and back at random moments: nine to eleven pulls of each stream."""
    looks = 10 * INTERVAL_S // LOOK_S
    moments = dict(zip(sorted(rng.sample(range(1, looks), len(steps))), steps, strict=True))

    for look in range(looks):
        works.pull("us-woo")
        clock.step(moments.get(look, 0))
        clock.advance(LOOK_S)

    pulls = _pulls(works)
    allowed = range(9, 11 + sum(step > 0 for step in steps) + 1)  # a step forth passes the due time: one more at once
    assert all(pulls[stream] in allowed for stream in ("customers", "orders", "carts")), (pulls, moments)


def test_a_step_back_wakes_the_ticker(works: Works, clock: ManualClock) -> None:
    """Jobs that the ticker would run in an hour only are brought back to now."""
    works.start()
    ticker = works._scheduler
    assert ticker is not None
    job = ticker.get_job("pull us-woo")
    ahead = datetime.now(UTC) + timedelta(hours=1)
    job.modify(next_run_time=ahead)

    works.keep_ticking()

    found = ticker.get_job("pull us-woo")
    assert found.next_run_time < ahead - timedelta(minutes=59)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_of_another_length_has_a_pull_an_hour(day: str, hours: int) -> None:
    """A schedule by the hour in a zone with summer time runs once an hour on the days of the change, too."""
    schedule = StreamConfig.model_validate({"cron": "0 * * * *", "jitter": "0s"})
    begin = datetime.fromisoformat(day).replace(tzinfo=BERLIN).astimezone(UTC)
    end = (datetime.fromisoformat(day) + timedelta(days=1)).replace(tzinfo=BERLIN).astimezone(UTC)

    moment, runs = begin - timedelta(seconds=1), 0
    while (moment := schedule.after(moment, "Europe/Berlin")) < end:
        runs += 1

    assert runs == hours == (end - begin) / timedelta(hours=1)
