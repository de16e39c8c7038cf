"""What `status` knows: how every stream stands, who works it, what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from syncd import pausing, process
from syncd.app import App
from syncd.errors import ConfigInvalid
from syncd.model import Lane, RawRecord, Stream, Window
from syncd.overview import Overview, StreamLine, overview
from syncd.pausing import Rest
from syncd.screens import Place, overview_json, show_overview
from syncd.store.types import LaneKey, PageCommit, Rejected, Walk, WalkEnd
from tests.clock import ManualClock
from tests.unit.notify.kit import app_of, ended, register

MINUTE = 60.0
STORE, OTHER = "us-woo", "eu-woo"


@pytest.fixture
def app(database_url: str, clock: ManualClock) -> Iterator[App]:
    """An app of two shops that nobody asks, read whole just now and looked after by a daemon."""
    with app_of(database_url, clock, {}, timezone="Europe/Berlin") as opened:
        register(opened)
        for store_id in (STORE, OTHER):
            for stream in Stream:
                _read_whole(opened, LaneKey(store_id=store_id, stream=stream, lane=Lane.LIVE))
        _daemon_seen(opened)
        yield opened


def _read_whole(app: App, key: LaneKey) -> None:
    now = app.clock.now()
    lease = app.database.runs.acquire(key, process.own_name(), 60.0)
    walk = Walk(walk_id=app.database.new_id(), kind="sweep", window=Window(), signpost=now, started_at=now)
    app.database.runs.begin_walk(lease, walk)
    app.database.runs.finish_walk(
        lease, WalkEnd(bookmark=now, fresh_until=now, history_complete=True, is_sweep=True, delete_missing=False)
    )
    app.database.runs.release(lease)
    app.database.turns.put_off(key, now + timedelta(minutes=5))


def _daemon_seen(app: App, owner: str = "") -> None:
    now = app.clock.now()
    app.database.daemons.seen(owner or process.own_name(), now, now - timedelta(hours=3))


def _line(seen: Overview, store_id: str, stream: Stream) -> StreamLine:
    return next(line for line in seen.streams if (line.store_id, line.stream) == (store_id, stream))


def _words(seen: Overview) -> list[str]:
    return [f"{item.words}. {item.remedy}" for item in seen.troubles]


def test_all_is_well(app: App, clock: ManualClock) -> None:
    """A stream read whole two minutes ago is due in three, and nobody has to do anything."""
    clock.advance(2 * MINUTE)

    seen = overview(app)

    assert seen.troubles == ()
    assert {line.state for line in seen.streams} == {"well"}
    orders = _line(seen, STORE, Stream.ORDERS)
    assert orders.lag == timedelta(minutes=2)
    assert orders.next_at == clock.now() + timedelta(minutes=3)
    assert [(daemon.is_alive, daemon.name) for daemon in seen.daemons] == [(True, process.shown(process.own_name()))]
    assert seen.size.file_bytes > 0


def test_what_was_never_read_is_told_with_its_command(sqlite_url: str, clock: ManualClock) -> None:
    """Before the first run every configured stream has a line, and one command reads them all."""
    with app_of(sqlite_url, clock, {}) as app:
        seen = overview(app)

    assert [line.state for line in seen.streams] == ["never read"] * 6
    assert [line.next_at for line in seen.streams] == [None] * 6
    assert _words(seen) == [
        "not read from beginning to end yet: us-woo (customers, orders, carts), eu-woo (customers, orders, carts). "
        "`syncd backfill` reads it, and goes on where an earlier one stopped"
    ]


def test_no_backfill_is_proposed_for_a_store_that_cannot_be_asked(sqlite_url: str, clock: ManualClock) -> None:
    """The store's own trouble comes first; the others are read meanwhile."""
    with app_of(sqlite_url, clock, {}) as app:
        ended(app, "failed", "nothing listens there")

        words = _words(overview(app))

    assert [text.partition(":")[0] for text in words] == [STORE, "not read from beginning to end yet"]
    assert f"`syncd backfill --store {OTHER}` reads it" in words[1]


