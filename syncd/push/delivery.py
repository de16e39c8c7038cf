"""Carries planned changes to the platforms: outbox and ledger first, then HTTP, then each row by its own result.

A row that was sent and whose answer was lost stays `sending` until the account has been read back; a crash leaves the
same trace and is mended the same way, at the next apply. Sending twice is harmless: a change adds or removes one tag.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from operator import attrgetter

from syncd.clock import Clock
from syncd.connectors.base import Connector, PushOutcome, PushResult
from syncd.connectors.config import PushConfig
from syncd.errors import (
    AmbiguousWrite,
    ConfigInvalid,
    DatabaseBusy,
    DatabaseUnavailable,
    ExitCode,
    Interrupted,
    LockHeld,
    RetryLater,
    SkipRecord,
    StopStore,
)
from syncd.logs import scrub
from syncd.mapping.base import Mapper
from syncd.meter import SILENT, Meter
from syncd.model import Customer, Lane, PlatformChange, RawRecord, Stream, TagAction, TagChange, Window
from syncd.push.brake import check_brakes
from syncd.push.planning import Plan, brakes
from syncd.store import Database
from syncd.store.types import LaneKey, Lease, OutboxItem, PlannedChange, Settled

MOST_ATTEMPTS = 5
FIRST_WAIT_S = 60.0
LEASE_S = 600.0  # one batch, its answer waited for as long as a request may take, and what is read back
_MAX_STORES_AT_ONCE = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """One store that tags are written to."""

    connector: Connector
    mapper: Mapper
    push: PushConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """What an apply works with.

    Args:
        targets: Every configured store.
        new_id: Names the apply in the outbox and the ledger.
        owner: Which process this is; another one that writes to a store keeps that store.
        stop: Ends the delivery after the batch in hand; what is left waits in the outbox.
    """

    database: Database
    targets: Mapping[str, Target]
    clock: Clock
    new_id: Callable[[], str]
    owner: str
    stop: threading.Event
    meter: Meter = SILENT


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreReport:
    """What became of one store's changes.

    Args:
        rejected: Changes that the platform refused, each with its reason.
        waiting: Changes that stay in the outbox for a later apply.
        held: Changes of the plan that were not even queued, because writing to the store is off or paused.
        stopped: Why delivery ended before everything was tried; empty where it did not.
        exit_code: What this store alone would tell the shell; a store that was not tried is no failure.
    """

    store_id: str
    confirmed: int = 0
    rejected: tuple[tuple[PlannedChange, str], ...] = ()
    waiting: int = 0
    held: int = 0
    stopped: str = ""
    exit_code: ExitCode = ExitCode.OK


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplyReport:
    """What one apply did.

    Args:
        queued: Changes of the plan that were put into the outbox.
        outdated: Changes of the plan that are no longer due as planned, and were left out.
    """

    apply_id: str
    queued: int
    outdated: int
    stores: tuple[StoreReport, ...]

    @property
    def confirmed(self) -> int:
        """Changes that the platforms have taken."""
        return sum(store.confirmed for store in self.stores)

    @property
    def exit_code(self) -> ExitCode:
        """What to tell the shell: a failure that somebody has to mend before one that goes by."""
        codes = {store.exit_code for store in self.stores}
        return next(
            (code for code in (ExitCode.FAILED, ExitCode.LOCK_HELD, ExitCode.TRY_AGAIN) if code in codes), ExitCode.OK
        )


def apply(plan: Plan, delivery: Delivery, approved: int | None = None) -> ApplyReport:
    """Do exactly a plan's changes, and whatever an earlier apply left waiting.

    Args:
        approved: Customers, over all stores, that somebody agreed to change past the brake.

    Raises:
        ConfigInvalid: The plan names a store that is not configured.
        BrakeTripped: The plan is too large and not approved; nothing was written.
    """
    closed = _closed(delivery)
    _check_stores(plan, delivery)
    pushes = {store_id: target.push for store_id, target in delivery.targets.items()}
    check_brakes(brakes(delivery.database, _open(plan, closed), pushes), approved)
    with _leased(delivery, closed) as couriers:
        _side_by_side(couriers, _Courier.read_back_interrupted)
        changes, apply_id = _open(plan, closed), delivery.new_id()
        queued = delivery.database.tags.enqueue(apply_id, changes) if changes else 0
        _side_by_side(couriers, _Courier.deliver)
    reports = [courier.report() for courier in couriers] + [_held(plan, store_id, closed) for store_id in closed]
    return ApplyReport(apply_id=apply_id, queued=queued, outdated=len(changes) - queued, stores=tuple(reports))


def _open(plan: Plan, closed: Mapping[str, str]) -> list[PlannedChange]:
    return [change for change in plan.changes if change.store_id not in closed]


@contextmanager
def _leased(delivery: Delivery, closed: dict[str, str]) -> Iterator[list[_Courier]]:
    """A courier for each open store whose outbox nobody else works; the others are closed, with the reason."""
    runs, couriers = delivery.database.runs, list[_Courier]()
    try:
        for store_id in delivery.targets.keys() - closed.keys():
            key = LaneKey(store_id=store_id, stream=Stream.CUSTOMERS, lane=Lane.PUSH)
            try:
                lease = runs.acquire(key, delivery.owner, LEASE_S)
            except LockHeld as error:
                closed[store_id] = error.advice
            else:
                couriers.append(_Courier(store_id=store_id, delivery=delivery, lease=lease))
        yield sorted(couriers, key=attrgetter("store_id"))
    finally:
        for courier in couriers:
            runs.release(courier.lease)


def _side_by_side(couriers: Sequence[_Courier], work: Callable[[_Courier], None]) -> None:
    """A slow store does not keep the others waiting."""
    with ThreadPoolExecutor(max_workers=_MAX_STORES_AT_ONCE, thread_name_prefix="push") as pool:
        for _ in pool.map(lambda courier: courier.run(work), couriers):
            pass


def _closed(delivery: Delivery) -> dict[str, str]:
    """Stores that nothing is written to now, with the reason."""
    statuses = delivery.database.runs.status()
    paused = {status.store_id: status.push_paused_reason for status in statuses if status.push_paused_reason}
    off = {store_id: "push.mode is off" for store_id, target in delivery.targets.items() if target.push.mode == "off"}
    return {store_id: reason for store_id, reason in (paused | off).items() if store_id in delivery.targets}


def _check_stores(plan: Plan, delivery: Delivery) -> None:
    if unknown := sorted({change.store_id for change in plan.changes} - delivery.targets.keys()):
        raise ConfigInvalid(
            f"the plan writes to {', '.join(unknown)}, which the config does not have", hint="Make the plan again"
        )


def _held(plan: Plan, store_id: str, closed: Mapping[str, str]) -> StoreReport:
    count = sum(change.store_id == store_id for change in plan.changes)
    return StoreReport(store_id=store_id, held=count, stopped=closed[store_id])


@dataclass(kw_only=True)
class _Courier:
    """Brings one store's outbox rows to the platform, batch by batch; a sick store stops only its own courier."""

    store_id: str
    delivery: Delivery
    lease: Lease
    confirmed: int = 0
    rejected: list[tuple[PlannedChange, str]] = field(default_factory=list)
    waiting: int = 0
    stopped: str = ""
    exit_code: ExitCode = ExitCode.OK

    @property
    def _target(self) -> Target:
        return self.delivery.targets[self.store_id]

    def run(self, work: Callable[[_Courier], None]) -> None:
        """Do some work unless the store is known to be sick by now; notes why if it turns out so."""
        if self.stopped:
            return
        try:
            work(self)
        except (DatabaseBusy, DatabaseUnavailable):
            raise  # it is not the shop that failed
        except (RetryLater, LockHeld) as error:
            self.stopped, self.exit_code = error.message, error.exit_code
        except StopStore as error:
            self.stopped, self.exit_code = error.message, error.exit_code
            self.delivery.database.pauses.put(self.store_id, error.message, push=True)

    def read_back_interrupted(self) -> None:
        """Find out what became of changes that a crash or a lost answer left unsettled."""
        if items := self.delivery.database.tags.unsettled(self.store_id):
            self._read_back(items)

    def deliver(self) -> None:
        """Send everything that is due."""
        batch = self._target.connector.capabilities.largest_push_batch
        while items := self.delivery.database.tags.due(self.store_id, batch):
            if worded := self._worded(self._started(items)):
                self._send(worded)

    def report(self) -> StoreReport:
        """What became of the store's changes."""
        return StoreReport(
            store_id=self.store_id,
            confirmed=self.confirmed,
            rejected=tuple(self.rejected),
            waiting=self.waiting,
            stopped=self.stopped,
            exit_code=self.exit_code,
        )

    def _started(self, items: Sequence[OutboxItem]) -> list[OutboxItem]:
        """The items as they are once the outbox says that they are on the wire."""
        if self.delivery.stop.is_set():
            raise Interrupted("told to end; the changes that are left wait for the next apply")
        self.delivery.database.runs.renew(self.lease, LEASE_S)
        self.delivery.database.tags.mark_sending([item.outbox_id for item in items])
        return [replace(item, state="sending", attempts=item.attempts + 1) for item in items]

    def _worded(self, items: Sequence[OutboxItem]) -> list[tuple[OutboxItem, PlatformChange]]:
        """The items in the platform's words; those that have none are rejected here."""
        worded: list[tuple[OutboxItem, PlatformChange]] = []
        refused: list[Settled] = []
        for item in items:
            try:
                worded.append((item, self._target.mapper.to_platform(_tag_change(item.change))))
            except SkipRecord as error:
                refused.append(self._rejection(item, error.message))
        self._settle(refused)
        return worded

    def _send(self, worded: Sequence[tuple[OutboxItem, PlatformChange]]) -> None:
        items = [item for item, _ in worded]
        try:
            results = self._target.connector.push([change for _, change in worded])
        except AmbiguousWrite:
            self._read_back(items)
        except (RetryLater, StopStore) as error:
            self._settle([self._put_off(item, error.message, 0.0) for item in items])
            raise
        else:
            self._settle([self._outcome(item, result) for item, result in zip(items, results, strict=True)])

    def _outcome(self, item: OutboxItem, result: PushResult) -> Settled:
        if result.outcome in (PushOutcome.APPLIED, PushOutcome.ALREADY_SO):
            return self._confirmation(item)
        if result.outcome is PushOutcome.REJECTED:
            return self._rejection(item, result.reason)
        if item.attempts >= MOST_ATTEMPTS:
            return self._rejection(item, f"given up after {MOST_ATTEMPTS} attempts: {result.reason}")
        return self._put_off(item, result.reason, result.retry_after_s)

    def _confirmation(self, item: OutboxItem) -> Settled:
        self.confirmed += 1
        return Settled(outbox_id=item.outbox_id, state="confirmed")

    def _rejection(self, item: OutboxItem, reason: str) -> Settled:
        words = scrub(reason)  # a shop's own words may name somebody
        self.rejected.append((item.change, words))
        return Settled(outbox_id=item.outbox_id, state="rejected", reason=words)

    def _put_off(self, item: OutboxItem, reason: str, wait_s: float) -> Settled:
        self.waiting += 1
        wait = timedelta(seconds=max(wait_s, FIRST_WAIT_S * 2 ** min(item.attempts - 1, MOST_ATTEMPTS)))
        not_before = self.delivery.clock.now() + wait
        return Settled(outbox_id=item.outbox_id, state="waiting", reason=scrub(reason), not_before=not_before)

    def _settle(self, outcomes: Sequence[Settled]) -> None:
        if outcomes:
            self.delivery.database.tags.settle(outcomes)
            self.delivery.meter.pushed(self.store_id, Counter(outcome.state for outcome in outcomes))

    def _read_back(self, items: Sequence[OutboxItem]) -> None:
        """Look at the accounts that unsettled changes touch, and settle each by what is there."""
        accounts = self._accounts(sorted({item.change.external_id for item in items}))
        self._settle([self._found(item, accounts) for item in items])

    def _accounts(self, external_ids: Sequence[str]) -> dict[str, frozenset[str] | None]:
        """Tags by account as the platform has them now, None where they cannot be read; gone accounts are missing."""
        found: dict[str, frozenset[str] | None] = {}
        for page in self._target.connector.pull(Stream.CUSTOMERS, Window(ids=tuple(external_ids))):
            for raw in page.records:
                tags = found[raw.external_id] = self._tags(raw)
                if tags is not None:
                    self.delivery.database.tags.see_tags(self.store_id, raw.external_id, sorted(tags), page.asked_at)
        return found

    def _tags(self, raw: RawRecord) -> frozenset[str] | None:
        try:
            unified = self._target.mapper.to_unified(Stream.CUSTOMERS, raw)
        except SkipRecord:
            return None
        if isinstance(unified, Customer) and unified.tags is not None:
            return frozenset(unified.tags)
        return None

    def _found(self, item: OutboxItem, accounts: Mapping[str, frozenset[str] | None]) -> Settled:
        change = item.change
        if change.external_id not in accounts:
            return self._rejection(item, "the account is no longer there")
        tags = accounts[change.external_id]
        if tags is not None and (change.tag in tags) is (change.action is TagAction.ADD):
            return self._confirmation(item)
        if item.attempts >= MOST_ATTEMPTS:  # nobody refused it: it waits, however long the way is faulty
            return self._put_off(item, f"sent {item.attempts} times without an answer, and not there", 0.0)
        return Settled(outbox_id=item.outbox_id, state="planned", reason="sent without an answer, and not there")


def _tag_change(change: PlannedChange) -> TagChange:
    return TagChange(external_id=change.external_id, action=change.action, tag=change.tag)
