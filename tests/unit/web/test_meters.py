"""What the page of metrics says of counts and databases, on both engines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from syncd.app import App
from syncd.model import Stream
from syncd.settings import load
from syncd.web import Meters, gauges
from syncd.web.names import COUNTERS, GAUGES
from tests.clock import ManualClock
from tests.contracts.memory import order
from tests.flow.harness import STORE, Flow, flowing
from tests.unit.web.page import Page

CONFIG = """
merchant: {merchant}
database: {{url: {url!r}}}
stores:
  shop: {{platform: woocommerce, url: "http://127.0.0.1:1", auth: {{consumer_key: ck, consumer_secret: cs}}}}
segments: segments.yaml
"""
PLACE = {"merchant": "acme", "store": STORE, "stream": "orders"}


def _app(folder: Path, url: str, clock: ManualClock, merchant: str = "acme") -> App:
    (folder / "segments.yaml").write_text("segments: {}\n")
    path = folder / f"{merchant}.yaml"
    path.write_text(CONFIG.format(merchant=merchant, url=url))
    return App(load(path), clock=clock)


@pytest.fixture
def flow(database_url: str, clock: ManualClock) -> Iterator[Flow]:
    with flowing(database_url, clock) as made:
        yield made


@pytest.fixture
def app(flow: Flow, database_url: str, tmp_path: Path) -> Iterator[App]:
    with _app(tmp_path, database_url, flow.clock) as made:
        yield made


@pytest.fixture
def watching(app: App) -> Iterator[Meters]:
    made = Meters()
    made.watch(app)
    yield made
    made.unwatch(app)


def test_counts_stand_under_their_labels() -> None:
    """What a merchant's meter is told is on the page, and goes on when the meter is asked for again."""
    counting = Meters()

    for meter in (counting.of("acme"), counting.of("acme")):
        meter.exchanged("us", "200")
        meter.exchanged("us", "deadline")
        meter.throttled("us")
        meter.stored("us", "orders", {"new": 3, "unchanged": 2})
        meter.pushed("us", {"confirmed": 4})
    page = Page(counting.page())

    us = {"merchant": "acme", "store": "us"}
    assert page.value("syncd_api_requests_total", **us, code="200") == 2
    assert page.value("syncd_api_requests_total", **us, code="deadline") == 2
    assert page.value("syncd_api_throttled_total", **us) == 2
    assert page.value("syncd_records_total", **us, stream="orders", result="new") == 6
    assert page.value("syncd_push_rows_total", **us, outcome="confirmed") == 8


def test_a_made_up_status_makes_no_series() -> None:
    """Codes that nobody knows are counted as one."""
    counting = Meters()

    for code in range(600, 999):
        counting.of("acme").exchanged("us", str(code))

    assert Page(counting.page()).of("syncd_api_requests_total", "code") == {"other": 399}


def test_fresh_streams_say_so(flow: Flow, watching: Meters) -> None:
    """Lag grows from the last run that read everything; a stream that was never read has none and succeeded at 0."""
    flow.shop.put(Stream.ORDERS, *(order(f"{n}") for n in range(5)))
    flow.pull(Stream.ORDERS)
    ended_at = flow.clock.now()
    flow.clock.advance(90)

    page = Page(watching.page())

    carts = PLACE | {"stream": "carts"}
    assert page.value("syncd_database_up", merchant="acme") == 1
    assert page.value("syncd_stream_lag_seconds", **PLACE) == 90
    assert page.value("syncd_last_success_timestamp_seconds", **PLACE) == ended_at.timestamp()
    assert page.value("syncd_stored_records", **PLACE) == 5
    assert page.value("syncd_stream_lag_seconds", **carts) is None
    assert page.value("syncd_last_success_timestamp_seconds", **carts) == 0
    assert page.value("syncd_stored_records", **carts) == 0
    assert (page.value("syncd_database_bytes", merchant="acme") or 0) > 0


def test_a_partial_run_is_no_success(flow: Flow, watching: Meters) -> None:
    """A run that could not account for every record leaves the time of the last success."""
    flow.shop.put(Stream.ORDERS, order("1"), order("2", state="no such state"))
    flow.pull(Stream.ORDERS)
    succeeded_at = flow.clock.now()
    flow.clock.advance(60)
    within = flow.shop.within
    flow.shop.within = lambda stream, window: within(stream, window)[:1] * 2  # type: ignore[method-assign]

    report = flow.pull(Stream.ORDERS, kind="sweep")
    page = Page(watching.page())

    assert report.status == "partial"
    assert page.value("syncd_last_success_timestamp_seconds", **PLACE) == succeeded_at.timestamp()
    assert page.value("syncd_rejected_records", **PLACE) == 1


