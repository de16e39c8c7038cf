"""One Shopify shop: answers the Admin API and the making of tokens, and lets the merchant and the shoppers act.

Merchant actions take and give ids and change the shop as the same act in a real one would; each is also a POST to
`/_sandbox/<action>`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

import orjson

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.exchange import Answer, Call, json_answer
from syncd.sandbox.people import Population
from syncd.sandbox.products import PRODUCTS
from syncd.sandbox.shop import Shop
from syncd.sandbox.shopify import engine, oauth
from syncd.sandbox.shopify.access import TOKEN_NAMES, Gate, ShopifyApp, ShopifyToken, well_known_access_token
from syncd.sandbox.shopify.bulk import OUTPUTS, BulkDesk
from syncd.sandbox.shopify.cost import Bucket
from syncd.sandbox.shopify.resolvers import VERSIONS, Root
from syncd.sandbox.shopify.seed import fill
from syncd.sandbox.shopify.state import (
    Account,
    Checkout,
    Consent,
    Line,
    Order,
    Piece,
    Place,
    Record,
    Refund,
    ShopifySite,
    ShopifyState,
)

_GRAPHQL = re.compile(r"/admin/api/([\w-]+)/graphql\.json")
_REFUSED_KEY = "[API] Invalid API key or access token (unrecognized login or wrong password)"


class ShopifyShop(Shop):
    """The handle of a served Shopify shop.

    Attributes:
        state: Its records, its plan and its index lag, to look into and to set.
        credentials: Its tokens by name: admin, recent_orders, read_only, no_customers.
        gate: Its app, and whether client credentials work.
        bucket: The points that queries may cost.
        bulk: Its bulk operations, and what goes wrong with them.
    """

    platform = "shopify"
    actions = frozenset(
        {
            "add_customer",
            "edit_customer",
            "delete_customer",
            "place_order",
            "edit_order",
            "cancel_order",
            "delete_order",
            "refund",
            "open_checkout",
            "complete_checkout",
            "touch_many",
        }
    )

    def __init__(self, site: ShopifySite, clock: SandboxClock, population: Population) -> None:
        super().__init__(site.store, clock)
        self.state = ShopifyState(site, clock)
        self.credentials: dict[str, ShopifyToken] = {
            name: well_known_access_token(site.store, name) for name in TOKEN_NAMES
        }
        self.gate = Gate(site.store, clock)
        self.bucket = Bucket(self.state)
        self.bulk = BulkDesk(clock=clock)
        fill(self.state, population)

    @property
    def app(self) -> ShopifyApp:
        """The app whose client credentials open the shop."""
        return self.gate.app

    def answer(self, call: Call) -> Answer:
        """What Shopify answers."""
        answer = self._routed(call)
        number = f"{len(self.history):08x}-{abs(hash(call.path)) % 65536:04x}-sandbox"
        return replace(answer, headers={"X-Request-Id": number, **answer.headers})

    def _routed(self, call: Call) -> Answer:
        api = _GRAPHQL.fullmatch(call.path)
        if call.method == "POST" and api:
            return self._graphql(call, _served(api[1]))
        if (call.method, call.path) == ("POST", "/admin/oauth/access_token"):
            return oauth.token_answer(self.gate, call)
        if (call.method, call.path) == ("GET", "/admin/oauth/authorize"):
            return oauth.approval(self.gate, self.state, call)
        if call.method == "GET" and call.path.startswith(OUTPUTS):
            return self.bulk.file(call)
        return json_answer(404, {"errors": "Not Found"})

    def _graphql(self, call: Call, version: str) -> Answer:
        headers = {"X-Shopify-API-Version": version}
        token = self.gate.find(call.headers.get("x-shopify-access-token", ""))
        if token is None:
            return json_answer(401, {"errors": _REFUSED_KEY}, headers)
        request = _request(call, version)
        if request is None:
            return json_answer(400, {"errors": {"query": "Required parameter missing or invalid"}}, headers)
        root = Root(
            state=self.state,
            token=token,
            bulk=self.bulk,
            address=self.url,
            ignores_filter="query" in call.ignored,
        )
        body, deprecated = engine.run(root, self.bucket, request)
        if deprecated:
            headers["X-Shopify-API-Deprecated-Reason"] = ", ".join(deprecated)
        return json_answer(200, body, headers)

    def truth(self) -> Iterator[tuple[str, str]]:
        """(record id, person id) of each contact: accounts, and orders and checkouts that belong to none."""
        accounts = self.state.accounts
        for account in accounts.values():
            yield f"{self.name}:account:{account.id}", account.person_id
        for order in self.state.orders.values():
            if order.customer_id not in accounts:
                yield f"{self.name}:order:{order.id}", order.person_id
        for checkout in self.state.checkouts.values():
            if checkout.customer_id not in accounts:
                yield f"{self.name}:cart:{checkout.id}", checkout.person_id

    def summary(self) -> Mapping[str, Any]:
        """How many customers, orders and checkouts there are."""
        state = self.state
        return {"accounts": len(state.accounts), "orders": len(state.orders), "checkouts": len(state.checkouts)}

    # -- what the merchant and the shoppers do ------------------------------------------------------------------------

    def add_customer(self, email: str | None = None, *, person_id: str | None = None, **fields: Any) -> int:
        """Add a customer; `fields` are those of `edit_customer`. Gives the id."""
        with self.lock:
            number = self.state.next_id("account")
            account = Account(**self._born(number), person_id=person_id or f"customer:{number}", email=email)
            self.state.accounts[number] = account
            _write(account, fields)
            return number

    def edit_customer(self, customer_id: int, **fields: Any) -> int:
        """Change a customer: any field of `Account`; addresses and consents may be given as JSON objects."""
        with self.lock:
            account = self.state.accounts[customer_id]
            _write(account, fields)
            self.state.touch(account)
            return customer_id

    def delete_customer(self, customer_id: int) -> None:
        """Delete a customer; the orders stay, without one."""
        with self.lock:
            del self.state.accounts[customer_id]

    def place_order(
        self,
        *,
        customer_id: int | None = None,
        items: Sequence[Sequence[int]] = (),
        person_id: str | None = None,
        **fields: Any,
    ) -> int:
        """Order something, as a guest unless a customer is named.

        Args:
            items: Product id and quantity pairs; one piece of the first product if left out.
            fields: Those of `edit_order`; the customer's own mailbox and address if there are none.

        Returns:
            The order's id.
        """
        with self.lock:
            number = self.state.next_id("order")
            account = self.state.accounts.get(customer_id or 0)
            person = person_id or (account.person_id if account else f"order:{number}")
            order = Order(**self._born(number), person_id=person, number=self.state.next_number())
            order.customer_id, order.lines = customer_id, self._lines(items)
            if account is not None:
                order.email, order.billing = account.email, next(iter(account.addresses), None)
                self.state.touch(account)
            self.state.orders[number] = order
            _write(order, fields)
            return number

    def edit_order(self, order_id: int, **fields: Any) -> int:
        """Change an order: any field of `Order`; addresses may be given as JSON objects."""
        with self.lock:
            order = self.state.orders[order_id]
            _write(order, fields)
            self.state.touch(order)
            return order_id

    def cancel_order(self, order_id: int, reason: str = "CUSTOMER") -> None:
        """Cancel an order, giving back what was paid."""
        with self.lock:
            order = self.state.orders[order_id]
            if order.financial in ("PENDING", "AUTHORIZED"):
                order.financial = "VOIDED"
            elif order.total > order.refunded:
                self.refund(order_id)
            self.edit_order(order_id, cancelled_at=self.clock.second(), cancel_reason=reason)

    def delete_order(self, order_id: int) -> None:
        """Delete an order for good."""
        with self.lock:
            del self.state.orders[order_id]

    def refund(self, order_id: int, amount: int | None = None, note: str = "goodwill") -> int:
        """Give money back, in hundredths; all that is left if no amount is named. Gives the refund's id."""
        with self.lock:
            order, number = self.state.orders[order_id], self.state.next_id("refund")
            given = order.total - order.refunded if amount is None else amount
            pieces = tuple(Piece(id=line.id, quantity=line.quantity) for line in order.lines) if amount is None else ()
            made = Refund(id=number, amount=given, created_at=self.clock.second(), note=note, pieces=pieces)
            order.refunds.append(made)
            order.financial = "REFUNDED" if order.refunded >= order.total else "PARTIALLY_REFUNDED"
            self.state.touch(order)
            return number

    def open_checkout(
        self,
        *,
        customer_id: int | None = None,
        items: Sequence[Sequence[int]] = (),
        person_id: str | None = None,
        **fields: Any,
    ) -> int:
        """Begin a checkout and leave it. Gives its id."""
        with self.lock:
            number = self.state.next_id("checkout")
            checkout = Checkout(**self._born(number), person_id=person_id or f"cart:{number}", customer_id=customer_id)
            checkout.lines = self._lines(items)
            self.state.checkouts[number] = checkout
            _write(checkout, fields)
            return number

    def complete_checkout(self, checkout_id: int) -> int:
        """Finish a left checkout after all; gives the order's id. Nothing but its lines ties the two."""
        with self.lock:
            checkout = self.state.checkouts[checkout_id]
            checkout.completed_at = self.clock.second()
            self.state.touch(checkout)
            return self.place_order(
                customer_id=checkout.customer_id,
                items=[(line.product, line.quantity) for line in checkout.lines],
                person_id=checkout.person_id,
                billing=checkout.billing,
            )

    def touch_many(self, order_ids: Sequence[int], at: str | datetime | None = None) -> None:
        """Stamp many orders as changed in one and the same second, now unless another is named."""
        with self.lock:
            moment = datetime.fromisoformat(at) if isinstance(at, str) else at or self.clock.second()
            for order_id in order_ids:
                self.state.touch(self.state.orders[order_id])
                self.state.orders[order_id].updated_at = moment

    def _born(self, number: int) -> dict[str, Any]:
        """What every new record has."""
        now = self.clock.second()
        return {"id": number, "created_at": now, "updated_at": now, "changed_at": self.clock.now()}

    def _lines(self, items: Sequence[Sequence[int]]) -> list[Line]:
        wanted = items or [(min(PRODUCTS), 1)]
        return [
            Line(id=self.state.next_id("line"), product=product, quantity=quantity, price=PRODUCTS[product].price)
            for product, quantity in wanted
        ]


