"""Turns: a lane that is due is worked by exactly one."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from syncd import process
from syncd.model import Lane, StoreFacts, Stream
from syncd.store import Database
from syncd.store.types import LaneKey
from tests.clock import START, ManualClock

KEY = LaneKey(store_id="shop", stream=Stream.ORDERS, lane=Lane.LIVE)
NEXT = START + timedelta(minutes=5)
LATEST = START + timedelta(minutes=6)
ELSEWHERE = "elsewhere:boot:1:1:salt"


def take(database: Database, now: datetime = START, key: LaneKey = KEY) -> bool:
    """Ask for the turn; the next one is five minutes later, at the latest six."""
    return database.turns.take(key, now=now, next_at=now + timedelta(minutes=5), latest=now + timedelta(minutes=6))


def dead() -> str:
    """The name of a process of this host that surely ended."""
    host, boot, _, start, salt = process.own_name().split(":")
    return ":".join((host, "an earlier " + boot, "1", start, salt))


def test_a_lane_never_worked_is_due(database: Database) -> None:
    """The first who asks has the turn; the next is due when it is said to be."""
    first, second = take(database), take(database)

    assert (first, second) == (True, False)
    assert database.turns.due_at("shop") == {Stream.ORDERS: NEXT}
    assert not take(database, NEXT - timedelta(seconds=1))
    assert take(database, NEXT)


def test_lanes_have_turns_of_their_own(database: Database) -> None:
    """Neither another stream, nor another store, nor a backfill takes a turn away; due times are the live lane's."""
    others = [
        replace(KEY, stream=Stream.CARTS),
        replace(KEY, store_id="other"),
        replace(KEY, lane=Lane.BACKFILL),
    ]

    assert all(take(database, key=key) for key in others)
    assert database.turns.due_at("shop") == {Stream.CARTS: NEXT}
    assert take(database)


@pytest.mark.parametrize("processes", [1, 2])
def test_exactly_one_of_many_has_the_turn(database_url: str, clock: ManualClock, processes: int) -> None:
    """However many threads of however many ways into the database ask at once, one works."""
    ways = [Database.open(database_url, merchant="acme", clock=clock) for _ in range(processes)]
    answers: list[list[bool]] = [[] for _ in range(5)]
    together = threading.Barrier(12)

    def ask(database: Database) -> None:
        for turn in range(5):
            together.wait()
            answers[turn].append(take(database, START + turn * timedelta(minutes=5)))

    threads = [threading.Thread(target=ask, args=(ways[number % processes],)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for database in ways:
        database.close()

    assert [sorted(answered) for answered in answers] == 5 * [11 * [False] + [True]]


def test_a_turn_put_off_comes_when_it_is_said(database: Database) -> None:
    """A shop that asks for a pause gets it; one that is to be tried at once is."""
    take(database)

    database.turns.put_off(KEY, START + timedelta(minutes=1))
    early, then = take(database), take(database, START + timedelta(minutes=1))
    database.turns.put_off(replace(KEY, stream=Stream.CARTS), START)

    assert (early, then) == (False, True)
    assert take(database, key=replace(KEY, stream=Stream.CARTS))


def test_a_clock_that_stepped_back_stops_nothing(database: Database) -> None:
    """A due time further off than any schedule was written by a clock that was ahead."""
    take(database, START + timedelta(hours=1))

    assert take(database)
    assert database.turns.due_at("shop") == {Stream.ORDERS: NEXT}


def test_a_due_time_at_the_latest_is_waited_for(database: Database) -> None:
    """The furthest that a schedule may lie off is no step of the clock."""
    database.turns.put_off(KEY, LATEST)

    assert not take(database)


def test_what_another_living_process_works_is_nobodys_turn(database: Database, clock: ManualClock) -> None:
    """A lane due again while it is still worked waits for its lease's end."""
    lease = database.runs.acquire(KEY, ELSEWHERE, 600)
    clock.advance(300)
    held = take(database, NEXT)

    database.runs.release(lease)

    assert not held
    assert take(database, NEXT)


def test_a_lease_that_ran_out_holds_nobody_up(database: Database, clock: ManualClock) -> None:
    """Where nothing can be known of a process, its lease's end is the word."""
    database.runs.acquire(KEY, ELSEWHERE, 60)

    assert not take(database, START + timedelta(seconds=59))
    assert take(database, START + timedelta(seconds=60))


def test_a_dead_process_is_followed_at_once_by_exactly_one(database: Database) -> None:
    """Work that its process died at is due before its time, once, and its lease is gone."""
    take(database)
    database.runs.acquire(KEY, dead(), 600)

    first, second = take(database, START + timedelta(seconds=1)), take(database, START + timedelta(seconds=1))

    assert (first, second) == (True, False)
    assert database.runs.acquire(KEY, ELSEWHERE, 60).epoch == 2


def test_our_own_lease_left_behind_waits_for_the_next_turn(database: Database) -> None:
    """A lease that could not be given back makes nothing due, and holds nothing up."""
    take(database)
    database.runs.acquire(KEY, process.own_name(), 3600)

    assert not take(database, START + timedelta(seconds=1))
    assert take(database, NEXT)


def test_status_tells_when_a_stream_is_due(database: Database) -> None:
    """A stream's status has its live lane's due time, whatever its backfill says."""
    database.runs.register_store("shop", "woocommerce", StoreFacts(identity="https://shop.example", name="Shop"))
    take(database)
    take(database, START + timedelta(hours=1), key=replace(KEY, lane=Lane.BACKFILL))

    (status,) = database.runs.status()

    assert status.due_at == NEXT
