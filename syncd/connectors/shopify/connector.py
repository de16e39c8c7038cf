"""Shopify, GraphQL Admin API: customers, orders and abandoned checkouts out, customer tags in.

Customers and orders are walked by update time, ties broken by id, so that what changes during a walk is met again at
its end. Abandoned checkouts cannot be sorted so and are walked by id. Nested rows that do not fit in a page are
fetched before the page is given. A walk of everything that is long goes by a bulk operation instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from syncd.clock import Clock
from syncd.connectors.base import Capabilities, Page, PushResult, StreamTraits
from syncd.connectors.shopify.bulk import BULK_STREAMS, Bulk, BulkAsk, BulkPlace
from syncd.connectors.shopify.check import check_store, granted_scopes
from syncd.connectors.shopify.dialect import ShopifyConfig, ShopifyDialect
from syncd.connectors.shopify.documents import StreamDocuments, stream_documents
from syncd.connectors.shopify.graph import Graph, Pacer, Question, Reply
from syncd.connectors.shopify.push import LARGEST_BATCH, push_changes
from syncd.connectors.shopify.tokens import ClientCredentials, GivenToken, TokenDialect, Tokens
from syncd.connectors.transport import Transport
from syncd.errors import CorruptAnswer, PaginationLoop, RequestRefused, UnsupportedStream
from syncd.meter import SILENT, Meter
from syncd.model import Json, PlatformChange, RawRecord, StoreFacts, Stream, Window

LARGEST_PAGE = 250
BULK_FROM = 1000  # records: fewer are paged in less time than an operation takes

_OVERLAP_S = 300  # the lists are read from a search index that shows a change seconds to minutes late
_CAPABILITIES = Capabilities(
    streams={
        stream: StreamTraits(
            filters_by_update=True,
            in_update_order=stream is not Stream.CARTS,
            declares_total=True,
            largest_page=LARGEST_PAGE,
            overlap_s=_OVERLAP_S,
            lag_s=0,
            bulk_from=None if stream is Stream.CARTS else BULK_FROM,
        )
        for stream in Stream
    },
    native_tags=True,
    largest_push_batch=LARGEST_BATCH,
    longest_tag=255,
)

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """How far a walk over a connection is.

    Args:
        after: Shopify's own token of the last row met; None before the first.
        size: Rows to ask for, once some were too many.
        read: Rows met so far.
        declared: The platform's count when last asked.
    """

    after: str | None = None
    size: int = LARGEST_PAGE
    read: int = 0
    declared: int | None = None

    @property
    def is_count_wanted(self) -> bool:
        """Whether to ask for the count: before the first row, and where the last ones are due."""
        return self.after is None or (self.declared is not None and self.read + self.size >= self.declared)

    def to_cursor(self) -> str:
        """The place as a text to resume by."""
        return orjson.dumps(asdict(self)).decode()


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """How much is asked for at a time.

    Args:
        page: Records to ask for at a time; fewer where that costs too much.
        bulk_from: How many customers or orders a complete walk needs before it goes by a bulk operation.
    """

    page: int = LARGEST_PAGE
    bulk_from: int = BULK_FROM


LARGEST = Sizes()


class Shopify:
    """The connector to one Shopify store."""

    platform = "shopify"
    capabilities = _CAPABILITIES

    def __init__(
        self,
        config: ShopifyConfig,
        *,
        store_id: str,
        clock: Clock,
        meter: Meter = SILENT,
        sizes: Sizes = LARGEST,
    ) -> None:
        self._config = config
        self._clock = clock
        self._sizes = sizes
        token_dialect = TokenDialect(config.site, config.domain)
        self._token_transport = Transport(config, token_dialect, store_id=store_id, clock=clock, meter=meter)
        dialect = ShopifyDialect(config, _tokens(config, self._token_transport, clock))
        self._transport = Transport(config, dialect, store_id=store_id, clock=clock, meter=meter)
        pacer = Pacer(clock, config.http.leave_quota)
        self._graph = Graph(self._transport, version=config.api_version, clock=clock, pacer=pacer, store_id=store_id)
        self._bulk = Bulk(self._graph, config, clock, page_size=sizes.page)
        self._scopes: frozenset[str] | None = None

    def check(self) -> StoreFacts:
        """Ask who the store is and what the token may do.

        Raises:
            AuthFailed: The token is not accepted, or the app is given none.
            ConfigInvalid: Another shop answers under the url.
        """
        return check_store(self._graph, self._config)

    def pull(self, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        """Walk a stream; `until` is not asked for, so that records only ever join the walk.

        Raises:
            UnsupportedStream: Shopify has no such stream.
            PaginationLoop: Shopify repeated a page token.
            RequestRefused: Shopify did not understand the filter, and would have given other records.
        """
        if stream not in self.capabilities.streams:
            raise UnsupportedStream(f"Shopify has no {stream}")
        if window.ids:
            yield from self._pull_ids(stream, window.ids, resume)
            return
        place = BulkPlace.of(resume)
        if place:
            yield from self._bulk.walk(self._bulk_ask(stream), place)
        else:
            yield from self._pull_list(stream, window.since, resume)

    def push(self, changes: Sequence[PlatformChange]) -> Sequence[PushResult]:
        """Add and remove customer tags, one mutation of up to 50 fields for all of them."""
        return push_changes(self._graph, changes)

    def close(self) -> None:
        """Give connections back; safe to call twice."""
        self._transport.close()
        self._token_transport.close()

    # -- walks --------------------------------------------------------------------------------------------------

    def _pull_list(self, stream: Stream, since: datetime | None, resume: str | None) -> Iterator[Page]:
        asked = stream_documents(stream, self._config.api_version)
        hides_older = self._hides_older(stream)
        place, is_last = self._place(resume), False
        while not is_last:
            reply = self._page(asked, place, since)
            if resume is None and place.after is None and since is None and self._is_bulk(stream, reply, asked):
                first = BulkPlace.first(reply.answer, _declared(reply, asked))
                yield self._bulk_ask(stream).page(first)  # who only wants the count has it, and starts nothing
                yield from self._bulk.walk(self._bulk_ask(stream), first)
                return
            connection = _object(reply.data, asked.root)
            place, is_last = _behind(place, connection, reply, asked), not _has_next(connection)
            yield Page(
                stream=stream,
                records=self._records(asked, _rows(connection)),
                cursor=place.to_cursor(),
                is_last=is_last,
                declared=place.declared,
                server_time=reply.answer.server_time,
                asked_at=reply.answer.asked_at,
                hides_older=hides_older,
            )

    def _page(self, asked: StreamDocuments, place: _Place, since: datetime | None) -> Reply:
        """The page behind a place; one that cannot be is asked for once more."""
        reply = self._graph.ask(_page_question(asked, place, since))
        connection = _object(reply.data, asked.root)
        is_odd = _has_next(connection) and (_end(connection) in (None, place.after) or not _rows(connection))
        return self._graph.ask(_page_question(asked, place, since)) if is_odd else reply

    def _is_bulk(self, stream: Stream, reply: Reply, asked: StreamDocuments) -> bool:
        """Whether a walk of everything is long enough for a bulk operation, by the first page's count."""
        return stream in BULK_STREAMS and (_declared(reply, asked) or 0) >= self._sizes.bulk_from

    def _bulk_ask(self, stream: Stream) -> BulkAsk:
        asked = stream_documents(stream, self._config.api_version)

        def count() -> int | None:
            return _declared(self._graph.ask(_page_question(asked, _Place(size=1), None)), asked)

        return BulkAsk(stream=stream, documents=asked, hides_older=self._hides_older(stream), count=count)

    def _hides_older(self, stream: Stream) -> bool:
        return stream is Stream.ORDERS and not self._sees_all_orders()

    def _pull_ids(self, stream: Stream, external_ids: Iterable[str], resume: str | None) -> Iterator[Page]:
        asked = stream_documents(stream, self._config.api_version)
        place = self._place(resume)
        ids = [_global_id(asked, number) for number in _numbers(external_ids)]
        while True:
            wanted = ids[place.read : place.read + place.size]
            reply = self._graph.ask(Question(document=asked.by_id, variables={"ids": wanted}))
            _check_answered(reply)
            place = replace(place, read=place.read + reply.size, size=max(1, reply.size))
            yield Page(
                stream=stream,
                records=self._records(asked, _rows(reply.data)),
                cursor=place.to_cursor(),
                is_last=place.read >= len(ids),
                declared=None,
                server_time=reply.answer.server_time,
                asked_at=reply.answer.asked_at,
            )
            if place.read >= len(ids):
                return

    def _place(self, cursor: str | None) -> _Place:
        if cursor is None:
            return _Place(size=self._sizes.page)
        try:
            return _Place(**orjson.loads(cursor))
        except (ValueError, TypeError):
            raise RequestRefused("the saved cursor is not one of this walk", hint="Start the walk anew") from None

    def _sees_all_orders(self) -> bool:
        """Whether orders of more than 60 days ago are shown; asked once."""
        if self._scopes is None:
            self._scopes = granted_scopes(self._graph)
        return "read_all_orders" in self._scopes

    # -- records ------------------------------------------------------------------------------------------------

    def _records(self, asked: StreamDocuments, rows: Iterable[Row]) -> tuple[RawRecord, ...]:
        return tuple(RawRecord(external_id=_number(row), payload=self._whole(asked, row)) for row in rows)

    def _whole(self, asked: StreamDocuments, row: Row) -> Row:
        """The record with all its nested rows, those behind the first ones fetched."""
        nested = row.get(asked.nested)
        while isinstance(nested, dict) and _has_next(nested):
            nested = _joined(nested, self._further(asked, row, nested))
            row = {**row, asked.nested: nested}
        return row

    def _further(self, asked: StreamDocuments, row: Row, nested: Row) -> Row:
        after = _end(nested)
        variables = {"id": row["id"], "first": self._sizes.page, "after": after}
        reply = self._graph.ask(Question(document=asked.rest, variables=variables))
        further = _object(_object(reply.data, "node"), asked.nested)
        if _has_next(further) and _end(further) == after:
            raise PaginationLoop(f"the shop gives the same {asked.nested} again and again")
        if not _rows(further):
            raise CorruptAnswer(f"the shop said that there are more {asked.nested}, and gives none")
        return further


