"""Promise 12: one worker for each stream; a zombie cannot commit; several processes share work without doubling it.

Two services and a backfill work one database; one of them is stopped in the middle of its pages for three leases, and
goes on afterwards. What it had in hand then is refused, the others have done its work, nothing is there twice.
"""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.app import App
from syncd.sandbox import Call, Sandbox
from syncd.settings import load
from tests.promises.oracles import picture, unfinished
from tests.promises.service import PATIENCE_S, Service, running, until
from tests.promises.shops import Watch, config, sandbox_of, tags_on

LEASE_S = 2.0
SHORT_LEASES = (
    f"import syncd.sync, syncd.push.delivery as d; syncd.sync.LEASE_S = d.LEASE_S = {LEASE_S}; syncd.sync._LONG_S = 0.5"
)
SETTLED_S = 1.0  # after which nobody is in a transaction who only waits for an answer
EVERY = "streams: {customers: {every: 2s}, orders: {every: 2s}, carts: {every: 2s}}"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Two shops."""
    with sandbox_of("us-woo", "b2b", scale=0.05) as opened:
        yield opened


def _often(path: Path) -> Path:
    """The same config with every stream pulled every two seconds."""
    path.write_text(path.read_text().replace("push: {", f"{EVERY}, push: {{"))
    return path


class Late:
    """A shop that takes its time over the first page of a walk: who asked has taken the lane, and waits."""

    def __init__(self) -> None:
        self.is_asked = threading.Event()

    def __call__(self, call: Call) -> None:
        """Let the answer wait."""
        if "orderby=id" in call.query and not self.is_asked.is_set():
            self.is_asked.set()
            time.sleep(2 * SETTLED_S)


def _assert_whole(path: Path, shops: list[Any], folder: Path) -> None:
    settings = load(path)
    with App(settings) as app:
        app.derive()
    with App(load(config(folder / "fresh", shops, f"sqlite:///{folder / 'fresh.db'}"))) as app:
        app.backfill()
    assert picture(settings.database.url) == picture(f"sqlite:///{folder / 'fresh.db'}")
    assert unfinished(settings.database.url) == []


def test_a_zombie_commits_nothing(sandbox: Sandbox, database_url: str, tmp_path: Path) -> None:
    """A service stopped for three leases over a page finds its lease lost; a second one and a backfill did the work."""
    shop = sandbox.shops["us-woo"]
    path = _often(config(tmp_path, [shop], database_url))
    shop.mutator = late = Late()
    with running(path, preamble=SHORT_LEASES) as zombie:
        assert late.is_asked.wait(PATIENCE_S)
        time.sleep(SETTLED_S)
        zombie.send(signal.SIGSTOP)
        time.sleep(3 * LEASE_S)
        with (
            running(path, preamble=SHORT_LEASES) as second,
            Service("--config", path, "backfill", preamble=SHORT_LEASES) as backfill,
        ):
            backfilled = backfill.process.wait(PATIENCE_S)
            for stream in ("customers", "orders", "carts"):
                second.wait_for("stream_pulled", stream=stream)

            zombie.send(signal.SIGCONT)
            until(lambda: any("lease lost" in reason for reason in _failures(path)))
            ends = [service.end()[0] for service in (zombie, second)]

    assert backfilled == 0
    assert ends == [0, 0]
    assert {
        reason for reason in _failures(path) if "lease lost" not in reason and "stopped between" not in reason
    } == set()
    _assert_whole(path, [shop], tmp_path)


def _failures(path: Path) -> list[str]:
    """Why runs have failed."""
    with App(load(path)) as app:
        return [run.reason for run in app.database.runs.history(1000) if run.status == "failed"]


def test_two_services_share_the_work(sandbox: Sandbox, database_url: str, tmp_path: Path) -> None:
    """Side by side for a while, two services pull each stream as often as one would, and write each tag once."""
    shops = list(sandbox.shops.values())
    path = _often(config(tmp_path, shops, database_url, push="auto"))
    watches = {shop.name: Watch(shop) for shop in shops}
    with running(path) as one, running(path) as other:
        for service in (one, other):
            service.wait_for("merchant_started")
        began = time.monotonic()
        time.sleep(8)
        spent_s = time.monotonic() - began
        until(lambda: all(tags_on(shop) for shop in shops))
        ends = [service.end()[0] for service in (one, other)]
    for watch in watches.values():
        watch.look()

    pulls = Counter(
        (line["store"], line["stream"]) for service in (one, other) for line in service.events("stream_pulled")
    )
    assert ends == [0, 0]
    assert one.events("stream_pulled")
    assert other.events("stream_pulled")
    assert max(pulls.values()) <= spent_s / 2 + 3, pulls
    assert all(
        sorted(watch.added) == sorted(tags_on(shop)) for shop, watch in zip(shops, watches.values(), strict=True)
    )
