"""`syncd run` as its operator has it: a process with a log, an address, signals and an end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

PATIENCE_S = 60.0


class Service:
    """A running service; its log is read as it comes.

    Args:
        arguments: Of the command line, in front of `run` and behind it.
        preamble: Python that runs in the process before the command line, such as shorter leases.
    """

    def __init__(self, *arguments: str | Path, preamble: str = "", environ: dict[str, str] | None = None) -> None:
        program = f"import sys\n{preamble}\nfrom syncd.cli import main\nmain()"
        self.log: list[dict[str, Any]] = []
        self.output: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, *map(str, arguments)],
            env={**os.environ, **(environ or {})},
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Service:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self.output.append(line)
                if line.startswith("{"):
                    self.log.append(json.loads(line))

    def events(self, name: str, **facts: object) -> list[dict[str, Any]]:
        """The logged events of a name that hold some facts."""
        named = (event for event in list(self.log) if event["event"] == name)
        return [event for event in named if facts.items() <= event.items()]

    def wait_for(self, name: str, count: int = 1, **facts: object) -> list[dict[str, Any]]:
        """Wait until an event was logged so often; all of them."""
        until(lambda: len(self.events(name, **facts)) >= count or self.process.poll() is not None)
        found = self.events(name, **facts)
        assert len(found) >= count, "".join(self.output)
        return found

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://{self.wait_for('web_listening')[0]['address']}"

    def get(self, path: str) -> requests.Response:
        """What it answers."""
        return requests.get(f"{self.address}{path}", timeout=10)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Tell it to end; its exit code and the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        took_s = time.monotonic() - began
        self._reader.join()
        return code, took_s


def until(is_so: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Wait for something to be so; the test fails where it never is."""
    deadline = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def running(path: Path, *more: str, verb: Sequence[str] = ("run", "--listen", "127.0.0.1:0"), **how: Any) -> Service:
    """A service over a config, on a free port."""
    return Service("--config", path, "--log-level", "info", *verb, *more, **how)


@contextmanager
def supervisor(folder: Path) -> Iterator[tuple[dict[str, str], list[str]]]:
    """A listener in the place of the system's service manager: the variable that names it, and all it was told."""
    told: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(folder / "notify"))
        ear.settimeout(0.1)
        is_over = threading.Event()

        def listen() -> None:
            while not is_over.is_set():
                try:
                    told.extend(ear.recv(4096).decode().splitlines())
                except TimeoutError:
                    continue

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield {"NOTIFY_SOCKET": str(folder / "notify")}, told
        finally:
            is_over.set()
            thread.join()
