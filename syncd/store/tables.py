"""The tables of the profile database; nobody outside `store/` sees them.

The tables that people read with their own tools (profiles, contacts, customers, orders, order_lines, carts, facts,
memberships, tag_state) keep their names and columns; their comments travel into PostgreSQL.
Foreign keys are left out where rows arrive in any order (an order may come before its customer).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Index, LargeBinary, Text, text
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC datetimes on both databases; SQLite would give naive ones back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive values, hand over UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give aware UTC values."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _key(**kwargs: Any) -> Any:
    return Field(primary_key=True, **kwargs)


def _time(*, comment: str | None = None, nullable: bool = True, index: bool = False) -> Any:
    column_args: dict[str, Any] = {"comment": comment} if comment else {}
    return Field(
        default=None,
        sa_type=UtcDateTime,
        nullable=nullable,
        index=index,
        sa_column_kwargs=column_args,
    )


def _text(*, default: str | None = "", nullable: bool = False, comment: str | None = None) -> Any:
    column_args: dict[str, Any] = {"comment": comment} if comment else {}
    return Field(default=default, sa_type=Text, nullable=nullable, sa_column_kwargs=column_args)


def _minor(*, comment: str = "minor units of currency") -> Any:
    return Field(default=0, sa_type=BigInteger, sa_column_kwargs={"comment": comment})


class Merchant(SQLModel, table=True):
    """Whose database this is; one row."""

    __tablename__ = "merchant"

    name: str = _key()
    salt: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = _time(nullable=False)


class Store(SQLModel, table=True):
    """A shop account, with the platform's own identity of it at first contact."""

    __tablename__ = "stores"

    store_id: str = _key()
    platform: str
    identity: str
    name: str = ""
    timezone: str = ""
    currency: str = ""
    country: str = ""
    version: str = ""
    first_seen_at: datetime = _time(nullable=False)
    checked_at: datetime | None = _time()


class PauseRow(SQLModel, table=True):
    """A store, or one stream of it, that is not pulled or not pushed to until the pause is lifted."""

    __tablename__ = "pauses"

    store_id: str = _key()
    stream: str = _key(sa_column_kwargs={"comment": "empty: the whole store"})
    lane: str = _key(sa_column_kwargs={"comment": "pull or push"})
    since: datetime = _time(nullable=False)
    reason: str = _text()
    by_hand: bool = False


class Checkpoint(SQLModel, table=True):
    """Where one lane of one stream stands: bookmark, the walk under way, and the lease to work it."""

    __tablename__ = "checkpoints"

    store_id: str = _key()
    stream: str = _key()
    lane: str = _key()
    bookmark: datetime | None = _time(comment="stream is fully synced up to here")
    fresh_until: datetime | None = _time(comment="signpost of the last run that succeeded")
    history_complete_since: datetime | None = _time(comment="when a complete walk first succeeded")
    last_sweep_at: datetime | None = _time()
    walk_id: str | None = None
    walk_kind: str | None = None
    walk_since: datetime | None = _time()
    walk_until: datetime | None = _time()
    walk_signpost: datetime | None = _time()
    walk_started_at: datetime | None = _time()
    walk_cursor: str | None = _text(default=None, nullable=True)
    walk_declared: int | None = None
    walk_read: int = 0
    walk_new: int = 0
    walk_changed: int = 0
    walk_unchanged: int = 0
    walk_stale: int = 0
    walk_rejected: int = 0
    lease_owner: str | None = None
    lease_epoch: int = 0
    lease_until: datetime | None = _time()
    due_at: datetime | None = _time(comment="when the lane is to be worked next; NULL is at once")
    succeeded_at: datetime | None = _time(comment="when a walk of the lane last ended whole")


class DaemonRow(SQLModel, table=True):
    """A process that works this database on its schedules, and when it last said so."""

    __tablename__ = "daemons"

    owner: str = _key()
    started_at: datetime = _time(nullable=False)
    seen_at: datetime = _time(nullable=False)


class NoticeRow(SQLModel, table=True):
    """A trouble that somebody was told of, or is to be told of, until it is told to be over."""

    __tablename__ = "notices"

    topic: str = _key()
    words: str = _text()
    remedy: str = _text()
    raised_at: datetime = _time(nullable=False)
    tried_at: datetime | None = _time(comment="when a process took it upon itself to tell; NULL once it did or failed")
    told_at: datetime | None = _time()
    over_at: datetime | None = _time(comment="since when the trouble is over and that is still to be told")


