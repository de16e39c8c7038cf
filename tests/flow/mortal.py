"""Command lines that kill themselves at a chosen boundary, each in a fork of one warm process.

`python -m tests.flow.mortal` reads one JSON list a line, `[n, argument, ...]`, and answers each with `[code,
boundaries]`. Boundaries are SQL statements, commits and HTTP answers, counted over all threads; at the n-th the fork
dies by SIGKILL, and 0 never does. The exit code is negative for a killed fork, whose boundaries are unknown (0).
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import threading
from collections.abc import Callable

import requests
from sqlalchemy import event
from sqlalchemy.engine import Engine

import syncd.app
import syncd.connectors.woocommerce.connector
import syncd.mapping
import syncd.store.exports  # noqa: F401 - imported here once, so that no fork has to
from syncd.cli import run


def main() -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        die_at, *arguments = json.loads(line)
        print(json.dumps(_forked(die_at, arguments)), flush=True)


def _forked(die_at: int, arguments: list[str]) -> tuple[int, int]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code, boundaries = _live(die_at, arguments)
        os.write(writing, str(boundaries).encode())
        os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as told:
        boundaries = int(told.read() or 0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), boundaries


def _live(die_at: int, arguments: list[str]) -> tuple[int, int]:
    """Run a command line, dying at the boundary; its exit code and the boundaries passed, if it lives."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    boundaries = _Boundaries(die_at)
    for moment in ("before_cursor_execute", "after_cursor_execute", "commit"):
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
