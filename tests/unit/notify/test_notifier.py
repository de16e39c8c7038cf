"""Rounds: who is told of what, how often, and what is in it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from syncd import logs
from syncd.app import App
from syncd.model import Finding, Lane, Stream
from syncd.notify import Message, Notifier, note_brakes, note_findings
from syncd.store.types import LaneKey, Walk, WalkEnd
from syncd.sync import STOPPED
from tests.clock import ManualClock
from tests.unit.notify.kit import STORES, Ears, app_of, ended, listening, register

HALF_AN_HOUR = 1800.0
US, EU = STORES


@pytest.fixture
def ears() -> Iterator[Ears]:
    with listening() as heard:
        yield heard


@pytest.fixture
def app(sqlite_url: str, clock: ManualClock, ears: Ears) -> Iterator[App]:
    """An app whose people listen."""
    with app_of(sqlite_url, clock, {"urls": [ears.url]}) as opened:
        register(opened)
        yield opened


@pytest.fixture
def either_app(database_url: str, clock: ManualClock, ears: Ears) -> Iterator[App]:
    """The same over each of the databases."""
    with app_of(database_url, clock, {"urls": [ears.url]}) as opened:
        register(opened)
        yield opened


def pause(app: App, reason: str = "the key is refused", **place: Any) -> None:
    """Pause the first store for longer than people are left alone."""
    app.database.pauses.put(US, reason, **place)
    app.clock.sleep(HALF_AN_HOUR)


class TestOnce:
    """One message down, one up."""

    def test_a_pause_is_told_once_and_its_end_once(self, either_app: App, ears: Ears) -> None:
        """Merchant, store, reason, since when and what to do; then that it is over."""
        pause(either_app)
        Notifier(either_app).round()
        Notifier(either_app).round()
        either_app.database.pauses.lift(US)
        Notifier(either_app).round()
        Notifier(either_app).round()

        assert ears.titles == ["syncd for acme: 1 trouble", "syncd for acme: 1 trouble over"]
        down, up = (message["message"] for message in ears.heard)
        assert down.splitlines()[:2] == [
            "us-woo: pulling is paused: the key is refused.",
            "Since 2026-03-01 12:00 UTC.",
        ]
        assert "What to do: " in down
        assert up.startswith("Over since 2026-03-01 12:30 UTC. It began 2026-03-01 12:00 UTC:\nus-woo: pulling")

    def test_a_restart_tells_nothing_twice(
        self, either_app: App, ears: Ears, database_url: str, clock: ManualClock
    ) -> None:
        """Another process knows what was told."""
        pause(either_app)
        Notifier(either_app).round()
        either_app.close()

        with app_of(database_url, clock, {"urls": [ears.url]}) as again:
            Notifier(again).round()
            again.database.pauses.lift(US)
            Notifier(again).round()

        assert ears.titles == ["syncd for acme: 1 trouble", "syncd for acme: 1 trouble over"]

    def test_two_daemons_tell_once(self, either_app: App, ears: Ears, database_url: str, clock: ManualClock) -> None:
        """While one process is telling, another leaves it to it; so with the end."""
        pause(either_app)
        with app_of(database_url, clock, {"urls": [ears.url]}) as other:
            notifiers = [Notifier(either_app), Notifier(other)]

            _side_by_side(notifiers)
            either_app.database.pauses.lift(US)
            _side_by_side(notifiers)

        assert ears.titles == ["syncd for acme: 1 trouble", "syncd for acme: 1 trouble over"]

    def test_what_could_not_be_sent_is_tried_again(self, either_app: App, ears: Ears) -> None:
        """A message that nobody took goes out at a later round, and so does its end."""
        pause(either_app)
        ears.status = 500
        notifier = Notifier(either_app)
        notifier.round()
        ears.status = 200
        notifier.round()
        either_app.database.pauses.lift(US)
        ears.status = 500
        notifier.round()
        ears.status = 200
        notifier.round()

        assert ears.titles == ["syncd for acme: 1 trouble", "syncd for acme: 1 trouble over"]

    def test_what_was_over_before_anybody_heard_is_not_told(self, app: App, ears: Ears) -> None:
        """An end without a beginning would tell nobody anything."""
        pause(app)
        ears.status = 500
        Notifier(app).round()
        app.database.pauses.lift(US)
        ears.status = 200
        Notifier(app).round()

        assert ears.heard == []
        assert app.database.notices.all() == []

    def test_troubles_of_one_round_are_one_message(self, app: App, ears: Ears) -> None:
        """An outage of everything is told in one piece."""
        app.database.pauses.put(EU, "the shop is frozen")
        pause(app)

        Notifier(app).round()

        assert ears.titles == ["syncd for acme: 2 troubles"]
        assert "us-woo: pulling" in ears.text
        assert "eu-woo: pulling" in ears.text

    def test_one_address_that_takes_it_is_enough(self, database_url: str, clock: ManualClock, ears: Ears) -> None:
        """An address that is dead does not make the others hear everything again."""
        dead = "json://127.0.0.1:1/dead"
        with app_of(database_url, clock, {"urls": [dead, ears.url, "no-such-service://x"]}) as app:
            register(app)
            pause(app)
            notifier = Notifier(app)
            notifier.round()
            notifier.round()

        assert len(ears.heard) == 1

    def test_nobody_to_tell_is_no_trouble(self, database_url: str, clock: ManualClock) -> None:
        """Without addresses a round does nothing."""
        with app_of(database_url, clock, {}) as app:
            register(app)
            pause(app)
            Notifier(app).round()

            assert app.database.notices.all() == []


def _side_by_side(notifiers: list[Notifier]) -> None:
    start = threading.Barrier(len(notifiers))

    def go(notifier: Notifier) -> None:
        start.wait()
        notifier.round()

    threads = [threading.Thread(target=go, args=[notifier]) for notifier in notifiers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class TestTroubles:
    """What is worth a message."""

    def told(self, app: App, ears: Ears) -> str:
        """What one round tells."""
        before = len(ears.heard)
        Notifier(app).round()
        return "\n".join(message["message"] for message in ears.heard[before:])

    def test_a_short_pause_is_not_told(self, app: App, ears: Ears) -> None:
        """Less than `notify.paused_after` is nobody's business."""
        app.database.pauses.put(US, "the key is refused")
        app.clock.sleep(HALF_AN_HOUR - 1)

        assert self.told(app, ears) == ""

    def test_a_persons_own_pause_is_not_told(self, app: App, ears: Ears) -> None:
        """Who paused it knows."""
        pause(app, by_hand=True)

        assert self.told(app, ears) == ""

    def test_a_store_that_left_the_config_is_not_told(self, app: App, ears: Ears) -> None:
        """Nor is a pause of pushes where nothing is pushed."""
        app.database.pauses.put("gone", "the key is refused")
        pause(app, stream=Stream.CARTS)

        assert "us-woo/carts: pulling is paused" in self.told(app, ears)
        assert "gone" not in ears.text

    def test_a_paused_push_is_told(self, app: App, ears: Ears) -> None:
        """Reading goes on, and the message says what does not."""
        pause(app, "the key may only read", push=True)

        assert "us-woo: writing tags is paused: the key may only read." in self.told(app, ears)

    def test_a_finding_is_told_until_a_check_no_longer_has_it(self, app: App, ears: Ears) -> None:
        """Other figures do not make it another finding; a push that rests for it is not told twice."""
        late = Finding(level="error", message="the key runs out in 9 days", remedy="Renew it")
        later = Finding(level="error", message="the key runs out in 8 days", remedy="Renew it")
        note_findings(app.database, US, [late, Finding(level="ok", message="fine")], app.clock.now())
        pause(app, late.words, push=True)
        first = self.told(app, ears)
        note_findings(app.database, US, [later], app.clock.now())
        note_findings(app.database, EU, [], app.clock.now())
        second = self.told(app, ears)
        note_findings(app.database, US, [], app.clock.now())
        app.database.pauses.lift(US, push=True)
        third = self.told(app, ears)

        assert first.splitlines()[0] == "us-woo: the key runs out in 9 days."
        assert "What to do: Renew it." in first
        assert len(ears.heard) == 2
        assert (second, third.startswith("Over since")) == ("", True)

    def test_a_brake_is_told_until_a_push_went_through(self, app: App, ears: Ears) -> None:
        """The plan that waits is one trouble, however often it is made again with other figures."""
        note_brakes(app.database, {US: "1200 customers would change"}, [US, EU], app.clock.now())
        first = self.told(app, ears)
        note_brakes(app.database, {US: "1201 customers would change"}, [US], app.clock.now())
        note_brakes(app.database, {}, [EU], app.clock.now())
        second = self.told(app, ears)
        note_brakes(app.database, {}, [US], app.clock.now())
        third = self.told(app, ears)

        assert "us-woo: the brake holds the automatic push: 1200 customers would change" in first
        assert "syncd plan --store us-woo" in first
        assert (second, third.startswith("Over since")) == ("", True)

    def test_a_store_that_fails_for_long_is_told(self, app: App, ears: Ears) -> None:
        """Retries that are all in vain are as good as a pause; one failure, however long ago, is not."""
        ended(app, "failed", "the shop does not answer")
        app.clock.sleep(HALF_AN_HOUR)
        early = self.told(app, ears)
        ended(app, "failed", "the shop is tired")
        first = self.told(app, ears)
        ended(app, "succeeded")
        second = self.told(app, ears)

        assert early == ""
        assert "us-woo: orders cannot be pulled: the shop does not answer." in first
        assert second.startswith("Over since")

    def test_an_incomplete_stream_is_told(self, app: App, ears: Ears) -> None:
        """The last whole run decides; one that was told to stop says nothing."""
        ended(app, "partial", "incomplete: 3 of 10 orders missing", kind="sweep")
        ended(app, "partial", STOPPED, kind="backfill")
        ended(app, "succeeded")
        first = self.told(app, ears)
        ended(app, "succeeded", kind="sweep")
        second = self.told(app, ears)

        assert "us-woo/orders: incomplete: 3 of 10 orders missing." in first
        assert second.startswith("Over since")

    def test_a_complete_history_is_told_once(self, app: App, ears: Ears) -> None:
        """Good news, when the last stream of a store is in; never that it is over."""
        _complete(app, Stream.CUSTOMERS, Stream.ORDERS)
        early = self.told(app, ears)
        _complete(app, Stream.CARTS)
        first, second = self.told(app, ears), self.told(app, ears)
        app.clock.sleep(90_000)
        third = self.told(app, ears)

        assert first == "us-woo: the whole history is in the database (customers, orders, carts)."
        assert (early, second, third) == ("", "", "")
        assert ears.heard[0]["type"] == "info"
        assert app.database.notices.all() == []

    def test_old_news_is_no_news(self, app: App, ears: Ears) -> None:
        """Who is told for the first time is not told what has long been so."""
        _complete(app, *Stream)
        app.clock.sleep(90_000)

        assert self.told(app, ears) == ""


