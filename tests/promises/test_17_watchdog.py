"""Promise 17: a dead or hung scheduler is noticed: /healthz says 503, and the service manager's watchdog is not fed.

The ticker's thread ends, or a job hangs; a minute later, or as long after as a job may be silent, the process says of
itself that it has to be started again. One that waits for a slow shop and hears of it now and then is well.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from syncd.daemon import Service as Process
from syncd.daemon import Works, systemd
from syncd.daemon.pulse import Pulse
from syncd.sandbox import Fault, FaultKind, Sandbox
from syncd.settings import load
from syncd.web import serve
from tests.clock import ManualClock
from tests.promises.service import running, supervisor, until
from tests.promises.shops import config, sandbox_of


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """One shop."""
    with sandbox_of("us-woo") as opened:
        yield opened


class Vitals:
    """What the endpoints ask, of one pulse."""

    def __init__(self, pulse: Pulse) -> None:
        self.faults = pulse.silent

    def hindrances(self) -> list[str]:
        """Nothing else is wrong."""
        return []

    def metrics(self) -> bytes:
        """Nothing is counted."""
        return b""


def _health(pulse: Pulse) -> tuple[int, str]:
    server = serve("127.0.0.1:0", Vitals(pulse))
    try:
        answer = requests.get(f"http://{server.address}/healthz", timeout=5)
        return answer.status_code, answer.text
    finally:
        server.close()


def test_a_dead_ticker_is_noticed(sandbox: Sandbox, database_url: str, tmp_path: Path, clock: ManualClock) -> None:
    """The ticker's thread ends without a word: a minute later the process is not healthy, and says why."""
    pulse = Pulse(clock)
    works = Works(load(config(tmp_path, sandbox.shops.values(), database_url)), pulse)
    works.open()
    works.start()
    until(lambda: works.app.database.runs.history(1) != [])
    assert works._scheduler is not None

    alive = _health(pulse)
    works._scheduler.shutdown(wait=True)
    clock.advance(61)
    dead = _health(pulse)
    works.app.close()

    assert alive[0] == 200
    assert dead[0] == 503
    assert "the ticker of acme gave no sign of life for 61 s" in dead[1]


def test_a_hung_job_is_noticed(sandbox: Sandbox, database_url: str, tmp_path: Path, clock: ManualClock) -> None:
    """A shop that never answers, a deadline that never comes: the store's worker is missed, and no sooner."""
    pulse, shop = Pulse(clock), sandbox.shops["us-woo"]
    works = Works(load(config(tmp_path, [shop], database_url)), pulse)
    works.open()
    shop.faults.add(Fault(kind=FaultKind.STALL, times=None))
    works.start()
    until(lambda: len(shop.history) > 0)

    clock.advance(59)
    patient = _health(pulse)
    clock.advance(600)
    pulse.beat("the ticker of acme")
    hung = _health(pulse)
    shop.faults.clear()
    sandbox.stop()
    works.close()

    assert patient[0] == 200
    assert hung[0] == 503
    assert "acme/pull us-woo gave no sign of life for 659 s" in hung[1]


def test_answers_are_signs_of_life(sandbox: Sandbox, database_url: str, tmp_path: Path, clock: ManualClock) -> None:
    """Every answer of a slow shop counts, so that a long pull is no alarm."""
    pulse, shop = Pulse(clock), sandbox.shops["us-woo"]
    works = Works(load(config(tmp_path, [shop], database_url)), pulse)
    works.open()
    silent: list[str] = []

    def slow(_: object) -> None:
        clock.advance(300)
        silent.extend(pulse.silent())

    shop.mutator = slow
    works._guarded("pull us-woo", lambda: works.pull("us-woo"), 600.0)
    works.close()

    assert clock.monotonic() > 1200
    assert silent == []


def test_the_service_manager_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    """READY once everything is open, signs of life after, RELOADING and READY at SIGHUP, STOPPING at the end."""
    path = config(tmp_path, sandbox.shops.values(), f"sqlite:///{tmp_path / 'syncd.db'}")
    with supervisor(tmp_path) as (environ, told), running(path, environ=environ) as service:
        until(lambda: told.count("WATCHDOG=1") >= 2)
        service.send(signal.SIGHUP)
        until(lambda: told.count("READY=1") == 2)

        code, _ = service.end()
        until(lambda: "STOPPING=1" in told)

    words = [line for line in told if line != "WATCHDOG=1" and not line.startswith("MONOTONIC_USEC=")]
    assert code == 0
    assert words == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]


def test_a_sick_process_feeds_no_watchdog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a sign of life is missing nothing is sent, so that the service manager starts the process again."""
    stop = threading.Event()
    with supervisor(tmp_path) as (environ, told):
        monkeypatch.setenv("NOTIFY_SOCKET", environ["NOTIFY_SOCKET"])
        process = Process(dict, stop=stop)  # type: ignore[arg-type]
        process._pulse.expect("a worker", -1.0)
        thread = threading.Thread(target=process._turn_until_stopped)
        thread.start()
        process._pulse.expect("a worker", -1.0)
        stop.wait(2.5)
        sick = list(told)
        process._pulse.forget("a worker")
        until(lambda: "WATCHDOG=1" in told)
        stop.set()
        thread.join()

    systemd.tell("READY=1")  # nobody listens any more, and nothing happens
    assert sick == []
