"""Which call means what: addresses, methods, scopes, and which writes may not crowd."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from syncd.sandbox.bigcommerce import attributes, customers, orders, query, refunds, site, subscribers
from syncd.sandbox.bigcommerce.refusal import Refused, not_found
from syncd.sandbox.bigcommerce.request import Request
from syncd.sandbox.exchange import Answer, Call

_CUSTOMERS = ("store_v2_customers",)
_ORDERS = ("store_v2_orders",)
_REFUNDS = ("store_v2_orders", "store_v2_transactions")
_INFORMATION = ("store_v2_information",)


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """One method of one address.

    Args:
        scopes: Any of these opens it; none, if it is open to every token.
        is_crowded: Whether only a few calls may be under way at once.
    """

    method: str
    path: re.Pattern[str]
    handler: Callable[[Request], Answer]
    scopes: Sequence[str]
    schema: query.Schema
    is_crowded: bool = False

    @property
    def kind(self) -> str:
        """Calls of the same kind crowd each other."""
        return f"{self.method} {self.path.pattern}"


def _route(
    line: str,
    handler: Callable[[Request], Answer],
    scopes: Sequence[str],
    schema: query.Schema = query.NONE,
    *,
    is_crowded: bool = False,
) -> Route:
    method, path = line.split()
    pattern = re.compile(r"/stores/\w+" + path.replace("<id>", r"(\d+)") + "/?")
    return Route(method=method, path=pattern, handler=handler, scopes=scopes, schema=schema, is_crowded=is_crowded)


ROUTES = (
    _route("GET /v2/store", site.store, _INFORMATION),
    _route("GET /v2/time", site.time, ()),
    _route("GET /v3/customers", customers.listing, _CUSTOMERS, query.CUSTOMERS),
    _route("PUT /v3/customers", customers.update, _CUSTOMERS, is_crowded=True),
    _route("GET /v3/customers/addresses", customers.addresses, _CUSTOMERS, query.ADDRESSES),
    _route("GET /v3/customers/attributes", attributes.listing, _CUSTOMERS, query.ATTRIBUTES),
    _route("POST /v3/customers/attributes", attributes.create, _CUSTOMERS, is_crowded=True),
    _route("DELETE /v3/customers/attributes", attributes.remove, _CUSTOMERS, query.BY_IDS),
    _route("GET /v3/customers/attribute-values", attributes.values, _CUSTOMERS, query.ATTRIBUTE_VALUES),
    _route("PUT /v3/customers/attribute-values", attributes.upsert, _CUSTOMERS, is_crowded=True),
    _route("DELETE /v3/customers/attribute-values", attributes.remove_values, _CUSTOMERS, query.BY_IDS),
    _route("GET /v3/customers/subscribers", subscribers.listing, _CUSTOMERS, query.SUBSCRIBERS),
    _route("GET /v2/orders", orders.listing, _ORDERS, query.ORDERS),
    _route("GET /v2/orders/count", orders.count, _ORDERS, query.ORDER_FILTERS),
    _route("GET /v2/orders/<id>", orders.one, _ORDERS, query.ORDER),
    _route("DELETE /v2/orders/<id>", orders.archive, _ORDERS),
    _route("GET /v2/orders/<id>/products", orders.products, _ORDERS, query.PAGES),
    _route("GET /v3/orders/<id>/payment_actions/refunds", refunds.of_order, _REFUNDS, query.ORDER_REFUNDS),
    _route("GET /v3/orders/payment_actions/refunds", refunds.listing, _REFUNDS, query.REFUNDS),
)


def find(call: Call) -> tuple[Route, tuple[int, ...]]:
    """The route of a call and the numbers in its path.

    Raises:
        Refused: There is none, or not for this method.
    """
    at_path = [(route, found) for route in ROUTES if (found := route.path.fullmatch(call.path))]
    for route, found in at_path:
        if route.method == call.method:
            return route, tuple(int(number) for number in found.groups())
    if at_path:
        raise Refused(405, "The requested method is not allowed.")
    raise not_found()
