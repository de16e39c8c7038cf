"""One BigCommerce shop: answers the REST API, and lets the merchant and the shoppers act in Python.

Merchant actions take and give ids and change the shop as the same act in a real one would; each is also a POST to
`/_sandbox/<action>`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from syncd.sandbox.bigcommerce import attributes, customers, orders, routes, subscribers
from syncd.sandbox.bigcommerce.access import TOKEN_NAMES, BigToken, Gate, check_scope, well_known_token
from syncd.sandbox.bigcommerce.products import PRODUCTS
from syncd.sandbox.bigcommerce.query import read_params
from syncd.sandbox.bigcommerce.quota import Quota, Slots
from syncd.sandbox.bigcommerce.refusal import Refused
from syncd.sandbox.bigcommerce.request import Request
from syncd.sandbox.bigcommerce.seed import fill
from syncd.sandbox.bigcommerce.state import (
    AWAITING_FULFILLMENT,
    BILLING_FIELDS,
    CANCELLED,
    INCOMPLETE,
    Account,
    BigSite,
    BigState,
    Order,
)
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.exchange import Answer, Call, json_answer
from syncd.sandbox.people import Population
from syncd.sandbox.shop import Shop


class BigShop(Shop):
    """The handle of a served BigCommerce shop.

    Attributes:
        state: Its records, to look into.
        credentials: Its tokens by name: admin, read_only, customers_only, orders_only, nothing.
        quota: How many requests a window it answers; may be set.
        slots: How many writes at once, and how long one takes.
    """

    platform = "bigcommerce"
    actions = frozenset(
        {
            "add_customer",
            "edit_customer",
            "delete_customer",
            "add_address",
            "set_attribute",
            "subscribe",
            "unsubscribe",
            "place_order",
            "edit_order",
            "cancel_order",
            "archive_order",
            "delete_order",
            "refund",
            "open_incomplete",
            "complete_incomplete",
            "drop_incomplete",
            "touch_many",
            "set_quota",
        }
    )

    def __init__(self, site: BigSite, clock: SandboxClock, population: Population) -> None:
        super().__init__(site.store, clock)
        self.state = BigState(site, clock)
        self.credentials: dict[str, BigToken] = {name: well_known_token(site.store, name) for name in TOKEN_NAMES}
        self.quota = Quota(clock=clock, requests=site.requests)
        self.slots = Slots()
        self._gate = Gate(list(self.credentials.values()))
        fill(self.state, population)

    @property
    def store_hash(self) -> str:
        """The shop's identity in every address of the API."""
        return self.state.site.store_hash

    def answer(self, call: Call) -> Answer:
        """What BigCommerce answers."""
        try:
            return self._accepted(call)
        except Refused as refused:
            return json_answer(refused.status, refused.body(call.path), refused.headers)

    def _accepted(self, call: Call) -> Answer:
        token = self._gate.owner(call)
        if not call.path.startswith(f"/stores/{self.store_hash}/"):
            raise Refused(401, "X-Auth-Token header is invalid")
        self.quota.spend()
        try:
            answer = self._routed(call, token)
        except Refused as refused:
            answer = json_answer(refused.status, refused.body(call.path), refused.headers)
        return replace(answer, headers={**answer.headers, **self.quota.headers()})

    def _routed(self, call: Call, token: BigToken) -> Answer:
        route, ids = routes.find(call)
        check_scope(token, route.scopes, route.method)
        params = read_params(call, route.schema)
        request = Request(call=call, state=self.state, home=self.url, ids=ids, params=params)
        if not route.is_crowded:
            return route.handler(request)
        self.slots.check(route.kind)
        return replace(route.handler(request), delay_s=self.slots.take(route.kind))

    def truth(self) -> Iterator[tuple[str, str]]:
        """(record id, person id) of each contact: accounts, guest orders, guest carts."""
        for account in self.state.accounts.values():
            yield f"{self.name}:account:{account.id}", account.person_id
        for order in self.state.orders.values():
            if not order.customer_id:
                kind = "cart:order" if order.status_id == INCOMPLETE else "order"
                yield f"{self.name}:{kind}:{order.id}", order.person_id

    def summary(self) -> Mapping[str, Any]:
        """How many accounts and orders there are."""
        return {
            "accounts": len(self.state.accounts),
            "orders": len(self.state.orders),
            "subscribers": len(self.state.subscribers),
        }

    def add_customer(self, email: str, *, channel_id: int = 1, person_id: str | None = None, **fields: Any) -> int:
        """Register an account; `fields` are those of `edit_customer`. Gives its id."""
        with self.lock:
            if self.state.email_owner(email, channel_id):
                raise ValueError(f"channel {channel_id} has an account of that e-mail")
            account = customers.new_account(self.state, email, person_id=person_id, channel_id=channel_id)
            account.first_name, account.last_name = "New", "Customer"
            return self.edit_customer(account.id, **fields)

    def edit_customer(self, customer_id: int, **fields: Any) -> int:
        """Change an account: email, first_name, last_name, company, phone, notes, group_id, wants_reminders."""
        with self.lock:
            account = self.state.accounts[customer_id]
            _write(account, fields)
            self.state.touch(account)
            return account.id

    def delete_customer(self, customer_id: int) -> None:
        """Delete an account; its orders stay."""
        with self.lock:
            self.state.remove_account(self.state.accounts[customer_id])

    def add_address(self, customer_id: int, **fields: str) -> int:
        """Put an entry into an account's address book, which does not move its modification time. Gives its id."""
        with self.lock:
            return customers.new_address(self.state, self.state.accounts[customer_id], fields).id

    def set_attribute(self, customer_id: int, name: str, value: str | None) -> None:
        """Write an account's attribute as staff would, adding the attribute if need be; None removes the value."""
        with self.lock:
            found = (each for each in self.state.attributes.values() if each.name == name)
            attribute = next(found, None) or attributes.new_attribute(self.state, name)
            if value is None:
                self.state.values.pop((customer_id, attribute.id), None)
            else:
                attributes.write(self.state, customer_id, attribute.id, value)

    def subscribe(self, email: str, **fields: Any) -> int:
        """Let a mailbox agree: first_name, last_name, source, order_id, channel_id, consents. Gives the id."""
        with self.lock:
            return subscribers.subscribe(self.state, email, **fields).id

    def unsubscribe(self, email: str) -> None:
        """Forget that a mailbox agreed: the subscriber is gone."""
        with self.lock:
            rows = self.state.subscribers.values()
            gone = [row.id for row in rows if row.email.lower() == email.lower()]
            for number in gone:
                del self.state.subscribers[number]

    def place_order(
        self,
        *,
        customer_id: int = 0,
        status_id: int = AWAITING_FULFILLMENT,
        items: Sequence[Sequence[int]] = (),
        person_id: str | None = None,
        **fields: Any,
    ) -> int:
        """Order something, as a guest unless a customer is named.

        Args:
            items: Product id and quantity pairs; one piece of the first product if left out.
            fields: Those of `edit_order`; an account's own names and mailbox if there is no billing.

        Returns:
            The order's id.
        """
        with self.lock:
            order = orders.new_order(self.state, customer_id=customer_id, person_id=person_id)
            wanted = items or [(min(PRODUCTS), 1)]
            order.lines = [orders.new_line(self.state, product, quantity) for product, quantity in wanted]
            order.billing |= _self_description(self.state, customer_id)
            self.state.set_status(order, status_id)
            return self.edit_order(order.id, **fields)

    def edit_order(self, order_id: int, *, status_id: int | None = None, **fields: Any) -> int:
        """Change an order: status_id, staff_notes, billing, shipping (parts of them), and its other plain fields."""
        with self.lock:
            order = self.state.orders[order_id]
            _write(order, fields)
            self.state.set_status(order, order.status_id if status_id is None else status_id)
            return order.id

    def cancel_order(self, order_id: int) -> None:
        """Cancel an order."""
        self.edit_order(order_id, status_id=CANCELLED)

    def archive_order(self, order_id: int) -> None:
        """Put an order out of sight."""
        with self.lock:
            self.state.archive(self.state.orders[order_id])

    def delete_order(self, order_id: int) -> None:
        """Make an order vanish without a trace."""
        with self.lock:
            del self.state.orders[order_id]

    def refund(self, order_id: int, amount: int | None = None, reason: str = "goodwill") -> int:
        """Give money back, in hundredths; all that is left if no amount is named. Gives the refund's id."""
        with self.lock:
            order = self.state.orders[order_id]
            due = order.total - order.refunded
            return self.state.add_refund(order, due if amount is None else amount, reason).id

    def open_incomplete(self, *, customer_id: int = 0, person_id: str | None = None, **fields: Any) -> int:
        """Reach the payment page: an incomplete order, which is a cart. Gives its id."""
        return self.place_order(customer_id=customer_id, status_id=INCOMPLETE, person_id=person_id, **fields)

    def complete_incomplete(self, order_id: int, status_id: int = AWAITING_FULFILLMENT) -> int:
        """Pay: the incomplete order becomes the order, with the same id."""
        return self.edit_order(order_id, status_id=status_id)

    def drop_incomplete(self, order_id: int) -> None:
        """Start the checkout again: the incomplete order vanishes."""
        if self.state.orders[order_id].status_id != INCOMPLETE:
            raise ValueError("only an incomplete order vanishes")
        self.delete_order(order_id)

    def touch_many(self, order_ids: Sequence[int], at: str | datetime | None = None) -> None:
        """Stamp many orders as modified in one and the same second, now unless another is named."""
        with self.lock:
            moment = datetime.fromisoformat(at) if isinstance(at, str) else at or self.clock.second()
            for order_id in order_ids:
                self.state.orders[order_id].modified_at = moment

    def set_quota(self, requests: int, *, is_silent: bool = False) -> None:
        """Change how many requests a window has, from a new window on.

        Args:
            is_silent: A 429 then comes without the quota's headers, as under platform load.
        """
        with self.lock:
            self.quota = Quota(clock=self.clock, requests=requests, is_silent=is_silent)


def _self_description(state: BigState, customer_id: int) -> dict[str, str]:
    account = state.accounts.get(customer_id)
    if account is None:
        return {}
    return {name: getattr(account, name) for name in ("first_name", "last_name", "company", "phone", "email")}


def _write(record: Account | Order, fields: Mapping[str, Any]) -> None:
    """Put named fields into a record; an unknown one is a TypeError."""
    for name, value in fields.items():
        if name not in type(record).__slots__:
            raise TypeError(f"there is no field {name}")
        if isinstance(record, Order) and name in ("billing", "shipping"):
            _fill_address(record.billing if name == "billing" else record.shipping, value)
        else:
            setattr(record, name, value)


def _fill_address(address: dict[str, str], given: Mapping[str, str]) -> None:
    unknown = given.keys() - set(BILLING_FIELDS)
    if unknown:
        raise TypeError(f"an address has no {', '.join(sorted(unknown))}")
    address |= given
