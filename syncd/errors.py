"""Every error syncd raises on purpose, as one tree; a class says what the catcher does.

    SyncdError              context: store, stream, external_id, request_id, hint
      RetryLater            the same call may succeed later: leave the cursor, try at the next run
        RateLimited         the platform asked us to wait (retry_after_s)
        Unavailable         the platform or the way to it is down
        Timeout             no complete answer within the deadline
        CorruptAnswer       an answer that is not what the platform sends; nothing of it is stored
        DatabaseBusy        another process holds the database
        DatabaseUnavailable its server is down, its disk full or read-only
        AmbiguousWrite      a write whose answer was lost: read back before repeating
        Interrupted         we were told to end; what is stored stays, the rest is for the next run
      SkipRecord            this record only: set it aside, go on
        MappingFailed       a record we cannot read
        WriteRejected       a tag change the platform refused
        Gone                the record is no longer on the platform
      StopStore             a stream, lane or store pauses until somebody acts
        AuthFailed, ScopeMissing, PolicyRefused, RequestRefused, TlsFailed,
        Redirected, UnsupportedStream, PaginationLoop
      StopProcess           the process ends with this class's exit code
        ConfigInvalid, SchemaMismatch, DatabaseCorrupt, LockHeld, BrakeTripped

Raise leaves; catch the four branches, in the drivers only.
"""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """What a finished command tells the shell that called it."""

    OK = 0
    FAILED = 1
    USAGE = 2
    INCOMPLETE = 3
    CONFIGURATION = 4
    APPROVAL = 5
    LOCK_HELD = 6
    TRY_AGAIN = 75


class SyncdError(Exception):
    """An expected failure, told in words an operator can act on.

    Args:
        message: What happened, without secrets or personal data.
        store: Store id from the configuration, where one store is concerned.
        stream: Stream name, where one stream is concerned.
        external_id: The platform's id of the record, where one record is concerned.
        request_id: The platform's own id of the failed request, for its support desk.
        hint: What to do about it.
    """

    exit_code = ExitCode.FAILED

    def __init__(
        self,
        message: str,
        *,
        store: str | None = None,
        stream: str | None = None,
        external_id: str | None = None,
        request_id: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.store = store
        self.stream = stream
        self.external_id = external_id
        self.request_id = request_id
        self.hint = hint

    def place(self, *, store: str | None = None, stream: str | None = None) -> SyncdError:
        """Fill in where it happened, keeping what the raiser already knew; returns itself."""
        self.store = self.store or store
        self.stream = self.stream or stream
        return self

    @property
    def advice(self) -> str:
        """What happened and what to do about it, without the place."""
        message = self.message.rstrip(".")
        text = f"{message} (request id {self.request_id})" if self.request_id else message
        return f"{text}. {self.hint[0].upper()}{self.hint[1:]}" if self.hint else text

    def __str__(self) -> str:
        where = "/".join(part for part in (self.store, self.stream, self.external_id) if part)
        return f"{where}: {self.advice}" if where else self.advice


class RetryLater(SyncdError):
    """Nothing is wrong with the request: the same call may succeed later."""

    exit_code = ExitCode.TRY_AGAIN


class RateLimited(RetryLater):
    """The platform asked for a pause longer than this run may wait.

    Args:
        retry_after_s: Seconds the platform asked for, 0 where it did not say.
    """

    def __init__(self, message: str, *, retry_after_s: float = 0.0, **context: str | None) -> None:
        super().__init__(message, **context)
        self.retry_after_s = retry_after_s


class Unavailable(RetryLater):
    """The platform, or the way to it, is down; wait, then check the shop's own site."""


class Timeout(RetryLater):
    """No complete answer came within the deadline; the shop may be slow."""


class CorruptAnswer(RetryLater):
    """The answer is not what the platform sends (HTML, cut or empty body); nothing of it was stored."""


class DatabaseBusy(RetryLater):
    """The profile database is held by another process; end it, or try again."""


class DatabaseUnavailable(RetryLater):
    """The profile database cannot be reached or written: server down, disk full or read-only; it goes on after that."""


class AmbiguousWrite(RetryLater):
    """A write was sent and its answer lost; it is read back before it is repeated."""


class Interrupted(RetryLater):
    """The process was told to end; the walk goes on where it stopped at the next run."""


class SkipRecord(SyncdError):
    """One record is set aside with its reason; the run goes on."""


class MappingFailed(SkipRecord):
    """A record cannot be read; see `syncd rejected list`, then `syncd rejected replay` after a fix."""


class WriteRejected(SkipRecord):
    """The platform refused one tag change; the reason is kept with its outbox row."""


class Gone(SkipRecord):
    """The record is no longer on the platform; a sweep confirms the deletion."""


class StopStore(SyncdError):
    """A stream, lane or store pauses, with its reason in words, until somebody acts."""

    stops_stream_only = False  # whether the store's other streams can still be pulled


class AuthFailed(StopStore):
    """The platform does not accept our key or token; check it in the shop's own settings."""


class ScopeMissing(StopStore):
    """The key is valid but may not do this; grant the right named in the message."""

    stops_stream_only = True


class PolicyRefused(StopStore):
    """The shop as a whole is closed to us (plan unpaid, shop frozen, not found)."""


class RequestRefused(StopStore):
    """The platform calls our request wrong; the cursor stays where it was."""

    stops_stream_only = True


class TlsFailed(StopStore):
    """The server's certificate cannot be verified; name its authority in `http.ca_file`."""


class Redirected(StopStore):
    """The server sent us elsewhere; credentials are never sent on. Correct the store's url."""


class UnsupportedStream(StopStore):
    """This platform has no such stream; remove it from the store's `streams`."""

    stops_stream_only = True


class PaginationLoop(StopStore):
    """The platform gave the same page token twice; the walk cannot end."""

    stops_stream_only = True


class StopProcess(SyncdError):
    """The process ends with this class's exit code."""


class ConfigInvalid(StopProcess):
    """The configuration is wrong; the message lists every fault with its place."""

    exit_code = ExitCode.CONFIGURATION


class SchemaMismatch(StopProcess):
    """The database has another schema than this version; run `syncd db upgrade`, or a newer syncd."""

    exit_code = ExitCode.CONFIGURATION


class DatabaseCorrupt(StopProcess):
    """The database file is damaged or is not a syncd database; restore a backup."""


class LockHeld(StopProcess):
    """Another process works this lane; wait for it, or end it."""

    exit_code = ExitCode.LOCK_HELD


class BrakeTripped(StopProcess):
    """The plan is larger than the brake allows, or needs approval; nothing was written."""

    exit_code = ExitCode.APPROVAL