def _complete(app: App, *streams: Stream) -> None:
    for stream in streams:
        lease = app.database.runs.acquire(LaneKey(store_id=US, stream=stream, lane=Lane.LIVE), "worker", 60)
        end = WalkEnd(fresh_until=app.clock.now(), history_complete=True, is_sweep=True)
        app.database.runs.finish_walk(lease, end)
        app.database.runs.release(lease)


def test_a_full_disk_is_told(sqlite_url: str, clock: ManualClock, ears: Ears) -> None:
    """Free space below the least, and that there is enough again; a server's disk is not ours to see."""
    notify = {"urls": [ears.url]}
    with app_of(sqlite_url, clock, notify, housekeeping={"min_free_mb": 10**12}) as app:
        Notifier(app).round()
    with app_of(sqlite_url, clock, notify, housekeeping={"min_free_mb": 0}) as app:
        Notifier(app).round()

    assert ears.titles == ["syncd for acme: 1 trouble", "syncd for acme: 1 trouble over"]
    assert "MB are free on the disk under the database" in ears.text


class TestAway:
    """A database that cannot be asked."""

    def test_it_is_told_from_memory(self, postgres_url: str, clock: ManualClock, ears: Ears) -> None:
        """Once when it has been away for a minute, once when it is back; no sign of life meanwhile."""
        notify = {"urls": [ears.url], "heartbeat_url": ears.heartbeat_url}
        with app_of(postgres_url, clock, notify) as app:
            notifier = Notifier(app)
            notifier.round()
            with _closed(postgres_url):
                _rounds(notifier, clock, 3)
            _rounds(notifier, clock, 2)

        assert ears.titles == ["syncd for acme: 1 trouble", "syncd for acme: 1 trouble over"]
        assert "nothing can be stored" in ears.text
        assert len(ears.beats) == 3

    def test_a_short_absence_is_not_told(self, postgres_url: str, clock: ManualClock, ears: Ears) -> None:
        """A server that is started again within a minute alarms nobody."""
        with app_of(postgres_url, clock, {"urls": [ears.url]}) as app:
            notifier = Notifier(app)
            with _closed(postgres_url):
                notifier.round()
            _rounds(notifier, clock, 2)

        assert ears.heard == []


