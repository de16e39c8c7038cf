"""Whole streams by Shopify's bulk operations: the shop writes a file while we wait, and we read it.

Before any record comes, an empty page carries the operation's id, so that a process that was killed finds its own
operation again. A file is counted before its first record is given. The place in a walk is the number of the last
record given: it holds in the same file fetched again, and in another operation's file that begins behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, islice, repeat
from tempfile import TemporaryFile
from typing import IO, Any

import orjson

from syncd.clock import Clock
from syncd.connectors.base import Page
from syncd.connectors.config import StoreConfig
from syncd.connectors.exchange import Answer
from syncd.connectors.shopify.bulk_file import Tally, download, records_of, tally_of
from syncd.connectors.shopify.documents import (
    BULK_CANCEL,
    BULK_LOOK,
    BULK_RUN,
    StreamDocuments,
    bulk_holds_nested,
    bulk_query,
)
from syncd.connectors.shopify.graph import Graph, Question
from syncd.errors import CorruptAnswer, Interrupted, RateLimited, RequestRefused, ScopeMissing, Unavailable
from syncd.model import Json, RawRecord, Stream

BULK_STREAMS = frozenset({Stream.CUSTOMERS, Stream.ORDERS})

_UNDER_WAY = frozenset({"CREATED", "RUNNING", "CANCELING"})
_BUSY = frozenset({"OPERATION_IN_PROGRESS", "LIMIT_REACHED"})
_PATIENCE_S = 120.0  # for one of five places to get free
_HEARTBEAT_S = 60.0  # between signs of life, so that a long wait loses no lease
_LONGEST = timedelta(hours=24)  # an operation that takes longer hangs: Shopify's own limit is ten days
_MOST_FRUITLESS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkPlace:
    """How far a walk by bulk operations is.

    Args:
        asked_at: When the first operation was started, by our clock: what was written later may be missing.
        server_time: The same by the server's; both are ISO texts.
        declared: The platform's count.
        operation: Id of the operation under way or done; None where a new one is to be started.
        personal: Whether it asks for personal data.
        behind: Number of the last record given; 0 before the first.
        read: Records given.
    """

    asked_at: str
    server_time: str | None
    declared: int | None
    operation: str | None = None
    personal: bool = True
    behind: int = 0
    read: int = 0

    @classmethod
    def first(cls, answer: Answer, declared: int | None) -> BulkPlace:
        """Where a walk begins that was decided on with an answer."""
        server_time = answer.server_time.isoformat() if answer.server_time else None
        return cls(asked_at=answer.asked_at.isoformat(), server_time=server_time, declared=declared)

    @classmethod
    def of(cls, cursor: str | None) -> BulkPlace | None:
        """The place in a cursor; None if it is one of another kind of walk."""
        try:
            return cls(**orjson.loads(cursor or ""))
        except (ValueError, TypeError):
            return None

    def to_cursor(self) -> str:
        """The place as a text to resume by."""
        return orjson.dumps(asdict(self)).decode()


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkAsk:
    """What is walked.

    Args:
        count: Asks for the platform's count of it now.
    """

    stream: Stream
    documents: StreamDocuments
    hides_older: bool
    count: Callable[[], int | None]

    def page(self, place: BulkPlace, records: tuple[RawRecord, ...] = (), *, is_last: bool = False) -> Page:
        """A page that ends at a place."""
        return Page(
            stream=self.stream,
            records=records,
            cursor=place.to_cursor(),
            is_last=is_last,
            declared=place.declared,
            server_time=datetime.fromisoformat(place.server_time) if place.server_time else None,
            asked_at=datetime.fromisoformat(place.asked_at),
            hides_older=self.hides_older,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Operation:
    """An operation as the shop shows it; one that it does not know has the status ""."""

    status: str = ""
    error_code: str = ""
    url: str | None = None
    objects: int = 0
    roots: int = 0
    age: timedelta = timedelta()

    @property
    def is_whole(self) -> bool:
        return self.status == "COMPLETED"

    @property
    def is_stuck(self) -> bool:
        return self.status in ("CREATED", "RUNNING") and self.age > _LONGEST


class Bulk:
    """Walks one store by bulk operations.

    Args:
        page_size: Records to give at a time.
    """

    def __init__(self, graph: Graph, config: StoreConfig, clock: Clock, *, page_size: int) -> None:
        self._graph = graph
        self._config = config
        self._clock = clock
        self._page_size = page_size

    def walk(self, ask: BulkAsk, place: BulkPlace) -> Iterator[Page]:
        """The pages behind a place, starting operations as they are needed; one that fails half-way is gone on with.

        Raises:
            CorruptAnswer: A file does not hold what the operation counted; nothing of it was given.
            RateLimited: Others' operations take all the places that there are.
            Unavailable: Operation after operation ends without data.
            ScopeMissing: The token may not read this.
        """
        fruitless_count = 0
        while fruitless_count < _MOST_FRUITLESS:
            if place.operation is None:
                place = self._begun(ask, place)
                yield ask.page(place)
            operation = yield from self._ended(ask, place)
            before, place = place.read, (yield from self._given(ask, place, operation))
            if operation.is_whole and place.operation:
                return
            place = replace(place, operation=None)
            fruitless_count = 0 if place.read > before else fruitless_count + 1
        raise Unavailable("the shop's bulk operations end without data", hint="The next run tries again")

    # -- operations ---------------------------------------------------------------------------------------------

    def _begun(self, ask: BulkAsk, place: BulkPlace) -> BulkPlace:
        """Start an operation, once one of the places is free."""
        personal = self._graph.shows_personal
        query = bulk_query(ask.documents, personal=personal, behind=place.behind)
        until_s, waits_s = self._clock.monotonic() + _PATIENCE_S, _waits_s()
        while (started := self._started(query)) is None:
            if self._clock.monotonic() >= until_s:
                raise RateLimited("other bulk operations take all places that the shop has", retry_after_s=60.0)
            self._rest(next(waits_s))
        return replace(place, operation=started, personal=personal)

    def _started(self, query: str) -> str | None:
        """The id of a new operation; None if there is no place for it now."""
        reply = self._graph.ask(Question(document=BULK_RUN, variables={"query": query}, is_write=True))
        payload = _object(reply.data.get("bulkOperationRunQuery"))
        errors = payload.get("userErrors") or []
        if any(error.get("code") in _BUSY for error in errors):
            return None
        if errors:
            raise RequestRefused(f"the shop refuses a bulk operation: {errors[0].get('message')}")
        return str(_object(payload.get("bulkOperation"))["id"])

    def _ended(self, ask: BulkAsk, place: BulkPlace) -> Generator[Page, None, _Operation]:
        """Look at an operation until it has ended, with a page without records now and then."""
        told_s, waits_s = self._clock.monotonic(), _waits_s()
        while (operation := self._looked_at(place)).status in _UNDER_WAY:
            if operation.is_stuck:
                self._graph.ask(Question(document=BULK_CANCEL, variables={"id": place.operation}, is_write=True))
            self._rest(next(waits_s))
            if self._clock.monotonic() - told_s >= _HEARTBEAT_S:
                told_s = self._clock.monotonic()
                yield ask.page(place)
        return operation

    def _looked_at(self, place: BulkPlace) -> _Operation:
        reply = self._graph.ask(Question(document=BULK_LOOK, variables={"id": place.operation}))
        shown = reply.data.get("bulkOperation")
        return _operation(shown, reply.answer.server_time) if isinstance(shown, dict) else _Operation()

    def _rest(self, wait_s: float) -> None:
        if self._clock.sleep(wait_s):
            raise Interrupted("stopped while waiting for a bulk operation; the next run finds it again")

    # -- files --------------------------------------------------------------------------------------------------

    def _given(self, ask: BulkAsk, place: BulkPlace, operation: _Operation) -> Generator[Page, None, BulkPlace]:
        """Give what an operation found; the place behind it names no operation where there is nothing to be had."""
        with TemporaryFile() as file:  # without a name, readable by us alone, gone with us
            if not self._fetched(place, operation, file):
                return replace(place, operation=None)
            try:
                tally = _checked(file, place, operation)
            except CorruptAnswer:
                yield ask.page(replace(place, operation=None))  # the next run does not look at this file again
                raise
            return (yield from self._pages(ask, place, file, _further(tally, operation)))

    def _fetched(self, place: BulkPlace, operation: _Operation, file: IO[bytes]) -> bool:
        """Whether what an operation left behind, be it a part only, could be fetched."""
        if operation.url:
            return download(operation.url, self._config, file)
        if operation.error_code == "ACCESS_DENIED":
            self._deny(place)
        return operation.is_whole and not operation.objects  # where nothing is found there is no file

    def _deny(self, place: BulkPlace) -> None:
        """Ask without personal data from now on, if that was asked for."""
        if not place.personal:
            hint = "Give the app read_customers and read_orders and install it again"
            raise ScopeMissing("the token may not read this by a bulk operation", hint=hint)
        self._graph.shows_personal = False

    def _pages(
        self, ask: BulkAsk, place: BulkPlace, file: IO[bytes], further: _Further
    ) -> Generator[Page, None, BulkPlace]:
        nested = ask.documents.nested if bulk_holds_nested(ask.documents, personal=place.personal) else None
        total = place.read + further.count
        if further.is_end:
            place = replace(place, declared=_declared(place.declared, total, ask))
        records = islice(records_of(file, place.behind, nested), further.count)
        while place.read < total:
            batch = tuple(islice(records, self._page_size))
            place = replace(place, behind=batch[-1][0], read=place.read + len(batch))
            raw = tuple(RawRecord(external_id=str(number), payload=row) for number, row in batch)
            yield ask.page(place, raw, is_last=further.is_end and place.read == total)
        if further.is_end and not further.count:
            yield ask.page(place, is_last=True)
        return place


@dataclass(frozen=True, kw_only=True, slots=True)
class _Further:
    """How many records of a file are to be given, and whether the walk ends with them."""

    count: int
    is_end: bool


def _checked(file: IO[bytes], place: BulkPlace, operation: _Operation) -> Tally:
    """What a file holds, if that is what the operation counted.

    Raises:
        CorruptAnswer: Lines are missing or too many.
    """
    tally = tally_of(file, place.behind)
    if operation.is_whole and (tally.lines, tally.roots) != (operation.objects, operation.roots):
        raise CorruptAnswer(
            f"the shop's bulk file has {tally.lines:,} lines of {operation.objects:,}",
            hint="Nothing of it is stored; the next run asks for a new one",
        )
    return tally


def _further(tally: Tally, operation: _Operation) -> _Further:
    """Of a part, the last record is left out: rows inside it may be missing."""
    if operation.is_whole:
        return _Further(count=tally.further, is_end=True)
    return _Further(count=max(0, tally.further - 1), is_end=False)


def _declared(declared: int | None, total: int, ask: BulkAsk) -> int | None:
    """The platform's count, asked for anew where fewer were found: some may have been deleted meanwhile."""
    if declared is None or total >= declared:
        return declared
    counted = ask.count()
    return declared if counted is None else min(declared, counted)


def _operation(shown: Mapping[str, Any], now: datetime | None) -> _Operation:
    created_at = datetime.fromisoformat(str(shown["createdAt"]))
    return _Operation(
        status=str(shown["status"]),
        error_code=str(shown.get("errorCode") or ""),
        url=shown.get("url") or shown.get("partialDataUrl"),
        objects=int(shown["objectCount"]),
        roots=int(shown["rootObjectCount"]),
        age=now - created_at if now else timedelta(),
    )


def _waits_s() -> Iterator[float]:
    """One second, two, then five again and again."""
    return chain((1.0, 2.0), repeat(5.0))


def _object(value: Json) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise CorruptAnswer("the answer does not tell of the bulk operation")
    return value
