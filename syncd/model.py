"""The values that flow through syncd: streams, windows, unified records, tag changes.

Frozen and free of behaviour. Money is integer minor units plus an ISO 4217 code; every time is an aware UTC
datetime; every external id is a string. Nothing here knows a platform, a database or a setting.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

Json = object  # a decoded JSON value; narrowed by the mapping that reads it


class Stream(enum.StrEnum):
    """One kind of record pulled from a store."""

    CUSTOMERS = "customers"
    ORDERS = "orders"
    CARTS = "carts"


class Lane(enum.StrEnum):
    """Who works a stream: the schedule, a backfill by command, or an apply that writes tags to its records."""

    LIVE = "live"
    BACKFILL = "backfill"
    PUSH = "push"


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """What is asked of a stream: the half-open time range [since, until), or exactly some ids.

    Args:
        since: Earliest update time; None from the beginning.
        until: First update time left out; None without end. Connectors may give more, never less.
        ids: When not empty, exactly these external ids, whatever their times.
    """

    since: datetime | None = None
    until: datetime | None = None
    ids: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether the window asks for everything the stream holds."""
        return self.since is None and self.until is None and not self.ids


@dataclass(frozen=True, kw_only=True, slots=True)
class RawRecord:
    """A record's payload as the platform sent it, unchanged, with the platform's id of it."""

    external_id: str
    payload: Mapping[str, Json]


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """A postal address as the platform holds it; `kind` is billing, shipping or other."""

    kind: str
    external_id: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""  # ISO 3166-1 alpha-2, upper case
    phone: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Consent:
    """What a person said about one marketing channel: `state` is yes, no, pending or unknown."""

    channel: str  # email | sms
    state: str
    level: str = ""  # single_opt_in, confirmed_opt_in, ... where the platform tells
    at: datetime | None = None
    source: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer:
    """One account of a platform. None means withheld by the platform; an empty string means empty.

    Args:
        tags: Every tag on the account as the platform holds it, ours and others', as plain texts.
    """

    external_id: str
    email: str | None = ""
    phone: str | None = ""
    first_name: str | None = ""
    last_name: str | None = ""
    company: str | None = ""
    role: str = ""
    is_staff: bool = False
    locale: str = ""
    currency: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    addresses: tuple[Address, ...] = ()
    consents: tuple[Consent, ...] = ()
    tags: tuple[str, ...] | None = ()


class OrderState(enum.StrEnum):
    """What a platform's order status means for revenue and life cycle."""

    PENDING = "pending"  # awaiting payment: no revenue yet
    OPEN = "open"  # paid or on account, not yet fulfilled
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    REFUNDED = "refunded"  # refunded in full


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderLine:
    """One line of an order or a cart; amounts are for the whole line, in the record's currency."""

    external_id: str
    product_id: str = ""
    variant_id: str = ""
    sku: str = ""
    name: str = ""
    quantity: int = 1
    total_minor: int = 0
    tax_minor: int = 0
    discount_minor: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Refund:
    """Money given back on an order; `amount_minor` is positive."""

    external_id: str
    amount_minor: int
    reason: str = ""
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """One order, guest or account.

    Args:
        customer_id: The account's external id; None for a guest.
        total_minor: What the buyer was charged, tax and shipping included, refunds not taken off.
        refunded_minor: Sum of refunds, positive.
        left_cart: External id of the cart that ended by becoming this order (or by its cancellation), if any.
        rounded_count: Amounts that had more decimals than the currency and were rounded half-even.
    """

    external_id: str
    number: str = ""
    status: str = ""
    state: OrderState = OrderState.OPEN
    customer_id: str | None = None
    email: str | None = ""
    phone: str | None = ""
    first_name: str | None = ""
    last_name: str | None = ""
    currency: str = ""
    total_minor: int = 0
    tax_minor: int = 0
    shipping_minor: int = 0
    discount_minor: int = 0
    refunded_minor: int = 0
    placed_at: datetime | None = None
    paid_at: datetime | None = None
    completed_at: datetime | None = None
    updated_at: datetime | None = None
    source: str = ""
    is_test: bool = False
    discount_codes: tuple[str, ...] = ()
    addresses: tuple[Address, ...] = ()
    lines: tuple[OrderLine, ...] = ()
    refunds: tuple[Refund, ...] = ()
    left_cart: str | None = None
    rounded_count: int = 0

    @property
    def is_guest(self) -> bool:
        """Whether the order belongs to no account."""
        return self.customer_id is None


