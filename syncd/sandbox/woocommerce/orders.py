"""wc/v3/orders and wc/v3/refunds, with orders kept in their own tables (HPOS)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from syncd.sandbox.exchange import Answer
from syncd.sandbox.products import PRODUCTS
from syncd.sandbox.woocommerce import render
from syncd.sandbox.woocommerce.customers import fill_address, tie
from syncd.sandbox.woocommerce.meta import write_meta
from syncd.sandbox.woocommerce.params import boundary
from syncd.sandbox.woocommerce.refusal import Refused, invalid
from syncd.sandbox.woocommerce.request import Request, check_types, list_answer, one_answer, page_bounds
from syncd.sandbox.woocommerce.state import BILLING_FIELDS, SHIPPING_FIELDS, STATUSES, Line, Order, Refund, WooState

_TYPES = {
    "status": "string",
    "billing": "object",
    "shipping": "object",
    "meta_data": "array",
    "line_items": "array",
    "customer_id": "integer",
}
_Test = Callable[[Order], bool]


def listing(request: Request) -> Answer:
    """GET orders; a page past the end says that there are none at all."""
    params = request.params
    asked: Iterable[Order] = request.state.orders.values()
    for test in _tests(request):
        asked = filter(test, asked)
    rows = list(asked)
    start, end = page_bounds(params)
    page = _sorted(rows, params, start)[start:end]
    total = len(rows) if page else 0
    extra = [(f"status[{place}]", status) for place, status in enumerate(params["status"])]
    extra += [("dp", str(params["dp"] or 2)), ("context", params["context"])] if page else []
    return list_answer(request, (_show(request, order) for order in page), total=total, extra=extra)


def _tests(request: Request) -> list[_Test]:
    """What the parameters ask of an order, as claims to try."""
    params, tests = request.params, [_status_test(request.params["status"])]
    if params["customer"] is not None:
        tests.append(lambda order: order.customer_id == params["customer"])
    if params["include"]:
        tests.append(lambda order: order.id in params["include"])
    if params["exclude"]:
        tests.append(lambda order: order.id not in params["exclude"])
    if params["created_via"]:
        tests.append(lambda order: order.created_via in params["created_via"])
    if params["product"] is not None:
        tests.append(lambda order: any(line.product == params["product"] for line in order.lines))
    if params["search"]:
        tests.append(lambda order: _is_found(order, params["search"].lower()))
    return tests + _date_tests(request)


def _status_test(statuses: Sequence[str]) -> _Test:
    if "any" in statuses:
        return lambda order: order.status != "trash"
    return lambda order: order.status in statuses


def _is_found(order: Order, text: str) -> bool:
    return text == str(order.id) or any(text in value.lower() for value in order.billing.values())


def _date_tests(request: Request) -> list[_Test]:
    def bound(name: str) -> datetime | None:
        text = request.params[name]
        zone, are_gmt = request.state.zone, request.params["dates_are_gmt"]
        return None if text is None else boundary(text, are_gmt=are_gmt, zone=zone)

    after, before = bound("after"), bound("before")
    modified_after, modified_before = bound("modified_after"), bound("modified_before")
    tests: list[_Test] = []
    if after is not None:
        tests.append(lambda order: order.created_at > after)
    if before is not None:
        tests.append(lambda order: order.created_at < before)
    if modified_after is not None:
        tests.append(lambda order: order.modified_at > modified_after)
    if modified_before is not None:
        tests.append(lambda order: order.modified_at < modified_before)
    return tests


def _sorted(rows: list[Order], params: Mapping[str, Any], start: int) -> list[Order]:
    """Rows in the asked order; `modified` is not unique, and its ties fall otherwise on every page."""
    keys: dict[str, Callable[[Order], Any]] = {
        "date": lambda order: (order.created_at, order.id),
        "modified": lambda order: (order.modified_at, tie(order.id, start)),
        "include": lambda order: params["include"].index(order.id) if params["include"] else order.id,
    }
    key = keys.get(params["orderby"], lambda order: order.id)
    return sorted(rows, key=key, reverse=params["order"] == "desc")


def _show(request: Request, order: Order) -> dict[str, Any]:
    shown = render.order(request.view, order)
    wanted = request.params.get("include_meta")
    if wanted:
        shown["meta_data"] = [row for row in shown["meta_data"] if row["key"] in wanted]
    return shown


def one(request: Request) -> Answer:
    """GET orders/<id>; one in the trash too."""
    return one_answer(request, _show(request, request.order()))


def create(request: Request) -> Answer:
    """POST orders."""
    _check(request)
    order = new_order(request.state, customer_id=int(request.body.get("customer_id") or 0), created_via="rest-api")
    order.payment_method = ""
    order.lines = _lines(request)
    _apply(request, order)
    request.state.set_status(order, request.body.get("status", "pending"))
    return one_answer(request, _show(request, order), status=201)


def new_order(
    state: WooState, *, customer_id: int = 0, created_via: str = "checkout", person_id: str | None = None
) -> Order:
    """Open an empty order now, for an account's person or for somebody."""
    now, number = state.clock.second(), state.next_id("order")
    account = state.accounts.get(customer_id)
    order = Order(
        id=number,
        status="pending",
        currency=state.site.currency,
        created_at=now,
        modified_at=now,
        customer_id=customer_id,
        billing=dict.fromkeys(BILLING_FIELDS, ""),
        shipping=dict.fromkeys(SHIPPING_FIELDS, ""),
        lines=[],
        created_via=created_via,
        person_id=person_id or (account.person_id if account else f"{state.site.store}:order:{number}"),
    )
    state.orders[number] = order
    return order


