"""Pulling one stream of one store into the database: windows, bookmarks, page commits, accounting.

In comes a source (connector, mapper) and what is asked of it; out comes a run report that says of every record what
became of it. The same function serves incremental runs, sweeps and backfills: they differ in their window and lane.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from syncd.clock import Clock
from syncd.connectors.base import Connector, Page, StreamTraits
from syncd.errors import Interrupted, SkipRecord, SyncdError, UnsupportedStream
from syncd.identity import contact_of
from syncd.mapping import content_hash
from syncd.mapping.base import Mapper
from syncd.meter import SILENT, Meter
from syncd.model import Customer, Lane, RawRecord, Stream, Window
from syncd.store import Database
from syncd.store.types import (
    Accepted,
    Counts,
    LaneKey,
    LaneState,
    Lease,
    PageCommit,
    Rejected,
    RunReport,
    Walk,
    WalkEnd,
)

LEASE_S = 300.0
_LONG_S = 15.0  # a page that is awaited longer: its lease may have to be renewed meanwhile
STOPPED = "stopped at the time given; the same command goes on from here"
_NO_DATE_MARGIN = timedelta(minutes=5)  # our own clock stands in for a server that sends no Date


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One store, ready to be pulled.

    Args:
        region: ISO country of phone numbers written without one.
        own_tags: Texts of all tags that are ours, left out of what counts as a change.
    """

    store_id: str
    connector: Connector
    mapper: Mapper
    region: str
    own_tags: frozenset[str]

    def traits(self, stream: Stream) -> StreamTraits:
        """What the platform can do for a stream.

        Raises:
            UnsupportedStream: It has none of that name.
        """
        traits = self.connector.capabilities.streams.get(stream)
        if traits is None:
            raise UnsupportedStream(
                f"{self.connector.platform} has no {stream}",
                store=self.store_id,
                stream=stream,
                hint=f"Remove {stream} from the store's streams",
            )
        return traits


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """What is asked of a stream: an incremental run, a sweep, or a backfill of a window.

    Args:
        stop_at: When to stop after the page in hand; the walk stays, to be gone on with.
        ended: The run that did this stream's part of a backfill that was cut off later; there is nothing left to do.
    """

    kind: str  # incremental | sweep | backfill
    window: Window = field(default_factory=Window)
    stop_at: datetime | None = None
    ended: RunReport | None = None

    def is_over(self, now: datetime) -> bool:
        """Whether the time to stop has come."""
        return self.stop_at is not None and now >= self.stop_at

    @property
    def lane(self) -> Lane:
        """Backfills have their own lane, so that the live one goes on beside them."""
        return Lane.BACKFILL if self.kind == "backfill" else Lane.LIVE


class Listener(Protocol):
    """Somebody who watches a walk, such as a progress bar."""

    def __call__(self, source: Source, page: Page, counts: Counts) -> None:
        """A page was stored; `counts` are the walk's so far."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tools:
    """What a run works with besides its source; setting `stop` ends it after the page in hand."""

    database: Database
    clock: Clock
    new_id: Callable[[], str]
    owner: str
    stop: threading.Event
    listener: Listener | None = None
    meter: Meter = SILENT


def run_stream(source: Source, stream: Stream, ask: Ask, tools: Tools) -> RunReport:
    """Pull one stream; a walk that was cut off is taken up where its last committed page ended.

    Returns:
        The run's report: succeeded only if every record the platform declares was accounted for; partial also where
        the time to stop came first.

    Raises:
        RetryLater: The walk stopped and can be resumed; its pages so far are stored.
        StopStore: The walk stopped until somebody acts.
        LockHeld: Another process works this lane.
    """
    traits = source.traits(stream)
    key = LaneKey(store_id=source.store_id, stream=stream, lane=ask.lane)
    lease = tools.database.runs.acquire(key, tools.owner, LEASE_S)
    try:
        walk = _walk_to_do(lease, ask, traits, tools)
        return _Run(source, ask, lease, walk, tools).work()
    finally:
        tools.database.runs.release(lease)


def plan_window(state: LaneState, ask: Ask, traits: StreamTraits) -> Window:
    """The window a new walk would ask for: backfills as told, sweeps everything, else from the bookmark's overlap."""
    if ask.kind == "backfill":
        return ask.window
    if ask.kind == "sweep" or state.bookmark is None:
        return Window()
    return Window(since=state.bookmark - timedelta(seconds=traits.overlap_s))


def new_walk(ask: Ask, window: Window, tools: Tools) -> Walk:
    """A walk of a window that nothing was asked of yet."""
    return Walk(walk_id=tools.new_id(), kind=ask.kind, window=window, signpost=None, started_at=tools.clock.now())