@dataclass(frozen=True, kw_only=True, slots=True)
class Cart:
    """One cart that is not an order yet; a cart made from an order has the id `order:<id>`.

    Args:
        is_open: False once the platform itself says that it was completed.
        recovered_order_id: The order it became, where the platform tells.
    """

    external_id: str
    status: str = ""
    is_open: bool = True
    customer_id: str | None = None
    email: str | None = ""
    phone: str | None = ""
    first_name: str | None = ""
    last_name: str | None = ""
    currency: str = ""
    total_minor: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None
    recovery_url: str = ""
    recovered_order_id: str | None = None
    addresses: tuple[Address, ...] = ()
    lines: tuple[OrderLine, ...] = ()
    rounded_count: int = 0


Unified = Customer | Order | Cart


class TagAction(enum.StrEnum):
    """What a tag change does to one account."""

    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, kw_only=True, slots=True)
class TagChange:
    """Add or remove one tag on one platform account; `tag` is the text a marketer reads."""

    external_id: str
    action: TagAction
    tag: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PlatformChange:
    """One tag change in the platform's words, made by mapping; `body` is what this platform's `push` understands."""

    external_id: str
    action: TagAction
    body: Mapping[str, Json]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing `check` found; `level` is ok, warning or error; `remedy` says what to do."""

    level: str
    message: str
    remedy: str = ""

    @property
    def words(self) -> str:
        """The message and what to do, as one text."""
        return ". ".join(text for text in (self.message.rstrip("."), self.remedy) if text)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreFacts:
    """What a store says of itself at first contact.

    Args:
        identity: The platform's own lasting identity of the shop (site URL, myshopify domain, store hash).
        can_pull: Streams that the key may read.
        can_push: Whether the key may write tags.
    """

    identity: str
    name: str = ""
    timezone: str = ""
    currency: str = ""
    country: str = ""
    version: str = ""
    can_pull: frozenset[Stream] = frozenset()
    can_push: bool = False
    findings: tuple[Finding, ...] = field(default=())


class ContactKind(enum.StrEnum):
    """What a contact was made from."""

    ACCOUNT = "account"
    ORDER = "order"
    CART = "cart"


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class ContactKey:
    """Which contact, in the source's own terms; orders as text (store, kind, id)."""

    store_id: str
    kind: ContactKind
    external_id: str


class IdentifierKind(enum.StrEnum):
    """What sort of value two contacts can share."""

    MAILBOX = "mailbox"
    PHONE = "phone"  # E.164
    ORDER = "order"  # one order's own contacts: a guest order and the cart it was, as "store:id"
    ADDRESS = "address"  # where somebody lives, shortened to country, postcode, house number and start of the street


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Identifier:
    """A normalised value used to match people."""

    kind: IdentifierKind
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Contact:
    """One identity-bearing source with its normalised identifiers and its names as typed."""

    key: ContactKey
    identifiers: tuple[Identifier, ...] = ()
    first_name: str = ""
    last_name: str = ""


class Verdict(enum.StrEnum):
    """What a judgement says of two contacts."""

    SAME = "same"
    DIFFERENT = "different"
    UNSURE = "unsure"


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """An edge between two contacts, `left` < `right`, with the evidence for it.

    Args:
        rule: The rule's name, as `profile explain` prints it.
        score: Confidence from 0 to 1.
        origin: auto, batch or manual.
    """

    left: ContactKey
    right: ContactKey
    verdict: Verdict
    rule: str
    score: float
    evidence: tuple[Identifier, ...] = ()
    origin: str = "auto"


@dataclass(frozen=True, kw_only=True, slots=True)
class IdentityCase:
    """Everything a resolver needs to judge some contacts.

    Args:
        contacts: All contacts that usable identifiers or manual judgements connect, the touched ones among them.
        manual: Live judgements by people over these contacts; they always win.
        shared: Identifiers already known to belong to many people: no evidence.
    """

    contacts: tuple[Contact, ...]
    manual: tuple[Judgement, ...] = ()
    shared: frozenset[Identifier] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolution:
    """A resolver's answer to a case, a function of the case alone (not of the order in which records came).

    Args:
        judgements: All automatic judgements that should be live among the case's contacts.
        groups: The case's contacts parted into people.
        shared: Identifiers of the case found to belong to many people.
    """

    judgements: tuple[Judgement, ...]
    groups: tuple[tuple[ContactKey, ...], ...]
    shared: frozenset[Identifier] = frozenset()
