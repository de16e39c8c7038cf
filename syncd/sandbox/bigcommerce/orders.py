"""v2/orders: bare lists, an empty one being no answer at all (204)."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from syncd.sandbox.bigcommerce import render_order
from syncd.sandbox.bigcommerce.products import PRODUCTS
from syncd.sandbox.bigcommerce.refusal import not_found
from syncd.sandbox.bigcommerce.request import Request
from syncd.sandbox.bigcommerce.state import BILLING_FIELDS, INCOMPLETE, STATUSES, BigState, Line, Order
from syncd.sandbox.exchange import Answer, json_answer

_SORTS: Mapping[str, Callable[[Order], Any]] = {
    "id": lambda order: order.id,
    "customer_id": lambda order: order.customer_id,
    "date_created": lambda order: order.created_at,
    "date_modified": lambda order: order.modified_at,
    "status_id": lambda order: order.status_id,
    "channel_id": lambda order: order.channel_id,
    "external_id": lambda order: "",
}
# filter -> what of an order it is compared with, and whether that may be less or more
_LOWEST: Mapping[str, Callable[[Order], Any]] = {
    "min_id": lambda order: order.id,
    "min_total": lambda order: order.total / 100,
    "min_date_created": lambda order: order.created_at,
    "min_date_modified": lambda order: order.modified_at,
}
_SAME: Mapping[str, Callable[[Order], Any]] = {
    "customer_id": lambda order: order.customer_id,
    "status_id": lambda order: order.status_id,
    "channel_id": lambda order: order.channel_id,
    "email": lambda order: order.billing["email"].lower(),
    "cart_id": lambda order: order.cart_id,
    "payment_method": lambda order: order.payment_method,
    "external_order_id": lambda order: order.external_order_id,
}


def listing(request: Request) -> Answer:
    """GET orders."""
    page, limit = request.params["page"], request.params["limit"]
    rows = _sorted(_asked(request), request.params["sort"], page)[(page - 1) * limit : page * limit]
    return _list_answer([_show(request, order) for order in rows])


def _list_answer(rows: Sequence[object]) -> Answer:
    return json_answer(200, rows) if rows else Answer(status=204)


def _show(request: Request, order: Order) -> dict[str, Any]:
    return render_order.order(request.state, order, request.home, _include(request))


def _include(request: Request) -> Collection[str]:
    """What is to be included; consignments only in the structure that has to be asked for."""
    if request.params["consignment_structure"] is None:
        return frozenset(request.params["include"]) & {"fees"}
    return frozenset(request.params["include"])


def _asked(request: Request) -> list[Order]:
    state, params = request.state, request.params
    shown = (order for order in state.orders.values() if state.lists_archived or not order.is_deleted)
    return [order for order in shown if _passes(order, params)]


def _passes(order: Order, params: Mapping[str, Any]) -> bool:
    given = {name: value for name, value in params.items() if value is not None}
    email = {"email": given["email"].lower()} if "email" in given else {}
    given |= email
    return (
        all(of(order) >= given[name] for name, of in _LOWEST.items() if name in given)
        and all(
            of(order) <= given[highest]
            for name, of in _LOWEST.items()
            if (highest := name.replace("min_", "max_")) in given
        )
        and all(of(order) == given[name] for name, of in _SAME.items() if name in given)
    )


def _sorted(rows: list[Order], sort: str, page: int) -> list[Order]:
    """Rows in the asked order; where what is sorted by is not unique, ties fall otherwise on every page."""
    name, _, order = sort.partition(":")
    key = _SORTS[name]
    return sorted(rows, key=lambda row: (key(row), _tie(row.id, page)), reverse=order == "desc")


def _tie(number: int, page: int) -> int:
    return zlib.crc32(b"%d:%d" % (number, page))


def one(request: Request) -> Answer:
    """GET orders/<id>, archived or not."""
    return json_answer(200, _show(request, find(request)))


def find(request: Request) -> Order:
    """The order that the path names.

    Raises:
        Refused: There is none.
    """
    order = request.state.orders.get(request.ids[0])
    if order is None:
        raise not_found()
    return order


def products(request: Request) -> Answer:
    """GET orders/<id>/products."""
    order, page, limit = find(request), request.params["page"], request.params["limit"]
    return _list_answer([render_order.line(order, line) for line in order.lines[(page - 1) * limit : page * limit]])


def archive(request: Request) -> Answer:
    """DELETE orders/<id>: it is put away, not deleted."""
    request.state.archive(find(request))
    return Answer(status=204)


def count(request: Request) -> Answer:
    """GET orders/count."""
    counts = Counter(order.status_id for order in _asked(request))
    statuses = [
        {
            "id": status_id,
            "name": name,
            "system_label": name,
            "custom_label": name,
            "system_description": f"The order is {name.lower()}.",
            "count": counts[status_id],
            "sort_order": status_id,
        }
        for status_id, name in STATUSES.items()
    ]
    return json_answer(200, {"statuses": statuses, "count": counts.total()})


def new_order(state: BigState, *, customer_id: int = 0, person_id: str | None = None) -> Order:
    """Begin an order now; without a person id it is its customer's or somebody new's."""
    now, number = state.clock.second(), state.next_id("order")
    account = state.accounts.get(customer_id)
    known = account.person_id if account else f"{state.site.store}:order:{number}"
    order = Order(
        id=number,
        status_id=INCOMPLETE,
        currency=state.site.currency,
        shown_currency=state.site.currency,
        created_at=now,
        modified_at=now,
        customer_id=customer_id,
        billing=dict.fromkeys(BILLING_FIELDS, ""),
        shipping=dict.fromkeys(BILLING_FIELDS, ""),
        lines=[],
        person_id=person_id or known,
    )
    state.orders[number] = order
    return order


def new_line(state: BigState, product: int, quantity: int, *, percent_off: int = 0, tax_percent: int = 0) -> Line:
    """A line for an order."""
    price = PRODUCTS[product].price
    return Line(
        id=state.next_id("line"),
        product=product,
        quantity=quantity,
        price=price,
        discount=price * quantity * percent_off // 100,
        tax_percent=tax_percent,
    )
