"""Whatever happens in a shop while it is pulled, and whatever cuts that off: in the end the store is the truth."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.model import Stream
from syncd.sandbox import FaultKind
from tests.clock import START, ManualClock
from tests.property.histories import Cut, Databases, Do, Player, Run, Skew, Step, Wait, databases_in, everything, opened
from tests.property.served import SERVED, ServedStage, served
from tests.property.shops import MemoryStage, Stage

_CUTS = (FaultKind.RESET, FaultKind.ANSWER, FaultKind.CUT_JSON, FaultKind.HTML, None)


def _settings(examples: int) -> settings:
    """How many histories; fifty times as many behind the profile `soak`."""
    is_slow = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
    wanted = examples * settings.default.max_examples // 100 if settings.default else examples
    return settings(max_examples=wanted, suppress_health_check=is_slow)


def _histories(stage: Stage) -> st.SearchStrategy[list[Step]]:
    """Random histories of a shop. While it is pulled no more time passes at once than a signature is good for."""
    do = st.builds(Do, st.sampled_from(sorted(stage.deeds)), st.integers(0, 30))
    wait = st.builds(Wait, st.sampled_from([1, 60, 400, 4000, 90000]))
    pause = st.builds(Wait, st.sampled_from([1, 60, 400]))
    cut = st.none() | st.builds(Cut, st.integers(0, 6), st.sampled_from(_CUTS))
    streams, kinds = st.sampled_from(list(Stream)), st.sampled_from(["incremental", "incremental", "sweep", "backfill"])
    run = st.builds(Run, streams, kinds, st.lists(st.none() | do | pause, max_size=8).map(tuple), cut)
    short = st.builds(Run, streams, kinds, withheld=st.tuples(st.integers(0, 3), st.integers(0, 3)))
    bounded = st.builds(Run, streams, st.just("backfill"), cut=cut, since_s=st.integers(0, 5000))
    skew = st.builds(Skew, st.integers(-3600, 3600))
    return st.lists(st.one_of(do, do, do, do, do, wait, skew, run, run, run, short, bounded), max_size=25)


def _live(stage: Stage, databases: Databases, steps: list[Step]) -> None:
    """Play a history to its rest; its database is then the same as one filled from the quiet shop."""
    clock = ManualClock(START)
    with databases(clock) as database, databases(clock) as fresh:
        player = Player(stage, database, clock)
        player.play(steps)
        player.rest()
        again = Player(stage, fresh, clock)
        again.play([Run(stream, "backfill") for stream in Stream])

        assert player.exported() == again.exported()


@pytest.fixture(scope="module")
def databases() -> Iterator[Databases]:
    """Empty databases, as many as wanted."""
    with databases_in() as opened:
        yield opened


@pytest.fixture(scope="module", params=SERVED)
def stage(request: pytest.FixtureRequest) -> Iterator[ServedStage]:
    """An almost empty shop of each platform that is served."""
    with served(request.param) as opened:
        yield opened


@_settings(12)
@given(data=st.data())
def test_a_shop_in_memory_is_the_truth_in_the_end(databases: Databases, data: st.DataObject) -> None:
    """Histories of the smallest shop end with its own records in the database."""
    stage = MemoryStage()

    _live(stage, databases, data.draw(_histories(stage)))


@_settings(5)
@given(data=st.data())
def test_a_served_shop_is_the_truth_in_the_end(databases: Databases, stage: ServedStage, data: st.DataObject) -> None:
    """Histories of each platform's shop end with its own records in the database."""
    stage.reset()

    _live(stage, databases, data.draw(_histories(stage)))


def test_a_long_history_is_the_truth_on_postgresql(rng: random.Random, postgres_url: str) -> None:
    """The same holds in the other database, over a history in which everything happens, of one of the platforms."""
    clock = ManualClock(START)
    with served(rng.choice(SERVED)) as stage, opened(postgres_url, clock) as database:
        stage.reset()
        player = Player(stage, database, clock)
        player.play(everything(stage))
        player.rest()
