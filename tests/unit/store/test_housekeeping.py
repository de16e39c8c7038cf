"""Daemons that say they are there, and what housekeeping leaves of them, of old runs and of SQLite's log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from syncd import process
from syncd.model import Customer, Lane, StoreFacts, Stream
from syncd.store import Database
from syncd.store.types import Counts, Daemon, RunReport
from tests.clock import START, ManualClock
from tests.unit.store.kit import Worker, engines_of

KEEP = timedelta(days=90)
NOW = START + timedelta(days=200)
ELSEWHERE = "elsewhere:boot:1:1:salt"
RUN = RunReport(
    run_id="",
    store_id="shop",
    platform="",
    stream=Stream.ORDERS,
    lane=Lane.LIVE,
    kind="incremental",
    status="succeeded",
    started_at=START,
    ended_at=START,
)


def keep(database: Database, *reports: RunReport) -> None:
    """Note runs, named by their numbers, a day apart."""
    for number, report in enumerate(reports):
        started_at = START + timedelta(days=number) if report.started_at == START else report.started_at
        database.runs.start_run(replace(report, run_id=str(number), started_at=started_at))


def names(database: Database) -> list[str]:
    """The runs that are left, oldest first."""
    return [report.run_id for report in reversed(database.runs.history(100))]


def test_daemons_are_known_until_they_say_they_are_gone(database: Database) -> None:
    """A daemon keeps its beginning and tells when it was last there; the latest comes first."""
    later = START + timedelta(minutes=1)
    database.daemons.seen("one", START, START)
    database.daemons.seen("two", START, START)
    database.daemons.seen("one", later, START)
    both = database.daemons.all()

    database.daemons.gone("one")
    database.daemons.gone("three")

    two = Daemon(owner="two", started_at=START, seen_at=START)
    assert both == [Daemon(owner="one", started_at=START, seen_at=later), two]
    assert database.daemons.all() == [two]


def test_daemons_that_died_are_dropped(database: Database) -> None:
    """A process known to be gone is dropped, one elsewhere after a day of silence; the living stay."""
    host, _, *rest = process.own_name().split(":")
    database.daemons.seen(process.own_name(), NOW, START)
    database.daemons.seen(":".join((host, "an earlier boot", *rest)), NOW, START)
    database.daemons.seen(ELSEWHERE, NOW - timedelta(hours=23), START)
    database.daemons.seen("silent:boot:1:1:salt", NOW - timedelta(hours=25), START)

    report = database.keep_house(NOW, KEEP)

    assert report.daemons_dropped == 2
    assert [daemon.owner for daemon in database.daemons.all()] == [process.own_name(), ELSEWHERE]


def test_old_runs_go_and_younger_ones_stay(database: Database) -> None:
    """A run that began before the time to keep goes, unless it is still under way."""
    young = replace(RUN, started_at=NOW - KEEP)
    keep(database, RUN, replace(RUN, status="failed"), replace(RUN, status="running"), young)

    report = database.keep_house(NOW, KEEP)

    assert report.runs_dropped == 2
    assert names(database) == ["2", "3"]


def test_what_status_leans_on_stays_for_ever(database: Database) -> None:
    """However old, each stream keeps its last run, its last whole one and the last that told the shop's count."""
    counted = replace(RUN, kind="sweep", declared=40, status="partial")
    whole = replace(RUN, kind="sweep")
    other = replace(RUN, stream=Stream.CARTS)
    keep(database, counted, counted, whole, whole, RUN, RUN, other, replace(other, store_id="other"), other)

    database.keep_house(NOW, KEEP)

    assert names(database) == ["1", "3", "5", "7", "8"]


def test_a_status_is_the_same_after_housekeeping(database: Database, clock: ManualClock) -> None:
    """Dropping runs takes nothing from what `status` shows."""
    database.runs.register_store("shop", "woocommerce", StoreFacts(identity="https://shop.example", name="Shop"))
    Worker(database, clock, Stream.ORDERS)
    told = replace(RUN, kind="sweep", declared=3, reason="the shop keeps some back", counts=Counts(read=3, new=3))
    keep(database, told, replace(told, status="partial", declared=4), RUN, RUN, RUN)
    before = database.runs.status()

    report = database.keep_house(NOW, KEEP)

    assert report.runs_dropped == 2
    assert database.runs.status() == before


def test_the_size_grows_with_what_is_stored(database: Database, clock: ManualClock) -> None:
    """Records take room, on a file or on a server."""
    before = database.size()

    worker = Worker(database, clock, Stream.CUSTOMERS)
    worker.page(*(Customer(external_id=str(number), last_name="x" * 1000) for number in range(500)))

    after = database.size()
    assert after.file_bytes + after.wal_bytes > before.file_bytes + before.wal_bytes > 0


def test_housekeeping_empties_the_log(sqlite_url: str, clock: ManualClock) -> None:
    """What SQLite wrote into its log is in the file afterwards, and the log is empty."""
    with Database.open(sqlite_url, merchant="acme", clock=clock) as database:
        database.daemons.seen(ELSEWHERE, NOW, START)
        grown = database.size().wal_bytes

        report = database.keep_house(NOW, KEEP)

        assert grown > 0
        assert report.size == database.size()
        assert (report.size.wal_bytes, Path(f"{sqlite_url.removeprefix('sqlite:///')}-wal").stat().st_size) == (0, 0)


@contextmanager
def reading(url: str) -> Iterator[None]:
    """Somebody looks at the database and does not look away."""
    with engines_of(url) as engines, engines.read() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM daemons").scalar()
        yield


def test_a_reader_in_the_way_is_no_error(sqlite_url: str, clock: ManualClock) -> None:
    """While somebody reads, the log waits for the next time; what is written afterwards is not held up."""
    with Database.open(sqlite_url, merchant="acme", clock=clock) as database:
        with reading(sqlite_url):
            database.daemons.seen(ELSEWHERE, NOW, START)
            held = database.keep_house(NOW, KEEP)
            database.daemons.seen(ELSEWHERE, NOW, START)

        report = database.keep_house(NOW, KEEP)

    assert held.size.wal_bytes > 0
    assert report.size.wal_bytes == 0
