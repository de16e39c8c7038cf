"""Copies of the in-memory connector with one fault each, such as real connectors have had."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from syncd.connectors.base import Page, PushOutcome, PushResult
from syncd.errors import AuthFailed, RateLimited, RequestRefused
from syncd.model import PlatformChange, RawRecord, StoreFacts, Stream, TagAction, Unified, Window
from tests.contracts.memory import MemoryConnector, MemoryMapper, MemoryShop

KEY = "memory-key-0123456789"

Results = Sequence[PushResult]
Changes = Sequence[PlatformChange]


# -- pulling ------------------------------------------------------------------------------------------------------


class DropsLastPage(MemoryConnector):
    def pull(self, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        pages = list(super().pull(stream, window, resume))
        kept = pages[:-1] or pages
        yield from (*kept[:-1], replace(kept[-1], is_last=True))


class LoopsToken(MemoryConnector):
    def _page(self, stream: Stream, window: Window, last: str) -> Page:
        page = super()._page(stream, window, last)
        return page if page.is_last else replace(page, cursor=last or "000")


class GivesNaiveTime(MemoryConnector):
    def _page(self, stream: Stream, window: Window, last: str) -> Page:
        page = super()._page(stream, window, last)
        return replace(page, asked_at=page.asked_at.replace(tzinfo=None))


class TellsOwnTime(MemoryConnector):
    def _page(self, stream: Stream, window: Window, last: str) -> Page:
        return replace(super()._page(stream, window, last), server_time=datetime.now(UTC))


class SwallowsThrottling(MemoryConnector):
    def _page(self, stream: Stream, window: Window, last: str) -> Page:
        try:
            return super()._page(stream, window, last)
        except RateLimited:
            return _nothing(stream, last or "000", self.shop.clock.now())


class TakesRefusalForTheEnd(MemoryConnector):
    def _page(self, stream: Stream, window: Window, last: str) -> Page:
        try:
            return super()._page(stream, window, last)
        except AuthFailed:
            return _nothing(stream, last or "000", self.shop.clock.now())


class CursorRepeatsARecord(MemoryConnector):
    def pull(self, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        for page in super().pull(stream, window, resume):
            yield page if len(page.records) < 2 else replace(page, cursor=page.records[-2].external_id)


class CursorSkipsARecord(MemoryConnector):
    def pull(self, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        for page in super().pull(stream, window, resume):
            yield page if page.is_last else replace(page, cursor=f"{int(page.cursor) + 1:03}")


class ForgetsCursors(MemoryConnector):
    """Its cursors lead into a list that ends with the process."""

    def pull(self, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        known = self.__dict__.setdefault("known", {})
        for page in super().pull(stream, window, known.get(resume)):
            token = f"t{len(known)}"
            known[token] = page.cursor
            yield replace(page, cursor=token)


class PagesByOffset(MemoryConnector):
    def _page(self, stream: Stream, window: Window, last: str) -> Page:
        before = [row["id"] for row in self.shop.within(stream, window)][: int(last or 0)]
        page = super()._page(stream, window, before[-1] if before else "")
        return replace(page, cursor=str(int(last or 0) + len(page.records)))


class LosesTies(MemoryConnector):
    """It goes on behind the last update time instead of the last record."""

    def pull(self, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        given: set[object] = set()
        for page in super().pull(stream, window, resume):
            times = {record.payload["updated_at"] for record in page.records}
            records = tuple(record for record in page.records if record.payload["updated_at"] not in given)
            given |= times
            yield replace(page, records=records)


class PullsAtOnce(MemoryConnector):
    def pull(self, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        return iter(list(super().pull(stream, window, resume)))


class SharesOneWalk(MemoryConnector):
    """What was fetched waits in the connector, whoever asked for it."""

    def pull(self, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        self.__dict__["last"] = resume or ""
        is_last = False
        while not is_last:
            page = self._page(stream, window, self.__dict__["last"])
            self.__dict__["last"], is_last = page.cursor, page.is_last
            yield page


class CountsThePage(MemoryConnector):
    def _page(self, stream: Stream, window: Window, last: str) -> Page:
        page = super()._page(stream, window, last)
        return replace(page, declared=len(page.records))


class GivesNoEmptyPage(MemoryConnector):
    def pull(self, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        yield from (page for page in super().pull(stream, window, resume) if page.records)


# -- windows ------------------------------------------------------------------------------------------------------


class IgnoresSince(MemoryConnector):
    def pull(self, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        return super().pull(stream, replace(window, since=None), resume)


class AsksBehindSince(MemoryConnector):
    def pull(self, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        since = window.since and window.since + timedelta(seconds=1)
        return super().pull(stream, replace(window, since=since), resume)


class HonoursUntilTooEarly(MemoryConnector):
    def pull(self, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        for page in super().pull(stream, window, resume):
            yield replace(page, records=page.records[1:]) if window.until else page


class IgnoresIds(MemoryConnector):
    def pull(self, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        return super().pull(stream, replace(window, ids=()), resume)


class AsksForFewerIds(MemoryConnector):
    def pull(self, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        return super().pull(stream, replace(window, ids=window.ids[: self.shop.page_size]), resume)


# -- pushing ------------------------------------------------------------------------------------------------------


class ReordersResults(MemoryConnector):
    def push(self, changes: Changes) -> Results:
        return sorted(super().push(changes), key=lambda result: result.outcome)


class RepeatsResults(MemoryConnector):
    def push(self, changes: Changes) -> Results:
        return [result for result in super().push(changes) for _ in range(2)]


class LosesAResult(MemoryConnector):
    def push(self, changes: Changes) -> Results:
        return super().push(changes)[: self.capabilities.largest_push_batch - 1]


class ReplacesTags(MemoryConnector):
    def push(self, changes: Changes) -> Results:
        for change in changes:
            if change.action is TagAction.ADD and change.external_id in self.shop.rows[Stream.CUSTOMERS]:
                self.shop.edit(Stream.CUSTOMERS, change.external_id, tags=[])
        return super().push(changes)


class IgnoresRemovals(MemoryConnector):
    def push(self, changes: Changes) -> Results:
        kept = self.shop.rows[Stream.CUSTOMERS].copy()
        results = super().push(changes)
        if any(change.action is TagAction.REMOVE for change in changes):
            self.shop.rows[Stream.CUSTOMERS] = kept
        return results


class SaysDoneOfTheGone(MemoryConnector):
    def push(self, changes: Changes) -> Results:
        return [replace(result, outcome=PushOutcome.APPLIED) for result in super().push(changes)]


class WritesMoreThanTags(MemoryConnector):
    def push(self, changes: Changes) -> Results:
        results = super().push(changes)
        for change in changes:
            if change.external_id in self.shop.rows[Stream.CUSTOMERS]:
                self.shop.edit(Stream.CUSTOMERS, change.external_id, phone="")
        return results


class CutsTags(MemoryConnector):
    def push(self, changes: Changes) -> Results:
        return super().push([replace(change, body={"tag": str(change.body["tag"])[:32]}) for change in changes])


class TakesWhatFitsOfABatch(MemoryConnector):
    def push(self, changes: Changes) -> Results:
        batch = self.capabilities.largest_push_batch
        results = super().push(changes[:batch])
        if len(changes) > batch:
            raise RequestRefused("the batch is too large")
        return results


class SaysDoneWhenThrottled(MemoryConnector):
    def push(self, changes: Changes) -> Results:
        try:
            return super().push(changes)
        except RateLimited:
            return [PushResult(outcome=PushOutcome.ALREADY_SO)] * len(changes)


# -- care ---------------------------------------------------------------------------------------------------------


class LeaksInErrors(MemoryConnector):
    def check(self) -> StoreFacts:
        try:
            return super().check()
        except AuthFailed:
            raise AuthFailed(f"{KEY} was revoked") from None


@dataclass(kw_only=True)
class LeaksInItsText(MemoryConnector):
    key: str = KEY


class LeaksInPayloads(MemoryConnector):
    def _page(self, stream: Stream, window: Window, last: str) -> Page:
        page = super()._page(stream, window, last)
        records = tuple(replace(record, payload={**record.payload, "asked_with": KEY}) for record in page.records)
        return replace(page, records=records)


class CarriesItsCause(MemoryConnector):
    def _fault(self) -> None:
        try:
            super()._fault()
        except AuthFailed as error:
            raise AuthFailed("the key was revoked") from error


class ClosesOnce(MemoryConnector):
    def close(self) -> None:
        if self.is_closed:
            raise RuntimeError("closed already")
        super().close()


@dataclass(kw_only=True)
class NamesItselfAnew(MemoryConnector):
    """Each connector takes the shop for another one."""

    shop: MemoryShop
    number: int = field(default_factory=itertools.count().__next__)

    def check(self) -> StoreFacts:
        return replace(super().check(), identity=f"memory://{self.number}")


# -- mapping ------------------------------------------------------------------------------------------------------


class CrashesOnOddPayloads(MemoryMapper):
    def to_unified(self, stream: Stream, raw: RawRecord) -> Unified:
        str(raw.payload["email"]).lower()
        return super().to_unified(stream, raw)


class TakesWithheldForEmpty(MemoryMapper):
    def to_unified(self, stream: Stream, raw: RawRecord) -> Unified:
        payload: Mapping[str, Any] = {"tags": [], **raw.payload}
        return super().to_unified(stream, replace(raw, payload=payload))


def _nothing(stream: Stream, cursor: str, now: datetime) -> Page:
    return Page(stream=stream, records=(), cursor=cursor, is_last=True, declared=None, server_time=now, asked_at=now)
