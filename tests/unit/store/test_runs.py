"""Stores, leases, walks, runs and what `status` says of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.errors import ConfigInvalid, LockHeld
from syncd.model import Customer, Lane, Order, StoreFacts, Stream, Window
from syncd.store import Database
from syncd.store.rows import customers
from syncd.store.types import Counts, LaneKey, LaneState, RunReport, Walk, WalkEnd
from syncd.store.walks import walk_seen
from tests.clock import START, ManualClock
from tests.unit.store.kit import Worker, accept, count, reject, rows

LATER = START + timedelta(minutes=5)
KEY = LaneKey(store_id="shop", stream=Stream.ORDERS, lane=Lane.LIVE)
FACTS = StoreFacts(identity="https://shop.example", name="Shop")
REPORT = RunReport(
    run_id="1",
    store_id="shop",
    platform="woocommerce",
    stream=Stream.ORDERS,
    lane=Lane.LIVE,
    kind="incremental",
    status="running",
    started_at=START,
)


def test_another_shop_under_a_known_id_is_refused(database: Database) -> None:
    """A store's id belongs to the shop that was seen under it first."""
    database.runs.register_store("shop", "woocommerce", FACTS)
    database.runs.register_store("shop", "woocommerce", replace(FACTS, name="Renamed"))

    with pytest.raises(ConfigInvalid, match=r"shop\.example.*other\.example"):
        database.runs.register_store("shop", "woocommerce", replace(FACTS, identity="https://other.example"))


def test_a_lease_is_held_against_others_until_it_runs_out(database: Database, clock: ManualClock) -> None:
    """Another owner has to wait; a renewed lease counts from its renewal."""
    lease = database.runs.acquire(KEY, "one", 60)
    clock.advance(50)
    database.runs.renew(lease, 60)
    clock.advance(50)

    with pytest.raises(LockHeld, match=r"shop/orders.*one"):
        database.runs.acquire(KEY, "two", 60)
    clock.advance(11)

    assert database.runs.acquire(KEY, "two", 60).epoch == lease.epoch + 1


def test_a_lost_lease_cannot_be_renewed_nor_disturb_its_heir(database: Database, clock: ManualClock) -> None:
    """The former owner is told; its release leaves the new lease alone."""
    lost = database.runs.acquire(KEY, "one", 60)
    clock.advance(61)
    database.runs.acquire(KEY, "two", 60)

    with pytest.raises(LockHeld, match="lease lost"):
        database.runs.renew(lost, 60)
    database.runs.release(lost)

    with pytest.raises(LockHeld, match="two"):
        database.runs.acquire(KEY, "one", 60)


def test_the_same_owner_begins_a_new_epoch(database: Database) -> None:
    """An owner that takes its own lane again invalidates what it held before."""
    first = database.runs.acquire(KEY, "one", 60)
    second = database.runs.acquire(KEY, "one", 60)

    assert second.epoch == first.epoch + 1
    with pytest.raises(LockHeld):
        database.runs.renew(first, 60)


def test_a_released_lane_is_free(database: Database) -> None:
    """After a release anybody may work the lane, under a greater epoch."""
    lease = database.runs.acquire(KEY, "one", 60)
    database.runs.release(lease)

    assert database.runs.acquire(KEY, "two", 60).epoch == lease.epoch + 1


def test_lanes_do_not_hold_each_other(database: Database) -> None:
    """A backfill has a lease of its own."""
    database.runs.acquire(KEY, "one", 60)

    assert database.runs.acquire(replace(KEY, lane=Lane.BACKFILL), "two", 60).owner == "two"


def test_a_walk_is_kept_as_it_was_begun(database: Database) -> None:
    """The state of a lane gives the walk back for its resumption."""
    walk = Walk(walk_id="w", kind="backfill", window=Window(since=START, until=LATER), signpost=LATER, started_at=START)
    lease = database.runs.acquire(KEY, "one", 60)
    before = database.runs.state(KEY)

    database.runs.begin_walk(lease, walk)

    assert before == LaneState()
    assert database.runs.state(KEY) == LaneState(walk=walk)


