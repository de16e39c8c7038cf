"""A platform that lives in a dict: shop, connector and mapper, the smallest that keep the connector contract.

Payloads are flat dicts with texts for times (ISO 8601) and whole numbers for money; see `customer`, `order` and
`cart`. Whatever changes the shop goes through `put`, which stamps the shop's own time as update time.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from syncd.clock import Clock
from syncd.connectors.base import Capabilities, Page, PushOutcome, PushResult, StreamTraits
from syncd.connectors.config import StoreConfig
from syncd.errors import MappingFailed, RequestRefused, SyncdError, UnsupportedStream
from syncd.model import (
    Cart,
    Customer,
    Order,
    OrderLine,
    OrderState,
    PlatformChange,
    RawRecord,
    StoreFacts,
    Stream,
    TagAction,
    TagChange,
    Unified,
    Window,
)

Payload = dict[str, Any]


def customer(external_id: str, **values: Any) -> Payload:
    """An account's payload; `tags` is a list of texts."""
    blank = {"email": "", "phone": "", "first_name": "", "last_name": "", "tags": []}
    return {"id": external_id, **blank, **values}


def order(external_id: str, **values: Any) -> Payload:
    """An order's payload; without `customer_id` it is a guest's."""
    blank = {"customer_id": None, "email": "", "phone": "", "first_name": "", "last_name": ""}
    money = {"currency": "EUR", "total_minor": 1000, "refunded_minor": 0, "state": "completed", "lines": []}
    return {"id": external_id, **blank, **money, **values}


def cart(external_id: str, **values: Any) -> Payload:
    """A cart's payload; `is_open` ends when it became an order."""
    blank = {"customer_id": None, "email": "", "phone": "", "currency": "EUR", "total_minor": 1000, "is_open": True}
    return {"id": external_id, **blank, **values}


@dataclass(kw_only=True)
class MemoryShop:
    """The truth of one shop, changed at will by a test.

    Args:
        page_size: Records a page.
        writes: Every effective tag write, oldest first: external id, action, tag.
        faults: Errors raised instead of the next page or push, one each, first first.
    """

    clock: Clock
    identity: str = "memory://shop"
    page_size: int = 3
    rows: dict[Stream, dict[str, Payload]] = field(default_factory=lambda: {stream: {} for stream in Stream})
    writes: list[tuple[str, TagAction, str]] = field(default_factory=list)
    faults: deque[SyncdError] = field(default_factory=deque)

    def put(self, stream: Stream, *payloads: Payload) -> None:
        """Add or replace records, created and updated now."""
        now = self.clock.now().isoformat()
        for payload in payloads:
            known = self.rows[stream].get(payload["id"], {})
            times = {"created_at": known.get("created_at", now), "updated_at": now}
            self.rows[stream][payload["id"]] = times | payload | {"updated_at": now}

    def edit(self, stream: Stream, external_id: str, **values: Any) -> None:
        """Change some values of one record, as a merchant would."""
        self.put(stream, self.rows[stream][external_id] | values)

    def delete(self, stream: Stream, external_id: str) -> None:
        """Take one record away, without a trace."""
        del self.rows[stream][external_id]

    def tags(self, external_id: str) -> list[str]:
        """The tags on one account."""
        return list(self.rows[Stream.CUSTOMERS][external_id]["tags"])

    def within(self, stream: Stream, window: Window) -> list[Payload]:
        """The window's records by id; `until` is not honoured, as connectors may."""
        rows = self.rows[stream]
        if window.ids:
            return [rows[external_id] for external_id in sorted(set(window.ids) & rows.keys())]
        return [rows[key] for key in sorted(rows) if window.since is None or _updated_at(rows[key]) >= window.since]

    def write(self, external_id: str, action: TagAction, tag: str) -> PushResult:
        """Put one tag on an account, or take it off."""
        if external_id not in self.rows[Stream.CUSTOMERS]:
            return PushResult(outcome=PushOutcome.REJECTED, reason="account no longer exists")
        tags = self.tags(external_id)
        if (tag in tags) == (action is TagAction.ADD):
            return PushResult(outcome=PushOutcome.ALREADY_SO)
        self.writes.append((external_id, action, tag))
        tags = [*tags, tag] if action is TagAction.ADD else [kept for kept in tags if kept != tag]
        self.edit(Stream.CUSTOMERS, external_id, tags=tags)
        return PushResult(outcome=PushOutcome.APPLIED)


class MemoryConfig(StoreConfig):
    """A memory store's settings."""

    platform: Literal["memory"] = "memory"


