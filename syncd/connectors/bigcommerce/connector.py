"""BigCommerce, REST v3 and v2: customers, orders and carts out, customer attribute values in.

Customers are walked by the platform's own cursor. Their update time does not move with addresses, attribute values or
newsletter subscriptions: an incremental pull adds the customers behind changed subscriptions, and only a sweep is
complete. Orders are walked by id, with or without a filter by update time, so none is skipped while others change.
Carts cannot be listed; what can be seen of them are incomplete orders, which are carts only and go by `order:<id>`.
What a record is laid together from is told in `records`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from syncd.clock import Clock
from syncd.connectors.base import Capabilities, Page, PushResult, StreamTraits
from syncd.connectors.bigcommerce.api import LARGEST_PAGE, Api
from syncd.connectors.bigcommerce.attributes import Attributes
from syncd.connectors.bigcommerce.check import check_store
from syncd.connectors.bigcommerce.dialect import BigCommerceConfig, BigCommerceDialect, Quota
from syncd.connectors.bigcommerce.push import LARGEST_BATCH, push_changes
from syncd.connectors.bigcommerce.records import CustomerRecords, OrderRecords
from syncd.connectors.bigcommerce.walks import CART_PREFIX, CustomerWalk, OrderWalk, Place, Step
from syncd.connectors.idwalk import Row, row_id
from syncd.connectors.transport import Transport
from syncd.errors import UnsupportedStream
from syncd.meter import SILENT, Meter
from syncd.model import PlatformChange, RawRecord, StoreFacts, Stream, Window

PAGE_SIZES = (LARGEST_PAGE, 100, 50, 10)  # what a failing server is asked for in turn

# Nothing is published about how late a list may show a change; five minutes cover a lagging replica.
_OVERLAP_S = 300
_LAG_S = 0
_REQUESTS_PER_S = 150 / 30  # of the plans Standard and Plus, shared with the shop's other apps
_CAPABILITIES = Capabilities(
    streams={
        stream: StreamTraits(
            filters_by_update=stream is not Stream.CUSTOMERS,
            in_update_order=False,
            declares_total=True,
            largest_page=PAGE_SIZES[0],
            overlap_s=_OVERLAP_S,
            lag_s=_LAG_S,
            requests_per_page=1 if stream is Stream.CARTS else 2,
            requests_per_s=_REQUESTS_PER_S,
        )
        for stream in Stream
    },
    native_tags=False,
    largest_push_batch=LARGEST_BATCH,
    longest_tag=255,
)


class BigCommerce:
    """The connector to one BigCommerce store.

    Args:
        page_sizes: Rows to ask for at a time, and what to fall back to where the server fails.
    """

    platform = "bigcommerce"
    capabilities = _CAPABILITIES

    def __init__(
        self,
        config: BigCommerceConfig,
        *,
        store_id: str,
        clock: Clock,
        meter: Meter = SILENT,
        page_sizes: Sequence[int] = PAGE_SIZES,
    ) -> None:
        quota = Quota(clock, config.http.leave_quota)
        dialect = BigCommerceDialect(config, quota)
        self._store_hash = config.store_hash
        self._clock = clock
        self._page_sizes = page_sizes
        self._api = Api(Transport(config, dialect, store_id=store_id, clock=clock, meter=meter), quota)
        self._attributes = Attributes(self._api)

    def check(self) -> StoreFacts:
        """Ask who the store is and what the token may do; scopes that are missing are findings.

        Raises:
            AuthFailed: The token is not accepted.
            PolicyRefused: There is no store of this hash.
        """
        return check_store(self._api, self._attributes, self._store_hash)

    def pull(self, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        """Walk customers, orders or carts; each page's sub-resources are fetched with it.

        Raises:
            UnsupportedStream: The stream is none of these.
        """
        if stream not in _CAPABILITIES.streams:
            raise UnsupportedStream(f"BigCommerce has no {stream}", hint=f"Remove {stream} from the store's streams")
        place = Place.from_cursor(resume)
        if stream is Stream.CUSTOMERS:
            customers = CustomerRecords(self._api, self._attributes)
            for step in CustomerWalk(self._api, self._page_sizes).steps(window, place):
                yield self._page(stream, step, customers.whole(step.rows))
        else:
            orders = OrderRecords(self._api)
            for step in OrderWalk(self._api, self._page_sizes, stream).steps(window, place):
                yield self._page(stream, step, orders.whole(step.rows) if stream is Stream.ORDERS else step.rows)

    def push(self, changes: Sequence[PlatformChange]) -> Sequence[PushResult]:
        """Write or delete customer attribute values; an attribute that is missing is made first."""
        return push_changes(self._api, self._attributes, changes)

    def close(self) -> None:
        """Give connections back; safe to call twice."""
        self._api.close()

    def _page(self, stream: Stream, step: Step, rows: Sequence[Row]) -> Page:
        prefix = CART_PREFIX if stream is Stream.CARTS else ""
        return Page(
            stream=stream,
            records=tuple(
                RawRecord(external_id=f"{prefix}{row_id(row) or f'?{step.place.to_cursor()}.{index}'}", payload=row)
                for index, row in enumerate(rows)
            ),
            cursor=step.place.to_cursor(),
            is_last=step.is_last,
            declared=step.declared,
            server_time=step.answer.server_time if step.answer else None,
            asked_at=step.answer.asked_at if step.answer else self._clock.now(),
        )
