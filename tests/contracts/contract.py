"""What every connector must do, whatever its platform; a connector's own test file supplies only the fixtures.

Departures are facts in `capabilities`, never skipped checks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest

from syncd.connectors.base import Connector, Page, PushOutcome
from syncd.errors import RequestRefused, SyncdError, UnsupportedStream
from syncd.mapping.base import Mapper
from syncd.model import Customer, PlatformChange, RawRecord, Stream, TagAction, TagChange, Window

FAR_AHEAD = timedelta(days=365)
_DONE = {PushOutcome.APPLIED, PushOutcome.ALREADY_SO}


class Hand(Protocol):
    """What the merchant can do in the shop under test."""

    def touch(self, stream: Stream, external_id: str) -> None:
        """Change one record, so that its update time moves to the shop's now."""

    def remove(self, stream: Stream, external_id: str) -> None:
        """Take one record away."""

    def advance(self, seconds: float) -> None:
        """Let time pass in the shop."""

    def break_next(self) -> None:
        """Let the next request fail for good with a refusal of the key."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A connector under test with its shop.

    Args:
        connector: A connector whose streams each hold at least three pages, unless `empty` names them.
        empty: A connector to a shop of the same platform that holds no customers, orders or carts a pull would show.
        ids: Every external id of each stream, as the shop itself knows.
        started_at: The shop's time once it was filled.
        secrets: Texts that must never be shown.
    """

    connector: Connector
    empty: Connector
    mapper: Mapper
    hand: Hand
    ids: Mapping[Stream, frozenset[str]]
    started_at: datetime
    secrets: tuple[str, ...] = field(default=())


