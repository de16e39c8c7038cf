"""What a BigCommerce shop holds, and how it changes: the rules that hold whoever makes the change."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from syncd.sandbox.bigcommerce.products import PRODUCTS
from syncd.sandbox.bigcommerce.quota import STANDARD_REQUESTS
from syncd.sandbox.clock import SandboxClock

STATUSES: Mapping[int, str] = dict(
    enumerate(
        (
            "Incomplete", "Pending", "Shipped", "Partially Shipped", "Refunded", "Cancelled", "Declined",
            "Awaiting Payment", "Awaiting Pickup", "Awaiting Shipment", "Completed", "Awaiting Fulfillment",
            "Manual Verification Required", "Disputed", "Partially Refunded",
        )
    )
)  # fmt: skip
INCOMPLETE, SHIPPED, REFUNDED, CANCELLED, COMPLETED, AWAITING_FULFILLMENT, PARTIALLY_REFUNDED = 0, 2, 4, 5, 10, 11, 14
ADDRESS_FIELDS = ("first_name", "last_name", "company", "street", "city", "state", "postcode", "country", "phone")
BILLING_FIELDS = (*ADDRESS_FIELDS, "email")


@dataclass(frozen=True, kw_only=True, slots=True)
class BigSite:
    """A shop's settings.

    Args:
        store_hash: The shop's identity in every address of the API.
        timezone: IANA name.
        requests: How many requests its plan allows in 30 seconds.
    """

    store: str
    title: str
    store_hash: str
    timezone: str
    country: str
    currency: str
    requests: int = STANDARD_REQUESTS


@dataclass(kw_only=True, slots=True)
class Address:
    """An entry of an account's address book; `country` is ISO 3166-1 alpha-2."""

    id: int
    customer_id: int
    fields: dict[str, str]
    is_residential: bool = True


@dataclass(kw_only=True, slots=True)
class Account:
    """A customer; `person_id` is the truth about who it is."""

    id: int
    email: str
    created_at: datetime
    modified_at: datetime
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    phone: str = ""
    notes: str = ""
    group_id: int = 0
    channel_id: int = 1
    wants_reminders: bool = False
    store_credit: int = 0
    addresses: list[Address] = field(default_factory=list)
    person_id: str


@dataclass(kw_only=True, slots=True)
class Attribute:
    """A field that the merchant or an app added to customers."""

    id: int
    name: str
    kind: str
    created_at: datetime
    modified_at: datetime


@dataclass(kw_only=True, slots=True)
class AttributeValue:
    """What one customer has in an attribute."""

    id: int
    attribute_id: int
    customer_id: int
    value: str
    created_at: datetime
    modified_at: datetime


@dataclass(kw_only=True, slots=True)
class Subscriber:
    """A mailbox that agreed to something; it need not be a customer's."""

    id: int
    email: str
    created_at: datetime
    modified_at: datetime
    first_name: str = ""
    last_name: str = ""
    source: str = "storefront"
    order_id: int | None = None
    channel_id: int = 1
    consents: tuple[str, ...] = ("marketing_newsletter",)


@dataclass(kw_only=True, slots=True)
class Line:
    """A product on an order; amounts in hundredths."""

    id: int
    product: int
    quantity: int
    price: int
    discount: int = 0
    tax_percent: int = 0
    refunded_quantity: int = 0

    @property
    def total(self) -> int:
        """Price times quantity, without tax and before the discount."""
        return self.price * self.quantity

    @property
    def tax(self) -> int:
        """What the state gets, of the discounted price."""
        return (self.total - self.discount) * self.tax_percent // 100

    @property
    def paid(self) -> int:
        """What the shopper pays for it."""
        return self.total - self.discount + self.tax


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundItem:
    """What a refund gives money back for: PRODUCT, SHIPPING or ORDER."""

    kind: str
    item_id: int
    quantity: int
    amount: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Refund:
    """Money given back; the amount in hundredths."""

    id: int
    order_id: int
    amount: int
    reason: str
    created_at: datetime
    items: tuple[RefundItem, ...]


@dataclass(kw_only=True, slots=True)
class Order:
    """An order, or a checkout that was not finished; amounts in hundredths of the currency that is paid in."""

    id: int
    status_id: int
    currency: str
    shown_currency: str
    created_at: datetime
    modified_at: datetime
    customer_id: int
    billing: dict[str, str]
    shipping: dict[str, str]
    lines: list[Line]
    shipping_fee: int = 0
    coupon: str = ""
    refunds: list[Refund] = field(default_factory=list)
    channel_id: int = 1
    cart_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    payment_method: str = "Credit Card"
    source: str = "www"
    external_order_id: str = ""
    customer_message: str = ""
    staff_notes: str = ""
    is_opt_in: bool = False
    is_deleted: bool = False
    shipped_at: datetime | None = None
    person_id: str

    @property
    def total(self) -> int:
        """What is to be paid."""
        return sum(line.paid for line in self.lines) + self.shipping_fee

    @property
    def refunded(self) -> int:
        """What was given back."""
        return sum(refund.amount for refund in self.refunds)