def test_streams_grow_late_without_a_daemon(app: App, clock: ManualClock) -> None:
    """A missed turn is nothing, two are told, with who has to be started; a process that is gone is no daemon."""
    app.database.daemons.gone(process.own_name())
    host, boot, _, start, salt = process.own_name().split(":")
    _daemon_seen(app, ":".join((host, boot, "1", f"{start}0", salt)))
    clock.advance(9 * MINUTE)
    early = overview(app)
    clock.advance(7 * MINUTE)

    late = overview(app)

    assert [daemon.is_alive for daemon in early.daemons] == [False]
    assert early.troubles == ()
    assert _words(late)[0].startswith("no daemon is alive, and too old is what is here of us-woo/customers, us-woo/or")
    assert "Start `syncd run` as a service, or `syncd sync` once" in _words(late)[0]
    assert {line.next_at for line in late.streams} == {None}


def test_a_daemon_that_misses_turns_is_told(app: App, clock: ManualClock) -> None:
    """One that lives and does not work is another trouble than none."""
    clock.advance(16 * MINUTE)
    _daemon_seen(app)

    seen = overview(app)

    assert "due, and no daemon has its turn. Look at the daemon's log and its /healthz" in _words(seen)[0]


def test_a_silent_daemon_is_not_alive(app: App, clock: ManualClock) -> None:
    """One that gave no sign of life for minutes hangs, or its machine is away."""
    clock.advance(6 * MINUTE)

    assert [daemon.is_alive for daemon in overview(app).daemons] == [False]


def test_a_store_that_fails_holds_its_streams(app: App, clock: ManualClock) -> None:
    """At once, without the patience that notices have; its other streams wait for the same next try."""
    clock.advance(MINUTE)
    ended(app, "failed", "nothing listens there")
    app.database.turns.put_off(_key(Stream.ORDERS), clock.now() + timedelta(minutes=8))

    seen = overview(app)

    states = {line.stream: line.state for line in seen.streams if line.store_id == STORE}
    assert states == {Stream.CUSTOMERS: "waiting", Stream.ORDERS: "failing", Stream.CARTS: "waiting"}
    assert {line.next_at for line in seen.streams if line.store_id == STORE} == {clock.now() + timedelta(minutes=8)}
    assert "us-woo: orders cannot be pulled: nothing listens there" in _words(seen)[0]
    assert _line(seen, OTHER, Stream.ORDERS).state == "well"


def _key(stream: Stream) -> LaneKey:
    return LaneKey(store_id=STORE, stream=stream, lane=Lane.LIVE)


def test_pauses_are_told_with_their_end(app: App) -> None:
    """Those by hand with the command that ends them, those of a sick store with their reason."""
    pausing.pause(app, Rest(store_id=OTHER), " Black\nFriday ")
    pausing.pause(app, Rest(store_id=OTHER, push=True))
    app.database.pauses.put(STORE, "the key is not accepted", stream=Stream.CARTS)

    seen = overview(app)

    assert _line(seen, OTHER, Stream.ORDERS).state == "paused by hand"
    assert _line(seen, OTHER, Stream.ORDERS).next_at is None
    assert (_line(seen, STORE, Stream.CARTS).state, _line(seen, STORE, Stream.ORDERS).state) == ("paused", "well")
    assert "eu-woo: pulling is paused by hand: Black Friday. `syncd resume eu-woo` ends it" in _words(seen)
    assert "eu-woo: writing tags is paused by hand. `syncd resume eu-woo --push` ends it" in _words(seen)
    assert [words for words in _words(seen) if words.startswith("us-woo/carts: pulling is paused: the key is not ac")]


@pytest.mark.parametrize(("status", "state"), [("running", "reading, 25 %"), ("interrupted", "half read, 25 %")])
def test_a_walk_shows_how_far_it_is(app: App, clock: ManualClock, status: str, state: str) -> None:
    """In percent of the shop's total; one whose process is gone is told apart from one that goes on."""
    lease = app.database.runs.acquire(_key(Stream.ORDERS), process.own_name(), 60.0)
    walk = Walk(walk_id="w", kind="sweep", window=Window(), signpost=clock.now(), started_at=clock.now(), declared=4)
    app.database.runs.begin_walk(lease, walk)
    raw = RawRecord(external_id="7", payload={"id": 7})
    page = PageCommit(
        lease=lease,
        walk_id=walk.walk_id,
        accepted=(),
        rejected=(Rejected(raw=raw, reason="no number"),),
        mapper_version=1,
        asked_at=clock.now(),
        cursor="2",
        declared=4,
        signpost=clock.now(),
    )
    app.database.pages.commit(page)
    ended(app, status)

    seen = overview(app)

    assert _line(seen, STORE, Stream.ORDERS).state == state
    assert "us-woo/orders: 1 records could not be read. `syncd rejected list` says why" in _words(seen)[0]


