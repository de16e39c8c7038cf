"""Checks of windows: what is asked for by time or by id comes, at least that, and in pages that can be resumed."""

from __future__ import annotations

from datetime import UTC, datetime

from syncd.model import Stream, Window
from syncd.testing.base import FAR_AHEAD, Checks, Subject, ids_of, shape_of


class WindowChecks(Checks):
    """Windows by time and by id."""

    def test_ids_window_gives_exactly_these(self, subject: Subject, stream: Stream) -> None:
        """Asked for some ids, a pull gives these and no others."""
        wanted = tuple(sorted(subject.ids[stream])[1::3])

        ids = ids_of(subject.pull(stream, Window(ids=wanted)))

        assert sorted(ids) == sorted(wanted)

    def test_ids_window_of_everything_gives_each_once(self, subject: Subject, stream: Stream) -> None:
        """A window of more ids than a page holds gives each once, and goes on from each of its cursors."""
        window = Window(ids=tuple(subject.ids[stream]))

        pages = list(subject.pull(stream, window))

        assert sorted(ids_of(pages)) == sorted(subject.ids[stream])
        for number, page in enumerate(pages[:-1], 1):
            assert ids_of(subject.resume(stream, page.cursor, window)) == ids_of(pages[number:])

    def test_ids_window_leaves_out_what_is_gone(self, subject: Subject, stream: Stream) -> None:
        """An id that no longer exists is simply not there."""
        gone, kept = sorted(subject.ids[stream])[:2]
        subject.hand.remove(stream, gone)

        ids = ids_of(subject.pull(stream, Window(ids=(gone, kept))))

        assert ids == [kept]

    def test_ids_window_of_nothing_known_gives_one_empty_page(self, subject: Subject, stream: Stream) -> None:
        """Even a window without a single record ends with a last page."""
        gone = min(subject.ids[stream])
        subject.hand.remove(stream, gone)

        pages = list(subject.pull(stream, Window(ids=(gone,))))

        assert shape_of(pages) == [(0, True)]

    def test_since_finds_what_changed_at_that_second(self, subject: Subject, stream: Stream) -> None:
        """A record changed in the very second of `since` is found, where the platform can filter."""
        changed = max(subject.ids[stream])
        subject.hand.advance(3600)
        since = subject.touch(stream, changed)

        ids = ids_of(subject.pull(stream, Window(since=since)))

        if subject.connector.capabilities.streams[stream].filters_by_update:
            assert ids == [changed]
        else:
            assert set(ids) <= subject.ids[stream]

    def test_since_leaves_out_what_is_a_minute_older(self, subject: Subject, stream: Stream) -> None:
        """Of two records changed a minute apart only the later is in a window from then, where the platform filters."""
        earlier, later = sorted(subject.ids[stream])[:2]
        subject.hand.advance(3600)
        subject.touch(stream, earlier)
        subject.hand.advance(60)
        since = subject.touch(stream, later)

        ids = ids_of(subject.pull(stream, Window(since=since)))

        if subject.connector.capabilities.streams[stream].filters_by_update:
            assert ids == [later]
        else:
            assert set(ids) <= subject.ids[stream]

    def test_changes_of_one_second_are_all_found(self, subject: Subject, stream: Stream) -> None:
        """Records with one update time are each found once across pages, and from each cursor the rest of them."""
        subject.hand.advance(3600)
        window = Window(since=subject.touch(stream, *subject.ids[stream]))

        pages = list(subject.pull(stream, window))

        if subject.connector.capabilities.streams[stream].filters_by_update:
            assert sorted(ids_of(pages)) == sorted(subject.ids[stream])
        for number, page in enumerate(pages[:-1], 1):
            assert ids_of(subject.resume(stream, page.cursor, window)) == ids_of(pages[number:])

    def test_since_far_ahead_gives_nothing(self, subject: Subject, stream: Stream) -> None:
        """A window of the future holds no record and ends with a last page."""
        pages = list(subject.pull(stream, Window(since=subject.started_at + FAR_AHEAD)))

        assert shape_of(pages) == [(0, True)]

    def test_since_long_ago_gives_everything(self, subject: Subject, stream: Stream) -> None:
        """The oldest records are found by a `since` that lies before them, each once."""
        ids = ids_of(subject.pull(stream, Window(since=datetime(2000, 1, 1, tzinfo=UTC))))

        assert len(ids) == len(set(ids))
        assert set(ids) == subject.ids[stream]

    def test_until_hides_nothing_older(self, subject: Subject, stream: Stream) -> None:
        """A window that ends before a change holds at least every record that did not change."""
        changed = max(subject.ids[stream])
        subject.hand.advance(3600)
        until = subject.touch(stream, changed)

        ids = ids_of(subject.pull(stream, Window(until=until)))

        assert subject.ids[stream] - {changed} <= set(ids) <= subject.ids[stream]

    def test_empty_stream_gives_one_empty_page(self, subject: Subject, stream: Stream) -> None:
        """A stream without records still ends with a last page."""
        pages = list(subject.empty.pull(stream, Window(since=subject.started_at + FAR_AHEAD)))

        assert shape_of(pages) == [(0, True)]