def new_line(state: WooState, product: int, quantity: int, *, percent_off: int = 0) -> Line:
    """A line of some pieces of a product."""
    subtotal = PRODUCTS[product].price * quantity
    total = subtotal - subtotal * percent_off // 100
    return Line(id=state.next_id("line"), product=product, quantity=quantity, subtotal=subtotal, total=total)


def _lines(request: Request) -> list[Line]:
    items = request.body.get("line_items", [])
    unknown = [item for item in items if item.get("product_id") not in PRODUCTS]
    if unknown:
        raise Refused(400, "woocommerce_rest_invalid_product_id", "Product ID provided is invalid.")
    return [new_line(request.state, item["product_id"], int(item.get("quantity", 1))) for item in items]


def update(request: Request) -> Answer:
    """PUT orders/<id>: modifies it even if nothing changes."""
    _check(request)
    order = request.order(status=400)
    _apply(request, order)
    if "customer_id" in request.body:
        order.customer_id = int(request.body["customer_id"])
    if "status" in request.body:
        request.state.set_status(order, request.body["status"])
    return one_answer(request, _show(request, order))


def _check(request: Request) -> None:
    check_types(request.body, _TYPES)
    status = request.body.get("status", "pending")
    if status not in STATUSES:
        words = ", ".join(("auto-draft", *STATUSES[:-1]))
        raise invalid({"status": ("rest_not_in_enum", f"status is not one of {words}, and {STATUSES[-1]}.")})


def _apply(request: Request, order: Order) -> None:
    body, state = request.body, request.state
    fill_address(order.billing, body.get("billing"), BILLING_FIELDS)
    fill_address(order.shipping, body.get("shipping"), SHIPPING_FIELDS)
    order.note = str(body.get("customer_note", order.note))
    order.payment_method = str(body.get("payment_method", order.payment_method))
    write_meta(order.meta, body.get("meta_data"), next_id=lambda: state.next_id("meta"), protected=False)
    state.touch(order)


def delete(request: Request) -> Answer:
    """DELETE orders/<id>: into the trash, or with `force` for good; shows the order as it was."""
    order = request.order()
    answer = one_answer(request, _show(request, order))
    if request.force():
        del request.state.orders[order.id]
    elif order.status == "trash":
        raise Refused(410, "woocommerce_rest_already_trashed", "The shop_order has already been deleted.")
    else:
        request.state.trash(order)
    return answer


def order_refunds(request: Request) -> Answer:
    """GET orders/<id>/refunds."""
    return _refund_list(request, request.order().refunds, with_parent=False)


def all_refunds(request: Request) -> Answer:
    """GET refunds."""
    return _refund_list(request, list(request.state.refunds()), with_parent=True)


def _refund_list(request: Request, rows: Sequence[Refund], *, with_parent: bool) -> Answer:
    start, end = page_bounds(request.params)
    rows = sorted(rows, key=lambda row: (row.created_at, row.id), reverse=request.params["order"] == "desc")
    shown = [render.refund(request.view, row, with_parent=with_parent) for row in rows[start:end]]
    return list_answer(request, shown, total=len(rows) if shown else 0, extra=[("dp", "2")] if with_parent else ())


def refund(request: Request) -> Answer:
    """POST orders/<id>/refunds."""
    order = request.order()
    amount = _hundredths(request.body.get("amount", "0"))
    if amount <= 0:
        words = "Refund amount must be greater than zero."
        raise Refused(400, "woocommerce_rest_invalid_order_refund", words)
    if amount > order.total - order.refunded:
        raise Refused(500, "woocommerce_rest_cannot_create_order_refund", "Invalid refund amount.")
    made = request.state.add_refund(order, amount, str(request.body.get("reason", "")))
    return one_answer(request, render.refund(request.view, made, with_parent=False), status=201)


def _hundredths(text: object) -> int:
    try:
        return round(Decimal(str(text)) * 100)
    except InvalidOperation:
        return 0
