"""Pulls: which runs the chosen streams get, and what a run that failed means for its store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime

from syncd.app.merchant import Merchant
from syncd.app.stores import Stores
from syncd.app.values import Intent, Outcome, Selection
from syncd.errors import (
    ConfigInvalid,
    DatabaseBusy,
    DatabaseUnavailable,
    Interrupted,
    LockHeld,
    RetryLater,
    StopStore,
    SyncdError,
)
from syncd.logs import bound, get_logger
from syncd.model import Lane, Stream
from syncd.store.types import Counts, LaneKey, RunReport
from syncd.sync import STOPPED, Ask, Source, new_walk, plan_window, run_stream

log = get_logger(__name__)
AskFor = Callable[[LaneKey], Ask]


class Pulling:
    """Pulls of one merchant's stores; one sick store does not touch the others."""

    def __init__(self, merchant: Merchant, stores: Stores) -> None:
        self._merchant = merchant
        self._stores = stores

    def pull(self, selection: Selection, ask_for: AskFor) -> tuple[Outcome, ...]:
        """Pull the chosen streams, stores side by side; one sick store does not touch the others."""
        per_store = self._merchant.each_store(
            selection, lambda store_id: self._pull_store(store_id, selection, ask_for)
        )
        return tuple(outcome for outcomes in per_store for outcome in outcomes)

    def live_ask(self, key: LaneKey, *, sweep: bool = False) -> Ask:
        """An incremental run, or the sweep that is due (or wanted) in its place."""
        state = self._merchant.database.runs.state(key)
        due_at = state.last_sweep_at and self._next_sweep(key.store_id, state.last_sweep_at)
        is_due = due_at is None or due_at <= self._merchant.clock.now()
        return Ask(kind="sweep" if sweep or is_due else "incremental")

    def intents(self, selection: Selection, ask_for: AskFor) -> list[Intent]:
        """What a pull would ask of each stream, without asking it."""
        found = []
        for store_id in self._merchant.stores(selection):
            traits = self._stores.connector(store_id).capabilities.streams
            for stream in self._merchant.streams(store_id, selection):
                ask = ask_for(LaneKey(store_id=store_id, stream=stream, lane=Lane.LIVE))
                state = self._merchant.database.runs.state(LaneKey(store_id=store_id, stream=stream, lane=ask.lane))
                window = plan_window(state, ask, traits[stream])
                found.append(Intent(store_id=store_id, stream=stream, kind=ask.kind, window=window))
        return found

    def ended_before(self, selection: Selection, ask: Ask) -> dict[tuple[str, Stream], RunReport]:
        """The streams that a backfill had done when it was cut off, each with its run; none for a new backfill."""
        keys = [
            LaneKey(store_id=store_id, stream=stream, lane=ask.lane)
            for store_id, stream in self._merchant.places(selection)
        ]
        tools = self._merchant.tools()
        left = self._merchant.database.runs.backfill_left({key: new_walk(ask, ask.window, tools) for key in keys})
        done = [key for key in keys if left and key not in left]
        runs = {(key.store_id, key.stream): self._merchant.database.runs.last(key) for key in done}
        return {stream: run for stream, run in runs.items() if run is not None and run.status == "succeeded"}

    def _next_sweep(self, store_id: str, last: datetime) -> datetime:
        return self._merchant.settings.store(store_id).sweep.after(last, self._merchant.settings.timezone)

    def _pull_store(self, store_id: str, selection: Selection, ask_for: AskFor) -> list[Outcome]:
        keys = [
            LaneKey(store_id=store_id, stream=stream, lane=Lane.LIVE)
            for stream in self._merchant.streams(store_id, selection)
        ]
        resting = self._resting(store_id)
        paused = [self._paused(key, ask_for(key), resting[key.stream]) for key in keys if key.stream in resting]
        return paused + self._pull_streams(store_id, [key for key in keys if key.stream not in resting], ask_for)

    def _resting(self, store_id: str) -> dict[Stream, str]:
        """The streams of a store that a person paused, with the reason."""
        by_hand = [
            p for p in self._merchant.database.pauses.all() if p.store_id == store_id and p.by_hand and not p.is_push
        ]
        return {stream: p.reason for p in by_hand for stream in Stream if p.stream in (None, stream)}

    def _pull_streams(self, store_id: str, keys: Sequence[LaneKey], ask_for: AskFor) -> list[Outcome]:
        if not keys:
            return []
        try:
            source = self._stores.source(store_id)
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
            if ask.is_over(self._merchant.clock.now()):
                return Outcome(report=self._report(key, ask, "partial", STOPPED))
            try:
                self._not_stopped()
                report = run_stream(source, stream, ask, self._merchant.tools())
                if ask.kind == "sweep" and report.kind != "sweep":  # a cut-off run was taken up in its place
                    report = run_stream(source, stream, ask, self._merchant.tools())
            except (DatabaseBusy, DatabaseUnavailable):
                raise  # it is not the shop that failed
            except (RetryLater, StopStore, LockHeld) as error:
                return self._failed(key, ask, error)
            self._stores.resume(source.store_id)
            self._stores.resume(source.store_id, stream=stream)
            log.info("stream_pulled", kind=report.kind, status=report.status, **asdict(report.counts))
        return Outcome(report=report)

    def _not_stopped(self) -> None:
        if self._merchant.stop.is_set():
            raise Interrupted("told to end before this stream's turn; the next run does it")

    def _not_begun(self, key: LaneKey, ask: Ask, error: SyncdError) -> Outcome:
        """A run that came no further than the store's check; history shows it."""
        outcome = self._failed(key, ask, error)
        self._merchant.database.runs.finish_run(outcome.report)
        return outcome

    def _failed(self, key: LaneKey, ask: Ask, error: SyncdError) -> Outcome:
        """A run that did not end well, with what its walk has stored; a store that must stop pauses with its reason."""
        store_id, stream = key.store_id, key.stream
        error.place(store=store_id)
        if isinstance(error, (StopStore, ConfigInvalid)):
            self._stores.forget(store_id)
            is_streams = isinstance(error, StopStore) and error.stops_stream_only
            self._stores.pause(store_id, error.advice, stream=stream if is_streams else None)
        log.debug("stream_failed", store=store_id, stream=stream, error=type(error).__name__, reason=error.message)
        return Outcome(report=self._report(key, ask, "failed", error.advice), error=error)

    def _report(self, key: LaneKey, ask: Ask, status: str, reason: str) -> RunReport:
        """A run that asked for nothing (more), with what its walk has stored so far."""
        walk, now = self._merchant.database.runs.state(replace(key, lane=ask.lane)).walk, self._merchant.clock.now()
        return RunReport(
            run_id=self._merchant.database.new_id(),
            store_id=key.store_id,
            platform=self._merchant.settings.store(key.store_id).platform,
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
