"""Promise 9: a sick store pauses alone, with its reason, logged once; the others keep their pace; it resumes whole.

One of three stores refuses everything for a while: plan unpaid, key revoked, shop locked. Meanwhile shoppers go on
everywhere. The other two are pulled as often as ever; the sick one is well again without a hand and lacks nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from syncd.app import App
from syncd.daemon import Works
from syncd.daemon.pulse import Pulse
from syncd.sandbox import Fault, FaultKind, Sandbox
from syncd.settings import load
from tests.clock import ManualClock
from tests.promises.oracles import picture
from tests.promises.shops import config, sandbox_of

SICK, WELL = "us-woo", ("eu-woo", "b2b")
LOOK_S, OUTAGE_S, AFTER_S = 30, 1800, 1200
REASONS = {401: "key", 402: "closed to us", 423: "closed to us"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Three shops."""
    with sandbox_of(SICK, *WELL) as opened:
        yield opened


@pytest.fixture
def works(tmp_path: Path, sandbox: Sandbox, database_url: str, clock: ManualClock) -> Iterator[Works]:
    """A merchant with the three, everything pulled once."""
    opened = Works(load(config(tmp_path, sandbox.shops.values(), database_url)), Pulse(clock), clock=clock)
    opened.open()
    _let_pass(opened, clock, LOOK_S)
    yield opened
    opened.close()


def _let_pass(works: Works, clock: ManualClock, seconds: int) -> None:
    for _ in range(seconds // LOOK_S):
        for store_id in works.app.settings.stores:
            works.pull(store_id)
        clock.advance(LOOK_S)


def _pulls(works: Works) -> Counter[str]:
    return Counter(
        report.store_id for report in works.app.database.runs.history(10_000) if report.status == "succeeded"
    )


@pytest.mark.parametrize("status", sorted(REASONS))
def test_a_sick_store_pauses_alone_and_comes_back_whole(
    works: Works, sandbox: Sandbox, clock: ManualClock, tmp_path: Path, status: int
) -> None:
    """Half an hour of refusals: one pause, its reason told once; the others keep their pace; nothing is missing."""
    sick = sandbox.shops[SICK]
    before = _pulls(works)
    sick.faults.add(Fault(kind=FaultKind.ANSWER, status=status, body="{}", times=None))

    with capture_logs() as down:
        _let_pass(works, clock, OUTAGE_S)
    during = _pulls(works) - before
    pauses = [pause for pause in works.app.database.pauses.all() if not pause.is_push]
    sick.faults.clear()
    sick.place_order(customer_id=sick.add_customer("late@shop.example"))
    with capture_logs() as up:
        _let_pass(works, clock, AFTER_S)

    assert [(pause.store_id, REASONS[status] in pause.reason) for pause in pauses] == [(SICK, True)]
    assert len([line for line in down if line["event"] == "paused" and line["lane"] == "pull"]) == 1
    assert len([line for line in up if line["event"] == "resumed" and line["lane"] == "pull"]) == 1
    assert SICK not in during
    expected = 3 * OUTAGE_S // 300  # streams, each every five minutes
    assert all(abs(during[store_id] - expected) <= 3 for store_id in WELL), during
    assert works.app.database.pauses.all() == []
    fresh = f"sqlite:///{tmp_path / 'fresh.db'}"
    with App(load(config(tmp_path / "fresh", sandbox.shops.values(), fresh))) as app:
        app.backfill()
    works.app.derive()
    assert picture(works.app.settings.database.url) == picture(fresh)


def test_a_refused_write_pauses_the_push_of_that_store_only(
    tmp_path: Path, database_url: str, clock: ManualClock
) -> None:
    """A key that may only read: that store's push rests, with its reason; pulls go on, and other stores are written."""
    with sandbox_of(SICK, *WELL) as sandbox:
        path = config(tmp_path, sandbox.shops.values(), database_url, push="auto")
        key = sandbox.shops[SICK].credentials
        path.write_text(
            path.read_text()
            .replace(key["admin"].consumer_key, key["read_only"].consumer_key)
            .replace(key["admin"].consumer_secret, key["read_only"].consumer_secret)
        )
        works = Works(load(path), Pulse(clock), clock=clock)
        works.open()

        _let_pass(works, clock, LOOK_S)
        works.derive()
        for store_id in works.app.settings.stores:
            works.push(store_id)
        _let_pass(works, clock, 600)

        pauses = works.app.database.pauses.all()
        pulled = _pulls(works)
        waiting = works.app.plan().held
        works.close()

    assert [(pause.store_id, pause.is_push) for pause in pauses] == [(SICK, True)]
    assert min(pulled[store_id] for store_id in (SICK, *WELL)) >= 6
    assert {group.store_id for group in waiting if "paused" in group.reason} == {SICK}
    assert all(_tagged(sandbox.shops[store_id]) for store_id in WELL)
    assert not _tagged(sandbox.shops[SICK])


def _tagged(shop: object) -> bool:
    from tests.promises.shops import tags_on

    return bool(tags_on(shop))
