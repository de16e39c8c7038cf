"""What the checks are made of: a connector with its shop, the merchant's hand in it, and looks at what comes out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import pytest

from syncd.connectors.base import Connector, Page, PushOutcome
from syncd.mapping.base import Mapper
from syncd.model import Customer, PlatformChange, RawRecord, Stream, TagAction, TagChange, Window

FAR_AHEAD = timedelta(days=365)
DONE = frozenset({PushOutcome.APPLIED, PushOutcome.ALREADY_SO})

_MOST_PAGES = 1000  # a walk of a test's shop that takes more gets nowhere


class Hand(Protocol):
    """What the merchant, and the platform, can do in the shop under test."""

    def touch(self, stream: Stream, external_id: str) -> None:
        """Change one record, so that its update time moves to the shop's now."""

    def remove(self, stream: Stream, external_id: str) -> None:
        """Take one record away."""

    def advance(self, seconds: float) -> None:
        """Let time pass in the shop."""

    def break_next(self) -> None:
        """Let the next request fail for good with a refusal of the key."""

    def throttle_next(self) -> None:
        """Let the next request be answered with a pause of an hour, longer than a run waits."""

    def mend(self) -> None:
        """End what `break_next` and `throttle_next` began."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A connector under test with its shop.

    Args:
        connector: A connector whose streams each hold at least three pages.
        restarted: Another one to the same shop, as a new process would make it.
        empty: A connector to a shop of the same platform that holds no customers, orders or carts a pull would show.
        ids: Every external id of each stream, as the shop itself knows.
        started_at: The shop's time once it was filled.
        secrets: Texts that must never be shown.
    """

    connector: Connector
    restarted: Connector
    empty: Connector
    mapper: Mapper
    hand: Hand
    ids: Mapping[Stream, frozenset[str]]
    started_at: datetime
    secrets: tuple[str, ...] = field(default=())

    def pull(self, stream: Stream, window: Window | None = None, resume: str | None = None) -> Iterator[Page]:
        """A walk that fails where it gets nowhere, instead of never ending."""
        return bounded(self.connector.pull(stream, window or Window(), resume))

    def resume(self, stream: Stream, cursor: str, window: Window | None = None) -> Iterator[Page]:
        """The rest of a walk, as a new process takes it up."""
        return bounded(self.restarted.pull(stream, window or Window(), cursor))

    def change(self, account: str, tag: str, action: TagAction = TagAction.ADD) -> PlatformChange:
        """A tag change in the platform's words."""
        return self.mapper.to_platform(TagChange(external_id=account, action=action, tag=tag))

    def customer(self, account: str) -> Customer:
        """One account as it is now."""
        record = records_of(self.pull(Stream.CUSTOMERS, Window(ids=(account,))))[0]
        unified = self.mapper.to_unified(Stream.CUSTOMERS, record)
        assert isinstance(unified, Customer)
        return unified

    def tags(self, account: str) -> tuple[str, ...]:
        """The tags that are on one account now."""
        return self.customer(account).tags or ()

    def touch(self, stream: Stream, *external_ids: str) -> datetime:
        """Change some records at one time; the update time that the platform gives the first."""
        for external_id in external_ids:
            self.hand.touch(stream, external_id)
        found = records_of(self.pull(stream, Window(ids=external_ids[:1])))
        updated_at = self.mapper.to_unified(stream, found[0]).updated_at
        assert updated_at is not None
        return updated_at


class Checks:
    """What every group of checks has: a fresh `subject`, and each `stream` of the platform in turn."""

    streams: tuple[Stream, ...] = tuple(Stream)

    @pytest.fixture
    def subject(self) -> Subject:
        """The connector under test; each platform's test file supplies it."""
        raise NotImplementedError

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Run a check that asks for a `stream` once for each."""
        if "stream" in metafunc.fixturenames:
            metafunc.parametrize("stream", self.streams, ids=str)


def bounded(pages: Iterator[Page]) -> Iterator[Page]:
    """The same pages; fails once a cursor comes again before the end, or after far too many pages."""
    seen: set[str] = set()
    for page in pages:
        assert page.is_last or page.cursor not in seen, "a page's cursor came twice: the walk goes in circles"
        assert len(seen) < _MOST_PAGES, "the walk does not end"
        seen.add(page.cursor)
        yield page


def records_of(pages: Iterable[Page]) -> list[RawRecord]:
    """Every record of some pages, in their order."""
    return [record for page in pages for record in page.records]


def ids_of(pages: Iterable[Page]) -> list[str]:
    """Every external id of some pages, in their order."""
    return [record.external_id for record in records_of(pages)]


def opening_of(pages: Iterator[Page]) -> list[Page]:
    """The first pages of a walk, up to one that holds records: a page may be empty before the last."""
    opening = [next(pages)]
    while not opening[-1].records and not opening[-1].is_last:
        opening.append(next(pages))
    return opening


def shape_of(pages: Iterable[Page]) -> list[tuple[int, bool]]:
    """How many records each page has, and whether it calls itself the last."""
    return [(len(page.records), page.is_last) for page in pages]