def map_record(source: Source, stream: Stream, raw: RawRecord) -> Accepted:
    """Read one raw record into what is stored of it.

    Raises:
        MappingFailed: It cannot be read.
    """
    unified = source.mapper.to_unified(stream, raw)
    return Accepted(
        raw=raw,
        unified=unified,
        content_hash=content_hash(unified, source.own_tags),
        source_time=unified.updated_at,
        contact=contact_of(source.store_id, unified, source.region),
    )


def map_records(
    source: Source, stream: Stream, records: tuple[RawRecord, ...]
) -> tuple[tuple[Accepted, ...], tuple[Rejected, ...]]:
    """Part raw records into those that can be read and those to set aside with their reason."""
    accepted: list[Accepted] = []
    rejected: list[Rejected] = []
    for raw in records:
        try:
            accepted.append(map_record(source, stream, raw))
        except SkipRecord as error:
            rejected.append(Rejected(raw=raw, reason=error.message))
    return tuple(accepted), tuple(rejected)


def recommit(source: Source, stream: Stream, records: tuple[RawRecord, ...], database: Database) -> Counts:
    """Map raw records that are here already and store what can be read now; no shop is asked."""
    accepted, rejected = map_records(source, stream, records)
    return database.pages.recommit(source.store_id, stream, accepted, rejected, source.mapper.version)


