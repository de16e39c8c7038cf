"""Checks of complete walks: every record once, page by page, wherever they are cut and whatever happens meanwhile."""

from __future__ import annotations

import itertools
from datetime import UTC, timedelta

import pytest

from syncd.errors import RetryLater, StopStore, SyncdError
from syncd.model import Stream
from syncd.testing.base import Checks, Subject, ids_of, opening_of, records_of, shape_of


class PullChecks(Checks):
    """Walks of everything."""

    def test_walk_is_complete_and_gives_each_id_once(self, subject: Subject, stream: Stream) -> None:
        """A complete walk holds every record of the stream exactly once."""
        ids = ids_of(subject.pull(stream))

        assert sorted(ids) == sorted(subject.ids[stream])

    def test_two_walks_are_the_same(self, subject: Subject, stream: Stream) -> None:
        """Nothing changed, so a second walk gives the same records in the same order, payloads included."""
        first = records_of(subject.pull(stream))
        second = records_of(subject.pull(stream))

        assert first == second

    def test_walks_side_by_side_do_not_mix(self, subject: Subject) -> None:
        """Walks that take turns each give what they would alone."""
        walks = [subject.pull(stream) for stream in (*self.streams, self.streams[0])]

        turns = list(itertools.zip_longest(*walks))

        for number, stream in enumerate((*self.streams, self.streams[0])):
            ids = ids_of(turn[number] for turn in turns if turn[number])
            assert sorted(ids) == sorted(subject.ids[stream])

    def test_only_the_last_page_is_last(self, subject: Subject, stream: Stream) -> None:
        """Exactly one page says that the walk ends, and it is the last."""
        pages = list(subject.pull(stream))

        assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]

    def test_walk_has_several_pages(self, subject: Subject, stream: Stream) -> None:
        """The subject is large enough for the checks of this contract to mean something."""
        assert len(list(subject.pull(stream))) >= 3

    def test_pages_are_no_larger_than_told(self, subject: Subject, stream: Stream) -> None:
        """No page holds more records than the capabilities allow."""
        pages = list(subject.pull(stream))

        assert max(len(page.records) for page in pages) <= subject.connector.capabilities.streams[stream].largest_page

    def test_every_page_names_its_stream(self, subject: Subject, stream: Stream) -> None:
        """A page says which stream it is of."""
        assert {page.stream for page in subject.pull(stream)} == {stream}

    def test_every_cursor_resumes_behind_its_page(self, subject: Subject, stream: Stream) -> None:
        """From each page's cursor a new process goes on with exactly the rest."""
        pages = list(subject.pull(stream))

        for number, page in enumerate(pages[:-1], 1):
            rest = ids_of(subject.resume(stream, page.cursor))

            assert rest == ids_of(pages[number:])

    def test_resuming_behind_the_end_gives_an_empty_end(self, subject: Subject, stream: Stream) -> None:
        """The last cursor leads to one last page without records."""
        *_, last = subject.pull(stream)

        again = list(subject.resume(stream, last.cursor))

        assert shape_of(again) == [(0, True)]

    def test_cursors_are_texts_that_survive_storage(self, subject: Subject, stream: Stream) -> None:
        """A cursor is non-empty text without control characters, and no two pages share one."""
        cursors = [page.cursor for page in subject.pull(stream)]

        assert all(isinstance(cursor, str) and cursor and cursor.isprintable() for cursor in cursors)
        assert len(set(cursors[:-1])) == len(cursors) - 1

    def test_foreign_cursor_is_refused_or_harmless(self, subject: Subject, stream: Stream) -> None:
        """A cursor of nobody's making ends in an error of our own tree or in a walk, never in a crash."""
        try:
            ids = ids_of(subject.resume(stream, "not a cursor"))
        except SyncdError:
            return

        assert set(ids) <= subject.ids[stream]

    def test_pull_is_lazy(self, subject: Subject, stream: Stream) -> None:
        """Asking for a walk sends nothing: a refusal shows at the first page."""
        subject.hand.break_next()

        pages = subject.pull(stream)

        with pytest.raises(SyncdError):
            next(pages)

    def test_walk_goes_on_after_an_abandoned_one(self, subject: Subject, stream: Stream) -> None:
        """A walk that nobody finishes leaves the connector usable."""
        next(subject.pull(stream))

        assert len(ids_of(subject.pull(stream))) == len(subject.ids[stream])

    def test_declared_total_is_the_truth(self, subject: Subject, stream: Stream) -> None:
        """Where the platform counts, its count of a complete walk is the number of records."""
        declared = {page.declared for page in subject.pull(stream)}

        is_told = subject.connector.capabilities.streams[stream].declares_total
        assert declared == ({len(subject.ids[stream])} if is_told else {None})

    def test_times_are_aware_utc(self, subject: Subject, stream: Stream) -> None:
        """Page times are aware UTC, whoever's clock they come from."""
        for page in subject.pull(stream):
            assert page.asked_at.tzinfo is UTC
            assert page.server_time is None or page.server_time.tzinfo is UTC

    def test_server_time_is_the_shops(self, subject: Subject, stream: Stream) -> None:
        """A page's server time moves with the shop's clock, since bookmarks are made of it."""
        subject.hand.advance(7200)

        told = next(subject.pull(stream)).server_time

        assert told is None or abs(told - subject.started_at - timedelta(hours=2)) < timedelta(minutes=1)

    def test_throttling_is_told_and_the_cursor_stays_good(self, subject: Subject, stream: Stream) -> None:
        """A platform that asks for a long pause ends no walk: it is to be taken up where it stopped."""
        pages = subject.pull(stream)
        first = next(pages)
        subject.hand.throttle_next()

        with pytest.raises(RetryLater):
            ids_of(pages)
        subject.hand.mend()

        ids = ids_of([first, *subject.resume(stream, first.cursor)])
        assert sorted(ids) == sorted(subject.ids[stream])

    def test_a_refusal_between_two_pages_is_told(self, subject: Subject, stream: Stream) -> None:
        """A key that is revoked during a walk ends it with an error, not as if it were whole."""
        pages = subject.pull(stream)
        next(pages)
        subject.hand.break_next()

        with pytest.raises(StopStore):
            ids_of(pages)

    def test_removal_between_two_pages_skips_nothing(self, subject: Subject, stream: Stream) -> None:
        """A record removed behind the walk does not hide another one in front of it."""
        pages = subject.pull(stream)
        opening = opening_of(pages)
        subject.hand.remove(stream, opening[-1].records[0].external_id)

        ids = ids_of([*opening, *pages])

        assert sorted(ids) == sorted(subject.ids[stream])

    def test_removal_while_stopped_skips_nothing(self, subject: Subject, stream: Stream) -> None:
        """Records removed between a kill and the resume do not hide others."""
        opening = opening_of(subject.pull(stream))
        for record in opening[-1].records[:2]:
            subject.hand.remove(stream, record.external_id)

        ids = ids_of([*opening, *subject.resume(stream, opening[-1].cursor)])

        assert sorted(ids) == sorted(subject.ids[stream])

    def test_change_between_two_pages_skips_nothing(self, subject: Subject, stream: Stream) -> None:
        """A record changed behind the walk does not hide another one in front of it."""
        pages = subject.pull(stream)
        opening = opening_of(pages)
        subject.hand.advance(5)
        subject.hand.touch(stream, opening[-1].records[0].external_id)

        ids = ids_of([*opening, *pages])

        assert set(ids) == subject.ids[stream]
