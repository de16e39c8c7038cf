"""What a WooCommerce shop holds, and how it changes: the rules that hold whoever makes the change."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from syncd.sandbox.clock import SandboxClock

STATUSES = ("pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "checkout-draft")
NAME_FIELDS = ("first_name", "last_name", "company", "address_1", "address_2", "city", "postcode", "country", "state")
BILLING_FIELDS = (*NAME_FIELDS, "email", "phone")
SHIPPING_FIELDS = (*NAME_FIELDS, "phone")
_PAID = frozenset({"processing", "completed"})
_DRAFT_LIFE = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class WooSite:
    """A shop's settings.

    Args:
        timezone: IANA name.
        decimals: Decimals of every amount, whatever its currency.
    """

    store: str
    title: str
    timezone: str
    country: str
    currency: str
    decimals: int = 2


@dataclass(kw_only=True, slots=True)
class Meta:
    """One row of meta data."""

    id: int
    key: str
    value: object


@dataclass(kw_only=True, slots=True)
class Account:
    """A user of the shop; `person_id` is the truth about who it is."""

    id: int
    email: str
    username: str
    created_at: datetime
    modified_at: datetime | None
    first_name: str = ""
    last_name: str = ""
    role: str = "customer"
    is_paying: bool = False
    billing: dict[str, str] = field(default_factory=lambda: dict.fromkeys(BILLING_FIELDS, ""))
    shipping: dict[str, str] = field(default_factory=lambda: dict.fromkeys(SHIPPING_FIELDS, ""))
    meta: list[Meta] = field(default_factory=list)
    person_id: str

    @property
    def display_name(self) -> str:
        """What the default order of lists goes by."""
        return f"{self.first_name} {self.last_name}".strip() or self.username


@dataclass(kw_only=True, slots=True)
class Line:
    """A product on an order; amounts in hundredths."""

    id: int
    product: int
    quantity: int
    subtotal: int
    total: int


@dataclass(kw_only=True, slots=True)
class Refund:
    """Money given back; the amount in hundredths."""

    id: int
    order_id: int
    amount: int
    reason: str
    created_at: datetime


@dataclass(kw_only=True, slots=True)
class Order:
    """An order, or a checkout draft; amounts in hundredths."""

    id: int
    status: str
    currency: str
    created_at: datetime
    modified_at: datetime
    customer_id: int
    billing: dict[str, str]
    shipping: dict[str, str]
    lines: list[Line]
    shipping_fee: int = 0
    coupon: str = ""
    refunds: list[Refund] = field(default_factory=list)
    meta: list[Meta] = field(default_factory=list)
    created_via: str = "checkout"
    payment_method: str = "bacs"
    note: str = ""
    paid_at: datetime | None = None
    completed_at: datetime | None = None
    person_id: str

    @property
    def total(self) -> int:
        """What is to be paid."""
        return sum(line.total for line in self.lines) + self.shipping_fee

    @property
    def refunded(self) -> int:
        """What was given back."""
        return sum(refund.amount for refund in self.refunds)


class WooState:
    """A shop's records and the changes they go through."""

    def __init__(self, site: WooSite, clock: SandboxClock) -> None:
        self.site = site
        self.clock = clock
        self.zone = ZoneInfo(site.timezone)
        self.accounts: dict[int, Account] = {}
        self.orders: dict[int, Order] = {}
        self.plain_permalinks = False
        self._ids = {kind: itertools.count(1) for kind in ("account", "order", "line", "meta")}
        self._next_sweep = clock.now() + _DRAFT_LIFE

    def next_id(self, kind: str) -> int:
        """A fresh id; kinds are account, order (refunds too), line and meta."""
        return next(self._ids[kind])

    def touch(self, record: Account | Order) -> None:
        """Stamp a record as modified now."""
        record.modified_at = self.clock.second()

    def refunds(self) -> Iterator[Refund]:
        """Every refund of every order."""
        return itertools.chain.from_iterable(order.refunds for order in self.orders.values())

    def email_owner(self, email: str) -> Account | None:
        """The account that logs in with an address."""
        wanted = email.lower()
        return next((account for account in self.accounts.values() if account.email.lower() == wanted), None)

    def set_status(self, order: Order, status: str) -> None:
        """Move an order to a status, with what follows from it."""
        now = self.clock.second()
        order.status = status
        if status in _PAID and order.paid_at is None:
            order.paid_at = now
        if status == "completed":
            order.completed_at = order.completed_at or now
            self._first_completed(order.customer_id)
        if status == "refunded" and order.refunded < order.total:
            self._give_back(order, order.total - order.refunded, "Order fully refunded.")
        self.touch(order)

    def _first_completed(self, customer_id: int) -> None:
        account = self.accounts.get(customer_id)
        if account is not None and not account.is_paying:
            account.is_paying = True
            self.touch(account)

    def add_refund(self, order: Order, amount: int, reason: str) -> Refund:
        """Give money back; a full refund changes the order's status, any refund its modification time."""
        refund = self._give_back(order, amount, reason)
        if order.refunded >= order.total:
            order.status = "refunded"
        self.touch(order)
        return refund

    def _give_back(self, order: Order, amount: int, reason: str) -> Refund:
        refund = Refund(
            id=self.next_id("order"), order_id=order.id, amount=amount, reason=reason, created_at=self.clock.second()
        )
        order.refunds.insert(0, refund)
        return refund

    def trash(self, order: Order) -> None:
        """Put an order in the trash."""
        order.status = "trash"
        self.touch(order)

    def remove_account(self, account: Account) -> None:
        """Delete an account; its orders stay, without a customer and modified."""
        del self.accounts[account.id]
        for order in self.orders.values():
            if order.customer_id == account.id:
                order.customer_id = 0
                self.touch(order)

    def sweep_drafts(self) -> None:
        """The daily job: drafts unmodified for a day vanish without a trace."""
        now = self.clock.now()
        if now < self._next_sweep:
            return
        self._next_sweep = now + _DRAFT_LIFE
        for order in list(self.orders.values()):
            if order.status == "checkout-draft" and order.modified_at < now - _DRAFT_LIFE:
                del self.orders[order.id]
