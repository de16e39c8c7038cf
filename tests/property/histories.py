"""Histories: what happens in a shop while it is pulled, played step by step, with what must hold after every run."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from syncd.connectors.base import Connector, Page
from syncd.errors import RetryLater
from syncd.identity import FirstResolver
from syncd.model import Lane, StoreFacts, Stream, Window
from syncd.sandbox import FaultKind
from syncd.store import Database
from syncd.store.types import Counts, LaneKey, RunReport
from syncd.sync import Ask, Source, Tools, run_stream
from tests.clock import START, ManualClock
from tests.property.shops import Stage

STORE = "shop"
EXPORTED = {
    Stream.CUSTOMERS: ("email", "first_name"),
    Stream.ORDERS: ("status", "total_minor", "refunded_minor"),
    Stream.CARTS: ("total_minor",),
}
_REST_S = 7200  # longer than any lag, and than our clock was ever put back


@dataclass(frozen=True)
class Do:
    """Somebody does something in the shop."""

    deed: str
    number: int = 0


@dataclass(frozen=True)
class Wait:
    """Time passes, for the shop and for us."""

    seconds: int


@dataclass(frozen=True)
class Skew:
    """Our own clock is put forward or back; the shop's is not."""

    seconds: int


@dataclass(frozen=True)
class Cut:
    """A walk is cut off: the worker is stopped after some pages, or the shop fails after some requests."""

    after: int
    kind: FaultKind | None = None


@dataclass(frozen=True)
class Run:
    """A stream is pulled.

    Args:
        meanwhile: What happens in the shop, one thing before each request.
        withheld: The list, and the row of it, that the shop does not show though it counts it.
        since_s: A backfill begins so many seconds ago; from the beginning if None.
    """

    stream: Stream
    kind: str = "incremental"
    meanwhile: tuple[Do | Wait | None, ...] = ()
    cut: Cut | None = None
    withheld: tuple[int, int] | None = None
    since_s: int | None = None


Step = Do | Wait | Skew | Run


@dataclass
class _Walk:
    """What is known of a walk from outside, over as many runs as it takes.

    Args:
        began: Which change of the shop was the latest when it began.
        ceiling: The server's time at its first page, which no bookmark may pass.
        is_calm: Whether nothing happened since it began.
    """

    began: int
    began_at: datetime
    since: datetime | None = None
    ceiling: datetime | None = None
    seen: set[str] = field(default_factory=set)
    is_calm: bool = True


Databases = Callable[[ManualClock], Database]


def opened(url: str, clock: ManualClock) -> Database:
    """A database that can tell who is who."""
    return Database.open(url, merchant="acme", clock=clock, resolver=FirstResolver(blocked=(), max_names=6))


@contextmanager
def databases_in() -> Iterator[Databases]:
    """Opens an empty SQLite database at every call, in memory where the system keeps files there."""
    numbers = itertools.count()
    with tempfile.TemporaryDirectory() as name:
        template = Path(name) / "empty.db"
        opened(f"sqlite:///{template}", ManualClock()).close()

        def another(clock: ManualClock) -> Database:
            path = shutil.copy(template, template.with_name(f"{next(numbers)}.db"))
            return opened(f"sqlite:///{path}", clock)

        yield another