def test_pause_and_resume_do_what_they_say(app: App, clock: ManualClock) -> None:
    """A dry run does nothing; what is resumed is due at once; what else rests is told."""
    rest, orders = Rest(store_id=STORE), Rest(store_id=STORE, stream=Stream.ORDERS)
    pausing.pause(app, rest, dry_run=True)
    assert app.database.pauses.all() == []
    pausing.pause(app, rest, "first")
    again = pausing.pause(app, rest, "second")
    pausing.pause(app, orders)

    tried = pausing.resume(app, rest, dry_run=True)
    part = pausing.resume(app, orders)
    whole = pausing.resume(app, rest)
    nothing = pausing.resume(app, rest)

    assert again.before is not None
    assert again.before.reason == "first"
    assert [len(report.lifted) for report in (tried, part, whole, nothing)] == [2, 1, 1, 0]
    assert [pause.reason for pause in part.left] == ["second"]
    assert set(app.database.turns.due_at(STORE).values()) == {clock.now()}
    assert clock.now() not in app.database.turns.due_at(OTHER).values()


def test_only_a_person_ends_what_a_person_began(app: App) -> None:
    """A pull that goes well lifts what a sick store began, and leaves the other."""
    pausing.pause(app, Rest(store_id=STORE))
    app.database.pauses.put(OTHER, "the key is not accepted")

    lifted = [app.database.pauses.lift(store_id) for store_id in (STORE, OTHER)]

    assert lifted == [False, True]
    assert overview(app).streams[0].state == "paused by hand"


@pytest.mark.parametrize("verb", [pausing.pause, pausing.resume])
def test_an_unknown_store_is_refused_with_the_nearest(app: App, verb: object) -> None:
    """Nothing is written for a store, or a stream, that the config does not have."""
    with pytest.raises(ConfigInvalid, match='did you mean "eu-woo"'):
        verb(app, Rest(store_id="eu-wo"))  # type: ignore[operator]

    assert app.database.pauses.all() == []


def test_a_stream_that_is_not_pulled_is_refused(sqlite_url: str, clock: ManualClock) -> None:
    """A pause of what never runs would mislead."""
    with app_of(sqlite_url, clock, {}) as app:
        app.settings.stores[STORE].streams.pop(Stream.CARTS)

        with pytest.raises(ConfigInvalid, match=r"pulls no carts of us-woo\. Its streams are customers, orders"):
            pausing.pause(app, Rest(store_id=STORE, stream=Stream.CARTS))


def test_the_screen_and_the_document_tell_the_same(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    """Every stream, every store, the daemon, the size and every trouble with its remedy are in both."""
    pausing.pause(app, Rest(store_id=OTHER), "stocktaking")
    place, seen = Place(config=Path("/etc/syncd/syncd.yaml"), database="sqlite:///x.db", merchant="acme"), overview(app)

    document = overview_json(place, seen)
    show_overview(place, seen)

    printed = capsys.readouterr().out
    assert "acme: sqlite:///x.db (" in printed
    assert f"Daemon: {seen.daemons[0].name}, for 3 h, last seen 0 s ago." in printed
    orders = next(line.split() for line in printed.splitlines() if line.split()[:2] == ["us-woo", "orders"])
    assert " ".join(orders) == "us-woo orders well 0 0 0 s ago 0 s in 5 min"
    assert "- eu-woo: pulling is paused by hand: stocktaking.\n  `syncd resume eu-woo` ends it.\n" in printed
    assert (document["is_well"], len(document["streams"]), len(document["stores"])) == (False, 6, 2)
    assert document["troubles"][0]["remedy"] == "`syncd resume eu-woo` ends it"
    assert {"wal_bytes", "daemons", "database_bytes"} <= document.keys()
