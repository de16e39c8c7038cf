"""The one door to everything: composes settings, database, connectors and the workers."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType

from syncd import push
from syncd.app.merchant import Merchant
from syncd.app.pulling import AskFor, Pulling
from syncd.app.pushing import Pushing
from syncd.app.stores import Stores
from syncd.app.values import (
    ALL_TIME,
    EVERYTHING,
    Intent,
    Outcome,
    SegmentSize,
    Selection,
    StoreCheck,
    Summary,
    SyncReport,
)
from syncd.clock import Clock, SystemClock
from syncd.connectors.base import Connector
from syncd.derive import DeriveReport
from syncd.derive import run as run_derive
from syncd.errors import BrakeTripped
from syncd.identity import identifiers_of
from syncd.mapping.base import Mapper
from syncd.meter import SILENT, Meter
from syncd.model import RawRecord, Stream, Window
from syncd.segments import Segment
from syncd.settings import Settings
from syncd.store import Database
from syncd.store.types import Counts, LaneKey, ProfileHit, RejectedRecordView
from syncd.sync import Ask, Listener, Source, recommit

BACKFILL_LEAVES = 0.5  # of a platform's rate limit, to the live lane of another process


class App:
    """One merchant's syncd, opened from its settings.

    Args:
        settings: The validated configuration.
        clock: What time it is and how to wait.
        stop: Ends long work after the page in hand.
        listener: Watches the pages as they are stored.
        meter: Counts requests, records and tag changes.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        stop: threading.Event | None = None,
        listener: Listener | None = None,
        meter: Meter = SILENT,
    ) -> None:
        self.settings = settings
        self.stop = stop or threading.Event()
        self.clock = clock or SystemClock(self.stop)
        self._merchant = Merchant(settings, clock=self.clock, stop=self.stop, listener=listener, meter=meter)
        self._stores = Stores(self._merchant)
        self._pulling = Pulling(self._merchant, self._stores)
        self._pushing = Pushing(self._merchant, self._stores)

    def __enter__(self) -> App:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def hang_up(self) -> None:
        """Break off every request under way, and make no more: what is stored stays, the rest is for the next run."""
        self._stores.hang_up()

    def close(self) -> None:
        """Give connections and the database back; safe to call twice."""
        self._stores.close()
        self._merchant.close()

    @property
    def database(self) -> Database:
        """The merchant's profile database, created at head if it is empty."""
        return self._merchant.database

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The segments of the segments file, each checked."""
        return self._merchant.segments

    @property
    def listener(self) -> Listener | None:
        """Who watches the pages as they are stored."""
        return self._merchant.listener

    @listener.setter
    def listener(self, listener: Listener | None) -> None:
        self._merchant.listener = listener

    # -- stores -------------------------------------------------------------------------------------------------

    def check(self, selection: Selection = EVERYTHING) -> list[StoreCheck]:
        """Ask every chosen store who it is and what our key may do; nothing is pulled or written."""
        return self._stores.check(selection)

    def connector(self, store_id: str) -> Connector:
        """The store's one connector, made at first use."""
        return self._stores.connector(store_id)

    def mapper(self, store_id: str) -> Mapper:
        """The store's mapping."""
        return self._stores.mapper(store_id)

    def source(self, store_id: str) -> Source:
        """The store, checked once a day, and ready to be pulled.

        Raises:
            StopStore, RetryLater: It cannot be worked now.
            ConfigInvalid: It is another shop than the one known under this id.
        """
        return self._stores.source(store_id)

    # -- pulling ------------------------------------------------------------------------------------------------

    def sync(self, selection: Selection = EVERYTHING, *, sweep: bool = False) -> SyncReport:
        """One incremental pull of every stream, derive, then plan and apply where a store's push is automatic."""
        outcomes = self.pull(selection, lambda key: self.live_ask(key, sweep=sweep))
        derived = self.derive()
        try:
            return SyncReport(outcomes=outcomes, derived=derived, applied=self.apply_automatic(selection))
        except BrakeTripped as error:
            return SyncReport(outcomes=outcomes, derived=derived, brake=error)

    def backfill(
        self, selection: Selection = EVERYTHING, window: Window = ALL_TIME, stop_at: datetime | None = None
    ) -> SyncReport:
        """Pull a fixed window in a lane of its own, resumable, then derive; nothing is written to a shop.

        Half of each platform's rate limit is left to the live lane, which may be at work in another process.

        Args:
            stop_at: When to stop after the page in hand; the same backfill goes on from there.
        """
        self._stores.left_quota = BACKFILL_LEAVES
        ask = Ask(kind="backfill", window=window, stop_at=stop_at)
        ended = self._pulling.ended_before(selection, ask)
        outcomes = self.pull(selection, lambda key: replace(ask, ended=ended.get((key.store_id, key.stream))))
        return SyncReport(outcomes=outcomes, derived=self.derive())

    def intents(self, selection: Selection, ask_for: AskFor) -> list[Intent]:
        """What a pull would ask of each stream, without asking it."""
        return self._pulling.intents(selection, ask_for)

    def pull(self, selection: Selection, ask_for: AskFor) -> tuple[Outcome, ...]:
        """Pull the chosen streams, stores side by side; one sick store does not touch the others."""
        return self._pulling.pull(selection, ask_for)

    def live_ask(self, key: LaneKey, *, sweep: bool = False) -> Ask:
        """An incremental run, or the sweep that is due (or wanted) in its place."""
        return self._pulling.live_ask(key, sweep=sweep)

    # -- rejected records ---------------------------------------------------------------------------------------

    def rejected(self, selection: Selection = EVERYTHING, external_id: str | None = None) -> list[RejectedRecordView]:
        """The rejected records of the chosen stores and streams."""
        chosen = self._merchant.stores(selection)
        views = self.database.pages.rejected(external_id=external_id)
        return [view for view in views if view.store_id in chosen and view.stream in (selection.streams or Stream)]

    def replay_rejected(self, selection: Selection = EVERYTHING) -> Counts:
        """Map the rejected records once more, after a fix; what still cannot be read stays rejected."""
        groups: dict[tuple[str, Stream], list[RawRecord]] = defaultdict(list)
        for view in self.rejected(selection):
            raw = RawRecord(external_id=view.external_id, payload=json.loads(view.payload))
            groups[view.store_id, view.stream].append(raw)
        total = Counts()
        for (store_id, stream), records in groups.items():
            total += recommit(self._stores.kept_source(store_id), stream, tuple(records), self.database)
        return total

    def kept_sources(self, selection: Selection = EVERYTHING) -> Iterator[tuple[Source, Stream]]:
        """The chosen stores and streams, to be read from what is kept of them: no shop is asked, not even who it is."""
        return ((self._stores.kept_source(store_id), stream) for store_id, stream in self.chosen_streams(selection))

    def chosen_streams(self, selection: Selection = EVERYTHING) -> Iterator[tuple[str, Stream]]:
        """The chosen streams of the chosen stores, in the configuration's order."""
        return self._merchant.places(selection)

    # -- people and their segments ------------------------------------------------------------------------------

    def find(self, text: str, limit: int = 20) -> list[ProfileHit]:
        """People by e-mail, phone, name or a shop's id, however the mailbox or phone is written."""
        regions = {config.country or "" for config in self.settings.stores.values()}
        identifiers = {item for region in regions for item in identifiers_of(text, region)}
        return self.database.people.find(text, limit, identifiers=sorted(identifiers))

    def summary(self) -> Summary:
        """How many contacts are how many people, and each segment's size and reach."""
        sizes = self.database.facts.sizes()
        return Summary(
            records=self.database.people.contact_count(),
            profiles=self.database.people.profile_count(),
            segments={
                segment.name: SegmentSize(
                    profiles=sizes.get(segment.name, 0),
                    reach=self.database.tags.reachable(segment.name, segment.stores),
                )
                for segment in self.segments
            },
        )

    def derive(self) -> DeriveReport:
        """Recompute the facts of touched profiles and the memberships of every segment."""
        return run_derive(self.database, self.segments, self.settings.policy(), self.clock)

    # -- pushing ------------------------------------------------------------------------------------------------

    def plan(self, selection: Selection = EVERYTHING) -> push.Plan:
        """The tag changes that are due on the chosen stores; nothing is written."""
        return self._pushing.plan(selection)

    def load_plan(self, path: Path) -> push.Plan:
        """A plan saved earlier.

        Raises:
            ConfigInvalid: It cannot be read, or is another merchant's.
        """
        return self._pushing.load(path)

    def apply(self, plan: push.Plan, approved: int | None = None) -> push.ApplyReport:
        """Write exactly a plan's changes, and what an earlier apply left waiting.

        Args:
            approved: Customers, over all stores, that somebody agreed to change past the brake.

        Raises:
            BrakeTripped: The plan is too large and not approved, or pushing is switched off; nothing was written.
        """
        return self._pushing.apply(plan, approved)

    def apply_automatic(self, selection: Selection = EVERYTHING) -> push.ApplyReport | None:
        """Plan and apply for the chosen stores whose push mode is auto; None where there are none."""
        return self._pushing.apply_automatic(selection)

    def plan_untagging(self, store_id: str) -> push.Plan:
        """The removal of every tag that the ledger calls ours on one store; nothing is written.

        Raises:
            ConfigInvalid: The config does not have the store.
        """
        return self._pushing.plan_untagging(store_id)

    def untag(self, store_id: str, plan: push.Plan, approved: int | None = None) -> push.ApplyReport:
        """Write the removals planned for one store; raises as `apply` does."""
        return self._pushing.untag(store_id, plan, approved)
