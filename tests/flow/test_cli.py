"""The command line where its surroundings misbehave: no traceback, one line, an exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from syncd.sandbox import Sandbox, SandboxOptions
from tests.flow.woo import config

SYNCD = (sys.executable, "-m", "syncd")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Sandbox(SandboxOptions(scale=0.01)) as sandbox:
        return config(tmp_path, sandbox, f"sqlite:///{tmp_path}/x.db")


@pytest.mark.parametrize("verb", ["status", "export"])
def test_closed_pipe_ends_quietly(path: Path, verb: str) -> None:
    """A reader that has gone, such as head, is no reason for words."""
    arguments = [*SYNCD, "--config", str(path), verb, *(["orders"] if verb == "export" else [])]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        words = process.stderr.read()

    assert (process.returncode, words) == (1, b"")


def test_full_disk_is_told(path: Path) -> None:
    """Output that cannot be written is told in one line."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*SYNCD, "--config", str(path), "status"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert done.returncode == 1
    assert done.stderr == "syncd: cannot use the output: No space left on device\n"


def test_backwards_window_is_refused(path: Path) -> None:
    """A backfill that would end before it begins is a usage error, and asks no shop."""
    window = ["--since", "2026-02-01", "--until", "2026-01-01"]
    done = subprocess.run(
        [*SYNCD, "--config", str(path), "backfill", *window], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "'2026-01-01' is not after '2026-02-01'" in done.stderr