class Player:
    """Plays a history on a stage into a database, and says what does not hold as soon as it does not."""

    def __init__(self, stage: Stage, database: Database, clock: ManualClock) -> None:
        self.stage = stage
        self.database = database
        self.clock = clock
        self.reports: list[RunReport] = []
        self._walks: dict[LaneKey, _Walk] = {}
        self._seq = 0
        self._truth = stage.truth()
        self._changed: defaultdict[tuple[Stream, str], tuple[int, datetime]] = defaultdict(lambda: (0, START))
        with closing(stage.connect(clock)) as connector:
            self._traits = connector.capabilities.streams
            database.runs.register_store(STORE, connector.platform, StoreFacts(identity="shop"))

    def play(self, steps: Sequence[Step]) -> None:
        """Let the steps happen in turn."""
        for step in steps:
            if isinstance(step, Run):
                self.pull(step)
            elif isinstance(step, Skew):
                self.clock.step(step.seconds)
            else:
                self._happen(step)

    def rest(self) -> None:
        """The shop falls quiet and well: an incremental run and a sweep of each stream, and the store is the truth."""
        self.stage.calm()
        self._happen(Wait(_REST_S))
        for stream in Stream:
            self.pull(Run(stream))  # what was cut off is finished first
            self._must_succeed(self.pull(Run(stream)))
        self._truth_is_stored(since_began=self._seq + 1)
        for stream in Stream:
            self._must_succeed(self.pull(Run(stream, kind="sweep")))
        self.equals_truth()

    def equals_truth(self) -> None:
        """Every stream's export is what the shop says it holds."""
        for stream, truth in self.stage.truth().items():
            assert self.stored(stream) == truth, f"{stream} differ from the shop"

    def stored(self, stream: Stream) -> dict[str, tuple[object, ...]]:
        """What an export says of each record, in the columns that are compared with the shop."""
        columns = self.database.exports.columns(stream.value)
        places = [columns.index(name) for name in EXPORTED[stream]]
        return {str(row[1]): tuple(row[place] for place in places) for row in self.database.exports.rows(stream.value)}

    def exported(self) -> dict[Stream, list[tuple[object, ...]]]:
        """Every stream's whole export."""
        return {stream: list(self.database.exports.rows(stream.value)) for stream in Stream}

    # -- one run ----------------------------------------------------------------------------------------------------

    def pull(self, run: Run) -> RunReport | None:
        """One run and what must hold after it; None if it was cut off."""
        ask = Ask(kind=run.kind, window=self._window(run))
        key = LaneKey(store_id=STORE, stream=run.stream, lane=ask.lane)
        walk = self._walk(key, ask)
        if run.withheld is not None and walk.seen:
            return None  # what vanishes while rows are withheld too cannot be told from them by any count
        self._arm(run)
        before = self.database.runs.state(key).bookmark
        try:
            with closing(self.stage.connect(self.clock)) as connector:
                report = run_stream(self._source(connector), run.stream, ask, self._tools(run, walk))
        except RetryLater:
            return None
        finally:
            self.stage.calm()
        del self._walks[key]
        self._note()
        self.reports.append(report)
        self._holds(run, report, walk)
        after = self.database.runs.state(key).bookmark
        assert after == before or self._is_below(after, walk, run.stream), "the bookmark passed its signpost"
        return report

    def _source(self, connector: Connector) -> Source:
        mapper = self.stage.mapper
        return Source(store_id=STORE, connector=connector, mapper=mapper, region="US", own_tags=frozenset())

    def _walk(self, key: LaneKey, ask: Ask) -> _Walk:
        """The walk that a run goes on with, or a new one."""
        kept = self.database.runs.state(key).walk
        is_resumed = kept is not None and (ask.lane is Lane.LIVE or kept.window == ask.window)
        if not is_resumed or key not in self._walks:
            self._walks[key] = _Walk(began=self._seq, began_at=self.stage.clock.now(), since=ask.window.since)
        return self._walks[key]

    def _window(self, run: Run) -> Window:
        since = None if run.since_s is None else self.stage.clock.now() - timedelta(seconds=run.since_s)
        return Window(since=since)

    def _arm(self, run: Run) -> None:
        coming = list(run.meanwhile)

        def before_each() -> None:
            deed = coming.pop(0) if coming else None
            if deed is not None:
                self._happen(deed)

        self.stage.hook(before_each if coming else None)
        if run.withheld is not None:
            self.stage.fail(FaultKind.DROP_ROW, *run.withheld)
        if run.cut is not None and run.cut.kind is not None:
            self.stage.fail(run.cut.kind, run.cut.after)

    def _tools(self, run: Run, walk: _Walk) -> Tools:
        stop = threading.Event()
        pages = run.cut.after if run.cut and run.cut.kind is None else -1
        met = 0

        def listener(source: Source, page: Page, counts: Counts) -> None:
            nonlocal met
            met += 1
            walk.ceiling = walk.ceiling or page.server_time
            walk.seen.update(record.external_id for record in page.records)
            if met == pages:
                stop.set()

        return Tools(
            database=self.database,
            clock=self.clock,
            new_id=self.database.new_id,
            owner="worker",
            stop=stop,
            listener=listener,
        )

    # -- what must hold ---------------------------------------------------------------------------------------------

    def _holds(self, run: Run, report: RunReport, walk: _Walk) -> None:
        counts = report.counts
        parts = counts.new + counts.changed + counts.unchanged + counts.stale + counts.rejected
        assert counts.read == parts == len(walk.seen), "a record was counted twice, or not at all"
        assert counts.rejected == 0
        if walk.is_calm and run.withheld is None:
            self._must_succeed(report)
        if report.status == "succeeded" and walk.since is None:
            self._is_honest(run.stream, report.kind, walk)

    def _is_honest(self, stream: Stream, kind: str, walk: _Walk) -> None:
        """A run that succeeded has everything that was there, and was shown, when its walk began."""
        if kind == "incremental" and not self._traits[stream].filters_by_update:
            return
        self._is_stored(stream, since_began=walk.began, shown_at=walk.began_at)

    def _truth_is_stored(self, since_began: int) -> None:
        for stream in Stream:
            if self._traits[stream].filters_by_update:
                self._is_stored(stream, since_began, self.stage.clock.now())

    def _is_stored(self, stream: Stream, since_began: int, shown_at: datetime) -> None:
        stored = self.stored(stream)
        for external_id, values in self.stage.truth()[stream].items():
            seq, at = self._changed[stream, external_id]
            if seq <= since_began and at + timedelta(seconds=self.stage.lag_s) <= shown_at:
                assert stored.get(external_id) == values, f"{stream} {external_id} was lost by a run that succeeded"

    def _must_succeed(self, report: RunReport | None) -> None:
        assert report is not None, "a calm run was cut off"
        assert report.status == "succeeded", report.reason

    def _is_below(self, bookmark: datetime | None, walk: _Walk, stream: Stream) -> bool:
        lag = timedelta(seconds=self._traits[stream].lag_s)
        return bookmark is not None and walk.ceiling is not None and bookmark <= walk.ceiling - lag

    # -- the shop ---------------------------------------------------------------------------------------------------

    def _happen(self, step: Do | Wait) -> None:
        for walk in self._walks.values():
            walk.is_calm = False
        if isinstance(step, Wait):
            self.stage.clock.advance(step.seconds)
            self.clock.advance(step.seconds)
        else:
            self.stage.deeds[step.deed](step.number)
        self._note()

    def _note(self) -> None:
        """Remember which records have just changed."""
        self._seq += 1
        known, self._truth = self._truth, self.stage.truth()
        for stream, records in self._truth.items():
            for external_id, values in records.items():
                if known[stream].get(external_id) != values:
                    self._changed[stream, external_id] = (self._seq, self.stage.clock.now())


def everything(stage: Stage) -> list[Step]:
    """A history in which everything happens that can, before, between and during runs."""
    deeds = sorted(stage.deeds)
    births: list[Step] = [
        Do("burst"),
        Do("register"),
        Do("order", 2),
        *(Do(deed, 1) for deed in deeds if deed.startswith("open")),
    ]
    first: list[Step] = [Run(stream) for stream in Stream]
    runs = list(itertools.product(Stream, ("incremental", "sweep", "backfill")))
    during: list[Step] = [
        Run(*runs[place % len(runs)], (Do(deed, place), Wait(1))) for place, deed in enumerate(sorted([*deeds, *deeds]))
    ]
    between: list[Step] = [
        step for place, deed in enumerate(deeds) for step in (Do(deed, place), Wait(60), Run(Stream.ORDERS))
    ]
    cut: list[Step] = [
        Run(Stream.ORDERS, "sweep", cut=Cut(1)),
        Do("burst"),
        Run(Stream.ORDERS, cut=Cut(2, FaultKind.RESET)),
    ]
    return [*births, *first, Do("burst"), *during, *births, *between, *cut]
