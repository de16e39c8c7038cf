"""What a Shopify shop holds, and the rules of change that hold whoever makes the change."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncd.sandbox.clock import SandboxClock

# Plan name -> points restored a second; a bucket holds twenty seconds' worth.
RESTORE_RATES = {"Basic": 100, "Grow": 100, "Advanced": 200, "Plus": 1000}
_FIRST_IDS = {"account": 6_900_000_000_000, "order": 5_800_000_000_000, "checkout": 29_000_000_000_000}
_TAX_PERCENT = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class ShopifySite:
    """A shop's settings.

    Args:
        handle: What stands before .myshopify.com.
        timezone: IANA name.
        plan: Basic, Grow, Advanced or Plus; Basic withholds personal data from custom apps.
        index_lag_s: Seconds until a search sees a change.
    """

    store: str
    handle: str
    title: str
    timezone: str
    country: str
    currency: str
    plan: str = "Grow"
    index_lag_s: float = 0.0

    @property
    def domain(self) -> str:
        """The shop's own name on the platform."""
        return f"{self.handle}.myshopify.com"


@dataclass(kw_only=True, slots=True)
class Record:
    """Anything that searches find.

    Args:
        changed_at: When it really last changed.
        indexed_before: The update time that searches go by until they have seen that change; None for a new record.
    """

    id: int
    created_at: datetime
    updated_at: datetime
    changed_at: datetime
    indexed_before: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A postal address with the name and telephone on it."""

    id: int
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    province_code: str | None = None
    zip: str | None = None
    country: str = "US"
    phone: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Consent:
    """Whether somebody agreed to marketing on one channel, how surely, and when."""

    state: str = "NOT_SUBSCRIBED"
    level: str | None = None
    at: datetime | None = None


@dataclass(kw_only=True, slots=True)
class Account(Record):
    """A customer; `person_id` is the truth about who it is."""

    person_id: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    email_consent: Consent = Consent()
    sms_consent: Consent = Consent()
    tags: list[str] = field(default_factory=list)
    addresses: list[Place] = field(default_factory=list)
    state: str = "DISABLED"
    locale: str = "en"
    note: str | None = None
    verified_email: bool = True


@dataclass(kw_only=True, slots=True)
class Line:
    """A product in an order or a checkout; amounts in hundredths, the discount for all pieces together."""

    id: int
    product: int
    quantity: int
    price: int
    discount: int = 0
    refunded_quantity: int = 0

    @property
    def gross(self) -> int:
        """Before the discount."""
        return self.price * self.quantity

    @property
    def net(self) -> int:
        """After the discount, before tax."""
        return self.gross - self.discount

    @property
    def tax(self) -> int:
        """Sales tax on top."""
        return (self.net * _TAX_PERCENT + 50) // 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """So many pieces of the line with this id, given back."""

    id: int
    quantity: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Refund:
    """Money given back, and pieces of which lines it was for."""

    id: int
    amount: int
    created_at: datetime
    note: str | None = None
    pieces: tuple[Piece, ...] = ()


@dataclass(kw_only=True, slots=True)
class Order(Record):
    """An order; `customer_id` is None where the shop knows no customer for it."""

    person_id: str
    number: int
    customer_id: int | None = None
    email: str | None = None
    phone: str | None = None
    presentment: str = ""
    lines: list[Line] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    discount_code: str | None = None
    shipping_fee: int = 0
    financial: str = "PAID"
    fulfillment: str = "UNFULFILLED"
    billing: Place | None = None
    shipping: Place | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    closed_at: datetime | None = None
    source: str = "web"
    test: bool = False
    note: str | None = None
    tags: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """What was to be paid."""
        return _due(self.lines) + self.shipping_fee

    @property
    def refunded(self) -> int:
        """What was given back."""
        return sum(refund.amount for refund in self.refunds)


@dataclass(kw_only=True, slots=True)
class Checkout(Record):
    """A checkout that was left before it was paid."""

    person_id: str
    customer_id: int | None = None
    lines: list[Line] = field(default_factory=list)
    discount_code: str | None = None
    billing: Place | None = None
    shipping: Place | None = None
    completed_at: datetime | None = None
    note: str = ""

    @property
    def total(self) -> int:
        """What would be paid."""
        return _due(self.lines)


def _due(lines: list[Line]) -> int:
    return sum(line.net + line.tax for line in lines)


class ShopifyState:
    """A shop's records by id.

    Attributes:
        index_lag_s: Seconds until a search sees a change.
        plan: Decides the rate limit, and whether personal data is withheld.
    """

    def __init__(self, site: ShopifySite, clock: SandboxClock) -> None:
        self.site = site
        self.clock = clock
        self.plan = site.plan
        self.index_lag_s = site.index_lag_s
        self.accounts: dict[int, Account] = {}
        self.orders: dict[int, Order] = {}
        self.checkouts: dict[int, Checkout] = {}
        self._counters: defaultdict[str, Iterator[int]] = defaultdict(lambda: itertools.count(1))

    @property
    def withholds_personal_data(self) -> bool:
        """Whether custom apps get no names, mailboxes, telephones and streets."""
        return self.plan == "Basic"

    def next_id(self, kind: str) -> int:
        """A new id: they grow, with gaps."""
        return _FIRST_IDS.get(kind, 14_000_000_000_000) + next(self._counters[kind]) * 32_768

    def next_number(self) -> int:
        """The number of the next order, as shoppers see it."""
        return 1000 + next(self._counters["number"])

    def touch(self, record: Record) -> None:
        """A record changed now."""
        record.indexed_before = self.indexed_at(record)
        record.changed_at = self.clock.now()
        record.updated_at = self.clock.second()

    def indexed_at(self, record: Record) -> datetime | None:
        """The update time that searches go by; None if they do not know the record yet."""
        is_known = record.changed_at <= self.clock.now() - timedelta(seconds=self.index_lag_s)
        return record.updated_at if is_known else record.indexed_before

    def orders_of(self, account: Account) -> list[Order]:
        """A customer's orders, oldest first."""
        return [order for order in self.orders.values() if order.customer_id == account.id]
