"""A merchant's whole round against the sandbox, and what the page of metrics says of it afterwards."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from syncd.app import App, SyncReport
from syncd.sandbox import Sandbox
from syncd.sandbox.faults import Fault, FaultKind
from syncd.settings import load
from syncd.store.types import Counts
from syncd.web import Meters
from tests.clock import ManualClock
from tests.flow import woo
from tests.unit.web.page import Page

STORE = "us-woo"
SPENDERS = "segments: {vip: {when: 'spent >= 50', tag: VIP}}\n"
AUTOMATIC = ", push: {mode: auto, brake: {max_customers: 1000, max_percent: 100}}"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(seed=1, scale=0.05)


def _gained(*reports: SyncReport) -> Counter[tuple[str, str]]:
    gained: Counter[tuple[str, str]] = Counter()
    for outcome in (outcome for report in reports for outcome in report.outcomes):
        results = outcome.report.counts.gained(Counts())
        gained.update({(str(outcome.report.stream), result): count for result, count in results.items()})
    return +gained


def _told(page: Page, merchant: str = "acme") -> Counter[tuple[str, str]]:
    return +Counter(
        {
            (of["stream"], of["result"]): int(value)
            for (name, labels), value in page.samples.items()
            if name == "syncd_records_total" and (of := dict(labels))["merchant"] == merchant
        }
    )


def test_a_round_is_told_as_its_report_says(sandbox: Sandbox, tmp_path: Path, database_url: str) -> None:
    """Records and tag changes of two rounds are on the page as reported, requests and waits as they were."""
    meters = Meters()

    with sandbox:
        shop = sandbox.shops[STORE]
        path = woo.config(tmp_path, sandbox, database_url, stores=[STORE], options=AUTOMATIC, segments=SPENDERS)
        with App(load(path), clock=ManualClock(sandbox.clock.now()), meter=meters.of("acme")) as app:
            meters.watch(app)
            shop.faults.add(Fault(kind=FaultKind.ANSWER, status=429, headers={"Retry-After": "5"}))
            first = app.sync()
            second = app.sync(sweep=True)
            page = Page(meters.page())
            meters.unwatch(app)

    assert first.applied is not None
    assert first.applied.confirmed > 0
    assert _told(page) == _gained(first, second)
    assert page.of("syncd_push_rows_total", "outcome") == {"confirmed": first.applied.confirmed}
    assert page.of("syncd_api_throttled_total", "store") == {STORE: 1}
    assert page.of("syncd_api_requests_total", "code")["429"] == 1
    assert page.of("syncd_outbox_rows", "state") == {}
    assert page.of("syncd_stored_records", "stream").keys() >= {"customers", "orders"}
