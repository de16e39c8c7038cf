"""Notices: noted once, told by one process at a time, forgotten when their end is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from syncd.store import Database
from syncd.store.notices import TELLING
from syncd.store.types import Notice
from tests.clock import ManualClock

TOPIC = "paused:eu-woo"


@pytest.fixture
def database(database_url: str, clock: ManualClock) -> Iterator[Database]:
    with Database.open(database_url, merchant="acme", clock=clock) as opened:
        yield opened


def only(database: Database) -> Notice:
    [notice] = database.notices.all()
    return notice


def test_a_trouble_is_noted_once(database: Database, clock: ManualClock) -> None:
    """The first to see a trouble is told so; the first words and the first time stay."""
    first = database.notices.claim(TOPIC, "the key is refused", clock.now(), remedy="Renew it")
    again = database.notices.claim(TOPIC, "other words", clock.now() + timedelta(hours=1))

    assert (first, again) == (True, False)
    notice = only(database)
    assert (notice.words, notice.remedy, notice.raised_at) == ("the key is refused", "Renew it", clock.now())


def test_one_process_tells_at_a_time(database: Database, clock: ManualClock) -> None:
    """The right to tell is one process's, until it gives it back or is too late."""
    database.notices.claim(TOPIC, "the key is refused", clock.now())

    taken = [database.notices.take(only(database), clock.now()) for _ in range(2)]
    database.notices.release(only(database))
    after_release = database.notices.take(only(database), clock.now())
    later = clock.now() + TELLING
    after_death = [database.notices.take(only(database), later) for _ in range(2)]

    assert taken == [True, False]
    assert after_release
    assert after_death == [True, False]


def test_what_another_told_meanwhile_is_not_told_again(database: Database, clock: ManualClock) -> None:
    """A process that read the notices before another told comes too late."""
    database.notices.claim(TOPIC, "the key is refused", clock.now())
    as_read = only(database)
    database.notices.take(as_read, clock.now())
    database.notices.told(as_read, clock.now())

    assert not database.notices.take(as_read, clock.now())


def test_a_clock_that_stepped_back_keeps_nobody_from_telling(database: Database, clock: ManualClock) -> None:
    """A right that was taken in what is now the future is no right."""
    database.notices.claim(TOPIC, "the key is refused", clock.now())
    database.notices.take(only(database), clock.now() + timedelta(hours=1))

    assert database.notices.take(only(database), clock.now())


def test_an_end_that_nobody_needs_to_hear_of_is_no_notice(database: Database, clock: ManualClock) -> None:
    """A trouble that was over before anybody was told is forgotten."""
    database.notices.claim(TOPIC, "the key is refused", clock.now())

    database.notices.end(TOPIC, clock.now())
    database.notices.end("paused:unknown", clock.now())

    assert database.notices.all() == []


def test_an_end_is_kept_until_it_is_told(database: Database, clock: ManualClock) -> None:
    """A trouble that somebody was told of stays until somebody is told that it is over."""
    database.notices.claim(TOPIC, "the key is refused", clock.now())
    database.notices.told(only(database), clock.now())

    database.notices.end(TOPIC, clock.now())
    database.notices.end(TOPIC, clock.now() + timedelta(hours=1))

    ended = only(database)
    assert ended.over_at == clock.now()
    database.notices.told(ended, clock.now())
    assert database.notices.all() == []


def test_what_may_have_been_told_is_told_to_be_over(database: Database, clock: ManualClock) -> None:
    """A trouble whose teller died in between may have been told, so its end is kept."""
    database.notices.claim(TOPIC, "the key is refused", clock.now())
    database.notices.take(only(database), clock.now())

    database.notices.end(TOPIC, clock.now())

    assert only(database).over_at is not None


def test_a_trouble_that_comes_back_before_its_end_is_told_goes_on(database: Database, clock: ManualClock) -> None:
    """Nobody is told of an end that was none."""
    database.notices.claim(TOPIC, "the key is refused", clock.now())
    database.notices.told(only(database), clock.now())
    database.notices.end(TOPIC, clock.now())

    is_first = database.notices.claim(TOPIC, "the key is refused", clock.now())

    notice = only(database)
    assert (is_first, notice.over_at, notice.told_at) == (False, None, clock.now())


def test_a_trouble_that_comes_back_while_its_end_is_told_is_told_anew(database: Database, clock: ManualClock) -> None:
    """Who was told that it is over has to be told that it is not."""
    database.notices.claim(TOPIC, "the key is refused", clock.now())
    database.notices.told(only(database), clock.now())
    database.notices.end(TOPIC, clock.now())
    being_told = only(database)

    database.notices.claim(TOPIC, "the key is refused", clock.now())
    database.notices.told(being_told, clock.now())

    notice = only(database)
    assert (notice.over_at, notice.told_at) == (None, None)


def test_what_was_surely_not_told_is_not_told_to_be_over(database: Database, clock: ManualClock) -> None:
    """A trouble that ends while telling of it fails is forgotten."""
    database.notices.claim(TOPIC, "the key is refused", clock.now())
    being_told = only(database)
    database.notices.take(only(database), clock.now())
    database.notices.end(TOPIC, clock.now())

    database.notices.release(being_told)

    assert database.notices.all() == []
