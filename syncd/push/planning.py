"""Which tag changes are due, which are held back and why. Nothing is written.

`decide` is the rule for one tag on one account, as a pure function; `plan` asks the database for the rows that it
has to be asked about, and holds back what a whole store or segment is not ready for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from syncd.connectors.base import Connector
from syncd.connectors.config import PushConfig, StoreConfig
from syncd.model import Stream, TagAction
from syncd.push.brake import Brake, measure
from syncd.segments import Segment
from syncd.store import Database
from syncd.store.types import AccountTag, PlannedChange, Reach, StreamStatus, TagWish


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A change that would be due and is held back; `reason` says why in words."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldGroup:
    """How many changes of one segment on one store are held back for one reason."""

    store_id: str
    segment: str
    tag: str
    reason: str
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreTerms:
    """What a plan must know of one store.

    Args:
        longest_tag: Characters that a tag may have there.
        incomplete: Streams whose history is not all here yet.
        stale: Streams whose data is older than `push.max_staleness` allows.
        paused_reason: Why nothing is written to it now; empty where it is well.
    """

    push: PushConfig
    longest_tag: int
    incomplete: frozenset[Stream] = frozenset()
    stale: frozenset[Stream] = frozenset()
    paused_reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The tag changes that are due, sorted by store, segment and account, with all that explains them.

    Args:
        reach: How far each segment gets on each store.
        brakes: One for every store that changes touch.
        notes: Stores that were left out altogether, in words.
    """

    merchant: str
    created_at: datetime
    changes: tuple[PlannedChange, ...] = ()
    held: tuple[HeldGroup, ...] = ()
    reach: tuple[Reach, ...] = ()
    brakes: tuple[Brake, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """How many changes are due."""
        return len(self.changes)


def decide(row: AccountTag, segment: Segment | None) -> PlannedChange | Held | None:
    """What is due for one tag on one account; None where all is as it should be.

    Args:
        segment: The segment that the tag stands for; None if it is no longer configured.
    """
    action = _action(row)
    if action is None:
        return None
    if row.is_pending:
        return Held(reason="a change of this tag is on its way already")
    if row.has_open_review:
        return Held(reason="a person has to say first who is who (open review)")
    if action is TagAction.ADD and (reason := _against_adding(row, segment)):
        return Held(reason=reason)
    return PlannedChange(
        store_id=row.store_id,
        external_id=row.external_id,
        profile_id=row.profile_id,
        action=action,
        tag=row.tag,
        segment=row.segment,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Purpose:
    """What a plan is made for: the stores that it may write to, of which merchant, as of when."""

    merchant: str
    stores: Collection[str]
    now: datetime


def plan(database: Database, segments: Sequence[Segment], terms: Mapping[str, StoreTerms], purpose: Purpose) -> Plan:
    """What is to be written so that every chosen store's tags say what the segments say.

    Args:
        terms: Of every configured store: whom a segment holds may rest on what others know.
    """
    taking = {store_id: store for store_id, store in terms.items() if store.push.mode != "off"}
    writable = {store_id: store for store_id, store in taking.items() if store_id in purpose.stores}
    refusing = [store_id for store_id in purpose.stores if store_id not in taking]
    wishes = _wishes(segments, writable)
    given_up = _given_up(database.tags.owned(), wishes, writable)
    rows = database.tags.account_tags([*wishes, *given_up])
    changes, held = _sorted_out(rows, segments, taking)
    return Plan(
        merchant=purpose.merchant,
        created_at=purpose.now,
        changes=changes,
        held=held,
        reach=tuple(database.tags.reach(wishes)),
        brakes=brakes(database, changes, {store_id: store.push for store_id, store in writable.items()}),
        notes=tuple(f"{store_id}: push.mode is off, nothing is planned" for store_id in refusing),
    )


def untagging(database: Database, store_id: str, terms: StoreTerms, merchant: str, now: datetime) -> Plan:
    """The removal of every tag of ours from one store, whoever is in which segment, and whoever they turn out to be."""
    owned = {wish.tag for wish in database.tags.owned() if wish.store_id == store_id}
    wishes = [TagWish(segment="", tag=tag, store_id=store_id) for tag in sorted(owned)]
    rows = (replace(row, has_open_review=False) for row in database.tags.account_tags(wishes))
    changes, held = _sorted_out(rows, (), {store_id: terms})
    limits = brakes(database, changes, {store_id: terms.push})
    return Plan(merchant=merchant, created_at=now, changes=changes, held=held, brakes=limits)


def brakes(database: Database, changes: Sequence[PlannedChange], pushes: Mapping[str, PushConfig]) -> tuple[Brake, ...]:
    """The brake of every store that changes touch."""
    accounts = {store_id: database.tags.accounts_count(store_id) for store_id in {c.store_id for c in changes}}
    return measure(changes, accounts, {store_id: push.brake for store_id, push in pushes.items()})


def narrowed(plan: Plan, keep: Callable[[PlannedChange], bool], limit: int | None = None) -> Plan:
    """The same plan with only the changes to keep, and of those at most so many, the first first."""
    changes = tuple(change for change in plan.changes if keep(change))[:limit]
    accounts = {brake.store_id: brake.accounts for brake in plan.brakes}
    limits = {brake.store_id: brake.limits for brake in plan.brakes}
    return replace(plan, changes=changes, brakes=measure(changes, accounts, limits) if plan.brakes else ())


def store_terms(
    configs: Mapping[str, StoreConfig],
    connectors: Mapping[str, Connector],
    statuses: Sequence[StreamStatus],
    stale_before: datetime | None = None,
) -> dict[str, StoreTerms]:
    """What a plan must know of every configured store, from its settings, its connector and its streams' status.

    Args:
        stale_before: Data that is not fresh up to this time is stale; None if no data is.
    """
    complete = {(status.store_id, status.stream) for status in statuses if status.history_complete_since}
    stale = {(status.store_id, status.stream) for status in statuses if _is_stale(status, stale_before)}
    paused = {status.store_id: status.push_paused_reason for status in statuses if status.push_paused_reason}
    return {
        store_id: StoreTerms(
            push=config.push,
            longest_tag=connectors[store_id].capabilities.longest_tag,
            incomplete=frozenset(stream for stream in config.streams if (store_id, stream) not in complete),
            stale=frozenset(stream for stream in config.streams if (store_id, stream) in stale),
            paused_reason=paused.get(store_id, ""),
        )
        for store_id, config in configs.items()
    }


def _is_stale(status: StreamStatus, stale_before: datetime | None) -> bool:
    return stale_before is not None and status.fresh_until is not None and status.fresh_until < stale_before


def _action(row: AccountTag) -> TagAction | None:
    if row.is_wanted:
        return None if row.is_known else TagAction.ADD
    return TagAction.REMOVE if row.is_known and row.is_ours else None


def _against_adding(row: AccountTag, segment: Segment | None) -> str:
    if segment is not None and segment.needs_consent == "email" and not row.is_consenting:
        return "the person said no to e-mail"
    if row.is_ours and (segment is None or segment.if_staff_removes_tag == "leave"):
        return "staff took the tag off (if_staff_removes_tag: leave)"
    return ""


def _wishes(segments: Sequence[Segment], stores: Mapping[str, StoreTerms]) -> tuple[TagWish, ...]:
    return tuple(
        TagWish(segment=segment.name, tag=segment.tag, store_id=store_id)
        for segment in segments
        for store_id in segment.stores
        if segment.tag and store_id in stores
    )


def _given_up(owned: Sequence[TagWish], wishes: Sequence[TagWish], stores: Mapping[str, StoreTerms]) -> list[TagWish]:
    """Tags of ours that no segment stands for any more (renamed, taken off a store, gone): nobody wants them."""
    wished = {(wish.store_id, wish.tag) for wish in wishes}
    places = {(wish.store_id, wish.tag) for wish in owned if wish.store_id in stores} - wished
    return [TagWish(segment="", tag=tag, store_id=store_id) for store_id, tag in sorted(places)]


def _sorted_out(
    rows: Iterator[AccountTag], segments: Sequence[Segment], stores: Mapping[str, StoreTerms]
) -> tuple[tuple[PlannedChange, ...], tuple[HeldGroup, ...]]:
    by_name = {segment.name: segment for segment in segments}
    changes: list[PlannedChange] = []
    held: Counter[tuple[str, str, str, str]] = Counter()
    for row in rows:
        if row.store_id not in stores:
            continue
        segment = by_name.get(row.segment)
        verdict = _with_store(decide(row, segment), row, segment, stores)
        if isinstance(verdict, Held):
            held[row.store_id, row.segment, row.tag, verdict.reason] += 1
        elif verdict is not None:
            changes.append(verdict)
    changes.sort(key=lambda change: (change.store_id, change.segment, change.external_id, change.tag))
    return tuple(changes), tuple(_group(key, count) for key, count in sorted(held.items()))


def _group(key: tuple[str, str, str, str], count: int) -> HeldGroup:
    store_id, segment, tag, reason = key
    return HeldGroup(store_id=store_id, segment=segment, tag=tag, reason=reason, count=count)


def _with_store(
    verdict: PlannedChange | Held | None, row: AccountTag, segment: Segment | None, stores: Mapping[str, StoreTerms]
) -> PlannedChange | Held | None:
    """The verdict on one account, held back where the store or the segment as a whole is not ready."""
    if not isinstance(verdict, PlannedChange):
        return verdict
    reason = _unready(stores[row.store_id], row.tag) or (_untrusted(segment, stores) if segment else "")
    return Held(reason=reason) if reason else verdict


def _unready(terms: StoreTerms, tag: str) -> str:
    if terms.paused_reason:
        return f"writing to the store is paused: {terms.paused_reason}"
    if len(tag) > terms.longest_tag:
        return (
            f"the tag has {len(tag)} characters, the store takes {terms.longest_tag}: shorten it in the segments file"
        )
    return ""


def _untrusted(segment: Segment, stores: Mapping[str, StoreTerms]) -> str:
    """Why a segment's members cannot be trusted now; empty where they can."""
    scope = {store_id: stores[store_id] for store_id in segment.stores if store_id in stores}
    if missing := _named(segment, {store_id: terms.incomplete for store_id, terms in scope.items()}):
        return f"the history of {missing} is not all here yet: run `syncd backfill`; `syncd status` says what it lacks"
    if segment.is_lasting:
        return ""
    stale = _named(segment, {store_id: terms.stale for store_id, terms in scope.items()})
    return f"what is known of {stale} is older than push.max_staleness: run `syncd sync`" if stale else ""


def _named(segment: Segment, streams: Mapping[str, frozenset[Stream]]) -> str:
    """The streams that a segment needs among some streams of stores, in words."""
    needed = [(stream, store_id) for store_id, some in streams.items() for stream in Stream if stream in some]
    return ", ".join(f"{stream} of {store_id}" for stream, store_id in needed if stream in segment.streams)
