"""Windows, bookmarks and accounting, from a shop in memory into real databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from syncd.errors import Interrupted, LockHeld, Unavailable
from syncd.model import Lane, Stream, Window
from syncd.store.types import LaneKey
from syncd.sync import Ask, run_stream
from tests.clock import ManualClock
from tests.contracts.memory import cart, customer, order
from tests.flow.harness import STORE, Flow, flowing

ORDERS = LaneKey(store_id=STORE, stream=Stream.ORDERS, lane=Lane.LIVE)


@pytest.fixture
def flow(database_url: str, clock: ManualClock) -> Iterator[Flow]:
    with flowing(database_url, clock) as made:
        yield made


def test_first_run_stores_everything_and_sets_the_bookmark(flow: Flow) -> None:
    """A stream without a bookmark is walked whole, and the bookmark is the server's time at the start."""
    flow.shop.put(Stream.ORDERS, *(order(f"{n:03}") for n in range(8)))

    report = flow.pull(Stream.ORDERS)

    assert (report.status, report.counts.read, report.counts.new, report.declared) == ("succeeded", 8, 8, 8)
    assert flow.database.runs.state(ORDERS).bookmark == flow.clock.now()
    assert flow.ids("orders") == [f"{n:03}" for n in range(8)]


def test_second_run_asks_only_for_what_changed(flow: Flow) -> None:
    """An incremental run reads from the bookmark minus the overlap, and what it reads again is unchanged."""
    flow.shop.put(Stream.ORDERS, *(order(f"{n:03}") for n in range(8)))
    flow.clock.advance(3600)
    flow.pull(Stream.ORDERS)
    flow.clock.advance(3600)
    flow.shop.edit(Stream.ORDERS, "003", total_minor=2000)
    flow.shop.put(Stream.ORDERS, order("900"))

    report = flow.pull(Stream.ORDERS)

    assert (report.counts.read, report.counts.new, report.counts.changed) == (2, 1, 1)


def test_identical_sweep_changes_nothing(flow: Flow) -> None:
    """A sweep over an unchanged shop finds every record unchanged."""
    flow.shop.put(Stream.CUSTOMERS, *(customer(f"{n:03}", email=f"p{n}@example.com") for n in range(7)))
    flow.pull(Stream.CUSTOMERS)
    before = flow.rows("customers")

    report = flow.pull(Stream.CUSTOMERS, kind="sweep")

    assert (report.counts.read, report.counts.unchanged) == (7, 7)
    assert flow.rows("customers") == before


def test_our_own_tag_is_not_a_change(flow: Flow) -> None:
    """The echo of a pushed tag leaves the account unchanged; another's tag changes it."""
    flow.shop.put(Stream.CUSTOMERS, customer("1"), customer("2"))
    flow.pull(Stream.CUSTOMERS)
    flow.clock.advance(600)
    flow.shop.edit(Stream.CUSTOMERS, "1", tags=["VIP"])
    flow.shop.edit(Stream.CUSTOMERS, "2", tags=["staff pick"])

    report = flow.pull(Stream.CUSTOMERS, kind="sweep")

    assert (report.counts.unchanged, report.counts.changed) == (1, 1)


def test_cut_off_walk_resumes_behind_the_last_stored_page(flow: Flow) -> None:
    """After a failure in mid-walk the next run fetches no stored page again and counts every record once."""
    flow.shop.put(Stream.ORDERS, *(order(f"{n:03}") for n in range(9)))
    seen: list[int] = []
    flow.listener = lambda source, page, counts: (  # the third request fails
        seen.append(len(page.records)),
        flow.shop.faults.append(Unavailable("down")) if len(seen) == 1 else None,
    )
    with pytest.raises(Unavailable):
        flow.pull(Stream.ORDERS)
    stored = len(flow.ids("orders"))

    report = flow.pull(Stream.ORDERS)

    assert 0 < stored < 9
    assert sum(seen) == 9
    assert (report.status, report.counts.read, report.counts.new) == ("succeeded", 9, 9)


def test_missing_rows_are_never_called_succeeded(flow: Flow) -> None:
    """When the shop declares more than it gave, the run is partial, says so, and the bookmark stays."""
    flow.shop.put(Stream.ORDERS, *(order(f"{n:03}") for n in range(5)))
    withheld = flow.shop.rows[Stream.ORDERS]["002"]
    original = flow.shop.within
    flow.shop.within = lambda stream, window: [  # type: ignore[method-assign]
        row if row is not withheld else row | {"id": "001"} for row in original(stream, window)
    ]

    report = flow.pull(Stream.ORDERS)

    assert report.status == "partial"
    assert "1 of 5 orders missing" in report.reason
    assert flow.database.runs.state(ORDERS).bookmark is None


