"""WooCommerce, REST v3: customers, orders and carts out, customer meta keys in.

Every walk goes by id: WooCommerce sorts other columns without a tie-break and loses rows between pages. Customers
have no modified filter, so an incremental pull reads the accounts behind changed orders and the newest accounts;
only a sweep is complete. Carts are orders that are not paid yet: drafts, pending and failed ones.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo

import orjson

from syncd.clock import Clock
from syncd.connectors.ahead import Ahead, Ask, PageSize
from syncd.connectors.base import Capabilities, Page, PushResult, StreamTraits
from syncd.connectors.exchange import Answer, Request
from syncd.connectors.idwalk import Place, Position, Row, Slice, Step, row_id, step
from syncd.connectors.transport import Transport
from syncd.connectors.woocommerce.check import check_store
from syncd.connectors.woocommerce.dialect import API, WooCommerceConfig, WooCommerceDialect
from syncd.connectors.woocommerce.hours import QuietHours, zone_of
from syncd.connectors.woocommerce.push import push_changes
from syncd.connectors.woocommerce.statuses import CART_STATUSES, OrderStatuses
from syncd.errors import CorruptAnswer, RequestRefused, UnsupportedStream
from syncd.meter import SILENT, Meter
from syncd.model import PlatformChange, RawRecord, StoreFacts, Stream, Window

PAGE_SIZES = (100, 50, 25, 10)  # what a failing server is asked for in turn
CART_PREFIX = "order:"

_BY_ID = {"orderby": "id", "order": "asc"}

# PHP stamps date_modified before the database commits, and a request may run for its time limit, 30 s by default and
# up to 2 minutes at common hosts: so far back a change may turn up late. The lists are read from the tables
# themselves, so nothing is later than that.
_OVERLAP_S = 120
_LAG_S = 0
_CAPABILITIES = Capabilities(
    streams={
        stream: StreamTraits(
            filters_by_update=stream is not Stream.CUSTOMERS,
            in_update_order=False,
            declares_total=True,
            largest_page=PAGE_SIZES[0],
            overlap_s=_OVERLAP_S,
            lag_s=_LAG_S,
        )
        for stream in Stream
    },
    native_tags=False,
    largest_push_batch=100,
    longest_tag=255,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """Ids to fetch one by one, ascending, and the server's time when they were found."""

    ids: tuple[int, ...]
    server_time: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Listing:
    """One list route with its filters."""

    path: str
    params: Mapping[str, str] = field(default_factory=dict)

    def at(self, position: Position, sizes: Sequence[int]) -> Request:
        """The request for some rows, getting lighter where the server fails."""
        smaller = [size for size in sizes if size < position.size]
        lighter = self.at(_resized(position, smaller[0]), smaller) if smaller else None
        return Request(path=self.path, params={**self.params, **position.params}, lighter=lighter)

    def of(self, ids: Sequence[int]) -> Request:
        """The request for some ids, for half of them where the server fails."""
        lighter = self.of(ids[: len(ids) // 2]) if len(ids) > PAGE_SIZES[-1] else None
        include = {"include": ",".join(map(str, ids)), "per_page": str(PAGE_SIZES[0])}
        return Request(path=self.path, params={**self.params, **include}, lighter=lighter)


class WooCommerce:
    """The connector to one WooCommerce store.

    Args:
        page_sizes: Rows to ask for at a time, and what to fall back to where the server fails.
    """

    platform = "woocommerce"
    capabilities = _CAPABILITIES

    def __init__(
        self,
        config: WooCommerceConfig,
        *,
        store_id: str,
        clock: Clock,
        meter: Meter = SILENT,
        page_sizes: Sequence[int] = PAGE_SIZES,
    ) -> None:
        self._config = config
        self._clock = clock
        self._page_sizes = page_sizes
        self._sizes: dict[str, PageSize] = {}  # what the shop manages, by route
        self._quiet = QuietHours.parse(config.http.quiet_hours)
        self._zone: tzinfo = UTC
        self._dialect = WooCommerceDialect(config, clock)
        self._transport = Transport(config, self._dialect, store_id=store_id, clock=clock, meter=meter)
        self._statuses = OrderStatuses(self._transport, clock)

    def check(self) -> StoreFacts:
        """Ask who the store is and what the key may do.

        Raises:
            AuthFailed, ScopeMissing: The key is not accepted, or its owner's role is too low.
            ConfigInvalid: There is no WooCommerce at the url, or its permalinks are plain.
        """
        facts = check_store(self._transport, self._config, self._dialect, self._clock)
        self._zone = zone_of(facts.timezone)
        return replace(facts, findings=(*facts.findings, *self._statuses.findings()))

    def pull(self, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        """Walk a stream by id; `until` is not asked for, so that records only ever join the walk.

        Raises:
            UnsupportedStream: WooCommerce has no such stream.
            PaginationLoop: The shop gives its first page whatever is asked.
        """
        if stream not in self.capabilities.streams:
            raise UnsupportedStream(f"WooCommerce has no {stream}")
        if window.ids:
            yield from self._pull_ids(stream, _Asked(ids=_numbers(window.ids)), resume)
        elif stream is Stream.CUSTOMERS and window.since:
            yield from self._pull_ids(stream, self._moved_customers(window.since), resume)
        else:
            yield from self._pull_list(stream, window, resume)

    def push(self, changes: Sequence[PlatformChange]) -> Sequence[PushResult]:
        """Write customer meta keys, one batch request for up to 100 changes; a null value deletes the key."""
        return push_changes(self._transport, changes)

    def close(self) -> None:
        """Give connections back; safe to call twice."""
        self._transport.close()

    # -- walks --------------------------------------------------------------------------------------------------

    def _pull_list(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        for done in self._walk(self._listing(stream, window.since), Place.from_cursor(resume)):
            answer = done.slice.source
            yield Page(
                stream=stream,
                records=_records(stream, done.rows),
                cursor=done.place.to_cursor(),
                is_last=done.is_last,
                declared=done.place.total,
                server_time=answer.server_time,
                asked_at=answer.asked_at,
                hides_older=stream is Stream.ORDERS and self._statuses.is_guess,
            )

    def _walk(self, listing: _Listing, place: Place) -> Iterator[Step[Answer]]:
        def ask(position: Position, tries: int) -> Slice[Answer]:
            request = replace(listing.at(position, self._page_sizes), tries=tries)
            answer = self._transport.send(request)
            return Slice(rows=_rows(answer), position=_answered(answer, position), total=_total(answer), source=answer)

        is_last = False
        with self._ahead(ask, listing) as ahead:
            while not is_last:
                done = step(ahead.fetch, place, ahead.size)
                place, is_last = done.place, done.is_last
                yield done

    def _ahead(self, ask: Ask[Answer], listing: _Listing) -> Ahead[Answer]:
        pool = ThreadPoolExecutor(max_workers=self._config.http.concurrency, thread_name_prefix="ahead")
        return Ahead(ask, self._size_of(listing), most=self._most_at_once, pool=pool, clock=self._clock)

    def _size_of(self, listing: _Listing) -> PageSize:
        return self._sizes.setdefault(listing.path, PageSize(self._page_sizes))

    def _most_at_once(self) -> int:
        """How many requests the shop may be asked at once now: one alone in its quiet hours."""
        is_quiet = self._quiet is not None and self._quiet.holds(self._clock.now().astimezone(self._zone))
        return 1 if is_quiet else self._config.http.concurrency

    def _pull_ids(self, stream: Stream, asked: _Asked, resume: str | None) -> Iterator[Page]:
        listing = self._listing(stream)
        after = _after(resume)
        rest = [number for number in asked.ids if number > after]
        if not rest:
            yield self._empty_page(stream, asked, after)
        size = self._size_of(listing)
        while rest:
            some = rest[: size.now]
            answer = self._transport.send(listing.of(some))
            done = answer.request.params["include"].count(",") + 1
            size.note(len(some), done)
            found = self._found(listing, answer, rest[:done])
            after, rest = rest[done - 1], rest[done:]
            yield Page(
                stream=stream,
                records=_records(stream, ((str(number), found[number]) for number in sorted(found))),
                cursor=_cursor_after(after),
                is_last=not rest,
                declared=None,
                server_time=asked.server_time or answer.server_time,
                asked_at=answer.asked_at,
            )

    def _found(self, listing: _Listing, answer: Answer, wanted: Sequence[int]) -> dict[int, Row]:
        """The rows by id; those that an answer lacks are asked for once more before they count as gone."""
        found = _by_id(_rows(answer))
        missing = [number for number in wanted if number not in found]
        return found | _by_id(_rows(self._transport.send(listing.of(missing)))) if missing else found

    def _empty_page(self, stream: Stream, asked: _Asked, after: int) -> Page:
        return Page(
            stream=stream,
            records=(),
            cursor=_cursor_after(after),
            is_last=True,
            declared=None,
            server_time=asked.server_time,
            asked_at=self._clock.now(),
        )

    # -- what to ask --------------------------------------------------------------------------------------------

    def _listing(self, stream: Stream, since: datetime | None = None) -> _Listing:
        if stream is Stream.CUSTOMERS:
            return _Listing(path=API + "customers", params={"role": "all", **_BY_ID})
        statuses = CART_STATUSES if stream is Stream.CARTS else self._statuses.names(anew=since is None)
        return _Listing(path=API + "orders", params={"status": ",".join(statuses), **_BY_ID, **_modified(since)})

    def _moved_customers(self, since: datetime) -> _Asked:
        """Accounts that may have changed: those behind changed orders, and the new ones."""
        buyers = self._buyers(since)
        new = set(self._new_customers(since))
        if new and not buyers.ids:  # with nothing at all the bookmark stays, and the next run asks again
            new.update(self._buyers(since).ids)
        return replace(buyers, ids=tuple(sorted({*buyers.ids, *new})))

    def _buyers(self, since: datetime) -> _Asked:
        listing = self._listing(Stream.ORDERS, since)
        owners = _Listing(path=listing.path, params={**listing.params, "_fields": "id,customer_id"})
        ids: set[int] = set()
        server_times: list[datetime | None] = []
        for done in self._walk(owners, Place()):
            ids.update(owner for _, row in done.rows if isinstance(owner := row.get("customer_id"), int) and owner)
            server_times.append(done.slice.source.server_time)
        return _Asked(ids=tuple(ids), server_time=server_times[0])

    def _new_customers(self, since: datetime) -> Iterator[int]:
        earliest = _utc_text(since)
        params = {"role": "all", "orderby": "id", "order": "desc", "_fields": "id,date_created_gmt"}
        listing = _Listing(path=API + "customers", params=params)
        for start in itertools.count(0, PAGE_SIZES[0]):
            position = Position(start=start, size=PAGE_SIZES[0], by_page=True)
            rows = _rows(self._transport.send(listing.at(position, ())))
            rows = rows or _rows(self._transport.send(listing.at(position, ())))  # a shop without users is none
            yield from (number for row in rows if (number := row_id(row)) and _created(row) >= earliest)
            if len(rows) < PAGE_SIZES[0] or _created(rows[-1]) < earliest:
                return


def _records(stream: Stream, rows: Iterable[tuple[str, Row]]) -> tuple[RawRecord, ...]:
    prefix = CART_PREFIX if stream is Stream.CARTS else ""
    return tuple(RawRecord(external_id=prefix + external_id, payload=row) for external_id, row in rows)


def _by_id(rows: Iterable[Row]) -> dict[int, Row]:
    return {number: row for row in rows if (number := row_id(row)) is not None}


def _rows(answer: Answer) -> list[Row]:
    if not isinstance(answer.json, list):
        raise CorruptAnswer(f"the list at {answer.request.path} is none", request_id=answer.request_id)
    return [row if isinstance(row, dict) else {"not_an_object": row} for row in answer.json]


def _answered(answer: Answer, asked: Position) -> Position:
    size = int(answer.request.params["per_page"])
    return asked if size == asked.size else _resized(asked, size)


def _resized(position: Position, size: int) -> Position:
    return Position(start=position.first_row, size=size, by_page=position.by_page)


def _total(answer: Answer) -> int | None:
    text = answer.headers.get("X-WP-Total", "")
    return int(text) if text.isdigit() else None


def _modified(since: datetime | None) -> dict[str, str]:
    """The filter by update time: exclusive to the second, read as UTC only when naive and flagged."""
    if since is None:
        return {}
    return {"modified_after": _utc_text(since - timedelta(seconds=1)), "dates_are_gmt": "true"}


def _utc_text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S")


def _created(row: Row) -> str:
    """When an account was made, as text that sorts by time; one that does not say counts as new."""
    return str(row.get("date_created_gmt") or "9999")


def _numbers(external_ids: Iterable[str]) -> tuple[int, ...]:
    texts = {external_id.removeprefix(CART_PREFIX) for external_id in external_ids}
    return tuple(sorted(int(text) for text in texts if text.isascii() and text.isdigit()))


def _cursor_after(number: int) -> str:
    return orjson.dumps({"after": number}).decode()


def _after(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return int(orjson.loads(cursor)["after"])
    except (ValueError, KeyError, TypeError):
        raise RequestRefused("the saved cursor is not one of this walk", hint="Start the walk anew") from None
