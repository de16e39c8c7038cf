"""Who watches a long walk: bars on a terminal, a log line a minute elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from syncd.logs import get_logger
from syncd.screens.paper import console
from syncd.store.types import Counts

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from syncd import sync
    from syncd.connectors.base import Page

log = get_logger(__name__)
_LOG_EVERY_S = 60.0


@contextmanager
def silence() -> Iterator[None]:
    """No listener."""
    yield None


@contextmanager
def progress(stream: TextIO) -> Iterator[sync.Listener]:
    """A listener that draws bars on a terminal, and elsewhere logs a line a minute."""
    if not stream.isatty():
        yield _MinuteLog()
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TaskProgressColumn(show_speed=True),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console(stream), transient=True) as bars:
        yield _Bars(bars)


class _Bars:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[tuple[str, str], TaskID] = {}

    def __call__(self, source: sync.Source, page: Page, counts: Counts) -> None:
        key = (source.store_id, page.stream)
        if key not in self._tasks:
            self._tasks[key] = self._bars.add_task(f"{source.store_id} {page.stream}", total=page.declared)
        self._bars.update(self._tasks[key], completed=counts.read)


class _MinuteLog:
    def __init__(self) -> None:
        self._next: dict[tuple[str, str], float] = {}

    def __call__(self, source: sync.Source, page: Page, counts: Counts) -> None:
        key, now = (source.store_id, page.stream), time.monotonic()
        if now >= self._next.setdefault(key, now + _LOG_EVERY_S):
            self._next[key] = now + _LOG_EVERY_S
            log.info("pulling", read=counts.read, declared=page.declared)
