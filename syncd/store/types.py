"""The values that cross the database's boundary: what the drivers hand in and get back. No table, no SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from syncd.condition import Condition
from syncd.model import (
    Contact,
    IdentityCase,
    Judgement,
    Lane,
    OrderState,
    RawRecord,
    Resolution,
    Stream,
    TagAction,
    Unified,
    Window,
)


class Resolver(Protocol):
    """Who is who among the contacts of a case; handed in, so that the database knows no rules."""

    @property
    def version(self) -> str:
        """Names the rules; kept with nothing but the log, judgements carry their rule."""
        ...

    def judge(self, case: IdentityCase) -> Resolution:
        """All automatic judgements that should be live among the case's contacts, and the people they make."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneKey:
    """One lane of one stream of one store."""

    store_id: str
    stream: Stream
    lane: Lane


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """The right to work a lane; the epoch is checked inside every committing transaction."""

    key: LaneKey
    owner: str
    epoch: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """What became of the distinct records of a walk: `read` is the sum of the other five."""

    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    stale: int = 0
    rejected: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            read=self.read + other.read,
            new=self.new + other.new,
            changed=self.changed + other.changed,
            unchanged=self.unchanged + other.unchanged,
            stale=self.stale + other.stale,
            rejected=self.rejected + other.rejected,
        )

    def gained(self, earlier: Counts) -> dict[str, int]:
        """What came to each result since; `read`, being their sum, is left out."""
        results = ("new", "changed", "unchanged", "stale", "rejected")
        return {name: getattr(self, name) - getattr(earlier, name) for name in results}


@dataclass(frozen=True, kw_only=True, slots=True)
class Walk:
    """A walk under way, as its checkpoint keeps it.

    Args:
        kind: incremental, sweep or backfill.
        signpost: The ceiling that the bookmark may reach when the walk ends well.
        declared: The platform's count when the walk began, where it gives one.
        cursor: Resume token behind the last stored page; None before the first.
    """

    walk_id: str
    kind: str
    window: Window
    signpost: datetime | None
    started_at: datetime
    cursor: str | None = None
    declared: int | None = None
    counts: Counts = Counts()


@dataclass(frozen=True, kw_only=True, slots=True)
class WalkEnd:
    """How a walk that was stored whole ends.

    Args:
        bookmark: The stream's new bookmark; None leaves it where it is. It never moves back.
        fresh_until: The signpost this success stands for; None leaves it.
        history_complete: Whether the walk held everything the stream has.
        is_sweep: Whether the next sweep is due one interval from now.
        delete_missing: Whether records that the walk did not meet are gone (complete, counted listings only).
    """

    bookmark: datetime | None = None
    fresh_until: datetime | None = None
    history_complete: bool = False
    is_sweep: bool = False
    delete_missing: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneState:
    """A lane's checkpoint: where the stream stands and the walk to resume, if one was cut off."""

    bookmark: datetime | None = None
    fresh_until: datetime | None = None
    history_complete_since: datetime | None = None
    last_sweep_at: datetime | None = None
    walk: Walk | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """One mapped record.

    Args:
        content_hash: Over the unified values without source times and without our own tags.
        source_time: The platform's update time; None where it gives none.
        contact: The identity-bearing source it makes; None for an account's order or cart, or one without any
            trace of a person.
    """

    raw: RawRecord
    unified: Unified
    content_hash: bytes
    source_time: datetime | None
    contact: Contact | None

    @property
    def is_withheld(self) -> bool:
        """Whether the platform hides who the person is; what is known of it then stays."""
        return self.unified.email is None and self.unified.last_name is None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejected:
    """One record that could not be mapped, and why."""

    raw: RawRecord
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptRecord:
    """A stored record as its mapping is compared with what a newer one makes of it; `payload` is raw JSON text."""

    external_id: str
    payload: bytes
    content_hash: bytes
    fetched_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Remapped:
    """Kept records of one stream, mapped anew.

    Args:
        fetched_at: When the payload of each was stored, by external id, as `Pages.kept` told.
    """

    store_id: str
    stream: Stream
    accepted: tuple[Accepted, ...]
    rejected: tuple[Rejected, ...]
    mapper_version: int
    fetched_at: Mapping[str, datetime]