def _tokens(config: ShopifyConfig, transport: Transport, clock: Clock) -> Tokens:
    auth = config.auth
    if auth.token:
        return GivenToken(auth.token.get_secret_value())
    secret = auth.client_secret.get_secret_value() if auth.client_secret else ""
    return ClientCredentials({"client_id": auth.client_id or "", "client_secret": secret}, transport, clock)


def _page_question(asked: StreamDocuments, place: _Place, since: datetime | None) -> Question:
    variables = {
        "first": place.size,
        "after": place.after,
        "query": f"updated_at:>='{since:%Y-%m-%dT%H:%M:%SZ}'" if since else None,  # unquoted, it is read otherwise
        "counted": place.is_count_wanted,
    }
    return Question(document=asked.page, variables=variables)


def _behind(place: _Place, connection: Row, reply: Reply, asked: StreamDocuments) -> _Place:
    """The place behind a page.

    Raises:
        PaginationLoop: The page ends where it began.
    """
    end = _end(connection)
    if _has_next(connection) and end in (None, place.after):
        raise PaginationLoop("the shop gives the same page again and again")
    return _Place(
        after=end or place.after,
        size=reply.size,
        read=place.read + len(_rows(connection)),
        declared=_declared(reply, asked) if place.is_count_wanted else place.declared,
    )


