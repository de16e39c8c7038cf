"""A store is let go: tags taken off, every row gone, and whoever other stores know stays a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from syncd.app import App, Selection
from syncd.errors import BrakeTripped, ConfigInvalid, LockHeld
from syncd.model import Lane, Stream
from syncd.sandbox import Sandbox, SandboxOptions
from syncd.settings import load
from syncd.store.deletion import raw_records
from syncd.store.grouping import profiles
from syncd.store.rows import MAIN
from syncd.store.tables import Merchant
from syncd.store.types import LaneKey
from syncd.upkeep import Removal, orphaned, remove_store
from tests.flow.woo import config
from tests.unit.store.kit import engines_of, groups, people, rows

ALL = "segments:\n  all: {when: 'orders_count >= 0', tag: Everybody}\n"
FREE = ", push: {mode: auto, brake: {max_customers: 100000, max_percent: 100}}"
GONE, STAYS = "us-woo", "eu-woo"
PURGE = Removal(store_id=GONE, purge=True)


@dataclass(frozen=True)
class Two:
    """Two shops, pulled and tagged, with configs of both, of the one that stays, and with a tight brake."""

    sandbox: Sandbox
    url: str
    both: Path
    one: Path
    braked: Path

    def tagged(self, store: str) -> int:
        """How many accounts of a shop have a tag of ours."""
        accounts = self.sandbox.shops[store].state.accounts.values()
        return sum(any("syncd" in str(meta) for meta in account.meta) for account in accounts)


@pytest.fixture
def two(database_url: str, tmp_path: Path) -> Iterator[Two]:
    with Sandbox(SandboxOptions(seed=3, scale=0.02)) as sandbox:
        both = config(tmp_path / "both", sandbox, database_url, options=FREE, segments=ALL)
        one = config(tmp_path / "one", sandbox, database_url, stores=(STAYS,), options=FREE, segments=ALL)
        tight = ", push: {mode: auto, brake: {max_customers: 1}}"
        braked = config(tmp_path / "braked", sandbox, database_url, options=tight, segments=ALL)
        with App(load(both)) as app:
            report = app.sync()
            assert report.applied is not None
            assert report.applied.confirmed > 0
        yield Two(sandbox, database_url, both, one, braked)


def cells(url: str) -> str:
    """Every cell of every table, as one text."""
    with engines_of(url) as engines, engines.read() as connection:
        tables = Merchant.metadata.sorted_tables
        return "\n".join(str(tuple(row)) for table in tables for row in connection.execute(table.select()))


def _mails(url: str, store: str) -> set[str]:
    """Every e-mail address that one store's records name."""
    found = (row for table in MAIN.values() for row in rows(url, table))
    return {str(row["email"]).lower() for row in found if row["store_id"] == store and row["email"]}


def test_purge_leaves_nothing_of_the_store(two: Two) -> None:
    """No cell of any table names the store, its accounts' mailboxes or its contacts; the receipt counts what went."""
    mails = _mails(two.url, GONE) - _mails(two.url, STAYS)
    raw_count = sum(row["store_id"] == GONE for row in rows(two.url, raw_records))
    with App(load(two.one)) as app:
        before = app.summary().profiles

        report = remove_store(app, PURGE)

        after = app.summary().profiles
    left = cells(two.url)
    assert GONE not in left
    assert mails
    assert [mail for mail in mails if mail in left] == []
    assert report.receipt is not None
    assert report.receipt.rows["raw_records"] == raw_count
    assert {"contacts", "identifiers", "ledger", "outbox", "tag_state", "stores", "runs"} <= report.receipt.rows.keys()
    assert (report.receipt.people_gone, report.receipt.people_kept > 0) == (before - after, True)
    assert report.tags_left > 0


def test_those_who_stay_are_as_if_the_store_had_never_been(two: Two, tmp_path: Path) -> None:
    """The other store's records are grouped, counted and put into segments as in a database that only knew it."""
    with App(load(two.one)) as app:
        remove_store(app, PURGE)
        purged = groups(app.database), app.summary(), sorted(app.database.exports.rows("orders"))
    fresh = config(tmp_path, two.sandbox, f"sqlite:///{tmp_path}/fresh.db", stores=(STAYS,), segments=ALL)
    with App(load(fresh)) as app:
        app.sync()
        alone = groups(app.database), app.summary(), sorted(app.database.exports.rows("orders"))

    assert purged == alone


def test_tombstones_show_nobody_and_lead_somewhere(two: Two) -> None:
    """What is left of an ended profile is its successor's id and no name."""
    with App(load(two.one)) as app:
        remove_store(app, PURGE)
        homes = set(people(app.database).values())

    tombstones = [row for row in rows(two.url, profiles) if row["merged_into"]]
    assert {row["first_name"] or row["email"] for row in tombstones if row["profile_id"] not in homes} <= {""}
    known = {row["profile_id"] for row in rows(two.url, profiles)}
    assert {row["merged_into"] for row in tombstones} <= known