def test_rejected_record_does_not_stop_the_stream(flow: Flow) -> None:
    """A record that cannot be read is set aside with its reason and counted; the run succeeds."""
    flow.shop.put(Stream.ORDERS, order("1"), order("2", state="no such state"), order("3"))

    report = flow.pull(Stream.ORDERS)

    assert (report.status, report.counts.read, report.counts.rejected) == ("succeeded", 3, 1)
    assert [view.external_id for view in flow.database.pages.rejected()] == ["2"]


def test_sweep_marks_what_is_gone(flow: Flow) -> None:
    """What a complete, counted walk no longer meets leaves the exports."""
    flow.shop.put(Stream.ORDERS, *(order(f"{n:03}") for n in range(5)))
    flow.pull(Stream.ORDERS)
    flow.clock.advance(60)
    flow.shop.delete(Stream.ORDERS, "002")

    report = flow.pull(Stream.ORDERS, kind="sweep")

    assert report.deleted == 1
    assert flow.ids("orders") == ["000", "001", "003", "004"]


def test_complete_backfill_seeds_the_live_bookmark(flow: Flow) -> None:
    """A complete unbounded backfill of a stream without a bookmark sets it; a bounded one leaves it alone."""
    flow.shop.put(Stream.ORDERS, order("1"))
    flow.pull(Stream.ORDERS, kind="backfill", window=Window(since=flow.clock.now() - timedelta(days=1)))
    assert flow.database.runs.state(ORDERS).bookmark is None

    flow.pull(Stream.ORDERS, kind="backfill")

    assert flow.database.runs.state(ORDERS).bookmark == flow.clock.now()


def test_backfill_never_moves_a_live_bookmark(flow: Flow) -> None:
    """A backfill beside a live stream leaves its bookmark where it is."""
    flow.shop.put(Stream.ORDERS, order("1"))
    flow.pull(Stream.ORDERS)
    bookmark = flow.database.runs.state(ORDERS).bookmark
    flow.clock.advance(3600)

    flow.pull(Stream.ORDERS, kind="backfill")

    assert flow.database.runs.state(ORDERS).bookmark == bookmark


def test_two_workers_never_share_a_lane(flow: Flow) -> None:
    """A lane that another worker holds raises LockHeld; a backfill of the same stream does not wait for it."""
    flow.shop.put(Stream.ORDERS, order("1"))
    flow.database.runs.acquire(ORDERS, "somebody else", 300.0)

    with pytest.raises(LockHeld):
        flow.pull(Stream.ORDERS)

    assert flow.pull(Stream.ORDERS, kind="backfill").status == "succeeded"


def test_stop_ends_the_run_between_two_pages(flow: Flow) -> None:
    """A run told to stop keeps what is stored and goes on from there the next time."""
    flow.shop.put(Stream.ORDERS, *(order(f"{n:03}") for n in range(9)))
    tools = flow.tools()
    tools.stop.set()

    with pytest.raises(Interrupted):
        run_stream(flow.source(), Stream.ORDERS, Ask(kind="incremental"), tools)

    assert flow.pull(Stream.ORDERS).counts.read == 9


def test_nothing_is_fetched_behind_a_run_that_ended(flow: Flow) -> None:
    """A run that stopped early leaves nobody behind who still asks the shop."""
    flow.shop.put(Stream.ORDERS, *(order(f"{n:03}") for n in range(9)))
    tools = flow.tools()
    tools.stop.set()

    with pytest.raises(Interrupted) as stopped:
        run_stream(flow.source(), Stream.ORDERS, Ask(kind="incremental"), tools)

    assert stopped.value  # the error is kept, and with it whatever the run held
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("look-ahead")]


def test_guest_and_account_with_one_mailbox_are_one_person(flow: Flow) -> None:
    """A guest order joins the account that has its mailbox, whichever came first."""
    flow.shop.put(Stream.ORDERS, order("7", email="Ann@Example.com", first_name="Ann"))
    flow.shop.put(Stream.CUSTOMERS, customer("1", email="ann@example.com", first_name="Ann"))
    flow.shop.put(Stream.CARTS, cart("c", email="bob@example.com"))

    for stream in (Stream.ORDERS, Stream.CUSTOMERS, Stream.CARTS):
        flow.pull(stream)

    profiles = dict(flow.database.people.partition())
    assert len(profiles) == 3
    assert len(set(profiles.values())) == 2
