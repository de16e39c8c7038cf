"""What the app is asked with and answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from syncd import push
from syncd.derive import DeriveReport
from syncd.errors import BrakeTripped, ExitCode, SyncdError
from syncd.model import StoreFacts, Stream, Window
from syncd.store.types import RunReport

PATIENCE_S = 8.0  # with a request under way when the process is to end


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
