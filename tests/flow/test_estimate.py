"""How much a backfill would be, and one that has to be over in time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from syncd.app import App, Selection
from syncd.cli.options import next_time
from syncd.errors import ExitCode
from syncd.estimate import Estimate, estimate
from syncd.model import Lane, Stream, Window
from syncd.sandbox import PORTS, Fault, FaultKind, Sandbox, SandboxOptions
from syncd.settings import example_config, load
from syncd.store.types import LaneKey
from syncd.sync import STOPPED, Ask, run_stream
from tests.clock import START, ManualClock
from tests.contracts.memory import order
from tests.flow.harness import STORE, Flow, flowing

ORDERS = LaneKey(store_id=STORE, stream=Stream.ORDERS, lane=Lane.BACKFILL)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxOptions(seed=3, scale=0.4)) as served:
        yield served


@pytest.fixture
def app(sandbox: Sandbox, tmp_path: Path) -> Iterator[App]:
    """The app of the example config over the sandbox's four shops."""
    text = example_config("syncd.yaml")
    for name, shop in sandbox.shops.items():
        text = text.replace(f"127.0.0.1:{PORTS[name]}", f"127.0.0.1:{shop.port}")
    (tmp_path / "syncd.yaml").write_text(text.replace("level: info", "level: error"))
    (tmp_path / "segments.yaml").write_text("segments: {}\n")
    with App(load(tmp_path / "syncd.yaml")) as opened:
        yield opened


def asked(sandbox: Sandbox) -> Counter[str]:
    """How many requests each shop has seen."""
    return Counter({name: len(shop.history) for name, shop in sandbox.shops.items()})


def test_estimate_is_what_a_backfill_then_takes(app: App, sandbox: Sandbox) -> None:
    """Of every stream of every platform: the records that come, at few requests, and nothing is stored."""
    before = asked(sandbox)

    found = estimate(app)

    took = asked(sandbox) - before
    nothing = app.database.runs.status(), app.database.stores.known(), app.database.runs.history(9)
    outcomes = app.backfill().outcomes
    read = {(outcome.report.store_id, outcome.report.stream): outcome.report.counts.read for outcome in outcomes}
    assert nothing == ([], [], [])
    assert {(item.store_id, item.stream): item.records for item in found} == read
    assert max(took.values()) <= 12
    assert [item.error for item in found] == [None] * 12


def test_requests_are_counted_as_they_are_made(app: App, sandbox: Sandbox) -> None:
    """A paged backfill of orders takes the requests that were estimated, and a handful to look around."""
    orders = Selection(streams=(Stream.ORDERS,))
    found = {item.store_id: item.requests for item in estimate(app, orders)}
    for store_id in found:
        app.source(store_id)
    before = asked(sandbox)

    app.pull(orders, lambda _: Ask(kind="backfill"))

    took = asked(sandbox) - before
    for store_id, requests in found.items():
        assert requests is not None
        assert requests <= took[store_id] <= 1.5 * requests + 6, store_id


def test_time_is_told_only_where_the_limit_is_known(app: App) -> None:
    """A platform that limits requests gives a time; one without a limit, or with another kind, leaves it unknown."""
    found = {item.store_id: item for item in estimate(app, Selection(streams=(Stream.ORDERS,)))}

    assert {name for name, item in found.items() if item.seconds is not None} == {"b2b"}
    assert found["b2b"].requests == round((found["b2b"].seconds or 0) * 5)


def test_sick_store_says_why(app: App, sandbox: Sandbox) -> None:
    """A store that cannot be asked has its error, the others their figures."""
    faults = sandbox.shops["us-woo"].faults
    faults.add(Fault(kind=FaultKind.ANSWER, status=403, times=None))

    found = estimate(app, Selection(streams=(Stream.ORDERS,)))

    faults.clear()
    errors = {item.store_id: item.error for item in found}
    assert [name for name, error in errors.items() if error] == ["us-woo"]
    assert str(errors["us-woo"]).startswith("us-woo/orders: ")


def test_bounded_window_is_asked_as_it_is(app: App, sandbox: Sandbox) -> None:
    """Of the last minute there is less than of all time."""
    since = sandbox.shops["us-woo"].clock.now() - timedelta(minutes=1)
    orders = Selection(stores=("us-woo",), streams=(Stream.ORDERS,))

    (some,), (all_of_it,) = estimate(app, orders, Window(since=since)), estimate(app, orders)

    assert isinstance(some, Estimate)
    assert (some.records or 0) < (all_of_it.records or 0)


@pytest.fixture
def flow(database_url: str, clock: ManualClock) -> Iterator[Flow]:
    """Nine orders on three pages."""
    with flowing(database_url, clock) as flow:
        flow.shop.put(Stream.ORDERS, *(order(f"{n}") for n in range(9)))
        yield flow


def test_backfill_stops_in_time_and_goes_on(flow: Flow) -> None:
    """At the time given the page in hand is stored and the run is partial, in words; the next one does the rest."""
    flow.listener = lambda *_: flow.clock.advance(600)
    ask = Ask(kind="backfill", stop_at=START + timedelta(minutes=15))

    first = run_stream(flow.source(), Stream.ORDERS, ask, flow.tools())
    walk = flow.database.runs.state(ORDERS).walk
    rest = run_stream(flow.source(), Stream.ORDERS, Ask(kind="backfill"), flow.tools())

    assert (first.status, first.reason, first.counts.read) == ("partial", STOPPED, 6)
    assert walk is not None
    assert (rest.status, rest.pages, rest.counts.read) == ("succeeded", 1, 9)


def test_last_page_in_time_is_a_whole_run(flow: Flow) -> None:
    """A walk whose last page ends past the time is complete all the same."""
    flow.listener = lambda *_: flow.clock.advance(600)

    report = run_stream(
        flow.source(), Stream.ORDERS, Ask(kind="backfill", stop_at=START + timedelta(minutes=25)), flow.tools()
    )

    assert report.status == "succeeded"


def test_streams_whose_turn_comes_too_late_are_not_begun(app: App) -> None:
    """Past the time no stream is asked, each says so, and the exit code is that of an incomplete run."""
    report = app.backfill(Selection(stores=("us-woo",)), stop_at=app.clock.now())

    assert report.exit_code is ExitCode.INCOMPLETE
    assert {outcome.report.reason for outcome in report.outcomes} == {STOPPED}
    assert {outcome.report.pages for outcome in report.outcomes} == {0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14:00", datetime(2026, 3, 1, 13, 0, tzinfo=UTC)),
        ("13:00", datetime(2026, 3, 2, 12, 0, tzinfo=UTC)),
        ("06:00", datetime(2026, 3, 2, 5, 0, tzinfo=UTC)),
    ],
)
def test_time_of_day_is_the_merchants(text: str, expected: datetime) -> None:
    """It is 13:00 in Berlin: an hour later is today, this very minute and any earlier time is tomorrow."""
    here = SimpleNamespace(clock=ManualClock(), settings=SimpleNamespace(timezone="Europe/Berlin"))

    assert next_time(text, here) == expected  # type: ignore[arg-type]


def test_no_time_of_day_is_a_usage_error() -> None:
    """What is no time of day is told with an example."""
    here = SimpleNamespace(clock=ManualClock(), settings=SimpleNamespace(timezone="UTC"))

    with pytest.raises(typer.BadParameter, match="06:00"):
        next_time("six", here)  # type: ignore[arg-type]
