"""Pauses: whole stores and single streams, pulling and pushing, by machine and by hand."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

from syncd.model import Lane, StoreFacts, Stream
from syncd.store import Database
from syncd.store.types import LaneKey, Pause
from tests.clock import START, ManualClock

FACTS = StoreFacts(identity="https://shop.example", name="Shop")
UNPAID = Pause(store_id="shop", stream=None, is_push=False, since=START, reason="plan unpaid", by_hand=False)


def test_the_first_reason_stays(database: Database, clock: ManualClock) -> None:
    """A pause keeps its reason and its time, and says whether it is news."""
    first = database.pauses.put("shop", "plan unpaid")
    clock.advance(60)
    again = database.pauses.put("shop", "still unpaid")

    assert (first, again) == (True, False)
    assert database.pauses.all() == [UNPAID]


def test_pull_and_push_and_streams_pause_apart(database: Database) -> None:
    """Four pauses of one store are four; each is lifted alone."""
    database.pauses.put("shop", "plan unpaid")
    database.pauses.put("shop", "key may not write", push=True)
    database.pauses.put("shop", "no scope", stream=Stream.CARTS)
    database.pauses.put("other", "frozen")

    lifted = database.pauses.lift("shop")

    assert lifted
    assert [(pause.store_id, pause.stream, pause.is_push) for pause in database.pauses.all()] == [
        ("other", None, False),
        ("shop", None, True),
        ("shop", Stream.CARTS, False),
    ]


def test_lifting_what_does_not_rest_is_told(database: Database) -> None:
    """Where there is no pause there is none to end."""
    database.pauses.put("shop", "key may not write", push=True)

    assert not database.pauses.lift("shop")
    assert not database.pauses.lift("other", push=True, by_hand=True)
    assert len(database.pauses.all()) == 1


def test_what_a_person_paused_only_a_person_lifts(database: Database, clock: ManualClock) -> None:
    """A pause by hand takes an automatic one's place, outlives its end, and yields to a hand."""
    database.pauses.put("shop", "plan unpaid")
    clock.advance(60)
    database.pauses.put("shop", "stock-taking", by_hand=True)
    database.pauses.put("shop", "plan unpaid")

    lifted = database.pauses.lift("shop")

    by_hand = replace(UNPAID, since=START + timedelta(seconds=60), reason="stock-taking", by_hand=True)
    assert not lifted
    assert database.pauses.all() == [by_hand]
    assert database.pauses.lift("shop", by_hand=True)
    assert database.pauses.all() == []


def test_a_hand_lifts_the_stores_streams_with_it(database: Database) -> None:
    """Resumed by hand a store rests nowhere, except where writing was paused; by itself only the whole store wakes."""
    for stream in (None, Stream.CARTS, Stream.ORDERS):
        database.pauses.put("shop", "quiet", stream=stream, by_hand=stream is Stream.ORDERS)
    database.pauses.put("shop", "key may not write", push=True)

    database.pauses.lift("shop")
    by_itself = [pause.stream for pause in database.pauses.all() if not pause.is_push]
    database.pauses.lift("shop", by_hand=True)

    assert by_itself == [Stream.CARTS, Stream.ORDERS]
    assert [(pause.stream, pause.is_push) for pause in database.pauses.all()] == [(None, True)]


def test_a_hand_lifts_one_stream_alone(database: Database) -> None:
    """A stream named by hand is resumed without its store or its neighbour."""
    for stream in (None, Stream.CARTS, Stream.ORDERS):
        database.pauses.put("shop", "quiet", stream=stream, by_hand=True)

    database.pauses.lift("shop", stream=Stream.CARTS, by_hand=True)

    assert [pause.stream for pause in database.pauses.all()] == [None, Stream.ORDERS]


def test_one_of_many_is_told_that_a_pause_is_news(database: Database) -> None:
    """Threads that find the same trouble at once log it once."""
    news: list[bool] = []
    threads = [threading.Thread(target=lambda: news.append(database.pauses.put("shop", "down"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(news) == [False] * 7 + [True]


def test_status_shows_the_stores_pause_before_the_streams(database: Database) -> None:
    """A stream rests with its store, or else by itself; its neighbour is well."""
    database.runs.register_store("shop", "woocommerce", FACTS)
    for stream in (Stream.CARTS, Stream.ORDERS):
        database.runs.acquire(LaneKey(store_id="shop", stream=stream, lane=Lane.LIVE), "me", 60)
    database.pauses.put("shop", "no scope", stream=Stream.CARTS)
    database.pauses.put("shop", "key may not write", push=True)
    one = {status.stream: (status.paused_reason, status.push_paused_reason) for status in database.runs.status()}
    database.pauses.put("shop", "plan unpaid")

    both = {status.stream: status.paused_reason for status in database.runs.status()}

    assert one == {
        Stream.CARTS: ("no scope", "key may not write"),
        Stream.ORDERS: (None, "key may not write"),
    }
    assert both == dict.fromkeys((Stream.CARTS, Stream.ORDERS), "plan unpaid")


def test_a_forgotten_store_leaves_no_pause(database: Database) -> None:
    """A store that is let go takes its pauses with it, and no other's."""
    database.runs.register_store("shop", "woocommerce", FACTS)
    database.pauses.put("shop", "plan unpaid")
    database.pauses.put("shop", "no scope", stream=Stream.CARTS)
    database.pauses.put("other", "frozen")

    receipt = database.stores.forget("shop", "me")

    assert receipt.rows == {"pauses": 2}
    assert [pause.store_id for pause in database.pauses.all()] == ["other"]