def _rounds(notifier: Notifier, clock: ManualClock, number: int) -> None:
    for _ in range(number):
        notifier.round()
        clock.advance(60)


class _closed:  # noqa: N801
    """A database that lets nobody in within the block."""

    def __init__(self, url: str) -> None:
        self._server, _, self._name = url.rpartition("/")

    def __enter__(self) -> None:
        self._say("false")
        self._kick()

    def __exit__(self, *_: object) -> None:
        self._say("true")

    def _say(self, allowed: str) -> None:
        self._execute(f"ALTER DATABASE {self._name} WITH ALLOW_CONNECTIONS {allowed}")

    def _kick(self) -> None:
        self._execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self._name}'")

    def _execute(self, statement: str) -> None:
        with psycopg.connect(f"{self._server}/postgres", autocommit=True) as connection:
            connection.execute(statement.encode())


class TestHeartbeat:
    """The dead man's switch."""

    def test_it_beats_while_the_process_is_well(self, sqlite_url: str, clock: ManualClock, ears: Ears) -> None:
        """Troubles of shops are none of the process; faults of its own end the beating."""
        faults: list[str] = []
        with app_of(sqlite_url, clock, {"heartbeat_url": ears.heartbeat_url}) as app:
            notifier = Notifier(app, faults=lambda: faults)
            register(app)
            pause(app)
            notifier.round()
            faults.append("the ticker gave no sign of life")
            notifier.round()

        assert ears.beats == ["/beat-for-no-others"]

    def test_a_deaf_watcher_is_no_trouble(self, sqlite_url: str, clock: ManualClock, ears: Ears) -> None:
        """A sign of life that nobody takes stops nothing."""
        ears.status = 500
        with app_of(sqlite_url, clock, {"urls": [ears.url], "heartbeat_url": "http://127.0.0.1:1/x"}) as app:
            register(app)
            pause(app)
            notifier = Notifier(app)
            notifier.round()
            ears.status = 200
            notifier.round()

        assert len(ears.heard) == 1