class SegmentState(SQLModel, table=True):
    """When a segment was last evaluated, by which condition, and when time alone will change it."""

    __tablename__ = "segment_states"

    segment: str = _key()
    condition_hash: str
    evaluated_at: datetime = _time(nullable=False)
    due_at: datetime | None = _time()


class WalkSeen(SQLModel, table=True):
    """Ids that the walk under way has met: counts distinct records, finds deletions; emptied when it ends."""

    __tablename__ = "walk_seen"
    __table_args__ = {"sqlite_with_rowid": False}

    walk_id: str = _key()
    external_id: str = _key()


class Run(SQLModel, table=True):
    """One execution for one stream, and how it ended."""

    __tablename__ = "runs"
    __table_args__ = (Index("ix_runs_stream", "store_id", "stream", "started_at"),)

    run_id: str = _key()
    store_id: str
    stream: str
    lane: str
    kind: str
    started_at: datetime = _time(nullable=False)
    ended_at: datetime | None = _time()
    status: str = "running"
    reason: str = _text()
    pages: int = 0
    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    stale: int = 0
    rejected: int = 0
    deleted: int = 0
    declared: int | None = None


class RawRecordRow(SQLModel, table=True):
    """The latest payload of every record, zlib-compressed JSON, with what is needed to tell news from echo."""

    __tablename__ = "raw_records"

    store_id: str = _key()
    stream: str = _key()
    external_id: str = _key()
    payload: bytes = Field(sa_type=LargeBinary)
    content_hash: bytes = Field(sa_type=LargeBinary)
    source_time: datetime | None = _time()
    fetched_at: datetime = _time(nullable=False)
    mapper_version: int
    deleted_at: datetime | None = _time()


class RejectedRecord(SQLModel, table=True):
    """A record that could not be mapped, with its reason, until it is replayed."""

    __tablename__ = "rejected_records"

    store_id: str = _key()
    stream: str = _key()
    external_id: str = _key()
    payload: bytes = Field(sa_type=LargeBinary)
    reason: str = _text()
    mapper_version: int
    first_seen_at: datetime = _time(nullable=False)
    last_seen_at: datetime = _time(nullable=False)


class CustomerRow(SQLModel, table=True):
    """A platform account. NULL is withheld by the platform, '' is empty."""

    __tablename__ = "customers"

    store_id: str = _key()
    external_id: str = _key()
    email: str | None = _text(nullable=True)
    phone: str | None = _text(nullable=True)
    first_name: str | None = _text(nullable=True)
    last_name: str | None = _text(nullable=True)
    company: str | None = _text(nullable=True)
    role: str = ""
    is_staff: bool = False
    locale: str = ""
    currency: str = ""
    created_at: datetime | None = _time()
    updated_at: datetime | None = _time()
    deleted_at: datetime | None = _time()


class AddressRow(SQLModel, table=True):
    """An address of a customer, order or cart (`owner` says which)."""

    __tablename__ = "addresses"

    store_id: str = _key()
    owner: str = _key()
    owner_id: str = _key()
    position: int = _key()
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
    country: str = ""
    phone: str = ""


class ConsentRow(SQLModel, table=True):
    """What a customer said about one channel on one store."""

    __tablename__ = "consents"

    store_id: str = _key()
    customer_id: str = _key()
    channel: str = _key()
    state: str
    level: str = ""
    at: datetime | None = _time()
    source: str = ""


class OrderRow(SQLModel, table=True):
    """An order; amounts are minor units of `currency`."""

    __tablename__ = "orders"
    __table_args__ = (Index("ix_orders_customer", "store_id", "customer_id"),)

    store_id: str = _key()
    external_id: str = _key()
    number: str = ""
    status: str = ""
    state: str = ""
    customer_id: str | None = None
    email: str | None = _text(nullable=True)
    phone: str | None = _text(nullable=True)
    first_name: str | None = _text(nullable=True)
    last_name: str | None = _text(nullable=True)
    currency: str = ""
    total_minor: int = _minor()
    tax_minor: int = _minor()
    shipping_minor: int = _minor()
    discount_minor: int = _minor()
    refunded_minor: int = _minor()
    line_count: int = 0
    placed_at: datetime | None = _time()
    paid_at: datetime | None = _time()
    completed_at: datetime | None = _time()
    updated_at: datetime | None = _time()
    source: str = ""
    is_test: bool = False
    discount_codes: str = _text(comment="space-separated")
    rounded_count: int = 0
    deleted_at: datetime | None = _time()


