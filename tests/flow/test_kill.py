"""kill -9 of a backfill at random points, then again: the same rows and the same people as without it.

A process runs the command line and kills itself, by SIGKILL, at the n-th SQL statement or HTTP answer; n is drawn from
how many an undisturbed run has.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.sandbox import Sandbox, SandboxOptions
from syncd.settings import load
from syncd.store import Database
from tests.clock import ManualClock

KILLS = 20
STORES = ("us-woo", "eu-woo")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxOptions(seed=3, scale=0.25)) as served:
        yield served


class Mortals:
    """Backfills that may die, in forks of one warm process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def backfill(self, config: Path, *, die_at: int = 0) -> tuple[int, int]:
        """Run a backfill that dies at the n-th boundary (0: never): its exit code, and the boundaries it passed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([die_at, "--config", str(config), "backfill", "--json"]), file=self._process.stdin, flush=True)
        code, boundaries = json.loads(self._process.stdout.readline())
        return code, boundaries


@pytest.fixture
def mortals() -> Iterator[Mortals]:
    command = [sys.executable, "-m", "tests.flow.mortal"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Mortals(process)
        assert process.stdin is not None
        process.stdin.close()


def test_killed_backfill_ends_as_an_undisturbed_one(
    sandbox: Sandbox, database_url: str, tmp_path: Path, rng: random.Random, mortals: Mortals
) -> None:
    """Twenty kills anywhere in a backfill, each resumed, leave what one whole backfill leaves."""
    plain = _config(tmp_path / "plain", sandbox, f"sqlite:///{tmp_path}/plain.db")
    _, boundaries = mortals.backfill(plain)
    config = _config(tmp_path / "killed", sandbox, database_url)

    deaths = [mortals.backfill(config, die_at=rng.randrange(1, boundaries // 3)) for _ in range(KILLS)]
    code, _ = mortals.backfill(config)

    assert [code for code, _ in deaths].count(-signal.SIGKILL) >= KILLS // 2
    assert code == 0
    assert _state(config) == _state(plain)


def _config(folder: Path, sandbox: Sandbox, database: str) -> Path:
    """A config of the sandbox's WooCommerce shops over one database."""
    folder.mkdir()
    (folder / "segments.yaml").write_text("segments: {}\n")
    stores = "".join(_store(name, sandbox) for name in STORES)
    path = folder / "syncd.yaml"
    path.write_text(f"merchant: acme\ndatabase: {{url: {database!r}}}\nstores:\n{stores}log: {{level: error}}\n")
    return path


def _store(name: str, sandbox: Sandbox) -> str:
    shop = sandbox.shops[name]
    key = shop.credentials["admin"]
    auth = f"{{consumer_key: {key.consumer_key}, consumer_secret: {key.consumer_secret}}}"
    return f"  {name}: {{platform: woocommerce, url: {shop.url!r}, auth: {auth}}}\n"


def _state(config: Path) -> tuple[list[list[tuple[object, ...]]], set[frozenset[str]]]:
    """Everything exported of the shops, and which contacts are one person."""
    url = load(config).database.url
    with Database.open(url, merchant="acme", clock=ManualClock()) as database:
        rows = [list(database.exports.rows(kind)) for kind in ("customers", "orders", "carts")]
        people: dict[str, set[str]] = {}
        for key, profile_id in database.people.partition():
            people.setdefault(profile_id, set()).add(f"{key.store_id}/{key.kind}/{key.external_id}")
    return rows, {frozenset(members) for members in people.values()}
