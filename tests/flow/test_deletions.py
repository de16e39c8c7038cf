"""Only a complete, counted listing says that something is gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from syncd.connectors.base import Page
from syncd.model import Stream, Window
from syncd.store.types import RunReport
from syncd.sync import Ask, run_stream
from tests.clock import ManualClock
from tests.contracts.memory import MemoryConnector, order
from tests.flow.harness import Flow, flowing


@dataclass(kw_only=True)
class PartialConnector(MemoryConnector):
    """Its pages say something else of themselves than they could."""

    says: dict[str, object] = field(default_factory=dict)

    def pull(self, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        """The shop's pages, changed."""
        for page in super().pull(stream, window, resume):
            yield replace(page, **self.says)  # type: ignore[arg-type]


@pytest.fixture
def flow(database_url: str, clock: ManualClock) -> Iterator[Flow]:
    """A shop of five orders that are stored, of which one was deleted since."""
    with flowing(database_url, clock) as flow:
        flow.shop.put(Stream.ORDERS, *(order(f"{n}", email=f"p{n}@example.com") for n in range(5)))
        assert flow.pull(Stream.ORDERS, "sweep").counts.new == 5
        flow.shop.delete(Stream.ORDERS, "4")
        clock.advance(3600)
        yield flow


def swept(flow: Flow, **says: object) -> RunReport:
    """A sweep over pages that say something else of themselves."""
    source = replace(flow.source(), connector=PartialConnector(shop=flow.shop, says=says))
    return run_stream(source, Stream.ORDERS, Ask(kind="sweep"), flow.tools())


def test_counted_and_complete_listing_marks_what_is_gone(flow: Flow) -> None:
    """The order that it does not hold any more is deleted."""
    assert (swept(flow).deleted, flow.ids("orders")) == (1, ["0", "1", "2", "3"])


def test_uncounted_listing_deletes_nothing(flow: Flow) -> None:
    """Where the platform does not say how many there are, nobody knows whether the listing was whole."""
    report = swept(flow, declared=None)

    assert (report.status, report.deleted, len(flow.ids("orders"))) == ("succeeded", 0, 5)


def test_short_listing_deletes_nothing(flow: Flow) -> None:
    """Where fewer records came than the platform counts, the run is partial and nothing is gone."""
    report = swept(flow, declared=5)

    assert (report.status, report.deleted, len(flow.ids("orders"))) == ("partial", 0, 5)


def test_listing_that_hides_older_records_deletes_nothing(flow: Flow) -> None:
    """What a platform keeps from our key is not gone: the run says so, and history is not complete by it."""
    report = swept(flow, hides_older=True)

    assert (report.status, report.deleted, len(flow.ids("orders"))) == ("succeeded", 0, 5)
    assert "keeps older orders from our key" in report.reason
    assert flow.status(Stream.ORDERS).remark == report.reason


def test_bounded_backfill_deletes_nothing(flow: Flow) -> None:
    """A window says nothing of what is outside it."""
    window = Window(since=flow.clock.now() - timedelta(days=9))

    assert flow.pull(Stream.ORDERS, "backfill", window).deleted == 0
    assert len(flow.ids("orders")) == 5
