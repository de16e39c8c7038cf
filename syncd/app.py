"""What syncd does, whoever asks: the command line, the daemon and the demo all call this.

Composes settings, database, connectors and the workers. Every method returns values; printing is the caller's.
"""

from __future__ import annotations

import json
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from syncd import process, push
from syncd.clock import Clock, SystemClock
from syncd.connectors import connect
from syncd.connectors.base import Connector
from syncd.connectors.config import StoreConfig
from syncd.derive import DeriveReport
from syncd.derive import run as run_derive
from syncd.errors import (
    BrakeTripped,
    ConfigInvalid,
    DatabaseBusy,
    DatabaseUnavailable,
    ExitCode,
    Interrupted,
    LockHeld,
    RetryLater,
    StopStore,
    SyncdError,
)
from syncd.identity import FirstResolver, identifiers_of
from syncd.logs import bound, get_logger
from syncd.mapping import mapper_for
from syncd.mapping.base import Mapper, MapperOptions
from syncd.meter import SILENT, Meter
from syncd.model import Lane, RawRecord, StoreFacts, Stream, Window
from syncd.notify import note_brakes, note_findings
from syncd.segments import Segment, load_segments
from syncd.settings import Settings
from syncd.store import Database
from syncd.store.types import Counts, LaneKey, ProfileHit, RejectedRecordView, RunReport
from syncd.sync import STOPPED, Ask, Listener, Source, Tools, new_walk, plan_window, recommit, run_stream

_MAX_STORES_AT_ONCE = 8
BACKFILL_LEAVES = 0.5  # of a platform's rate limit, to the live lane of another process
PATIENCE_S = 8.0  # with a request under way when the process is to end
_CHECK_EVERY_S = 86_400.0  # scopes and versions run out
_REFUSED_REST = timedelta(days=1)  # a person who applies a plan tries again at once

log = get_logger(__name__)
Result = TypeVar("Result")
AskFor = Callable[[LaneKey], Ask]


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Which stores and streams a verb is for; empty means all that are configured."""

    stores: tuple[str, ...] = ()
    streams: tuple[Stream, ...] = ()


EVERYTHING = Selection()
ALL_TIME = Window()


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreCheck:
    """What `check` found of one store: its facts, or why it cannot be worked."""

    store_id: str
    platform: str
    facts: StoreFacts | None = None
    error: SyncdError | None = None

    @property
    def is_well(self) -> bool:
        """Whether the store can be worked without anybody acting."""
        return self.facts is not None and all(finding.level != "error" for finding in self.facts.findings)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How one stream's run ended; a failed one carries its error, one that a person paused was not begun."""

    report: RunReport
    error: SyncdError | None = None

    @property
    def exit_code(self) -> ExitCode:
        """What this stream alone would tell the shell."""
        if self.error is not None:
            return self.error.exit_code
        return ExitCode.OK if self.report.status in ("succeeded", "paused") else ExitCode.INCOMPLETE


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncReport:
    """Everything one `sync` or `backfill` did; `brake` says why the automatic push wrote nothing."""

    outcomes: tuple[Outcome, ...]
    derived: DeriveReport
    applied: push.ApplyReport | None = None
    brake: BrakeTripped | None = None

    @property
    def exit_code(self) -> ExitCode:
        """The gravest of the streams' exit codes: failed before try-again before incomplete."""
        codes = {outcome.exit_code for outcome in self.outcomes}
        if self.brake is not None:
            codes.add(self.brake.exit_code)
        if self.applied is not None:
            codes.add(self.applied.exit_code)
        gravity = [code for code in ExitCode if code not in (ExitCode.OK, ExitCode.INCOMPLETE, ExitCode.TRY_AGAIN)]
        order = (*gravity, ExitCode.TRY_AGAIN, ExitCode.INCOMPLETE)
        return next((code for code in order if code in codes), ExitCode.OK)