@dataclass(frozen=True, kw_only=True, slots=True)
class PageCommit:
    """One page, ready to be committed whole.

    Args:
        asked_at: When the page was asked for; older knowledge of tags than this gives way to the page's, and so does
            a record that was stored before, even if its source time is later.
        cursor: Resume token to save with it.
        declared: The platform's count, kept with the walk at its first page.
        signpost: The walk's signpost, kept with the walk at its first page.
    """

    lease: Lease
    walk_id: str
    accepted: tuple[Accepted, ...]
    rejected: tuple[Rejected, ...]
    mapper_version: int
    asked_at: datetime
    cursor: str
    declared: int | None
    signpost: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """A store, or one stream of it, that rests.

    Args:
        stream: The stream that rests; None is the whole store.
        is_push: Whether it is the writing to the shop that rests; else it is the pulling.
        by_hand: Whether a person paused it; then only a person lifts it.
    """

    store_id: str
    stream: Stream | None
    is_push: bool
    since: datetime
    reason: str
    by_hand: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Daemon:
    """A process that works the database on its schedules, by the name that leases carry."""

    owner: str
    started_at: datetime
    seen_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """A trouble that is not over yet, or whose end is still to be told.

    Args:
        topic: Its kind and its place, such as `paused:eu-woo`.
        remedy: What to do about it.
        told_at: When somebody was told; None while that has not succeeded.
        over_at: Since when it is over; None while it lasts.
    """

    topic: str
    words: str
    remedy: str
    raised_at: datetime
    told_at: datetime | None
    over_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """How much room the database takes.

    Args:
        wal_bytes: What SQLite keeps in its log beside the file; 0 on a server.
    """

    file_bytes: int
    wal_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamReading:
    """How fresh one stream is: what changed before `fresh_until` is here, as of the run that ended whole last."""

    fresh_until: datetime | None
    succeeded_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What monitoring reads at every look: streams by store and stream, unsettled tag changes by store and state."""

    streams: Mapping[tuple[str, str], StreamReading]
    pauses: tuple[Pause, ...]
    outbox: Mapping[tuple[str, str], int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stock:
    """How many records are stored and how many set aside, by store and stream; streams with none are left out."""

    stored: Mapping[tuple[str, str], int]
    rejected: Mapping[tuple[str, str], int]


@dataclass(frozen=True, kw_only=True, slots=True)
class HouseReport:
    """What housekeeping did, and the size it left."""

    runs_dropped: int
    daemons_dropped: int
    size: Size


COMPLETE_KINDS = ("sweep", "backfill")  # runs that walk everything; the others are incremental, bounded backfill


@dataclass(frozen=True, kw_only=True, slots=True)
class RunReport:
    """One run for one stream, as `history` shows it.

    Args:
        status: running, succeeded, partial, failed, or interrupted: its process was gone before it could say more.
        ended_at: None also where nobody saw the end.
    """

    run_id: str
    store_id: str
    platform: str
    stream: Stream
    lane: Lane
    kind: str
    status: str
    started_at: datetime
    ended_at: datetime | None = None
    reason: str = ""
    pages: int = 0
    counts: Counts = Counts()
    deleted: int = 0
    declared: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamStatus:
    """One stream of one store, as `status` shows it.

    Args:
        declared: The platform's own count of the whole stream, at the last complete walk.
        pause: Why it is not pulled: the store's pause, or else the stream's own.
        push_pause: Why nothing is written to its store.
        due_at: When the stream is to be pulled next; None is at once.
        remark: What the last complete walk that succeeded could not see, in words.
    """

    store_id: str
    platform: str
    stream: Stream
    bookmark: datetime | None
    history_complete_since: datetime | None
    fresh_until: datetime | None
    last_sweep_at: datetime | None
    walk: Walk | None
    stored_count: int
    rejected_count: int
    last_run: RunReport | None
    declared: int | None
    pause: Pause | None = None
    push_pause: Pause | None = None
    due_at: datetime | None = None
    remark: str = ""

    @property
    def paused_reason(self) -> str | None:
        """Why the stream is not pulled, in words; None where it is."""
        return self.pause.reason if self.pause else None

    @property
    def push_paused_reason(self) -> str | None:
        """Why nothing is written to its store, in words; None where it is."""
        return self.push_pause.reason if self.push_pause else None


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreView:
    """A store as the database knows it.

    Args:
        is_worked: Whether it is known how far its streams came; not so once it was removed.
        records: Live records by stream.
    """

    store_id: str
    platform: str
    is_worked: bool
    records: Mapping[Stream, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What was deleted of a store.

    Args:
        rows: Rows deleted, by table; tables without any are left out.
        people_gone: Profiles of which nothing is left.
        people_kept: Profiles that other stores know, too.
        tags_left: Tags of ours that were still on its accounts, as far as the ledger knew.
    """

    store_id: str
    rows: Mapping[str, int]
    people_gone: int = 0
    people_kept: int = 0
    tags_left: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectedRecordView:
    """A rejected record, as `rejected list|show` prints it; `payload` is the raw JSON text."""

    store_id: str
    stream: Stream
    external_id: str
    reason: str
    mapper_version: int
    first_seen_at: datetime
    last_seen_at: datetime
    payload: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactView:
    """A contact of a profile with what it was made from."""

    contact: Contact
    contact_id: str
    platform: str
    email: str
    phone: str
    order_count: int
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ProfileView:
    """A person: display values, contacts, the judgements that join them, events, facts, segments and tags."""

    profile_id: str
    first_name: str
    last_name: str
    email: str
    phone: str
    contacts: tuple[ContactView, ...]
    judgements: tuple[Judgement, ...]
    events: tuple[tuple[datetime, str, str], ...]  # at, kind, detail in words
    facts: dict[str, object]
    segments: tuple[str, ...]
    tags: tuple[tuple[str, str, str], ...]  # store id, external id, tag