def test_dry_run_counts_and_changes_nothing(two: Two) -> None:
    """A dry run's receipt is the real one's, and every cell stays."""
    before = cells(two.url)
    with App(load(two.one)) as app:
        would = remove_store(app, PURGE, dry_run=True)
        between = cells(two.url)
        did = remove_store(app, PURGE)

    assert between == before
    assert would.receipt == did.receipt


def test_untag_takes_our_tags_off_first(two: Two) -> None:
    """The shop has none of our tags any more, the other shop keeps its own, and everything else is deleted."""
    elsewhere = two.tagged(STAYS)
    with App(load(two.both)) as app:
        report = remove_store(app, Removal(store_id=GONE, untag=True, purge=True))

    assert report.applied is not None
    assert (report.applied.confirmed, report.tags_left) == (report.untagging, 0)
    assert report.untagging > 0
    assert (two.tagged(GONE), two.tagged(STAYS)) == (0, elsewhere)
    assert report.receipt is not None
    assert report.is_configured


def test_brake_holds_untagging(two: Two) -> None:
    """More customers than the brake allows lose no tag until the number is approved; nothing is deleted before."""
    removal = Removal(store_id=GONE, untag=True, purge=True)
    with App(load(two.braked)) as app:
        before = two.tagged(GONE)
        with pytest.raises(BrakeTripped, match=f"syncd store remove {GONE} --untag --approve {before}"):
            remove_store(app, removal)
        still = two.tagged(GONE), len(app.database.stores.known())

        done = remove_store(app, removal, approved=before)

    assert still == (before, 2)
    assert (done.tags_left, two.tagged(GONE)) == (0, 0)


def test_untag_needs_the_config(two: Two) -> None:
    """Tags of a store that the config does not have cannot be taken off: that is told, and nothing is done."""
    with App(load(two.one)) as app, pytest.raises(ConfigInvalid, match=GONE):
        remove_store(app, Removal(store_id=GONE, untag=True, purge=True))


def test_tags_that_stay_stop_the_removal(two: Two, tmp_path: Path) -> None:
    """Where writing is switched off for the store, its tags stay, and so does its data."""
    off = config(tmp_path / "off", two.sandbox, two.url, options=", push: {mode: 'off'}", segments=ALL)
    with App(load(off)) as app:
        report = remove_store(app, Removal(store_id=GONE, untag=True, purge=True))
        known = [view.store_id for view in app.database.stores.known()]

    assert report.receipt is None
    assert report.tags_left == two.tagged(GONE)
    assert GONE in known


def test_orphan_is_named_until_it_is_removed(two: Two) -> None:
    """A store that the config lost is orphaned; removed, its records stay and it is named no longer."""
    with App(load(two.one)) as app:
        (orphan,) = orphaned(app)

        report = remove_store(app, Removal(store_id=GONE))

        assert (orphan.store_id, orphan.records[Stream.CUSTOMERS] > 0) == (GONE, True)
        assert orphaned(app) == []
        assert {line.store_id for line in app.database.runs.status()} == {STAYS}
        assert {view.store_id: view.records for view in app.database.stores.known()}[GONE] == orphan.records
        assert report.receipt is not None
        assert set(report.receipt.rows) == {"checkpoints"}
        assert remove_store(app, PURGE).receipt is not None


def test_unknown_store_is_told(two: Two) -> None:
    """An id that the database does not know is a configuration error that lists those it knows."""
    with App(load(two.one)) as app, pytest.raises(ConfigInvalid, match=f"it knows {STAYS}, {GONE}"):
        remove_store(app, Removal(store_id="nowhere", purge=True))


def test_store_that_is_being_worked_is_left(two: Two) -> None:
    """Another process that works the store keeps it from being removed."""
    with App(load(two.one)) as app:
        key = LaneKey(store_id=GONE, stream=Stream.ORDERS, lane=Lane.LIVE)
        app.database.runs.acquire(key, "another:1", 300.0)

        with pytest.raises(LockHeld):
            remove_store(app, PURGE)

        assert len(app.database.stores.known()) == 2


def test_walk_that_was_cut_off_goes_too(two: Two) -> None:
    """The ids that a walk under way has met go with the store."""
    with App(load(two.both)) as app:
        app.stop.set()
        app.connector(GONE)._page_sizes = (10,)  # type: ignore[attr-defined]
        app.stop.clear()
        app.listener = lambda *_: app.stop.set()
        app.pull(Selection(stores=(GONE,), streams=(Stream.ORDERS,)), lambda key: app.live_ask(key, sweep=True))
        app.stop.clear()

        report = remove_store(app, PURGE)

    with engines_of(two.url) as engines, engines.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM walk_seen")).scalar() == 0
    assert report.receipt is not None
    assert report.receipt.rows["walk_seen"] > 0