class ConnectorContract:
    """Every check takes a fresh `subject`."""

    @pytest.fixture
    def subject(self) -> Subject:
        """The connector under test; each platform's test file supplies it."""
        raise NotImplementedError

    @pytest.fixture(params=list(Stream), ids=str)
    def stream(self, request: pytest.FixtureRequest) -> Stream:
        """Each stream in turn."""
        return Stream(request.param)

    # -- facts --------------------------------------------------------------------------------------------------

    def test_platform_is_a_lower_case_word(self, subject: Subject) -> None:
        """The registry's name of the platform is one lower-case word."""
        assert re.fullmatch(r"[a-z]+", subject.connector.platform)

    def test_capabilities_are_constant(self, subject: Subject) -> None:
        """Asking twice gives the same capabilities."""
        assert subject.connector.capabilities == subject.connector.capabilities

    def test_capabilities_are_usable(self, subject: Subject) -> None:
        """Sizes and times in the capabilities are numbers one can work with."""
        capabilities = subject.connector.capabilities

        assert capabilities.largest_push_batch >= 1
        assert capabilities.longest_tag >= 20
        for traits in capabilities.streams.values():
            assert traits.largest_page >= 1
            assert traits.overlap_s >= 0
            assert traits.lag_s >= 0

    def test_mapper_is_of_the_same_platform(self, subject: Subject) -> None:
        """Connector and mapping go by the same name."""
        assert subject.mapper.platform == subject.connector.platform

    def test_check_tells_who_the_store_is(self, subject: Subject) -> None:
        """A store that is well has an identity, can be pulled and pushed, and has no findings of error."""
        facts = subject.connector.check()

        assert facts.identity
        assert facts.can_pull == frozenset(subject.connector.capabilities.streams)
        assert facts.can_push
        assert not [finding for finding in facts.findings if finding.level == "error"]

    def test_check_tells_the_same_twice(self, subject: Subject) -> None:
        """The identity is lasting, and checking changes nothing."""
        assert subject.connector.check() == subject.connector.check()

    # -- pull ---------------------------------------------------------------------------------------------------

    def test_walk_is_complete_and_gives_each_id_once(self, subject: Subject, stream: Stream) -> None:
        """A complete walk holds every record of the stream exactly once."""
        ids = _ids(subject.connector.pull(stream, Window()))

        assert sorted(ids) == sorted(subject.ids[stream])

    def test_two_walks_are_the_same(self, subject: Subject, stream: Stream) -> None:
        """Nothing changed, so a second walk gives the same records in the same order, payloads included."""
        first = _records(subject.connector.pull(stream, Window()))
        second = _records(subject.connector.pull(stream, Window()))

        assert first == second

    def test_only_the_last_page_is_last(self, subject: Subject, stream: Stream) -> None:
        """Exactly one page says that the walk ends, and it is the last."""
        pages = list(subject.connector.pull(stream, Window()))

        assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]

    def test_walk_has_several_pages(self, subject: Subject, stream: Stream) -> None:
        """The subject is large enough for the checks of this contract to mean something."""
        assert len(list(subject.connector.pull(stream, Window()))) >= 3

    def test_pages_are_no_larger_than_told(self, subject: Subject, stream: Stream) -> None:
        """No page holds more records than the capabilities allow."""
        pages = list(subject.connector.pull(stream, Window()))

        assert max(len(page.records) for page in pages) <= subject.connector.capabilities.streams[stream].largest_page

    def test_every_page_names_its_stream(self, subject: Subject, stream: Stream) -> None:
        """A page says which stream it is of."""
        assert {page.stream for page in subject.connector.pull(stream, Window())} == {stream}

    def test_every_cursor_resumes_behind_its_page(self, subject: Subject, stream: Stream) -> None:
        """From each page's cursor the walk goes on with exactly the rest."""
        pages = list(subject.connector.pull(stream, Window()))

        for number, page in enumerate(pages[:-1], 1):
            rest = _ids(subject.connector.pull(stream, Window(), page.cursor))

            assert rest == _ids(iter(pages[number:]))

    def test_resuming_behind_the_end_gives_an_empty_end(self, subject: Subject, stream: Stream) -> None:
        """The last cursor leads to one last page without records."""
        *_, last = subject.connector.pull(stream, Window())

        again = list(subject.connector.pull(stream, Window(), last.cursor))

        assert [(page.records, page.is_last) for page in again] == [((), True)]

    def test_cursors_are_texts_that_survive_storage(self, subject: Subject, stream: Stream) -> None:
        """A cursor is non-empty text without control characters, and no two pages share one."""
        cursors = [page.cursor for page in subject.connector.pull(stream, Window())]

        assert all(isinstance(cursor, str) and cursor and cursor.isprintable() for cursor in cursors)
        assert len(set(cursors[:-1])) == len(cursors) - 1

    def test_pull_is_lazy(self, subject: Subject, stream: Stream) -> None:
        """Asking for a walk sends nothing: a refusal shows at the first page."""
        subject.hand.break_next()

        pages = subject.connector.pull(stream, Window())

        with pytest.raises(SyncdError):
            next(pages)

    def test_walk_goes_on_after_an_abandoned_one(self, subject: Subject, stream: Stream) -> None:
        """A walk that nobody finishes leaves the connector usable."""
        next(iter(subject.connector.pull(stream, Window())))

        assert len(_ids(subject.connector.pull(stream, Window()))) == len(subject.ids[stream])

    def test_declared_total_is_the_truth(self, subject: Subject, stream: Stream) -> None:
        """Where the platform counts, its count of a complete walk is the number of records."""
        declared = {page.declared for page in subject.connector.pull(stream, Window())}

        is_told = subject.connector.capabilities.streams[stream].declares_total
        assert declared == ({len(subject.ids[stream])} if is_told else {None})

    def test_times_are_aware_utc(self, subject: Subject, stream: Stream) -> None:
        """Page times are aware UTC, whoever's clock they come from."""
        for page in subject.connector.pull(stream, Window()):
            assert page.asked_at.tzinfo is UTC
            assert page.server_time is None or page.server_time.tzinfo is UTC

    def test_ids_window_gives_exactly_these(self, subject: Subject, stream: Stream) -> None:
        """Asked for some ids, a pull gives these and no others."""
        wanted = tuple(sorted(subject.ids[stream])[1::3])

        ids = _ids(subject.connector.pull(stream, Window(ids=wanted)))

        assert sorted(ids) == sorted(wanted)

    def test_ids_window_leaves_out_what_is_gone(self, subject: Subject, stream: Stream) -> None:
        """An id that no longer exists is simply not there."""
        gone, kept = sorted(subject.ids[stream])[:2]
        subject.hand.remove(stream, gone)

        ids = _ids(subject.connector.pull(stream, Window(ids=(gone, kept))))

        assert ids == [kept]

    def test_ids_window_of_nothing_known_gives_one_empty_page(self, subject: Subject, stream: Stream) -> None:
        """Even a window without a single record ends with a last page."""
        gone = min(subject.ids[stream])
        subject.hand.remove(stream, gone)

        pages = list(subject.connector.pull(stream, Window(ids=(gone,))))

        assert [(page.records, page.is_last) for page in pages] == [((), True)]

    def test_removal_between_two_pages_skips_nothing(self, subject: Subject, stream: Stream) -> None:
        """A record removed behind the walk does not hide another one in front of it."""
        pages = subject.connector.pull(stream, Window())
        first = next(pages)
        removed = first.records[0].external_id
        subject.hand.remove(stream, removed)

        ids = _ids(iter([first])) + _ids(pages)

        assert sorted(ids) == sorted(subject.ids[stream])

    def test_removal_while_stopped_skips_nothing(self, subject: Subject, stream: Stream) -> None:
        """Records removed between a kill and the resume do not hide others."""
        first = next(iter(subject.connector.pull(stream, Window())))
        for record in first.records[:2]:
            subject.hand.remove(stream, record.external_id)

        ids = _ids(iter([first])) + _ids(subject.connector.pull(stream, Window(), first.cursor))

        assert sorted(ids) == sorted(subject.ids[stream])

    def test_change_between_two_pages_skips_nothing(self, subject: Subject, stream: Stream) -> None:
        """A record changed behind the walk does not hide another one in front of it."""
        pages = subject.connector.pull(stream, Window())
        first = next(pages)
        subject.hand.advance(5)
        subject.hand.touch(stream, first.records[0].external_id)

        ids = _ids(iter([first])) + _ids(pages)

        assert set(ids) == subject.ids[stream]

    def test_since_finds_what_changed_at_that_second(self, subject: Subject, stream: Stream) -> None:
        """A record changed in the very second of `since` is found, where the platform can filter."""
        changed = max(subject.ids[stream])
        subject.hand.advance(3600)
        since = self._touch(subject, stream, changed)

        ids = _ids(subject.connector.pull(stream, Window(since=since)))

        if subject.connector.capabilities.streams[stream].filters_by_update:
            assert ids == [changed]
        else:
            assert set(ids) <= subject.ids[stream]

    def test_since_far_ahead_gives_nothing(self, subject: Subject, stream: Stream) -> None:
        """A window of the future holds no record and ends with a last page."""
        pages = list(subject.connector.pull(stream, Window(since=subject.started_at + FAR_AHEAD)))

        assert [(page.records, page.is_last) for page in pages] == [((), True)]

    def test_since_long_ago_gives_everything(self, subject: Subject, stream: Stream) -> None:
        """The oldest records are found by a `since` that lies before them, where the platform can filter."""
        ids = _ids(subject.connector.pull(stream, Window(since=datetime(2000, 1, 1, tzinfo=UTC))))

        assert len(ids) == len(set(ids))
        assert set(ids) == subject.ids[stream]

    def test_empty_stream_gives_one_empty_page(self, subject: Subject, stream: Stream) -> None:
        """A stream without records still ends with a last page."""
        pages = list(subject.empty.pull(stream, Window(since=subject.started_at + FAR_AHEAD)))

        assert [(page.records, page.is_last) for page in pages] == [((), True)]

    def test_unknown_stream_is_refused(self, subject: Subject) -> None:
        """A stream that the platform does not have is an error in words."""
        with pytest.raises(UnsupportedStream):
            next(iter(subject.connector.pull("reviews", Window())))  # type: ignore[arg-type]

    def test_foreign_cursor_is_refused_or_harmless(self, subject: Subject, stream: Stream) -> None:
        """A cursor of nobody's making ends in an error of our own tree or in a walk, never in a crash."""
        try:
            ids = _ids(subject.connector.pull(stream, Window(), "not a cursor"))
        except SyncdError:
            return

        assert set(ids) <= subject.ids[stream]

    def test_payloads_are_plain_json(self, subject: Subject, stream: Stream) -> None:
        """Raw payloads are objects that JSON can hold."""
        for record in _records(subject.connector.pull(stream, Window())):
            assert json.loads(json.dumps(record.payload)) == record.payload

    def test_every_record_maps(self, subject: Subject, stream: Stream) -> None:
        """The platform's mapping reads what the connector gives, under the same id."""
        for record in _records(subject.connector.pull(stream, Window())):
            assert subject.mapper.to_unified(stream, record).external_id == record.external_id

    # -- push ---------------------------------------------------------------------------------------------------

    def test_pushed_tag_is_read_back(self, subject: Subject) -> None:
        """A tag that was applied is on the account at the next pull."""
        account = min(subject.ids[Stream.CUSTOMERS])

        results = subject.connector.push([_change(subject, account, TagAction.ADD, "VIP")])

        assert results[0].outcome in _DONE
        assert "VIP" in _tags(subject, account)

    def test_removed_tag_is_gone(self, subject: Subject) -> None:
        """A tag that was added and removed is not on the account any more."""
        account = min(subject.ids[Stream.CUSTOMERS])
        subject.connector.push([_change(subject, account, TagAction.ADD, "VIP")])

        results = subject.connector.push([_change(subject, account, TagAction.REMOVE, "VIP")])

        assert results[0].outcome in _DONE
        assert "VIP" not in _tags(subject, account)

    def test_pushing_twice_is_harmless(self, subject: Subject) -> None:
        """The same addition again succeeds and leaves one tag."""
        change = _change(subject, min(subject.ids[Stream.CUSTOMERS]), TagAction.ADD, "VIP")
        subject.connector.push([change])

        again = subject.connector.push([change])

        assert again[0].outcome in _DONE
        assert _tags(subject, change.external_id).count("VIP") == 1

    def test_removing_what_is_not_there_is_harmless(self, subject: Subject) -> None:
        """Removing a tag that the account does not have succeeds."""
        change = _change(subject, min(subject.ids[Stream.CUSTOMERS]), TagAction.REMOVE, "Never there")

        assert subject.connector.push([change])[0].outcome in _DONE

    def test_other_tags_survive(self, subject: Subject) -> None:
        """A change touches its own tag only."""
        account = min(subject.ids[Stream.CUSTOMERS])
        subject.connector.push([_change(subject, account, TagAction.ADD, tag) for tag in ("First", "Second")])

        subject.connector.push([_change(subject, account, TagAction.REMOVE, "First")])

        assert "Second" in _tags(subject, account)

    def test_push_leaves_the_rest_of_the_account_alone(self, subject: Subject) -> None:
        """But for tags and update time, the account is what it was."""
        account = min(subject.ids[Stream.CUSTOMERS])
        before = _customer(subject, account)

        subject.connector.push([_change(subject, account, TagAction.ADD, "VIP")])

        after = _customer(subject, account)
        assert _without(before, "tags", "updated_at") == _without(after, "tags", "updated_at")

    def test_each_change_has_its_own_result_in_order(self, subject: Subject) -> None:
        """Among good changes, the one to an account that is gone is rejected in its place, with a reason."""
        gone, *kept = sorted(subject.ids[Stream.CUSTOMERS])[:3]
        subject.hand.remove(Stream.CUSTOMERS, gone)

        results = subject.connector.push(
            [_change(subject, account, TagAction.ADD, "VIP") for account in (kept[0], gone, kept[1])]
        )

        assert [result.outcome in _DONE for result in results] == [True, False, True]
        assert results[1].outcome is PushOutcome.REJECTED
        assert results[1].reason

    def test_a_full_batch_is_taken(self, subject: Subject) -> None:
        """As many changes as the capabilities say go in one call."""
        accounts = sorted(subject.ids[Stream.CUSTOMERS])
        count = subject.connector.capabilities.largest_push_batch
        changes = [
            _change(subject, accounts[number % len(accounts)], TagAction.ADD, f"Tag {number // len(accounts)}")
            for number in range(count)
        ]

        results = subject.connector.push(changes)

        assert len(results) == count
        assert {result.outcome for result in results} <= _DONE

    def test_a_larger_batch_is_refused_whole(self, subject: Subject) -> None:
        """More changes than the capabilities say are refused before anything is written."""
        account = min(subject.ids[Stream.CUSTOMERS])
        change = _change(subject, account, TagAction.ADD, "VIP")

        with pytest.raises(RequestRefused):
            subject.connector.push([change] * (subject.connector.capabilities.largest_push_batch + 1))

        assert "VIP" not in _tags(subject, account)

    def test_no_changes_give_no_results(self, subject: Subject) -> None:
        """An empty batch is nothing to do."""
        assert list(subject.connector.push([])) == []

    def test_the_longest_tag_is_taken(self, subject: Subject) -> None:
        """A tag as long as the capabilities say is stored whole."""
        account = min(subject.ids[Stream.CUSTOMERS])
        tag = "T" * subject.connector.capabilities.longest_tag

        results = subject.connector.push([_change(subject, account, TagAction.ADD, tag)])

        assert results[0].outcome in _DONE
        assert tag in _tags(subject, account)

    def test_tags_of_any_script_survive(self, subject: Subject) -> None:
        """A tag comes back as it was written, whatever its letters."""
        account = min(subject.ids[Stream.CUSTOMERS])

        subject.connector.push([_change(subject, account, TagAction.ADD, "Ünïcødé 客户 & <ok>")])

        assert "Ünïcødé 客户 & <ok>" in _tags(subject, account)

    # -- care ---------------------------------------------------------------------------------------------------

    def test_secrets_are_not_shown(self, subject: Subject) -> None:
        """Neither the connector's own text nor an error's shows a secret."""
        subject.hand.break_next()

        with pytest.raises(SyncdError) as caught:
            subject.connector.check()

        shown = repr(subject.connector) + str(caught.value) + repr(caught.value) + str(vars(caught.value))
        assert not [secret for secret in subject.secrets if secret in shown]

    def test_errors_hide_what_caused_them(self, subject: Subject) -> None:
        """No vendor exception, which may carry addresses with keys, travels along with an error."""
        subject.hand.break_next()

        with pytest.raises(SyncdError) as caught:
            next(iter(subject.connector.pull(Stream.CUSTOMERS, Window())))

        assert caught.value.__cause__ is None

    def test_close_is_safe_twice(self, subject: Subject) -> None:
        """Closing a closed connector does nothing."""
        subject.connector.close()
        subject.connector.close()

    def _touch(self, subject: Subject, stream: Stream, external_id: str) -> datetime:
        subject.hand.touch(stream, external_id)
        record = next(
            record
            for record in _records(subject.connector.pull(stream, Window(ids=(external_id,))))
            if record.external_id == external_id
        )
        updated_at = subject.mapper.to_unified(stream, record).updated_at
        assert updated_at is not None
        return updated_at


def _records(pages: Iterator[Page]) -> list[RawRecord]:
    return [record for page in pages for record in page.records]


def _ids(pages: Iterator[Page]) -> list[str]:
    return [record.external_id for record in _records(pages)]


def _change(subject: Subject, account: str, action: TagAction, tag: str) -> PlatformChange:
    return subject.mapper.to_platform(TagChange(external_id=account, action=action, tag=tag))


def _customer(subject: Subject, account: str) -> Customer:
    record = _records(subject.connector.pull(Stream.CUSTOMERS, Window(ids=(account,))))[0]
    unified = subject.mapper.to_unified(Stream.CUSTOMERS, record)
    assert isinstance(unified, Customer)
    return unified


def _tags(subject: Subject, account: str) -> tuple[str, ...]:
    return _customer(subject, account).tags or ()


def _without(customer: Customer, *names: str) -> dict[str, Any]:
    return {name: getattr(customer, name) for name in customer.__slots__ if name not in names}
