"""Command lines that kill themselves at a chosen boundary, each in a fork of one warm process.

Boundaries are SQL statements and commits, HTTP exchanges and their answers, counted over all threads; at the n-th the
fork dies by SIGKILL, and 0 never does. `python -m tests.promises.mortal` reads one JSON list a line, `[n, bulk_from,
argument, ...]`, and answers each with `[code, boundaries]`. The exit code is negative for a killed fork, whose
boundaries are unknown (0). Pages are small, so that small shops have many, and no wait lasts.
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import phonenumbers
import requests
from sqlalchemy import event
from sqlalchemy.engine import Engine

from syncd import connectors
from syncd.cli import run
from syncd.clock import SystemClock
from syncd.connectors.shopify.connector import BULK_FROM, Sizes
from syncd.segments import load_segments

PAGE_SIZES = (5, 2)
WARM = ("alembic.command", "shopify", "woocommerce.oauth", "syncd.app", "syncd.mapping", "syncd.store.exports")


class Mortals:
    """Command lines that may die, in forks of one warm process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, *arguments: str | Path, die_at: int = 0, bulk_from: int = BULK_FROM) -> tuple[int, int]:
        """Run a command line that dies at the n-th boundary (0: never): its exit code, and the boundaries it passed.

        Args:
            bulk_from: How many records of a Shopify shop go by a bulk operation.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([die_at, bulk_from, *map(str, arguments)]), file=self._process.stdin, flush=True)
        code, boundaries = json.loads(self._process.stdout.readline())
        return code, boundaries


@contextmanager
def mortals() -> Iterator[Mortals]:
    """A warm process that command lines can be run in."""
    command = [sys.executable, "-m", "tests.promises.mortal"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Mortals(process)
        assert process.stdin is not None
        process.stdin.close()


def main() -> None:
    """Answer until the input ends, warm: each fork begins with all that takes long to load."""
    for name in WARM:
        importlib.import_module(name)
    phonenumbers.PhoneMetadata.load_all()
    load_segments("segments: {warm: {when: 'spent > 0'}}", ("shop",))
    for line in sys.stdin:
        die_at, bulk_from, *arguments = json.loads(line)
        print(json.dumps(_forked(die_at, bulk_from, arguments)), flush=True)


def _forked(die_at: int, bulk_from: int, arguments: list[str]) -> tuple[int, int]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _make_small(bulk_from)
        code, boundaries = _live(die_at, arguments)
        os.write(writing, str(boundaries).encode())
        os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as told:
        boundaries = int(told.read() or 0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), boundaries


def _make_small(bulk_from: int) -> None:
    """Small pages and short waits, in this process."""
    given: dict[str, dict[str, object]] = {
        "woocommerce": {"page_sizes": PAGE_SIZES},
        "shopify": {"sizes": Sizes(page=PAGE_SIZES[0], bulk_from=bulk_from)},
        "bigcommerce": {"page_sizes": PAGE_SIZES},
    }
    known = connectors.REGISTRY
    connectors.REGISTRY = {  # type: ignore[misc]
        platform: (known[platform][0], partial(known[platform][1], **more)) for platform, more in given.items()
    }
    wait = SystemClock.sleep
    SystemClock.sleep = lambda clock, seconds: wait(clock, min(seconds, 0.005))  # type: ignore[method-assign]


def _live(die_at: int, arguments: list[str]) -> tuple[int, int]:
    """Run a command line, dying at the boundary; its exit code and the boundaries passed, if it lives."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    boundaries = _Boundaries(die_at)
    for moment in ("before_cursor_execute", "commit"):
        event.listen(Engine, moment, boundaries.cross)
    requests.Session.send = _between(boundaries, requests.Session.send)  # type: ignore[method-assign]
    return run(arguments), boundaries.passed


class _Boundaries:
    def __init__(self, die_at: int) -> None:
        self._numbers = itertools.count(1)
        self._turn = threading.Lock()
        self._die_at = die_at
        self.passed = 0

    def cross(self, *_: object, **__: object) -> None:
        with self._turn:
            self.passed = next(self._numbers)
            if self.passed == self._die_at:
                os.kill(os.getpid(), signal.SIGKILL)


def _between(boundaries: _Boundaries, send: Callable[..., requests.Response]) -> Callable[..., requests.Response]:
    def sending(*args: object, **kwargs: object) -> requests.Response:
        boundaries.cross()
        try:
            return send(*args, **kwargs)
        finally:
            boundaries.cross()

    return sending


if __name__ == "__main__":
    main()