def test_a_dropped_walk_leaves_no_trace(database: Database, database_url: str, clock: ManualClock) -> None:
    """Dropping forgets the walk and what it met, not what it stored."""
    worker = Worker(database, clock, Stream.CUSTOMERS)
    worker.page(Customer(external_id="1"))

    database.runs.drop_walk(worker.lease)

    assert database.runs.state(worker.key) == LaneState()
    assert count(database_url, walk_seen) == 0
    assert count(database_url, customers) == 1


def test_a_finished_walk_moves_the_bookmark_and_never_back(database: Database) -> None:
    """What a walk earned is kept with the lane; an older signpost changes nothing."""
    lease = database.runs.acquire(KEY, "one", 60)
    end = WalkEnd(bookmark=LATER, fresh_until=LATER, history_complete=True, is_sweep=True)
    database.runs.finish_walk(lease, end)

    database.runs.finish_walk(lease, WalkEnd(bookmark=START, fresh_until=START))

    state = database.runs.state(KEY)
    assert (state.bookmark, state.fresh_until) == (LATER, LATER)
    assert (state.history_complete_since, state.last_sweep_at) == (START, START)


def test_a_complete_backfill_seeds_only_a_lane_without_a_bookmark(database: Database) -> None:
    """The first bookmark may come from a backfill; one that stands does not."""
    database.runs.seed_bookmark(KEY, WalkEnd(bookmark=START, history_complete=True))
    database.runs.seed_bookmark(KEY, WalkEnd(bookmark=LATER))

    assert database.runs.state(KEY).bookmark == START


def test_only_what_was_stored_before_the_walk_is_deleted(
    database: Database, database_url: str, clock: ManualClock
) -> None:
    """A record that another lane stored while the walk went on is not missing, nor is a rejected one."""
    worker = Worker(database, clock, Stream.CUSTOMERS)
    worker.page(*(Customer(external_id=key) for key in "123"))
    worker.finish()
    clock.advance(60)
    worker.begin()
    clock.advance(60)
    worker.page(Customer(external_id="1"), reject("2"))
    database.pages.recommit("shop", Stream.CUSTOMERS, (accept(Customer(external_id="4")),), (), 1)

    deleted = worker.finish(delete_missing=True)

    assert deleted == 1
    assert [row["external_id"] for row in rows(database_url, customers) if row["deleted_at"]] == ["3"]


def test_another_store_and_stream_lose_nothing(database: Database, database_url: str, clock: ManualClock) -> None:
    """A deletion keeps to its own store and stream."""
    for store in ("shop", "other"):
        Worker(database, clock, Stream.CUSTOMERS, store=store).page(Customer(external_id="1"))
        Worker(database, clock, Stream.ORDERS, store=store).page(Order(external_id="1"))
    clock.advance(600)
    worker = Worker(database, clock, Stream.CUSTOMERS)
    worker.begin()

    assert worker.finish(delete_missing=True) == 1
    assert [row["store_id"] for row in rows(database_url, customers) if row["deleted_at"]] == ["shop"]


def test_runs_are_told_newest_first(database: Database, clock: ManualClock) -> None:
    """History gives every run as it ended, or as running."""
    database.runs.register_store("shop", "woocommerce", FACTS)
    done = replace(REPORT, status="succeeded", ended_at=LATER, counts=Counts(read=2, new=2), pages=1, declared=2)
    database.runs.start_run(REPORT)
    database.runs.finish_run(done)
    running = replace(REPORT, run_id="2", stream=Stream.CARTS, started_at=LATER)
    database.runs.start_run(running)

    assert database.runs.history(10) == [running, done]
    assert database.runs.history(1) == [running]
    assert database.runs.history(10, stream=Stream.ORDERS) == [done]
    assert database.runs.history(10, store_id="other") == []


