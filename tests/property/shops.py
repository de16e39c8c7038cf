"""A shop as histories need it: what may happen there, what is true, how it is pulled; and one that lives in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

from syncd.connectors.base import Connector, Page
from syncd.errors import Unavailable
from syncd.mapping.base import Mapper
from syncd.model import Stream, Window
from syncd.sandbox import FaultKind, SandboxClock
from tests.clock import START, ManualClock
from tests.contracts.memory import MemoryConnector, MemoryMapper, MemoryShop, cart, customer, order

PAGE = 4
BURST = 7  # orders placed in one second: more than a page, and no whole number of pages

Truth = Mapping[Stream, Mapping[str, tuple[object, ...]]]
Deed = Callable[[int], object]


class Stage(Protocol):
    """A shop that a history is played in."""

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What the merchant and the shoppers can do, by name; the number picks whom or what it is done to."""

    @property
    def clock(self) -> ManualClock | SandboxClock:
        """The shop's own time."""

    @property
    def mapper(self) -> Mapper:
        """How its records are read."""

    @property
    def lag_s(self) -> float:
        """Seconds until a list shows a change."""

    def connect(self, clock: ManualClock) -> Connector:
        """A fresh connector that goes by a clock of ours."""

    def truth(self) -> Truth:
        """What the shop itself says it holds: by stream and external id, what an export must say of it too."""

    def hook(self, before_each: Callable[[], None] | None) -> None:
        """Have something done before each request is answered, or nothing."""

    def fail(self, kind: FaultKind, skip: int, row: int = 0) -> None:
        """Let every request fail after some, or withhold one row of one list."""

    def calm(self) -> None:
        """End every fault and every hook."""


def pick(records: Iterable[Any], number: int) -> Any:
    """One of some records, None if there are none."""
    listed = list(records)
    return listed[number % len(listed)] if listed else None


def mailbox(number: int) -> str:
    """One of a few mailboxes, so that people come again."""
    return f"p{number % 5}@shop.example"


# -- memory -----------------------------------------------------------------------------------------------------------


class MemoryStage:
    """A shop in a dict."""

    mapper = MemoryMapper()
    lag_s = 0.0

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.shop = MemoryShop(clock=self.clock)
        self._before_each: Callable[[], None] | None = None
        self._faults: list[tuple[FaultKind, int, int]] = []
        self._born = 0
        self.deeds: Mapping[str, Deed] = {
            "register": lambda number: self._put(Stream.CUSTOMERS, customer, number),
            "order": lambda number: self._put(Stream.ORDERS, order, number),
            "open_cart": lambda number: self._put(Stream.CARTS, cart, number),
            "burst": self._burst,
            "rename": lambda number: self._edit(Stream.CUSTOMERS, number, first_name=f"Ann {number}"),
            "cancel": lambda number: self._edit(Stream.ORDERS, number, state="cancelled"),
            "refund": lambda number: self._edit(Stream.ORDERS, number, refunded_minor=number),
            "refill": lambda number: self._edit(Stream.CARTS, number, total_minor=number),
            "complete_cart": lambda number: self._edit(Stream.CARTS, number, is_open=False),
            "touch_all": self._touch_all,
            "late_edit": self._late_edit,
            "delete_customer": lambda number: self._delete(Stream.CUSTOMERS, number),
            "delete_order": lambda number: self._delete(Stream.ORDERS, number),
            "drop_cart": lambda number: self._delete(Stream.CARTS, number),
        }

    def connect(self, clock: ManualClock) -> Connector:
        """A connector that lets the shop live between two pages."""
        return _LivelyMemory(shop=self.shop, stage=self)

    def truth(self) -> Truth:
        """What the dict holds."""
        rows = self.shop.rows
        return {
            Stream.CUSTOMERS: {key: (row["email"], row["first_name"]) for key, row in rows[Stream.CUSTOMERS].items()},
            Stream.ORDERS: {
                key: (row["state"], row["total_minor"], row["refunded_minor"])
                for key, row in rows[Stream.ORDERS].items()
            },
            Stream.CARTS: {key: (row["total_minor"],) for key, row in rows[Stream.CARTS].items() if row["is_open"]},
        }

    def hook(self, before_each: Callable[[], None] | None) -> None:
        """Have something done before each page."""
        self._before_each = before_each

    def fail(self, kind: FaultKind, skip: int, row: int = 0) -> None:
        """Let pages fail, or lack a row, after some."""
        self._faults.append((kind, skip, row))

    def calm(self) -> None:
        """End every fault and the hook."""
        self._faults.clear()
        self._before_each = None

    def answered(self, page: Callable[[], Page]) -> Page:
        """A page as this shop gives it now."""
        if self._before_each:
            self._before_each()
        kind, skip, row = self._faults[0] if self._faults else (None, 1, 0)
        if kind is None or skip:
            self._faults[:1] = [(kind, skip - 1, row)] if kind else []
            return page()
        if kind is not FaultKind.DROP_ROW:
            raise Unavailable("the shop answers 500")
        del self._faults[0]
        whole = page()
        return replace(whole, records=whole.records[:row] + whole.records[row + 1 :])

    def _of(self, stream: str) -> list[str]:
        return sorted(self.shop.rows[Stream(stream)])

    def _put(self, stream: Stream, make: Callable[..., dict[str, Any]], number: int) -> None:
        self._born += 1
        self.shop.put(stream, make(f"{self._born:04}", email=mailbox(number)))

    def _edit(self, stream: Stream, number: int, **values: Any) -> None:
        chosen = pick(self._of(stream), number)
        if chosen:
            self.shop.edit(stream, chosen, **values)

    def _burst(self, number: int) -> None:
        for _ in range(BURST):
            self._put(Stream.ORDERS, order, number)

    def _touch_all(self, number: int) -> None:
        for chosen in self._of("orders"):
            self.shop.edit(Stream.ORDERS, chosen)

    def _late_edit(self, number: int) -> None:
        stamped = self.clock.now() - timedelta(seconds=60)
        rows = self.shop.rows[Stream.ORDERS]
        chosen = pick((key for key in sorted(rows) if rows[key]["updated_at"] <= stamped.isoformat()), number)
        if chosen:
            self.shop.edit(Stream.ORDERS, chosen, refunded_minor=number + 500)
            self.shop.rows[Stream.ORDERS][chosen]["updated_at"] = stamped.isoformat()

    def _delete(self, stream: Stream, number: int) -> None:
        chosen = pick(self._of(stream), number)
        if chosen:
            self.shop.delete(stream, chosen)


class _LivelyMemory(MemoryConnector):
    def __init__(self, *, shop: MemoryShop, stage: MemoryStage) -> None:
        super().__init__(shop=shop)
        self._stage = stage

    def _page(self, stream: Stream, window: Window, last: str) -> Page:
        return self._stage.answered(lambda: super(_LivelyMemory, self)._page(stream, window, last))