@dataclass(kw_only=True)
class MemoryConnector:
    """The connector to a shop in memory; its cursor is the last id given."""

    shop: MemoryShop
    streams: frozenset[Stream] = frozenset(Stream)
    platform: str = "memory"
    is_closed: bool = False

    @property
    def capabilities(self) -> Capabilities:
        traits = StreamTraits(
            filters_by_update=True,
            in_update_order=False,
            declares_total=True,
            largest_page=self.shop.page_size,
            overlap_s=60,
            lag_s=0,
        )
        return Capabilities(
            streams=dict.fromkeys(sorted(self.streams), traits),
            native_tags=True,
            largest_push_batch=5,
            longest_tag=40,
        )

    def check(self) -> StoreFacts:
        self._fault()
        return StoreFacts(
            identity=self.shop.identity, name="Memory", currency="EUR", can_pull=self.streams, can_push=True
        )

    def pull(self, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        if stream not in self.streams:
            raise UnsupportedStream(f"memory has no {stream}")
        last, is_last = resume or "", False
        while not is_last:
            page = self._page(stream, window, last)
            last, is_last = page.cursor, page.is_last
            yield page

    def _page(self, stream: Stream, window: Window, last: str) -> Page:
        self._fault()
        now = self.shop.clock.now()
        rows = self.shop.within(stream, window)
        rest = [row for row in rows if row["id"] > last]
        shown = copy.deepcopy(rest[: self.shop.page_size])
        return Page(
            stream=stream,
            records=tuple(RawRecord(external_id=row["id"], payload=row) for row in shown),
            cursor=shown[-1]["id"] if shown else last,
            is_last=len(rest) <= self.shop.page_size,
            declared=len(rows),
            server_time=now,
            asked_at=now,
        )

    def push(self, changes: Sequence[PlatformChange]) -> Sequence[PushResult]:
        if len(changes) > self.capabilities.largest_push_batch:
            raise RequestRefused(f"{len(changes)} changes are more than a batch holds")
        self._fault()
        return [self.shop.write(change.external_id, change.action, str(change.body["tag"])) for change in changes]

    def close(self) -> None:
        self.is_closed = True

    def _fault(self) -> None:
        if self.shop.faults:
            raise self.shop.faults.popleft()


class MemoryMapper:
    """Memory payloads to unified records, and tag changes back; a value of the wrong type is a mapping failure."""

    platform = "memory"
    version = 1

    def to_unified(self, stream: Stream, raw: RawRecord) -> Unified:
        try:
            return _MAKERS[stream](raw.payload)
        except (KeyError, TypeError, ValueError) as error:
            raise MappingFailed(f"{type(error).__name__} in a memory payload", external_id=raw.external_id) from None

    def to_platform(self, change: TagChange) -> PlatformChange:
        return PlatformChange(external_id=change.external_id, action=change.action, body={"tag": change.tag})


def _updated_at(payload: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(payload["updated_at"]).astimezone(UTC)


def _text(payload: Mapping[str, Any], name: str) -> str:
    value = payload[name]
    if not isinstance(value, str):
        raise TypeError(name)
    return value


def _person(payload: Mapping[str, Any]) -> Payload:
    texts = {name: _text(payload, name) for name in ("email", "phone")}
    names = {name: str(payload.get(name, "")) for name in ("first_name", "last_name")}
    return {"external_id": _text(payload, "id"), **texts, **names, "updated_at": _updated_at(payload)}


def _customer(payload: Mapping[str, Any]) -> Customer:
    created_at = datetime.fromisoformat(payload["created_at"])
    return Customer(**_person(payload), created_at=created_at, tags=tuple(payload["tags"]))


def _order(payload: Mapping[str, Any]) -> Order:
    placed_at = datetime.fromisoformat(payload.get("placed_at", payload["created_at"]))
    return Order(
        **_person(payload),
        status=payload["state"],
        state=OrderState(payload["state"]),
        customer_id=payload["customer_id"],
        currency=payload["currency"],
        total_minor=int(payload["total_minor"]),
        refunded_minor=int(payload["refunded_minor"]),
        placed_at=placed_at,
        lines=tuple(OrderLine(**line) for line in payload["lines"]),
    )


def _cart(payload: Mapping[str, Any]) -> Cart:
    return Cart(
        **_person(payload),
        is_open=payload["is_open"],
        customer_id=payload["customer_id"],
        currency=payload["currency"],
        total_minor=int(payload["total_minor"]),
        created_at=datetime.fromisoformat(payload["created_at"]),
    )


_MAKERS: dict[Stream, Callable[[Mapping[str, Any]], Unified]] = {
    Stream.CUSTOMERS: _customer,
    Stream.ORDERS: _order,
    Stream.CARTS: _cart,
}