CANARIES = ("Ada.Canary@example.net", "+49 171 1234567", "0171 7654321", "shpat_0123456789abcdef", "hunter22hunter22")


def test_no_message_holds_people_or_secrets(app: App, ears: Ears) -> None:
    """Whatever a reason quotes, mailboxes, phone numbers, tokens and configured secrets are masked."""
    logs.register_secret("hunter22hunter22")
    reason = f"the shop says: {', '.join(CANARIES)} is not welcome since 2026-02-28"
    note_findings(app.database, EU, [Finding(level="warning", message=reason, remedy=reason)], app.clock.now())
    note_brakes(app.database, {EU: reason}, [EU], app.clock.now())
    ended(app, "partial", reason, kind="sweep")
    ended(app, "failed", reason, stream=Stream.CARTS)
    pause(app, f"{reason}, and so on", push=True)
    pause(app, reason, stream=Stream.CUSTOMERS)
    ended(app, "failed", reason, stream=Stream.CARTS)
    Notifier(app).round()
    for place in ({"push": True}, {"stream": Stream.CUSTOMERS}):
        app.database.pauses.lift(US, **place)
    Notifier(app).round()

    assert ears.titles == ["syncd for acme: 6 troubles", "syncd for acme: 2 troubles over"]
    assert [canary for canary in CANARIES if canary.lower() in ears.text.lower()] == []
    assert "2026-02-28" in ears.text


def test_a_send_of_ones_own_is_handed_the_messages(sqlite_url: str, clock: ManualClock) -> None:
    """Who sends is exchangeable."""
    sent: list[Message] = []

    def send(message: Message) -> bool:
        sent.append(message)
        return True

    with app_of(sqlite_url, clock, {}) as app:
        register(app)
        pause(app)
        Notifier(app, send=send).round()

    assert [message.kind for message in sent] == ["warning"]


def test_a_walk_under_way_is_nothing_to_tell(app: App, ears: Ears) -> None:
    """A store whose first walk is not done is neither complete nor incomplete."""
    lease = app.database.runs.acquire(LaneKey(store_id=US, stream=Stream.ORDERS, lane=Lane.LIVE), "worker", 60)
    walk = Walk(walk_id="1", kind="backfill", window=_whole(), signpost=None, started_at=app.clock.now())
    app.database.runs.begin_walk(lease, walk)

    Notifier(app).round()

    assert ears.heard == []


def _whole() -> Any:
    from syncd.model import Window

    return Window()
