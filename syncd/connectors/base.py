"""What every connector is: two facts and four methods, moving platform-shaped data and knowing nothing else.

In comes a window, or tag changes already in the platform's words; out come pages of raw records, or one result
per change. No unified record, database or setting of another store is known here.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from syncd.model import PlatformChange, RawRecord, StoreFacts, Stream, Window


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamTraits:
    """What a platform can do for one stream.

    Args:
        filters_by_update: Whether a window's `since` is honoured by update time. Where False, an incremental pull
            gives what the connector can find cheaply, and only a sweep is complete.
        in_update_order: Whether records arrive oldest update first.
        declares_total: Whether pages carry the platform's own count.
        largest_page: Records a page at most.
        overlap_s: Seconds an incremental window reaches back before the bookmark.
        lag_s: Seconds by which the platform may show a change late.
        requests_per_page: Requests that a page of a complete walk takes, those for what belongs to its records too.
        requests_per_s: What the platform's smallest plan allows a store; None where it has no limit of its own, or
            counts something else than requests.
        bulk_from: Records from which a complete walk is left to the platform, which hands over a file; None if never.
    """

    filters_by_update: bool
    in_update_order: bool
    declares_total: bool
    largest_page: int
    overlap_s: int
    lag_s: int
    requests_per_page: int = 1
    requests_per_s: float | None = None
    bulk_from: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Capabilities:
    """What a platform can do; callers ask this and never which platform it is.

    Args:
        native_tags: Whether shoppers' tags are a feature of the platform (else they are kept as attributes).
        largest_push_batch: Changes that one `push` call takes.
        longest_tag: Characters a tag may have.
    """

    streams: Mapping[Stream, StreamTraits]
    native_tags: bool
    largest_push_batch: int
    longest_tag: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Some records of a walk, and where the walk goes on.

    Args:
        cursor: Resume token after this page: `pull` with it continues behind the last record. Opaque text.
        is_last: Whether the walk ends here.
        declared: The platform's own count of what this walk holds, where it gives one.
        server_time: The server's Date of the answer, the only clock a bookmark is made of; None if it sent none.
        asked_at: Our clock when the request left: nothing written after it can be in the page.
        hides_older: Whether the platform keeps records of the stream from our key, such as old ones, so that what is
            missing is not deleted and history is not complete.
    """

    stream: Stream
    records: tuple[RawRecord, ...]
    cursor: str
    is_last: bool
    declared: int | None
    server_time: datetime | None
    asked_at: datetime
    hides_older: bool = False


class PushOutcome(enum.StrEnum):
    """What became of one pushed change."""

    APPLIED = "applied"
    ALREADY_SO = "already_so"
    REJECTED = "rejected"
    RETRY = "retry"


@dataclass(frozen=True, kw_only=True, slots=True)
class PushResult:
    """One change's own result; `reason` explains a rejection or a retry."""

    outcome: PushOutcome
    reason: str = ""
    retry_after_s: float = 0.0


class Connector(Protocol):
    """One store of one platform. Not a base class: anything with these members is a connector."""

    @property
    def platform(self) -> str:
        """The registry's lower-case name of the platform."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What this platform can do; constant for the life of the connector."""
        ...

    def check(self) -> StoreFacts:
        """Ask who the store is and what the key may do, in a few cheap calls.

        Raises:
            AuthFailed: The key is not accepted.
            ConfigInvalid: The store's settings cannot work (wrong url, plain permalinks).
        """
        ...

    def pull(self, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        """Walk a stream lazily; a page is only asked for when the caller wants it (or one ahead).

        Args:
            stream: What to walk.
            window: Which part of it. Records at or after `until` may appear.
            resume: A page's cursor, to continue behind that page.

        Returns:
            At least one page; the last has `is_last`. An empty stream gives one empty last page.

        Raises:
            UnsupportedStream: The platform has no such stream.
            PaginationLoop: The platform repeated a page token.
            RetryLater: The walk cannot go on now; the cursor of the last page given remains good.
            StopStore: The walk cannot go on until somebody acts.
        """
        ...

    def push(self, changes: Sequence[PlatformChange]) -> Sequence[PushResult]:
        """Write at most `capabilities.largest_push_batch` changes; exactly one result each, in their order.

        Raises:
            AmbiguousWrite: The answer was lost after sending; any of the changes may have been applied.
            RetryLater, StopStore: Nothing of the batch was applied.
        """
        ...

    def close(self) -> None:
        """Give connections back; safe to call twice."""
        ...