def test_the_next_to_work_a_lane_settles_what_a_dead_process_left(database: Database, clock: ManualClock) -> None:
    """Runs of that lane which are still under way are interrupted; those of others, and those settled, stay."""
    database.runs.acquire(KEY, "one", 60)
    failed = replace(REPORT, run_id="0", status="failed", reason="refused", ended_at=START)
    elsewhere = replace(REPORT, run_id="2", lane=Lane.BACKFILL)
    other_stream = replace(REPORT, run_id="3", stream=Stream.CARTS)
    other_store = replace(REPORT, run_id="4", store_id="other")
    runs = [other_store, other_stream, elsewhere, REPORT, failed]
    for report in runs:
        database.runs.start_run(report)
    with pytest.raises(LockHeld):
        database.runs.acquire(KEY, "two", 60)
    held = [report.status for report in database.runs.history(10)]
    clock.advance(61)

    database.runs.acquire(KEY, "two", 60)

    settled = replace(REPORT, status="interrupted", reason="the process ended before the run did")
    told = [replace(report, platform="woocommerce") for report in database.runs.history(10)]
    assert held == [report.status for report in runs]
    assert told == [settled if report is REPORT else report for report in runs]


def test_status_counts_what_is_stored(database: Database, clock: ManualClock) -> None:
    """Status tells stored and rejected records, the bookmark, the walk under way and the last run."""
    database.runs.register_store("shop", "woocommerce", FACTS)
    worker = Worker(database, clock, Stream.ORDERS)
    worker.page(Order(external_id="1"), Order(external_id="2"), reject("3"))
    worker.finish()
    worker.begin()
    database.runs.start_run(REPORT)
    database.pauses.put("shop", "key refused", push=True)

    (status,) = database.runs.status()

    assert (status.platform, status.stream, status.stored_count, status.rejected_count) == (
        "woocommerce",
        Stream.ORDERS,
        2,
        1,
    )
    assert (status.bookmark, status.last_run) == (START, REPORT)
    assert status.walk is not None
    assert (status.paused_reason, status.push_paused_reason) == (None, "key refused")


def test_a_pause_keeps_its_first_reason_until_it_ends(database: Database) -> None:
    """Pull and push pause apart, each until it is resumed."""
    database.runs.register_store("shop", "woocommerce", FACTS)
    database.runs.acquire(KEY, "one", 60)

    database.pauses.put("shop", "plan unpaid")
    database.pauses.put("shop", "again")
    paused = database.runs.status()[0].paused_reason
    database.pauses.lift("shop")

    assert paused == "plan unpaid"
    assert database.runs.status()[0].paused_reason is None


def _ended(database: Database, minute: int, status: str, **facts: object) -> None:
    at = START + timedelta(minutes=minute)
    report = replace(REPORT, run_id=f"{minute:03}", started_at=at, ended_at=at, status=status, **facts)  # type: ignore[arg-type]
    database.runs.finish_run(report)


def test_runs_that_fail_are_counted_from_the_first(database: Database) -> None:
    """What failed before a run that did not is forgotten; a stream whose last run did not fail does not fail."""
    before = database.runs.failed("shop", Stream.ORDERS)
    _ended(database, 0, "failed", reason="old")
    _ended(database, 1, "partial")
    at_rest = database.runs.failed("shop", Stream.ORDERS)
    for minute, status in ((2, "failed"), (3, "failed"), (4, "interrupted"), (5, "failed")):
        _ended(database, minute, status)

    failed = database.runs.failed("shop", Stream.ORDERS)

    assert (before, at_rest) == (None, None)
    assert failed is not None
    assert [run.run_id for run in failed] == ["002", "005"]
    assert database.runs.failed("shop", Stream.CUSTOMERS) is None


def test_the_last_whole_run_is_one_that_saw_the_end(database: Database) -> None:
    """Incremental runs, failed ones and those that were told to stop are passed over."""
    _ended(database, 0, "partial", kind="backfill", reason="3 missing")
    _ended(database, 1, "partial", kind="backfill", reason="stopped")
    _ended(database, 2, "failed", kind="sweep")
    _ended(database, 3, "succeeded")

    last = database.runs.last_whole("shop", Stream.ORDERS, unless="stopped")

    assert last is not None
    assert (last.status, last.reason) == ("partial", "3 missing")
    assert database.runs.last_whole("shop", Stream.CARTS, unless="stopped") is None
