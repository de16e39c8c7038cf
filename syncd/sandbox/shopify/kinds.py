"""The kinds of records that can be listed: what they are called, searched by and sorted by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from syncd.sandbox.shopify.render import View
from syncd.sandbox.shopify.search import Field
from syncd.sandbox.shopify.shapes import Shown
from syncd.sandbox.shopify.state import ShopifyState

Value = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A kind of record.

    Args:
        scope: What a token needs to see it.
        holder: Where the state keeps it.
        view: The method of `View` that shows it.
        searched: What a query may name, beside `updated_at`.
        sorts: What its sort keys mean.
    """

    type_name: str
    field: str
    count_field: str
    scope: str
    holder: str
    view: str
    searched: Mapping[str, Field]
    sorts: Mapping[str, Value]
    takes_tags: bool = False

    def by_id(self, state: ShopifyState) -> Mapping[int, Any]:
        """The shop's records of this kind."""
        records: Mapping[int, Any] = getattr(state, self.holder)
        return records

    def records(self, state: ShopifyState) -> Iterable[Any]:
        """The shop's records of this kind, in no order."""
        return self.by_id(state).values()

    def show(self, view: View) -> Callable[[Any], Shown]:
        """What shows one record."""
        shower: Callable[[Any], Shown] = getattr(view, self.view)
        return shower

    def searches(self, state: ShopifyState) -> Mapping[str, Field]:
        """What a query may name; the update time is the one that the index knows."""
        return {**self.searched, "updated_at": Field(kind="time", read=state.indexed_at)}


def _name(record: Any) -> str:
    place = getattr(record, "billing", None) or record
    return f"{getattr(place, 'last_name', '')}, {getattr(place, 'first_name', '')}".lower()


def _statuses(order: Any) -> list[str]:
    if order.cancelled_at:
        return ["any", "cancelled"]
    return ["any", "closed"] if order.closed_at else ["any", "open", "not_closed"]


_ID: Value = attrgetter("id")
_COMMON = {"id": Field(kind="number", read=_ID), "created_at": Field(kind="time", read=attrgetter("created_at"))}
_SORTS: Mapping[str, Value] = {
    "ID": _ID,
    "CREATED_AT": attrgetter("created_at"),
    "UPDATED_AT": attrgetter("updated_at"),
}
_CUSTOMERS = Kind(
    type_name="Customer",
    field="customers",
    count_field="customersCount",
    scope="read_customers",
    holder="accounts",
    view="account",
    searched={
        "id": _COMMON["id"],
        "customer_date": _COMMON["created_at"],
        "email": Field(kind="word", read=attrgetter("email")),
        "phone": Field(kind="word", read=attrgetter("phone")),
        "first_name": Field(kind="word", read=attrgetter("first_name")),
        "last_name": Field(kind="word", read=attrgetter("last_name")),
        "state": Field(kind="word", read=attrgetter("state")),
        "tag": Field(kind="word", read=attrgetter("tags")),
    },
    sorts={**_SORTS, "NAME": _name},
    takes_tags=True,
)
_ORDERS = Kind(
    type_name="Order",
    field="orders",
    count_field="ordersCount",
    scope="read_orders",
    holder="orders",
    view="order",
    searched={
        **_COMMON,
        "processed_at": _COMMON["created_at"],
        "customer_id": Field(kind="number", read=attrgetter("customer_id")),
        "email": Field(kind="word", read=attrgetter("email")),
        "name": Field(kind="word", read=lambda order: [str(order.number), f"#{order.number}"]),
        "financial_status": Field(kind="word", read=attrgetter("financial")),
        "fulfillment_status": Field(kind="word", read=attrgetter("fulfillment")),
        "status": Field(kind="word", read=_statuses),
        "tag": Field(kind="word", read=attrgetter("tags")),
        "test": Field(kind="word", read=lambda order: str(order.test)),
    },
    sorts={
        **_SORTS,
        "PROCESSED_AT": attrgetter("created_at"),
        "ORDER_NUMBER": attrgetter("number"),
        "TOTAL_PRICE": attrgetter("total"),
        "CUSTOMER_NAME": _name,
    },
    takes_tags=True,
)
_CHECKOUTS = Kind(
    type_name="AbandonedCheckout",
    field="abandonedCheckouts",
    count_field="abandonedCheckoutsCount",
    scope="read_orders",
    holder="checkouts",
    view="checkout",
    searched={
        **_COMMON,
        "status": Field(kind="word", read=lambda checkout: ["any", "closed" if checkout.completed_at else "open"]),
        "recovery_state": Field(
            kind="word", read=lambda checkout: "recovered" if checkout.completed_at else "not_recovered"
        ),
    },
    sorts={
        "ID": _ID,
        "CHECKOUT_ID": _ID,
        "CREATED_AT": attrgetter("created_at"),
        "TOTAL_PRICE": attrgetter("total"),
        "CUSTOMER_NAME": _name,
    },
)
KINDS = (_CUSTOMERS, _ORDERS, _CHECKOUTS)