class OrderLineRow(SQLModel, table=True):
    """One line of an order; amounts are for the whole line."""

    __tablename__ = "order_lines"

    store_id: str = _key()
    order_id: str = _key()
    position: int = _key()
    external_id: str = ""
    product_id: str = ""
    variant_id: str = ""
    sku: str = Field(default="", index=True)
    name: str = _text()
    quantity: int = 1
    total_minor: int = _minor()
    tax_minor: int = _minor()
    discount_minor: int = _minor()


class RefundRow(SQLModel, table=True):
    """Money given back on an order; the amount is positive."""

    __tablename__ = "refunds"

    store_id: str = _key()
    order_id: str = _key()
    position: int = _key()
    external_id: str = ""
    amount_minor: int = _minor()
    reason: str = _text()
    at: datetime | None = _time()


class CartRow(SQLModel, table=True):
    """A cart; `is_open` until the platform shows that it became an order or ended."""

    __tablename__ = "carts"
    __table_args__ = (Index("ix_carts_customer", "store_id", "customer_id"),)

    store_id: str = _key()
    external_id: str = _key()
    status: str = ""
    is_open: bool = True
    customer_id: str | None = None
    email: str | None = _text(nullable=True)
    phone: str | None = _text(nullable=True)
    first_name: str | None = _text(nullable=True)
    last_name: str | None = _text(nullable=True)
    currency: str = ""
    total_minor: int = _minor()
    line_count: int = 0
    created_at: datetime | None = _time()
    updated_at: datetime | None = _time()
    recovery_url: str = _text()
    recovered_order_id: str | None = None
    rounded_count: int = 0
    deleted_at: datetime | None = _time()


class CartLineRow(SQLModel, table=True):
    """One line of a cart; amounts are for the whole line."""

    __tablename__ = "cart_lines"

    store_id: str = _key()
    cart_id: str = _key()
    position: int = _key()
    external_id: str = ""
    product_id: str = ""
    variant_id: str = ""
    sku: str = ""
    name: str = _text()
    quantity: int = 1
    total_minor: int = _minor()
    tax_minor: int = _minor()
    discount_minor: int = _minor()


class ContactRow(SQLModel, table=True):
    """One identity-bearing source; its profile's id is the smallest contact id of the profile."""

    __tablename__ = "contacts"
    __table_args__ = (Index("ix_contacts_source", "store_id", "kind", "external_id", unique=True),)

    contact_id: str = _key()
    store_id: str
    kind: str
    external_id: str
    profile_id: str = Field(index=True)
    first_name: str = _text()
    last_name: str = _text()
    identity_hash: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = _time(nullable=False)
    deleted_at: datetime | None = _time()


class IdentifierRow(SQLModel, table=True):
    """A normalised value that a contact carries."""

    __tablename__ = "identifiers"
    __table_args__ = {"sqlite_with_rowid": False}

    kind: str = _key()
    value: str = _key()
    contact_id: str = _key(index=True)


class SharedIdentifier(SQLModel, table=True):
    """A value known to belong to many people: no evidence. Origin: auto, config or manual."""

    __tablename__ = "shared_identifiers"

    kind: str = _key()
    value: str = _key()
    origin: str
    since: datetime = _time(nullable=False)


class JudgementRow(SQLModel, table=True):
    """An edge between two contacts (left < right as contact ids); superseded, never deleted."""

    __tablename__ = "judgements"
    __table_args__ = (
        Index("ix_judgements_left", "left_id"),
        Index("ix_judgements_right", "right_id"),
        Index(
            "ix_judgements_live",
            "left_id",
            "right_id",
            "origin",
            unique=True,
            sqlite_where=text("superseded_at IS NULL"),
            postgresql_where=text("superseded_at IS NULL"),
        ),
    )

    judgement_id: str = _key()
    left_id: str
    right_id: str
    verdict: str
    rule: str
    score: float
    evidence: str = _text(comment="JSON list of [kind, value]")
    origin: str
    actor: str = ""
    created_at: datetime = _time(nullable=False)
    superseded_at: datetime | None = _time()


