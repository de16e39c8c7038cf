"""Promise 16: SIGTERM ends the process within 20 seconds in any state, its exit code tells, and nothing is lost.

The states are those in which a process waits longest: inside the pause that a shop asked for, at a shop that is silent
or drips, at a database that another one holds, in the middle of pages and of writes. Random instants come in the soak.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from syncd.app import App
from syncd.sandbox import Fault, FaultKind, Sandbox
from syncd.settings import load
from tests.promises.oracles import picture, unfinished
from tests.promises.service import running, until
from tests.promises.shops import Watch, config, sandbox_of, tags_on

LIMIT_S = 20.0
ENDED, TRY_AGAIN = 0, 75


def _waiting(shop: Any) -> None:
    headers = {"Retry-After": "200"}
    shop.faults.add(Fault(kind=FaultKind.ANSWER, status=429, headers=headers, times=None, skip=5))


def _silent(shop: Any) -> None:
    shop.faults.add(Fault(kind=FaultKind.STALL, times=None, skip=5))


def _dripping(shop: Any) -> None:
    shop.faults.add(Fault(kind=FaultKind.DRIP, times=None, skip=5, seconds=0.5))


STATES: dict[str, Callable[[Any], None]] = {
    "at work": lambda shop: None,
    "told to wait": _waiting,
    "at a silent shop": _silent,
    "at a dripping shop": _dripping,
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """One shop."""
    with sandbox_of("us-woo", scale=0.05) as opened:
        yield opened


def _end_is_whole(path: Path, shop: Any, folder: Path) -> None:
    """Taken up again, it holds what a run that nobody ended holds."""
    shop.faults.clear()
    settings = load(path)
    with App(settings) as app:
        app.sync(sweep=True)
        app.sync()
    fresh = config(folder / "fresh", [shop], f"sqlite:///{folder / 'fresh.db'}")
    with App(load(fresh)) as app:
        app.backfill()
    assert picture(settings.database.url) == picture(load(fresh).database.url)
    assert unfinished(settings.database.url) == []


@pytest.mark.parametrize("state", STATES)
def test_sigterm_ends_in_any_state(sandbox: Sandbox, database_url: str, tmp_path: Path, state: str) -> None:
    """A service in each state ends in time, in order where it can; the next one goes on from there."""
    shop = sandbox.shops["us-woo"]
    path = config(tmp_path, [shop], database_url)
    STATES[state](shop)
    with running(path) as service:
        until(lambda: len(shop.history) > 5)

        code, took_s = service.end()

    assert took_s < LIMIT_S
    assert code == ENDED
    _end_is_whole(path, shop, tmp_path)


def test_sigterm_ends_at_a_locked_database(sandbox: Sandbox, sqlite_url: str, tmp_path: Path) -> None:
    """Somebody holds the database file for as long as they like: the service ends all the same."""
    shop = sandbox.shops["us-woo"]
    path = config(tmp_path, [shop], sqlite_url)
    with running(path) as service:
        service.wait_for("stream_pulled")
        with _held(sqlite_url):
            shop.add_customer("new@shop.example")
            time.sleep(1.0)

            code, took_s = service.end()

    assert took_s < LIMIT_S
    assert code in (ENDED, TRY_AGAIN)
    _end_is_whole(path, shop, tmp_path)


@contextmanager
def _held(url: str) -> Iterator[None]:
    holder = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    try:
        holder.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        holder.close()


@pytest.mark.soak
def test_sigterm_ends_at_random_instants(
    sandbox: Sandbox, database_url: str, tmp_path: Path, rng: random.Random
) -> None:
    """Twenty instants of first pulls, derivations and writes: in time each, the work done in the end, and done once."""
    shop = sandbox.shops["us-woo"]
    path = config(tmp_path, [shop], database_url, push="auto")
    watch = Watch(shop)

    for _ in range(20):
        shop.add_customer(f"n{rng.random()}@shop.example")
        begun = len(shop.history)
        with running(path) as service:
            until(lambda begun=begun: len(shop.history) > begun)  # type: ignore[misc]
            time.sleep(rng.uniform(0, 3))
            code, took_s = service.end()
        assert (code, took_s < LIMIT_S) == (ENDED, True), "".join(service.output)

    with App(load(path)) as app:
        app.sync()
    watch.look()
    assert unfinished(database_url) == []
    assert sorted(watch.added) == sorted(tags_on(shop)) != []
