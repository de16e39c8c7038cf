"""One WooCommerce shop: answers the REST API, and lets the merchant and the shoppers act in Python.

Merchant actions take and give ids and change the shop as the same act in a real one would; each is also a POST to
`/_sandbox/<action>`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.exchange import HTML_TYPE, Answer, Call, json_answer
from syncd.sandbox.people import Population
from syncd.sandbox.products import PRODUCTS
from syncd.sandbox.shop import Shop
from syncd.sandbox.woocommerce import customers, orders, routes
from syncd.sandbox.woocommerce.access import KEY_NAMES, ApiKey, Gate, well_known_key
from syncd.sandbox.woocommerce.front import Front
from syncd.sandbox.woocommerce.meta import write_meta
from syncd.sandbox.woocommerce.refusal import Refused
from syncd.sandbox.woocommerce.request import Request, read_params
from syncd.sandbox.woocommerce.seed import fill
from syncd.sandbox.woocommerce.state import (
    BILLING_FIELDS,
    SHIPPING_FIELDS,
    Account,
    Order,
    WooSite,
    WooState,
)

_ALWAYS = {
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "Access-Control-Expose-Headers": "X-WP-Total, X-WP-TotalPages, Link",
    "Access-Control-Allow-Headers": "Authorization, X-WP-Nonce, Content-Disposition, Content-MD5, Content-Type",
}
_UNCACHED = {
    "Expires": "Wed, 11 Jan 1984 05:00:00 GMT",
    "Cache-Control": "no-cache, must-revalidate, max-age=0, no-store, private",
}
_NOT_FOUND = Answer(
    status=404, headers={"Content-Type": HTML_TYPE}, body=b"<!DOCTYPE html><html><body>Page not found</body></html>"
)


class WooShop(Shop):
    """The handle of a served WooCommerce shop.

    Attributes:
        state: Its records, to look into.
        credentials: Its keys by name: admin, read_only, write_only, shop_manager, customer.
        front: What stands before it: nothing, until it is told otherwise.
    """

    platform = "woocommerce"
    actions = frozenset(
        {
            "add_customer",
            "edit_customer",
            "delete_customer",
            "place_order",
            "edit_order",
            "trash_order",
            "delete_order",
            "refund",
            "open_draft",
            "complete_draft",
            "touch_many",
            "put_before",
        }
    )

    def __init__(self, site: WooSite, clock: SandboxClock, population: Population) -> None:
        super().__init__(site.store, clock)
        self.state = WooState(site, clock)
        self.credentials: dict[str, ApiKey] = {name: well_known_key(site.store, name) for name in KEY_NAMES}
        self.front = Front()
        self._gate = Gate(list(self.credentials.values()), clock)
        fill(self.state, population)

    def answer(self, call: Call) -> Answer:
        """What WooCommerce answers, or what stands before it."""
        return self.front.answer(call, self.clock.now(), self._own_answer)

    def _own_answer(self, call: Call) -> Answer:
        self.state.sweep_drafts()
        if self.state.plain_permalinks or not call.path.startswith("/wp-json"):
            return self._without_permalinks(call)
        answer = self._api_answer(call)
        headers = {**_ALWAYS, "Link": f'<{self.url}/wp-json/>; rel="https://api.w.org/"', **answer.headers}
        body = b"" if call.method == "HEAD" else answer.body
        return Answer(status=answer.status, headers=headers, body=body)

    def _without_permalinks(self, call: Call) -> Answer:
        """`?rest_route=` finds the API, but never authenticates."""
        route = call.params.get("rest_route")
        if route is None:
            return _NOT_FOUND
        plain = Call(method=call.method, path="/wp-json" + route.rstrip("/"), query="")
        return self._api_answer(plain)

    def _api_answer(self, call: Call) -> Answer:
        headers: dict[str, str] = {}
        try:
            key = self._gate.owner(call, self.url) if "/wc/" in call.path else None
            headers |= _UNCACHED if key else {"Vary": "Origin"}
            route, ids = routes.find(call)
            routes.check_key(route, key)
            request = Request(call=call, state=self.state, home=self.url, key=key, ids=ids)
            headers["Allow"] = _allow(route, request)
            params = read_params(call, route.schema)
            request = Request(call=call, state=self.state, home=self.url, key=key, ids=ids, params=params)
            routes.check_rights(route, request)
            answer = route.handler(request)
        except Refused as refused:
            answer = json_answer(refused.status, refused.body)
        return Answer(status=answer.status, headers={**headers, **answer.headers}, body=answer.body)

    def truth(self) -> Iterator[tuple[str, str]]:
        """(record id, person id) of each contact: accounts, guest orders, guest carts."""
        for account in self.state.accounts.values():
            yield f"{self.name}:account:{account.id}", account.person_id
        for order in self.state.orders.values():
            if not order.customer_id and order.status not in ("trash", "checkout-draft"):
                yield f"{self.name}:order:{order.id}", order.person_id
            if not order.customer_id and order.status in ("checkout-draft", "pending", "failed"):
                yield f"{self.name}:cart:order:{order.id}", order.person_id

    def summary(self) -> Mapping[str, Any]:
        """How many accounts and orders there are."""
        return {"accounts": len(self.state.accounts), "orders": len(self.state.orders)}

    def add_customer(self, email: str, *, role: str = "customer", person_id: str | None = None, **fields: Any) -> int:
        """Register an account; `fields` are those of `edit_customer`. Gives its id."""
        with self.lock:
            account = customers.new_account(self.state, email, person_id=person_id)
            account.role = role
            return self.edit_customer(account.id, **fields)

    def edit_customer(self, customer_id: int, **fields: Any) -> int:
        """Change an account: email, first_name, last_name, billing, shipping (parts of them), meta_data."""
        with self.lock:
            account = self.state.accounts[customer_id]
            _write(self.state, account, fields)
            self.state.touch(account)
            return account.id

    def delete_customer(self, customer_id: int) -> None:
        """Delete an account; its orders stay."""
        with self.lock:
            self.state.remove_account(self.state.accounts[customer_id])

    def place_order(
        self,
        *,
        customer_id: int = 0,
        status: str = "processing",
        items: Sequence[Sequence[int]] = (),
        person_id: str | None = None,
        **fields: Any,
    ) -> int:
        """Order something, as a guest unless a customer is named.

        Args:
            items: Product id and quantity pairs; one piece of the first product if left out.
            fields: Those of `edit_order`; an account's own address if there is no billing.

        Returns:
            The order's id.
        """
        with self.lock:
            order = orders.new_order(self.state, customer_id=customer_id, person_id=person_id)
            wanted = items or [(min(PRODUCTS), 1)]
            order.lines = [orders.new_line(self.state, product, quantity) for product, quantity in wanted]
            if customer_id:
                order.billing |= self.state.accounts[customer_id].billing
            self.state.set_status(order, status)
            return self.edit_order(order.id, **fields)

    def edit_order(self, order_id: int, *, status: str | None = None, **fields: Any) -> int:
        """Change an order: status, currency, note, billing, shipping (parts of them), meta_data."""
        with self.lock:
            order = self.state.orders[order_id]
            _write(self.state, order, fields)
            self.state.set_status(order, status or order.status)
            return order.id

    def trash_order(self, order_id: int) -> None:
        """Put an order in the trash."""
        with self.lock:
            self.state.trash(self.state.orders[order_id])

    def delete_order(self, order_id: int) -> None:
        """Delete an order for good."""
        with self.lock:
            del self.state.orders[order_id]

    def refund(self, order_id: int, amount: int | None = None, reason: str = "goodwill") -> int:
        """Give money back, in hundredths; all that is left if no amount is named. Gives the refund's id."""
        with self.lock:
            order = self.state.orders[order_id]
            due = order.total - order.refunded
            return self.state.add_refund(order, due if amount is None else amount, reason).id

    def open_draft(self, *, customer_id: int = 0, person_id: str | None = None, **fields: Any) -> int:
        """Open the checkout: a draft order, which is a cart. Gives its id."""
        with self.lock:
            order_id = self.place_order(customer_id=customer_id, status="checkout-draft", person_id=person_id, **fields)
            self.state.orders[order_id].created_via = "store-api"
            return order_id

    def complete_draft(self, order_id: int, status: str = "processing") -> int:
        """Finish a checkout: the draft becomes the order, with the same id."""
        return self.edit_order(order_id, status=status)

    def put_before(self, *, passes_authorization: bool = True, cache_s: float = 0.0, challenges: bool = False) -> None:
        """Put a server or a CDN before the shop; without arguments, take it away again.

        Args:
            passes_authorization: Whether the shop sees the Authorization header.
            cache_s: For how many seconds the CDN gives an answer again to the same address; 0 for no cache.
            challenges: Whether the CDN wants a browser.
        """
        with self.lock:
            self.front = Front(passes_authorization=passes_authorization, cache_s=cache_s, challenges=challenges)

    def touch_many(self, order_ids: Sequence[int], at: str | datetime | None = None) -> None:
        """Stamp many orders as modified in one and the same second, now unless another is named."""
        with self.lock:
            moment = datetime.fromisoformat(at) if isinstance(at, str) else at or self.clock.second()
            for order_id in order_ids:
                self.state.orders[order_id].modified_at = moment


def _allow(route: routes.Route, request: Request) -> str:
    if route.about == "users" and request.ids:
        return ", ".join(routes.allow_on(request))
    return route.allow


def _write(state: WooState, record: Account | Order, fields: Mapping[str, Any]) -> None:
    """Put named fields into a record; an unknown one is a TypeError."""
    customers.fill_address(record.billing, fields.get("billing"), BILLING_FIELDS)
    customers.fill_address(record.shipping, fields.get("shipping"), SHIPPING_FIELDS)
    write_meta(record.meta, fields.get("meta_data"), next_id=lambda: state.next_id("meta"), protected=False)
    for name in fields.keys() - {"billing", "shipping", "meta_data"}:
        if name not in type(record).__slots__:
            raise TypeError(f"there is no field {name}")
        setattr(record, name, fields[name])