def _served(version: str) -> str:
    """The version that answers: one that is not supported any more, or not known, falls forward to the oldest."""
    return version if version in VERSIONS else VERSIONS[0]


def _request(call: Call, version: str) -> engine.Request | None:
    """The GraphQL request in a body; None if there is none."""
    if "application/graphql" in call.headers.get("content-type", ""):
        return engine.Request(query=call.body.decode("utf-8", "replace"), version=version, variables={})
    try:
        body = orjson.loads(call.body)
        return engine.Request(
            query=body["query"],
            version=version,
            variables=body.get("variables") or {},
            operation_name=body.get("operationName"),
        )
    except (orjson.JSONDecodeError, TypeError, LookupError, AttributeError):
        return None


def _place(given: Any) -> Place | None:
    if given is None or isinstance(given, Place):
        return given
    return Place(**{"id": 1, **given})


def _consent(given: Any) -> Consent:
    return given if isinstance(given, Consent) else Consent(**given)


_PARTS: Mapping[str, Callable[[Any], Any]] = {
    "billing": _place,
    "shipping": _place,
    "addresses": lambda given: [_place(each) for each in given],
    "email_consent": _consent,
    "sms_consent": _consent,
}


def _write(record: Record, given: Mapping[str, Any]) -> None:
    """Put named fields into a record; an unknown one is a TypeError."""
    known = {each.name for each in fields(record)}
    for name, value in given.items():
        if name not in known:
            raise TypeError(f"there is no field {name}")
        setattr(record, name, _PARTS[name](value) if name in _PARTS else value)