@dataclass(frozen=True, kw_only=True, slots=True)
class ProfileHit:
    """One profile that `find` came upon."""

    profile_id: str
    first_name: str
    last_name: str
    email: str
    phone: str
    contact_count: int
    store_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountTag:
    """One tag on one account with everything a plan decides by.

    Args:
        is_wanted: Whether a segment wants the tag there.
        is_known: Whether the tag is known to be there.
        is_ours: Whether the ledger says that we put it there and did not take it off again.
        is_pending: Whether the outbox holds a change of it that is not settled.
        is_consenting: False if the person said no to e-mail.
        has_open_review: Whether a judgement on the profile waits for a person.
    """

    store_id: str
    external_id: str
    profile_id: str
    segment: str
    tag: str
    is_wanted: bool
    is_known: bool
    is_ours: bool
    is_pending: bool = False
    is_consenting: bool = True
    has_open_review: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """How far a segment gets on one store: members, those with an account there, those tagged already."""

    segment: str
    store_id: str
    members: int
    with_account: int
    tagged: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedChange:
    """One tag change of a plan, with the profile and segment that ask for it."""

    store_id: str
    external_id: str
    profile_id: str
    action: TagAction
    tag: str
    segment: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OutboxItem:
    """A planned change on its way."""

    outbox_id: str
    apply_id: str
    change: PlannedChange
    state: str
    attempts: int
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """What became of an outbox row: its new state (sent, confirmed, rejected, waiting, planned) and why."""

    outbox_id: str
    state: str
    reason: str = ""
    not_before: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TagWish:
    """One segment's tag on one store."""

    segment: str
    tag: str
    store_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A segment as it is evaluated.

    Args:
        builders: Segments whose conditions ask about this one: who enters or leaves it may enter or leave those.
    """

    segment: str
    condition: Condition
    builders: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Moves:
    """What an evaluation changed in a segment, and how many profiles are in it now."""

    entered: int
    left: int
    members: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RevenuePolicy:
    """Which orders count as revenue, and in which currency sums are kept.

    Args:
        currency: The merchant's currency; "" when none is configured: sums are then NULL unless all orders of the
            profile share one currency.
        rates: Units of the merchant's currency for one unit of another, by ISO code.
    """

    excluded_states: frozenset[OrderState] = frozenset({OrderState.PENDING, OrderState.CANCELLED, OrderState.FAILED})
    include_tax: bool = True
    include_shipping: bool = True
    currency: str = ""
    rates: Mapping[str, Decimal] | None = None
