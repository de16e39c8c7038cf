"""What a meter is told of a run is what the run's report says: each record once, however often the walk was cut off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from syncd.errors import Unavailable
from syncd.model import Stream
from syncd.store.types import Counts, RunReport
from tests.clock import ManualClock
from tests.contracts.memory import order
from tests.flow.harness import STORE, Flow, flowing
from tests.tally import Tally


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture
def flow(database_url: str, clock: ManualClock, tally: Tally) -> Iterator[Flow]:
    with flowing(database_url, clock) as made:
        made.meter = tally
        made.shop.put(Stream.ORDERS, *(order(f"{n:03}") for n in range(9)), order("900", state="no such state"))
        yield made


def _told(report: RunReport) -> Counter[tuple[str, str, str]]:
    return Counter({(STORE, "orders", name): count for name, count in report.counts.gained(Counts()).items()})


def test_a_run_gains_what_its_report_says(flow: Flow, tally: Tally) -> None:
    """After two runs each result was told as often as the two reports say together."""
    first = flow.pull(Stream.ORDERS)
    flow.shop.edit(Stream.ORDERS, "003", total_minor=2000)

    second = flow.pull(Stream.ORDERS, kind="sweep")

    assert +tally.records == +(_told(first) + _told(second))
    assert tally.records.total() == first.counts.read + second.counts.read == 20
    assert tally.records[STORE, "orders", "rejected"] == 2


def test_a_resumed_walk_counts_each_record_once(flow: Flow, tally: Tally) -> None:
    """A walk that was cut off and taken up again tells as much as its last report holds."""
    flow.listener = lambda source, page, counts: (
        flow.shop.faults.append(Unavailable("down")) if counts.read == 3 else None
    )
    with pytest.raises(Unavailable):
        flow.pull(Stream.ORDERS)
    before = tally.records.total()

    report = flow.pull(Stream.ORDERS)

    assert 0 < before < 10
    assert +tally.records == +_told(report)
    assert report.counts.read == 10