def _declared(reply: Reply, asked: StreamDocuments) -> int | None:
    """The platform's count, where it is exact and of the same filter."""
    count = reply.data.get(asked.count)
    is_sound = isinstance(count, dict) and count.get("precision") == "EXACT" and asked.count not in reply.warned
    return count["count"] if isinstance(count, dict) and is_sound else None


def _object(parent: Mapping[str, Json], name: str) -> Row:
    value = parent.get(name)
    if not isinstance(value, dict):
        raise CorruptAnswer(f"the answer holds no {name}")
    return value


def _rows(connection: Mapping[str, Json]) -> list[Row]:
    """The rows that are there; ids that lead nowhere, or to something else, give none."""
    nodes = connection.get("nodes")
    if not isinstance(nodes, list):
        raise CorruptAnswer("the answer holds no nodes")
    return [node for node in nodes if isinstance(node, dict) and node.get("id")]


def _check_answered(reply: Reply) -> None:
    """Hold an answer by ids against the question: what is gone is told by null, not left out."""
    nodes = reply.data.get("nodes")
    if isinstance(nodes, list) and len(nodes) < reply.size:
        raise CorruptAnswer("the shop answers for fewer records than it was asked for")


def _has_next(connection: Row) -> bool:
    return bool(_object(connection, "pageInfo").get("hasNextPage"))


def _end(connection: Row) -> str | None:
    end = _object(connection, "pageInfo").get("endCursor")
    return end if isinstance(end, str) else None


def _joined(first: Row, further: Row) -> Row:
    return {**further, "nodes": [*_rows(first), *_rows(further)]}


def _number(row: Row) -> str:
    """The number in a global id such as gid://shopify/Order/7, which webhooks and the admin know it by."""
    return str(row["id"]).partition("?")[0].rpartition("/")[2]


def _numbers(external_ids: Iterable[str]) -> list[int]:
    return sorted({int(text) for text in external_ids if text.isascii() and text.isdigit()})


def _global_id(asked: StreamDocuments, number: int) -> str:
    return f"gid://shopify/{asked.type_name}/{number}"