class ProfileRow(SQLModel, table=True):
    """One person as far as we know; a merged profile stays as a tombstone that names its successor."""

    __tablename__ = "profiles"

    profile_id: str = _key()
    merged_into: str | None = Field(default=None, index=True)
    first_name: str = _text()
    last_name: str = _text()
    email: str = _text()
    phone: str = _text()
    country: str = ""
    created_at: datetime = _time(nullable=False)


class ProfileEvent(SQLModel, table=True):
    """What happened to a profile: created, attached, detached, merged, split, overridden. Append-only."""

    __tablename__ = "profile_events"

    event_id: str = _key()
    profile_id: str = Field(index=True)
    kind: str
    at: datetime = _time(nullable=False)
    actor: str = "auto"
    detail: str = _text(comment="JSON")


class TouchedProfile(SQLModel, table=True):
    """Profiles whose facts are out of date; written with every page, emptied by derive."""

    __tablename__ = "touched_profiles"

    profile_id: str = _key()


class FactsRow(SQLModel, table=True):
    """What a CRM needs to know of a profile. Amounts are minor units of `currency`, NULL if they cannot be
    converted; counts and times leave out orders that are no revenue."""

    __tablename__ = "facts"

    profile_id: str = _key()
    currency: str = _text(comment="of the amounts: the merchant's, else the only one the profile used")
    orders_count: int = 0
    spent_minor: int | None = Field(default=0, sa_type=BigInteger)
    average_order_minor: int | None = Field(default=None, sa_type=BigInteger)
    refunded_minor: int | None = Field(default=0, sa_type=BigInteger)
    first_order_at: datetime | None = _time()
    last_order_at: datetime | None = _time()
    accounts_count: int = 0
    guest_orders_count: int = 0
    stores_count: int = 0
    platforms_count: int = 0
    open_carts_count: int = 0
    open_cart_minor: int | None = Field(default=0, sa_type=BigInteger)
    open_cart_at: datetime | None = _time()
    email_consent: str = "unknown"
    sms_consent: str = "unknown"
    is_staff: bool = False
    computed_at: datetime = _time(nullable=False)


class SpendRow(SQLModel, table=True):
    """A profile's net spend in one currency, minor units, unconverted."""

    __tablename__ = "spend"

    profile_id: str = _key()
    currency: str = _key()
    orders_count: int = 0
    spent_minor: int = _minor()


class Membership(SQLModel, table=True):
    """A profile's stay in a segment; open while `left_at` is NULL."""

    __tablename__ = "memberships"
    __table_args__ = (
        Index(
            "ix_memberships_open",
            "segment",
            "profile_id",
            unique=True,
            sqlite_where=text("left_at IS NULL"),
            postgresql_where=text("left_at IS NULL"),
        ),
    )

    membership_id: str = _key()
    segment: str
    profile_id: str = Field(index=True)
    entered_at: datetime = _time(nullable=False)
    left_at: datetime | None = _time()


class TagState(SQLModel, table=True):
    """Tags known to be on an account, as last seen or confirmed."""

    __tablename__ = "tag_state"
    __table_args__ = (Index("ix_tag_state_tag", "tag", "store_id"),)

    store_id: str = _key()
    external_id: str = _key()
    tag: str = _key()
    is_present: bool
    known_at: datetime = _time(nullable=False)


class LedgerEntry(SQLModel, table=True):
    """A tag we put on an account: written before it is sent, closed when we took it off again."""

    __tablename__ = "ledger"
    __table_args__ = (Index("ix_ledger_account", "store_id", "external_id", "tag"),)

    entry_id: str = _key()
    store_id: str
    external_id: str
    tag: str
    segment: str
    apply_id: str
    added_at: datetime = _time(nullable=False)
    confirmed_at: datetime | None = _time()
    removed_at: datetime | None = _time()


class OutboxRow(SQLModel, table=True):
    """A tag change on its way: planned, sending, sent, waiting, then confirmed or rejected."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_state", "state", "store_id"),
        Index("ix_outbox_account", "store_id", "external_id", "tag"),
    )

    outbox_id: str = _key()
    apply_id: str = Field(index=True)
    store_id: str
    external_id: str
    profile_id: str
    action: str
    tag: str
    segment: str
    state: str
    attempts: int = 0
    reason: str = _text()
    not_before: datetime | None = _time()
    created_at: datetime = _time(nullable=False)
    updated_at: datetime = _time(nullable=False)
