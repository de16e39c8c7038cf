"""A service over three stores, of which one fails, one is slow and one is well: the well one is always on time."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from syncd.app import App
from syncd.sandbox import Call, Fault, FaultKind, Sandbox
from syncd.settings import load
from tests.promises.oracles import picture, unfinished
from tests.promises.service import Service, running
from tests.promises.shops import config, sandbox_of

FAILING, SLOW, WELL = "us-woo", "eu-woo", "b2b"
EVERY_S, LATE_S = 2.0, 2.0
OFTEN = "streams: {customers: {every: 2s}, orders: {every: 2s}, carts: {every: 2s}}, sweep: {every: 1h}"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """The three shops, in their states."""
    with sandbox_of(FAILING, SLOW, WELL) as opened:
        opened.shops[FAILING].faults.add(Fault(kind=FaultKind.ANSWER, status=500, body="{}", times=None))
        opened.shops[SLOW].mutator = _slowly
        yield opened


def _slowly(_: Call) -> None:
    time.sleep(1.5)


def _ended_at(service: Service) -> list[datetime]:
    lines = service.events("stream_pulled", store=WELL, stream="orders")
    return [datetime.fromisoformat(line["timestamp"]) for line in lines]


def test_the_well_store_is_on_time(sandbox: Sandbox, database_url: str, tmp_path: Path) -> None:
    """The well store is pulled when it is due; killed and started again, the whole loses and doubles nothing."""
    shops = list(sandbox.shops.values())
    path = config(tmp_path, shops, database_url)
    path.write_text(path.read_text().replace("push: {", f"{OFTEN}, push: {{"))

    with running(path) as service:
        service.wait_for("stream_pulled", 6, store=WELL, stream="orders")
        times = _ended_at(service)
        service.process.send_signal(signal.SIGKILL)
        service.process.wait()
    sandbox.shops[FAILING].faults.clear()
    sandbox.shops[SLOW].mutator = None
    with running(path) as again:
        for store_id in (FAILING, SLOW, WELL):
            for stream in ("customers", "orders", "carts"):
                again.wait_for("stream_pulled", store=store_id, stream=stream)
        code, _ = again.end()

    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    assert max(gaps) < EVERY_S + LATE_S, gaps
    assert code == 0
    with App(load(path)) as app:
        app.derive()
    with App(load(config(tmp_path / "fresh", shops, f"sqlite:///{tmp_path / 'fresh.db'}"))) as app:
        app.backfill()
    assert picture(database_url) == picture(f"sqlite:///{tmp_path / 'fresh.db'}")
    assert unfinished(database_url) == []