def test_big_tables_are_counted_once_a_minute(flow: Flow, watching: Meters) -> None:
    """Within a minute the last count serves; after it the next one is taken."""
    flow.pull(Stream.ORDERS)
    watching.page()
    flow.shop.put(Stream.ORDERS, order("1"))
    flow.pull(Stream.ORDERS)

    flow.clock.advance(59)
    kept = Page(watching.page()).value("syncd_stored_records", **PLACE)
    flow.clock.advance(2)
    fresh = Page(watching.page()).value("syncd_stored_records", **PLACE)

    assert (kept, fresh) == (0, 1)


def test_pauses_show_by_lane(flow: Flow, watching: Meters) -> None:
    """A paused stream, a paused push and a wholly paused store are told apart."""
    pauses = flow.database.pauses
    pauses.put(STORE, "refused", stream=Stream.ORDERS)
    pauses.put(STORE, "read only", push=True)

    before = Page(watching.page())
    pauses.put(STORE, "on holiday")
    after = Page(watching.page())

    push = PLACE | {"stream": "", "lane": "push"}
    carts = PLACE | {"stream": "carts", "lane": "pull"}
    assert before.value("syncd_paused", **PLACE, lane="pull") == 1
    assert (before.value("syncd_paused", **carts), before.value("syncd_paused", **push)) == (0, 1)
    assert after.value("syncd_paused", **carts) == 1


def test_a_database_that_is_away_takes_only_its_own_figures(postgres_url: str, sqlite_url: str, tmp_path: Path) -> None:
    """The merchant whose server is away is down; counts and the other merchant's figures are all there."""
    watching, clock = Meters(), ManualClock()
    with _app(tmp_path, postgres_url, clock) as app, _app(tmp_path, sqlite_url, clock, "other") as other:
        watching.watch(app)
        watching.watch(other)
        with _shut(postgres_url):
            page = Page(watching.page(away=["third"]))
        again = Page(watching.page())
        watching.unwatch(other)
        watching.unwatch(app)

    assert page.of("syncd_database_up", "merchant") == {"other": 1}
    assert [page.value("syncd_database_up", merchant=name) for name in ("acme", "third")] == [0, 0]
    assert page.value("syncd_database_bytes", merchant="acme") is None
    assert (page.value("syncd_database_bytes", merchant="other") or 0) > 0
    assert page.value("syncd_records_total", **PLACE, result="new") == 0
    assert again.of("syncd_database_up", "merchant") == {"acme": 1, "other": 1}


def test_a_database_that_hangs_is_not_waited_for(postgres_url: str, tmp_path: Path) -> None:
    """After some patience its merchant is down, until it answers again."""
    watching = Meters(patience_s=0.05)
    with _app(tmp_path, postgres_url, ManualClock()) as app:
        watching.watch(app)
        with psycopg.connect(postgres_url) as locker:
            locker.execute("LOCK TABLE outbox")
            hung = [Page(watching.page()).value("syncd_database_up", merchant="acme") for _ in range(3)]
            asking = locker.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
        watching.unwatch(app)
        patient = Meters()
        patient.watch(app)

        freed = Page(patient.page()).value("syncd_database_up", merchant="acme")

        patient.unwatch(app)
    assert (hung, asking, freed) == ([0, 0, 0], (1,), 1)


def test_an_app_that_closes_is_read_no_more(app: App, watching: Meters) -> None:
    """Without its app a merchant has no gauges; a newer app's gauges are left alone."""
    newer = Meters()
    newer.watch(app)

    watching.unwatch(app)

    assert Page(watching.page()).value("syncd_database_up", merchant="acme") is None
    assert Page(newer.page()).value("syncd_database_up", merchant="acme") == 1
    newer.unwatch(app)


def test_no_sample_stands_twice(watching: Meters) -> None:
    """A merchant that is read and said to be away has one figure: scrapers refuse a page with two."""
    page = watching.page(away=["acme", "acme", "other"]).decode()

    assert page.count('syncd_database_up{merchant="acme"}') == 1
    assert page.count('syncd_database_up{merchant="other"}') == 1


def test_a_long_count_serves_the_longer() -> None:
    """Counting takes no more than a hundredth of the time."""
    assert gauges._until_next_count_s(0.01) == 60
    assert gauges._until_next_count_s(3.0) == 300


def test_every_metric_says_what_it_is(watching: Meters) -> None:
    """The page names each metric once, with a sentence, and no label that could name a person."""
    text = watching.page()
    page = Page(text)

    ours = {name for name in page.families if name.startswith("syncd_")}
    assert ours == {name.removesuffix("_total") for name in (*COUNTERS, *GAUGES, "syncd_build_info")}
    assert "process_open_fds" in page.families
    assert all(re.fullmatch(r"[A-Z].{20,}\.", page.families[name].documentation) for name in ours - {"syncd_build"})
    assert page.labels() <= {"merchant", "store", "stream", "lane", "result", "outcome", "state", "code", "version"}
    assert b"_created" not in text


@contextmanager
def _shut(url: str) -> Iterator[None]:
    """A database whose server lets nobody in, and throws out who is."""
    server, _, name = url.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as gate:
        gate.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        gate.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        yield
        gate.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