class BigState:
    """A shop's records and the changes they go through.

    Attributes:
        lists_archived: Whether lists of orders hold archived ones too.
    """

    def __init__(self, site: BigSite, clock: SandboxClock) -> None:
        self.site = site
        self.clock = clock
        self.accounts: dict[int, Account] = {}
        self.orders: dict[int, Order] = {}
        self.attributes: dict[int, Attribute] = {}
        self.values: dict[tuple[int, int], AttributeValue] = {}
        self.subscribers: dict[int, Subscriber] = {}
        self.lists_archived = True
        self._ids: dict[str, itertools.count[int]] = {}

    def next_id(self, kind: str) -> int:
        """A fresh id of a kind of record."""
        return next(self._ids.setdefault(kind, itertools.count(1 if kind != "order" else 100)))

    def touch(self, record: Account | Order | Subscriber) -> None:
        """Stamp a record as modified now."""
        record.modified_at = self.clock.second()

    def addresses(self) -> Iterator[Address]:
        """Every address of every account, by id."""
        every = itertools.chain.from_iterable(account.addresses for account in self.accounts.values())
        return iter(sorted(every, key=lambda address: address.id))

    def refunds(self) -> list[Refund]:
        """Every refund of every order, by id."""
        every = itertools.chain.from_iterable(order.refunds for order in self.orders.values())
        return sorted(every, key=lambda refund: refund.id)

    def values_of(self, customer_id: int) -> list[AttributeValue]:
        """What a customer has in attributes, by attribute."""
        found = [self.values.get((customer_id, attribute_id)) for attribute_id in self.attributes]
        return [value for value in found if value is not None]

    def email_owner(self, email: str, channel_id: int) -> Account | None:
        """The account that logs in with an address on a channel; other channels may have another."""
        wanted = (email.lower(), channel_id)
        return next(
            (account for account in self.accounts.values() if (account.email.lower(), account.channel_id) == wanted),
            None,
        )

    def set_status(self, order: Order, status_id: int) -> None:
        """Move an order to a status, with what follows from it."""
        order.status_id = status_id
        if status_id in (SHIPPED, COMPLETED) and order.shipped_at is None:
            order.shipped_at = self.clock.second()
        self.touch(order)

    def archive(self, order: Order) -> None:
        """Put an order out of sight; it can still be asked for by id."""
        order.is_deleted = True
        self.touch(order)

    def add_refund(self, order: Order, amount: int, reason: str) -> Refund:
        """Give money back; the order's status and modification time move, its amounts do not."""
        refund = self.new_refund(order, amount, reason, self.clock.second())
        order.refunds.append(refund)
        self.set_status(order, REFUNDED if order.refunded >= order.total else PARTIALLY_REFUNDED)
        return refund

    def new_refund(self, order: Order, amount: int, reason: str, at: datetime) -> Refund:
        """A refund of everything, or of a part that is not said to be for one thing or another."""
        items = _whole(order) if amount == order.total else (_part(order, amount),)
        number = self.next_id("refund")
        return Refund(id=number, order_id=order.id, amount=amount, reason=reason, created_at=at, items=items)

    def remove_account(self, account: Account) -> None:
        """Delete an account with what hangs on it; its orders stay, as guest orders and modified."""
        del self.accounts[account.id]
        self.values = {key: value for key, value in self.values.items() if value.customer_id != account.id}
        for order in self.orders.values():
            if order.customer_id == account.id:
                order.customer_id = 0
                self.touch(order)


def _whole(order: Order) -> tuple[RefundItem, ...]:
    """Everything on an order, which is marked as returned."""
    items = []
    for line in order.lines:
        line.refunded_quantity = line.quantity
        items.append(RefundItem(kind="PRODUCT", item_id=line.id, quantity=line.quantity, amount=line.paid))
    if order.shipping_fee:
        items.append(RefundItem(kind="SHIPPING", item_id=order.id, quantity=1, amount=order.shipping_fee))
    return tuple(items)


def _part(order: Order, amount: int) -> RefundItem:
    return RefundItem(kind="ORDER", item_id=order.id, quantity=1, amount=amount)


def is_digital(order: Order) -> bool:
    """Whether nothing on an order is shipped."""
    return all(PRODUCTS[line.product].is_digital for line in order.lines)
