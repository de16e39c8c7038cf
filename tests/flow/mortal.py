"""The command line in a process that kills itself at a chosen boundary: `python -m tests.flow.mortal N ARGS...`.

Boundaries are SQL statements, commits and HTTP answers, counted over all threads; 0 never dies and prints the count.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading

import requests
from sqlalchemy import event
from sqlalchemy.engine import Engine

from syncd.cli import run


def main(die_at: int, arguments: list[str]) -> int:
    """Run the command line, dying at the boundary; its exit code if it lives."""
    numbers = itertools.count(1)
    passed = 0
    turn = threading.Lock()

    def boundary(*_: object, **__: object) -> None:
        nonlocal passed
        with turn:
            passed = next(numbers)
        if passed == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", boundary)
    event.listen(Engine, "after_cursor_execute", boundary)
    event.listen(Engine, "commit", boundary)
    send = requests.Session.send

    def sending(session: requests.Session, *args: object, **kwargs: object) -> requests.Response:
        boundary()
        try:
            return send(session, *args, **kwargs)  # type: ignore[arg-type]
        finally:
            boundary()

    requests.Session.send = sending  # type: ignore[assignment,method-assign]
    code = run(arguments)
    print(f"boundaries:{passed}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