def look_ahead(pages: Iterator[Page], waiting: Callable[[], None] = lambda: None) -> Generator[Page, None, None]:
    """The same pages, each fetched while the one before it is being worked on; never more than one ahead.

    Args:
        waiting: Called now and then while a page is long in coming.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="look-ahead") as pool:
        coming = pool.submit(next, pages)
        while True:
            while not wait((coming,), timeout=_LONG_S).done:
                waiting()
            page = coming.result()
            if page.is_last:
                yield page
                return
            coming = pool.submit(next, pages)
            yield page


def _walk_to_do(lease: Lease, ask: Ask, traits: StreamTraits, tools: Tools) -> Walk:
    """The walk that was cut off, or a new one. A cut-off sweep covers an incremental run, so it comes first."""
    state = tools.database.runs.state(lease.key)
    if state.walk is not None and (ask.lane is Lane.LIVE or state.walk.window == ask.window):
        return state.walk
    if state.walk is not None:
        tools.database.runs.drop_walk(lease)
    walk = new_walk(ask, plan_window(state, ask, traits), tools)
    tools.database.runs.begin_walk(lease, walk)
    return walk


class _Run:
    """One execution of one walk: commits its pages, then settles whether it was whole."""

    def __init__(self, source: Source, ask: Ask, lease: Lease, walk: Walk, tools: Tools) -> None:
        self._source = source
        self._ask = ask
        self._traits = source.traits(lease.key.stream)
        self._lease = lease
        self._walk = walk
        self._tools = tools
        self._counts = walk.counts
        self._declared = walk.declared or None  # of a first page without rows, 0 may be anybody's
        self._signpost = walk.signpost
        self._pages = 0
        self._filter_ignored = False
        self._hides_older = False
        self._withholds = False
        self._renewed_at = tools.clock.monotonic()
        self._report = RunReport(
            run_id=tools.new_id(),
            store_id=source.store_id,
            platform=source.connector.platform,
            stream=lease.key.stream,
            lane=lease.key.lane,
            kind=walk.kind if walk.kind != "backfill" or walk.window.is_complete else "bounded backfill",
            status="running",
            started_at=tools.clock.now(),
        )

    def work(self) -> RunReport:
        """Walk to the end, or note how far it came and why it stopped."""
        self._tools.database.runs.start_run(self._report)
        try:
            return self._settle() if self._commit_pages() else self._finish("partial", reason=STOPPED)
        except SyncdError as error:
            error.place(store=self._source.store_id, stream=self._lease.key.stream)
            self._finish("failed", reason=error.advice)
            raise

    def _commit_pages(self) -> bool:
        """Store page after page; False where the time to stop came before the last one."""
        is_done = self._commit_from(self._walk.cursor)
        if is_done and self._walk.window.is_complete and not self._counts.read:
            # anybody can answer with nothing, and all that is known would count as deleted: it must be said twice
            self._declared = None
            is_done = self._commit_from(None)
        return is_done

    def _commit_from(self, cursor: str | None) -> bool:
        pulled = self._source.connector.pull(self._lease.key.stream, self._walk.window, cursor)
        with closing(
            look_ahead(pulled, self._keep_lease)
        ) as pages:  # nothing is asked for any more once the lease is given back
            for page in pages:
                self._take(page)
                if self._tools.stop.is_set() and not page.is_last:
                    raise Interrupted("stopped between two pages; the next run goes on from here")
                if self._ask.is_over(self._tools.clock.now()) and not page.is_last:
                    return False
        return True

    def _take(self, page: Page) -> None:
        if not page.declared and self._counts.read:
            page = replace(page, declared=None)  # a count of nothing where there was something counts nothing
        self._signpost = self._signpost or self._signpost_of(page)
        earlier, self._counts = self._counts, self._commit(page)
        self._tools.meter.stored(self._source.store_id, self._lease.key.stream, self._counts.gained(earlier))
        self._declared = _smaller(self._declared, page.declared)
        self._hides_older = self._hides_older or page.hides_older
        self._pages += 1
        self._keep_lease()
        if self._tools.listener:
            self._tools.listener(self._source, page, self._counts)

    def _commit(self, page: Page) -> Counts:
        accepted, rejected = map_records(self._source, self._lease.key.stream, page.records)
        self._filter_ignored = self._filter_ignored or self._shows_ignored_filter(accepted)
        is_withheld = any(item.is_withheld for item in accepted if isinstance(item.unified, Customer))
        self._withholds = self._withholds or is_withheld  # an order or a cart may be nobody's, too
        return self._tools.database.pages.commit(
            PageCommit(
                lease=self._lease,
                walk_id=self._walk.walk_id,
                accepted=accepted,
                rejected=rejected,
                mapper_version=self._source.mapper.version,
                asked_at=page.asked_at,
                cursor=page.cursor,
                declared=page.declared,
                signpost=self._signpost,
            )
        )

    def _signpost_of(self, page: Page) -> datetime:
        server_time = page.server_time or page.asked_at - _NO_DATE_MARGIN
        return server_time - timedelta(seconds=self._traits.lag_s)

    def _shows_ignored_filter(self, accepted: tuple[Accepted, ...]) -> bool:
        since = self._walk.window.since
        if since is None or not self._traits.filters_by_update:
            return False
        return any(item.source_time is not None and item.source_time < since for item in accepted)

    def _keep_lease(self) -> None:
        now = self._tools.clock.monotonic()
        if now - self._renewed_at > LEASE_S / 4:
            self._tools.database.runs.renew(self._lease, LEASE_S)
            self._renewed_at = now

    def _settle(self) -> RunReport:
        missing = (self._declared or 0) - self._counts.read
        if missing > 0:
            self._tools.database.runs.drop_walk(self._lease)
            return self._finish("partial", reason=self._missing_words(missing))
        end = self._walk_end()
        if self._lease.key.lane is Lane.BACKFILL and end.is_sweep:
            live = replace(self._lease.key, lane=Lane.LIVE)
            self._tools.database.runs.seed_bookmark(live, replace(end, bookmark=self._signpost))
        report = self._ended("succeeded", "; ".join(self._remarks()))
        return replace(report, deleted=self._tools.database.runs.finish_walk(self._lease, end, report))

    def _remarks(self) -> Iterator[str]:
        """What a reader of a run that succeeded has to know all the same."""
        stream = self._lease.key.stream
        if self._filter_ignored:
            yield "the shop ignores the time filter: everything was read"
        if self._hides_older:
            yield f"the shop keeps older {stream} from our key, so history is not complete: see `syncd check`"
        if self._withholds:
            yield "the shop withholds who its customers are; what was known of them stays: see `syncd check`"

    def _walk_end(self) -> WalkEnd:
        is_complete = self._walk.window.is_complete
        is_live = self._lease.key.lane is Lane.LIVE
        return WalkEnd(
            # where nothing was found the bookmark stays: should the answer have been wrong, the next run asks again
            bookmark=self._signpost if is_live and (is_complete or self._counts.read) else None,
            fresh_until=self._signpost,
            history_complete=is_complete and not self._hides_older,
            is_sweep=is_complete,
            delete_missing=is_complete and self._declared is not None and not self._hides_older,
        )

    def _missing_words(self, missing: int) -> str:
        stream = self._lease.key.stream
        return f"incomplete: {missing:,} of {self._declared:,} {stream} missing; the next run asks for them again"

    def _finish(self, status: str, *, reason: str = "") -> RunReport:
        report = self._ended(status, reason)
        self._tools.database.runs.finish_run(report)
        return report

    def _ended(self, status: str, reason: str) -> RunReport:
        return replace(
            self._report,
            status=status,
            ended_at=self._tools.clock.now(),
            reason=reason,
            pages=self._pages,
            counts=self._counts,
            declared=self._declared,
        )


def _smaller(left: int | None, right: int | None) -> int | None:
    if left is None or right is None:
        return left if right is None else right
    return min(left, right)
