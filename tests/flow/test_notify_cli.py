"""The command line tells people of what matters, and lets an operator try whether they hear."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.cli import run
from syncd.errors import ExitCode
from syncd.sandbox import Fault, FaultKind, Sandbox, SandboxOptions
from tests.flow.woo import config
from tests.unit.notify.kit import Ears, listening

STORE = "us-woo"


@pytest.fixture
def ears() -> Iterator[Ears]:
    with listening() as heard:
        yield heard


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxOptions(scale=0.01)) as served:
        yield served


def written(folder: Path, sandbox: Sandbox, notify: str) -> str:
    """A config of one shop whose people are told."""
    path = config(folder, sandbox, f"sqlite:///{folder}/x.db", stores=[STORE])
    path.write_text(f"{path.read_text()}notify: {notify}\nhousekeeping: {{min_free_mb: 0}}\n")
    return str(path)


def test_a_backfill_tells_that_the_history_is_in(tmp_path: Path, sandbox: Sandbox, ears: Ears) -> None:
    """The news goes out once; each command gives its sign of life."""
    path = written(tmp_path, sandbox, f"{{urls: ['{ears.url}'], heartbeat_url: '{ears.heartbeat_url}'}}")

    codes = [run(["-c", path, verb]) for verb in ("backfill", "sync", "backfill")]

    assert codes == [ExitCode.OK] * 3
    assert [message["title"] for message in ears.heard] == ["syncd for acme: good news"]
    assert "us-woo: the whole history is in the database" in ears.text
    assert len(ears.beats) == 3


def test_a_shop_that_refuses_us_is_told_and_its_return_too(tmp_path: Path, sandbox: Sandbox, ears: Ears) -> None:
    """One message down, one up, from commands that a timer starts."""
    path = written(tmp_path, sandbox, f"{{urls: ['{ears.url}'], paused_after: 0s}}")
    run(["-c", path, "sync"])
    sandbox.shops[STORE].faults.add(Fault(kind=FaultKind.ANSWER, status=401, times=None))
    codes = [run(["-c", path, "sync"]) for _ in range(2)]
    sandbox.shops[STORE].faults.clear()
    codes += [run(["-c", path, "sync"]) for _ in range(2)]

    assert codes == [ExitCode.FAILED, ExitCode.FAILED, ExitCode.OK, ExitCode.OK]
    assert ears.titles == ["syncd for acme: good news", "syncd for acme: 1 trouble", "syncd for acme: 1 trouble over"]
    assert "us-woo: pulling is paused: " in ears.heard[1]["message"]


def test_addresses_can_be_tried(
    tmp_path: Path, sandbox: Sandbox, ears: Ears, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every address is named by its place with whether it took the message; one that did not is a failure."""
    path = written(tmp_path, sandbox, f"{{urls: ['{ears.url}', 'json://127.0.0.1:1/dead'], paused_after: 1h}}")

    code = run(["-c", path, "config", "check", "--notify", "--json"])

    out = capsys.readouterr()
    assert json.loads(out.out)["notify"] == {"address 1": True, "address 2": False}
    assert code == ExitCode.FAILED
    assert ears.titles == ["syncd for acme: test"]
    assert "nobody-may-see" not in out.out + out.err


def test_without_addresses_there_is_nothing_to_try(
    tmp_path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """A config that names nobody is told so."""
    path = written(tmp_path, sandbox, "{}")

    assert run(["-c", path, "config", "check", "--notify"]) == ExitCode.CONFIGURATION
    assert "there is nobody to tell" in capsys.readouterr().err
