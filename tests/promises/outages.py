"""A database in trouble from a chosen moment of a sync on, and what there is once the trouble is over.

The shop is well all the time. The same app is asked to sync while the trouble lasts, and again when it is over: no
hand is lifted in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool
from structlog.testing import capture_logs

from syncd.app import App
from syncd.errors import DatabaseBusy, DatabaseUnavailable
from syncd.model import Stream
from syncd.settings import load
from tests.promises.oracles import Picture, picture, unfinished
from tests.promises.service import Service, until
from tests.promises.shops import Beginning, Tag, Watch, config, tags_on

Trouble = Callable[[str], AbstractContextManager[None]]  # of the database at an address, while the block lasts

BETWEEN = "between two transactions"
WITHIN = "within a transaction, before a statement"

PAGE_SIZES = (10, 5)
CYCLES = 2  # after the trouble


@dataclass(frozen=True)
class End:
    """What there is in the end.

    Args:
        added: What was put on accounts; twice what was put on twice.
        paused: Why anything rests.
    """

    picture: Picture
    unfinished: list[str]
    tags: frozenset[Tag]
    added: list[Tag]
    paused: list[str]


@dataclass(frozen=True)
class Tried:
    """A sync in trouble: what was told of it, between which moments it could begin, and how it ended."""

    told: set[type[Exception]]
    boundary: str
    moments: int
    end: End


class Trial:
    """The first sync of a shop, tags written automatically, tried again and again from the same beginning."""

    def __init__(self, shop: Any, folder: Path) -> None:
        self._shop = shop
        self._folder = folder
        self._beginning = Beginning(shop)

    def well(self, url: str, boundary: str = BETWEEN) -> Tried:
        """Two syncs into an empty database without any trouble; the moments are those of the first."""
        return self.run(url, lambda _: nullcontext(), 0, boundary)

    def run(self, url: str, trouble: Trouble, moment: int, boundary: str) -> Tried:
        """Sync into an empty database that comes into trouble at the n-th boundary, then sync again when it is over."""
        self._beginning.restore()
        watch = Watch(self._shop)
        with self._app(hasty(url)) as app, ExitStack() as over:
            with beginning(moment, boundary, lambda: over.enter_context(trouble(url))) as passed:
                told = [_told(app)]
            told += [_told(app)] if moment else []
            over.close()
            left = [_told(app) for _ in range(CYCLES)] if moment else [_told(app)]
            paused = [pause.reason for pause in app.database.pauses.all()]
        assert left[-1] is None, "the database is well, and syncd is not"
        watch.look()
        return Tried(
            told={error for error in told if error},
            boundary=boundary,
            moments=passed(),
            end=self._end(url, watch, paused),
        )

    @contextmanager
    def _app(self, url: str) -> Iterator[App]:
        # a disk that is full for us would be full for the log of the tests, too
        with capture_logs(), App(load(config(self._folder, [self._shop], url, push="auto"))) as app:
            connector: Any = app.connector(self._shop.name)
            connector._page_sizes = PAGE_SIZES
            yield app

    def _end(self, url: str, watch: Watch, paused: list[str]) -> End:
        return End(
            picture=picture(url),
            unfinished=unfinished(url),
            tags=tags_on(self._shop),
            added=sorted(watch.added),
            paused=paused,
        )


def _told(app: App) -> type[Exception] | None:
    """Sync once: which error a caller is told, if any."""
    try:
        app.sync()
    except (DatabaseBusy, DatabaseUnavailable) as error:
        return type(error)
    return None


def hasty(url: str) -> str:
    """The same database, by a way that waits for locks only for a moment."""
    return f"{url}?timeout=0.02" if url.startswith("sqlite") else f"{url}?options=-c lock_timeout%3D20"


def worked_often(path: Path) -> Path:
    """The same config, with every stream due again after a second."""
    streams = ", ".join(f"{stream}: {{every: 1s}}" for stream in Stream)
    path.write_text(path.read_text().replace("push: {", f"streams: {{{streams}}}, push: {{"))
    return path


def goes_on(service: Service, shop: Any, url: str, trouble: AbstractContextManager[None]) -> None:
    """Hold that a running service says it is hindered while trouble lasts, lives, and then stores what it missed."""
    service.wait_for("stream_pulled", len(Stream))
    with trouble:
        missed = shop.place_order(customer_id=shop.add_customer("late@shop.example"))
        until(lambda: service.get("/readyz").status_code == 503)
        hindered = service.get("/readyz").text
        health = service.get("/healthz").status_code
    until(lambda: service.get("/readyz").status_code == 200)
    until(lambda: any(f"'external_id': '{missed}'" in row for row in picture(url)["orders"]))
    code, _ = service.end()
    assert "database" in hindered
    assert (health, code, unfinished(url)) == (200, 0, [])


@contextmanager
def beginning(moment: int, boundary: str, act: Callable[[], object]) -> Iterator[Callable[[], int]]:
    """Do something once, at the n-th boundary of this process; 0 is never. Gives how many boundaries were passed."""
    boundaries = _Boundaries(moment, act)
    listeners = boundaries.listeners(boundary)
    for listener in listeners:
        event.listen(*listener)
    try:
        yield lambda: boundaries.passed
    finally:
        for listener in listeners:
            event.remove(*listener)


class _Boundaries:
    def __init__(self, moment: int, act: Callable[[], object]) -> None:
        self.passed = 0
        self._moment = moment
        self._act = act
        self._in_use: set[int] = set()

    def listeners(self, boundary: str) -> list[tuple[Any, str, Callable[..., None]]]:
        if boundary == WITHIN:
            return [(Engine, "before_cursor_execute", self._cross)]
        return [(Pool, "checkout", self._take), (Pool, "checkin", self._give_back)]

    def _take(self, _connection: object, record: object, _fairy: object) -> None:
        self._in_use.add(id(record))

    def _give_back(self, _connection: object, record: object) -> None:
        """Nobody is in a transaction once nobody has a connection; one that others took before is nothing to us."""
        if id(record) in self._in_use:
            self._in_use.remove(id(record))
            if not self._in_use:
                self._cross()

    def _cross(self, *_: object) -> None:
        self.passed += 1
        if self.passed == self._moment:
            self._act()
