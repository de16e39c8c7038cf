"""Which call means what: routes, the methods they know, the rights they need, and how a lack of rights is worded."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from syncd.sandbox.exchange import Answer, Call
from syncd.sandbox.woocommerce import customers, orders, site
from syncd.sandbox.woocommerce.access import ApiKey
from syncd.sandbox.woocommerce.params import CUSTOMERS, ONE, ORDERS, REFUNDS, Param
from syncd.sandbox.woocommerce.refusal import Refused
from syncd.sandbox.woocommerce.request import Request

_LACKING = {
    "list": ("view", "Sorry, you cannot list resources."),
    "view": ("view", "Sorry, you cannot view this resource."),
    "create": ("create", "Sorry, you are not allowed to create resources."),
    "edit": ("edit", "Sorry, you are not allowed to edit this resource."),
    "delete": ("delete", "Sorry, you are not allowed to delete this resource."),
    "batch": ("batch", "Sorry, you are not allowed to batch manipulate this resource."),
}
_VERBS = {"view": "GET", "edit": "PUT", "delete": "DELETE"}
# A shop manager may neither make nor remove users, and a batch asks for the right to make them.
_ADMIN_ONLY = frozenset({"create", "batch", "delete"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """One method of one address.

    Args:
        right: What the asker must be allowed to do; "" for anybody.
        about: users where the rights of users apply, shop otherwise.
        allow: The Allow header of its answers.
    """

    method: str
    path: re.Pattern[str]
    handler: Callable[[Request], Answer]
    right: str
    about: str = "shop"
    schema: Mapping[str, Param] = field(default_factory=dict)
    allow: str = "GET, POST"


def _routes() -> tuple[Route, ...]:
    one, many, batch = "GET, POST, PUT, PATCH, DELETE", "GET, POST", "POST, PUT, PATCH"
    known: list[Route] = []

    def add(methods: str, path: str, handler: Callable[[Request], Answer], right: str, **more: object) -> None:
        pattern = re.compile(r"/wp-json" + path.replace("<id>", r"(\d+)") + "/?")
        known.extend(
            Route(method=method, path=pattern, handler=handler, right=right, **more)  # type: ignore[arg-type]
            for method in methods.split()
        )

    v3 = "/wc/v3"
    add("GET", "", site.index, "", allow="GET")
    for path, users, schema, module in (
        ("/customers", "users", CUSTOMERS, customers),
        ("/orders", "shop", ORDERS, orders),
    ):
        add("GET", v3 + path, module.listing, "list", about=users, schema=schema, allow=many)
        add("POST", v3 + path, module.create, "create", about=users, schema=ONE, allow=many)
        add("GET", f"{v3}{path}/<id>", module.one, "view", about=users, schema=ONE, allow=one)
        add("PUT POST PATCH", f"{v3}{path}/<id>", module.update, "edit", about=users, schema=ONE, allow=one)
        add("DELETE", f"{v3}{path}/<id>", module.delete, "delete", about=users, schema=ONE, allow=one)
    add("POST PUT PATCH", f"{v3}/customers/batch", customers.batch, "batch", about="users", schema=ONE, allow=batch)
    add("OPTIONS", f"{v3}/customers", site.customers_schema, "")
    add("OPTIONS", f"{v3}/orders", site.orders_schema, "")
    add("GET", f"{v3}/orders/<id>/refunds", orders.order_refunds, "list", schema=REFUNDS)
    add("POST", f"{v3}/orders/<id>/refunds", orders.refund, "create", schema=ONE)
    add("GET", f"{v3}/refunds", orders.all_refunds, "list", schema=REFUNDS, allow="GET")
    add("GET", f"{v3}/system_status", site.system_status, "list", allow="GET")
    add("GET", f"{v3}/settings/general/woocommerce_currency", site.currency, "list", allow="GET, POST, PUT, PATCH")
    add(
        "GET", f"{v3}/settings/general/woocommerce_default_country", site.country, "list", allow="GET, POST, PUT, PATCH"
    )
    add("GET", rf"{v3}/settings/general/\w+", site.no_setting, "list")
    add("GET", f"{v3}/reports", site.reports, "list", allow="GET")
    add("GET", f"{v3}/reports/orders/totals", site.order_totals, "list", allow="GET")
    add("GET", f"{v3}/reports/customers/totals", site.customer_totals, "list", allow="GET")
    return tuple(known)


ROUTES = _routes()


def find(call: Call) -> tuple[Route, tuple[int, ...]]:
    """The route of a call and the numbers in its path; HEAD goes where GET goes.

    Raises:
        Refused: There is none.
    """
    method = "GET" if call.method == "HEAD" else call.method
    for route in ROUTES:
        found = route.path.fullmatch(call.path) if route.method == method else None
        if found:
            return route, tuple(int(number) for number in found.groups())
    raise Refused(404, "rest_no_route", "No route was found matching the URL and request method.")


def check_key(route: Route, key: ApiKey | None) -> None:
    """Refuse a method that the key was not made for."""
    if key is None or not route.right:
        return
    need = "read" if route.method in ("GET", "OPTIONS") else "write"
    if need not in key.permissions.split("_"):
        words = f"The API key provided does not have {need} permissions."
        raise Refused(401, "woocommerce_rest_authentication_error", words)


def check_rights(route: Route, request: Request) -> None:
    """Refuse what the key's owner may not do: 401 to nobody in particular, 403 to a known user."""
    if not route.right or _may(route, request):
        return
    code, words = _LACKING[route.right]
    raise Refused(403 if request.key else 401, f"woocommerce_rest_cannot_{code}", words)


def _may(route: Route, request: Request) -> bool:
    key = request.key
    if key is None or key.role == "customer":
        return False
    if key.role == "administrator" or route.about == "shop":
        return True
    if not request.ids:
        return route.right not in _ADMIN_ONLY
    return _VERBS[route.right] in allow_on(request)


def allow_on(request: Request) -> tuple[str, ...]:
    """The methods the asker may use on the account in the path."""
    return customers.allowed(request.key, request.state.accounts.get(request.ids[0]))