@dataclass(frozen=True, kw_only=True, slots=True)
class Intent:
    """What a run would ask of one stream, for a dry run."""

    store_id: str
    stream: Stream
    kind: str
    window: Window


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentSize:
    """A segment's people, and how many of them have an account that could carry its tag."""

    profiles: int
    reach: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """What the database holds: contacts, the people they are, segments by name."""

    records: int
    profiles: int
    segments: Mapping[str, SegmentSize]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Checked:
    """A store as it was found, and when."""

    source: Source
    at_s: float


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
        self.listener = listener
        self.meter = meter
        self._connectors: dict[str, Connector] = {}
        self._left_quota = 0.0
        self._sources: dict[str, _Checked] = {}
        self._guard = threading.Lock()

    def __enter__(self) -> App:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def hang_up(self) -> None:
        """Break off every request under way, and make no more: what is stored stays, the rest is for the next run."""
        for connector in tuple(self._connectors.values()):
            connector.close()

    def close(self) -> None:
        """Give connections and the database back; safe to call twice."""
        self.hang_up()
        self._connectors.clear()
        if "database" in self.__dict__:
            self.database.close()
            del self.__dict__["database"]

    @cached_property
    def database(self) -> Database:
        """The merchant's profile database, created at head if it is empty."""
        identity = self.settings.identity
        resolver = FirstResolver(blocked=identity.block, max_names=identity.max_names_per_identifier)
        return Database.open(
            self.settings.database.url, merchant=self.settings.merchant, clock=self.clock, resolver=resolver
        )

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """The segments of the segments file, each checked."""
        return load_segments(self.settings.segments, tuple(self.settings.stores))

    # -- stores -------------------------------------------------------------------------------------------------

    def check(self, selection: Selection = EVERYTHING) -> list[StoreCheck]:
        """Ask every chosen store who it is and what our key may do; nothing is pulled or written."""
        return self._each_store(selection, self._check_store)

    def connector(self, store_id: str) -> Connector:
        """The store's one connector, made at first use."""
        with self._guard:
            if store_id not in self._connectors:
                config = self.settings.store(store_id).leaving_quota(self._left_quota)
                self._connectors[store_id] = connect(config, store_id=store_id, clock=self.clock, meter=self.meter)
            return self._connectors[store_id]

    def mapper(self, store_id: str) -> Mapper:
        """The store's mapping."""
        config = self.settings.store(store_id)
        options = MapperOptions(country=config.country or "", consent_meta_key=config.consent_meta_key)
        return mapper_for(config.platform, options)

    def source(self, store_id: str) -> Source:
        """The store, checked once a day, and ready to be pulled.

        Raises:
            StopStore, RetryLater: It cannot be worked now.
            ConfigInvalid: It is another shop than the one known under this id.
        """
        known, now_s = self._sources.get(store_id), self.clock.monotonic()
        if known is None or now_s - known.at_s > _CHECK_EVERY_S:
            known = _Checked(source=self._source(store_id, self._facts(store_id).country), at_s=now_s)
            self._sources[store_id] = known
        return known.source

    def _facts(self, store_id: str) -> StoreFacts:
        """What the store says of itself, kept; whether our key may write decides whether its push is paused."""
        facts = self.connector(store_id).check()
        self.database.runs.register_store(store_id, self.settings.store(store_id).platform, facts)
        note_findings(self.database, store_id, facts.findings, self.clock.now())
        if facts.can_push:
            self._resume(store_id, push=True)
        else:
            words = [finding.words for finding in facts.findings if finding.level == "error"]
            self._pause(store_id, "; ".join(words) or "the key may not write tags: see `syncd check`", push=True)
        return facts

    def _pause(self, store_id: str, reason: str, *, stream: Stream | None = None, push: bool = False) -> None:
        if self.database.pauses.put(store_id, reason, stream=stream, push=push):
            log.warning("paused", store=store_id, stream=stream, lane="push" if push else "pull", reason=reason)

    def _resume(self, store_id: str, *, stream: Stream | None = None, push: bool = False) -> None:
        if self.database.pauses.lift(store_id, stream=stream, push=push):
            log.info("resumed", store=store_id, stream=stream, lane="push" if push else "pull")

    def _source(self, store_id: str, country: str) -> Source:
        return Source(
            store_id=store_id,
            connector=self.connector(store_id),
            mapper=self.mapper(store_id),
            region=self.settings.store(store_id).country or country,
            own_tags=frozenset(segment.tag for segment in self.segments if segment.tag),
        )

    def _check_store(self, store_id: str) -> StoreCheck:
        platform = self.settings.store(store_id).platform
        try:
            facts = self._facts(store_id)
        except (RetryLater, StopStore, ConfigInvalid) as error:
            return StoreCheck(store_id=store_id, platform=platform, error=error.place(store=store_id))
        return StoreCheck(store_id=store_id, platform=platform, facts=facts)

    def _each_store(self, selection: Selection, work: Callable[[str], Result]) -> list[Result]:
        """Work the chosen stores side by side, results in the configuration's order."""
        store_ids = self._chosen(selection)
        with ThreadPoolExecutor(max_workers=_MAX_STORES_AT_ONCE, thread_name_prefix="store") as pool:
            return list(pool.map(work, store_ids))

    def _chosen(self, selection: Selection) -> Sequence[str]:
        for store_id in selection.stores:
            self.settings.store(store_id)
        return selection.stores or tuple(self.settings.stores)

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
        self._left_quota = BACKFILL_LEAVES
        ask = Ask(kind="backfill", window=window, stop_at=stop_at)
        ended = self._ended_before(selection, ask)
        outcomes = self.pull(selection, lambda key: replace(ask, ended=ended.get((key.store_id, key.stream))))
        return SyncReport(outcomes=outcomes, derived=self.derive())

    def _ended_before(self, selection: Selection, ask: Ask) -> dict[tuple[str, Stream], RunReport]:
        """The streams that a backfill had done when it was cut off, each with its run; none for a new backfill."""
        keys = [
            LaneKey(store_id=store_id, stream=stream, lane=ask.lane)
            for store_id, stream in self.chosen_streams(selection)
        ]
        tools = self._tools()
        left = self.database.runs.backfill_left({key: new_walk(ask, ask.window, tools) for key in keys})
        done = [key for key in keys if left and key not in left]
        runs = {(key.store_id, key.stream): self.database.runs.last(key) for key in done}
        return {stream: run for stream, run in runs.items() if run is not None and run.status == "succeeded"}

    def intents(self, selection: Selection, ask_for: AskFor) -> list[Intent]:
        """What a pull would ask of each stream, without asking it."""
        found = []
        for store_id in self._chosen(selection):
            traits = self.connector(store_id).capabilities.streams
            for stream in self._streams(store_id, selection):
                ask = ask_for(LaneKey(store_id=store_id, stream=stream, lane=Lane.LIVE))
                state = self.database.runs.state(LaneKey(store_id=store_id, stream=stream, lane=ask.lane))
                window = plan_window(state, ask, traits[stream])
                found.append(Intent(store_id=store_id, stream=stream, kind=ask.kind, window=window))
        return found

    def pull(self, selection: Selection, ask_for: AskFor) -> tuple[Outcome, ...]:
        """Pull the chosen streams, stores side by side; one sick store does not touch the others."""
        per_store = self._each_store(selection, lambda store_id: self._pull_store(store_id, selection, ask_for))
        return tuple(outcome for outcomes in per_store for outcome in outcomes)

    def live_ask(self, key: LaneKey, *, sweep: bool = False) -> Ask:
        """An incremental run, or the sweep that is due (or wanted) in its place."""
        state = self.database.runs.state(key)
        due_at = state.last_sweep_at and self._next_sweep(key.store_id, state.last_sweep_at)
        is_due = due_at is None or due_at <= self.clock.now()
        return Ask(kind="sweep" if sweep or is_due else "incremental")

    def _next_sweep(self, store_id: str, last: datetime) -> datetime:
        return self.settings.store(store_id).sweep.after(last, self.settings.timezone)

    def _pull_store(self, store_id: str, selection: Selection, ask_for: AskFor) -> list[Outcome]:
        keys = [
            LaneKey(store_id=store_id, stream=stream, lane=Lane.LIVE) for stream in self._streams(store_id, selection)
        ]
        resting = self._resting(store_id)
        paused = [self._paused(key, ask_for(key), resting[key.stream]) for key in keys if key.stream in resting]
        return paused + self._pull_streams(store_id, [key for key in keys if key.stream not in resting], ask_for)

    def _resting(self, store_id: str) -> dict[Stream, str]:
        """The streams of a store that a person paused, with the reason."""
        by_hand = [p for p in self.database.pauses.all() if p.store_id == store_id and p.by_hand and not p.is_push]
        return {stream: p.reason for p in by_hand for stream in Stream if p.stream in (None, stream)}

    def _pull_streams(self, store_id: str, keys: Sequence[LaneKey], ask_for: AskFor) -> list[Outcome]:
        if not keys:
            return []
        try:
            source = self.source(store_id)
        except (DatabaseBusy, DatabaseUnavailable):
            raise
        except (RetryLater, StopStore, ConfigInvalid) as error:
            return [self._not_begun(key, ask_for(key), error) for key in keys]
        return [self._pull_stream(source, key.stream, ask_for) for key in keys]

    def _paused(self, key: LaneKey, ask: Ask, reason: str) -> Outcome:
        return Outcome(report=self._report(key, ask, "paused", f"{reason}. `syncd resume {key.store_id}` ends it"))

    def _pull_stream(self, source: Source, stream: Stream, ask_for: AskFor) -> Outcome:
        key = LaneKey(store_id=source.store_id, stream=stream, lane=Lane.LIVE)
        with bound(store=source.store_id, stream=stream):
            ask = ask_for(key)
            if ask.ended is not None:
                return Outcome(report=ask.ended)
            if ask.is_over(self.clock.now()):
                return Outcome(report=self._report(key, ask, "partial", STOPPED))
            try:
                self._not_stopped()
                report = run_stream(source, stream, ask, self._tools())
                if ask.kind == "sweep" and report.kind != "sweep":  # a cut-off run was taken up in its place
                    report = run_stream(source, stream, ask, self._tools())
            except (DatabaseBusy, DatabaseUnavailable):
                raise  # it is not the shop that failed
            except (RetryLater, StopStore, LockHeld) as error:
                return self._failed(key, ask, error)
            self._resume(source.store_id)
            self._resume(source.store_id, stream=stream)
            log.info("stream_pulled", kind=report.kind, status=report.status, **asdict(report.counts))
        return Outcome(report=report)

    def _not_stopped(self) -> None:
        if self.stop.is_set():
            raise Interrupted("told to end before this stream's turn; the next run does it")

    def _tools(self) -> Tools:
        return Tools(
            database=self.database,
            clock=self.clock,
            new_id=self.database.new_id,
            owner=process.own_name(),
            stop=self.stop,
            listener=self.listener,
            meter=self.meter,
        )

    def _not_begun(self, key: LaneKey, ask: Ask, error: SyncdError) -> Outcome:
        """A run that came no further than the store's check; history shows it."""
        outcome = self._failed(key, ask, error)
        self.database.runs.finish_run(outcome.report)
        return outcome

    def _failed(self, key: LaneKey, ask: Ask, error: SyncdError) -> Outcome:
        """A run that did not end well, with what its walk has stored; a store that must stop pauses with its reason."""
        store_id, stream = key.store_id, key.stream
        error.place(store=store_id)
        if isinstance(error, (StopStore, ConfigInvalid)):
            self._sources.pop(store_id, None)
            is_streams = isinstance(error, StopStore) and error.stops_stream_only
            self._pause(store_id, error.advice, stream=stream if is_streams else None)
        log.debug("stream_failed", store=store_id, stream=stream, error=type(error).__name__, reason=error.message)
        return Outcome(report=self._report(key, ask, "failed", error.advice), error=error)

    def _report(self, key: LaneKey, ask: Ask, status: str, reason: str) -> RunReport:
        """A run that asked for nothing (more), with what its walk has stored so far."""
        walk, now = self.database.runs.state(replace(key, lane=ask.lane)).walk, self.clock.now()
        return RunReport(
            run_id=self.database.new_id(),
            store_id=key.store_id,
            platform=self.settings.store(key.store_id).platform,
            stream=key.stream,
            lane=ask.lane,
            kind=walk.kind if walk else ask.kind,
            status=status,
            started_at=now,
            ended_at=now,
            reason=reason,
            counts=walk.counts if walk else Counts(),
            declared=walk.declared if walk else None,
        )

    def _streams(self, store_id: str, selection: Selection) -> list[Stream]:
        configured = self.settings.store(store_id).streams
        return [stream for stream in Stream if stream in configured and stream in (selection.streams or Stream)]

    # -- rejected records ---------------------------------------------------------------------------------------

    def rejected(self, selection: Selection = EVERYTHING, external_id: str | None = None) -> list[RejectedRecordView]:
        """The rejected records of the chosen stores and streams."""
        chosen = self._chosen(selection)
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
            total += recommit(self._kept_source(store_id), stream, tuple(records), self.database)
        return total

    def kept_sources(self, selection: Selection = EVERYTHING) -> Iterator[tuple[Source, Stream]]:
        """The chosen stores and streams, to be read from what is kept of them: no shop is asked, not even who it is."""
        return ((self._kept_source(store_id), stream) for store_id, stream in self.chosen_streams(selection))

    def chosen_streams(self, selection: Selection = EVERYTHING) -> Iterator[tuple[str, Stream]]:
        """The chosen streams of the chosen stores, in the configuration's order."""
        for store_id in self._chosen(selection):
            yield from ((store_id, stream) for stream in self._streams(store_id, selection))

    def _kept_source(self, store_id: str) -> Source:
        return self._source(store_id, self.database.runs.country(store_id))

    # -- people -------------------------------------------------------------------------------------------------

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

    # -- deriving and pushing -----------------------------------------------------------------------------------

    def derive(self) -> DeriveReport:
        """Recompute the facts of touched profiles and the memberships of every segment."""
        return run_derive(self.database, self.segments, self.settings.policy(), self.clock)

    def plan(self, selection: Selection = EVERYTHING) -> push.Plan:
        """The tag changes that are due on the chosen stores; nothing is written."""
        chosen = self._chosen(selection)
        self._look_again_at_paused(chosen)
        connectors = {store_id: self.connector(store_id) for store_id in self.settings.stores}
        now = self.clock.now()
        stale_before = now - self.settings.push.max_staleness
        terms = push.store_terms(self.settings.stores, connectors, self.database.runs.status(), stale_before)
        return push.plan(
            self.database, self.segments, terms, push.Purpose(merchant=self.settings.merchant, stores=chosen, now=now)
        )

    def load_plan(self, path: Path) -> push.Plan:
        """A plan saved earlier.

        Raises:
            ConfigInvalid: It cannot be read, or is another merchant's.
        """
        made = push.load(path, self.settings.merchant)
        self._look_again_at_paused(self.settings.stores)
        return made

    def apply(self, plan: push.Plan, approved: int | None = None) -> push.ApplyReport:
        """Write exactly a plan's changes, and what an earlier apply left waiting.

        Args:
            approved: Customers, over all stores, that somebody agreed to change past the brake.

        Raises:
            BrakeTripped: The plan is too large and not approved, or pushing is switched off; nothing was written.
        """
        _push_allowed()
        return push.apply(plan, self._delivery(self.settings.stores), approved)

    def _delivery(self, configs: Mapping[str, StoreConfig]) -> push.Delivery:
        targets = {
            store_id: push.Target(connector=self.connector(store_id), mapper=self.mapper(store_id), push=config.push)
            for store_id, config in configs.items()
        }
        return push.Delivery(
            database=self.database,
            targets=targets,
            clock=self.clock,
            new_id=self.database.new_id,
            meter=self.meter,
            owner=process.own_name(),
            stop=self.stop,
        )

    def plan_untagging(self, store_id: str) -> push.Plan:
        """The removal of every tag that the ledger calls ours on one store; nothing is written.

        Raises:
            ConfigInvalid: The config does not have the store.
        """
        configs = {store_id: self.settings.store(store_id)}
        self._look_again_at_paused(configs)
        terms = push.store_terms(configs, {store_id: self.connector(store_id)}, self.database.runs.status())
        return push.untagging(self.database, store_id, terms[store_id], self.settings.merchant, self.clock.now())

    def untag(self, store_id: str, plan: push.Plan, approved: int | None = None) -> push.ApplyReport:
        """Write the removals planned for one store; raises as `apply` does."""
        _push_allowed()
        return push.apply(plan, self._delivery({store_id: self.settings.store(store_id)}), approved)

    def _look_again_at_paused(self, store_ids: Iterable[str]) -> None:
        """Ask the stores whose push is paused once more: a key that was mended may write from now on."""
        paused = {pause.store_id for pause in self.database.pauses.all() if pause.is_push and not pause.by_hand}
        for store_id in sorted(paused.intersection(store_ids)):
            self._check_store(store_id)

    def apply_automatic(self, selection: Selection = EVERYTHING) -> push.ApplyReport | None:
        """Plan and apply for the chosen stores whose push mode is auto; None where there are none."""
        configs = self.settings.stores
        automatic = tuple(store_id for store_id in self._chosen(selection) if configs[store_id].push.mode == "auto")
        if not automatic or os.environ.get("SYNCD_PUSH", "").lower() == "off":
            return None
        plan = self._without_refused(self.plan(Selection(stores=automatic)))
        tripped = {brake.store_id: brake.reason for brake in plan.brakes if brake.is_tripped}
        note_brakes(self.database, tripped, automatic, self.clock.now())
        return push.apply(plan, self._delivery({store_id: configs[store_id] for store_id in automatic}))

    def _without_refused(self, plan: push.Plan) -> push.Plan:
        """A plan without what its platform refused lately: asked every minute, it would refuse every minute."""
        refused = self.database.tags.refused_since(self.clock.now() - _REFUSED_REST)
        keys = attrgetter("store_id", "external_id", "tag", "action")
        return push.narrowed(plan, lambda change: keys(change) not in refused)


def _push_allowed() -> None:
    if os.environ.get("SYNCD_PUSH", "").lower() == "off":
        raise BrakeTripped("SYNCD_PUSH=off: nothing is written", hint="Unset the variable to write")
