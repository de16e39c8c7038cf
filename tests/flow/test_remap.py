"""Kept payloads read anew by a newer mapping: everything a sweep would bring, without the shop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from syncd.app import App, Selection
from syncd.errors import Interrupted, MappingFailed
from syncd.mapping.base import Mapper
from syncd.model import Customer, PlatformChange, RawRecord, Stream, TagChange, Unified
from syncd.sandbox import Sandbox, SandboxOptions
from syncd.settings import Settings, load
from syncd.store.deletion import raw_records
from syncd.store.knowntags import tag_state
from syncd.store.rows import addresses, customers
from syncd.upkeep import remap
from tests.flow.woo import config
from tests.unit.store.kit import people, rows

CUSTOMERS = Selection(streams=(Stream.CUSTOMERS,))
Change = Callable[[Unified], Unified]


class NewerMapper:
    """The store's mapping with a change to what it makes."""

    def __init__(self, mapper: Mapper, change: Change) -> None:
        self._mapper, self._change = mapper, change
        self.platform, self.version = mapper.platform, mapper.version + 1

    def to_unified(self, stream: Stream, raw: RawRecord) -> Unified:
        """The changed record."""
        return self._change(self._mapper.to_unified(stream, raw))

    def to_platform(self, change: TagChange) -> PlatformChange:
        """A change in the platform's words."""
        return self._mapper.to_platform(change)


class UpgradedApp(App):
    """The app after an upgrade that changed a mapping."""

    change: Change

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        mapper = self._stores.mapper
        self._stores.mapper = lambda store_id: NewerMapper(mapper(store_id), self.change)  # type: ignore[method-assign]


@pytest.fixture
def path(database_url: str, tmp_path: Path) -> Path:
    """The config of one shop that was pulled whole and then closed its doors."""
    with Sandbox(SandboxOptions(seed=3, scale=0.03)) as sandbox:
        path = config(tmp_path, sandbox, database_url, stores=("us-woo",))
        with App(load(path)) as app:
            assert {outcome.report.status for outcome in app.backfill().outcomes} == {"succeeded"}
    return path


@contextmanager
def upgraded(path: Path, change: Change) -> Iterator[App]:
    """The app with a newer mapping."""
    app = UpgradedApp(load(path))
    app.change = change
    with app:
        yield app


def with_company(record: Unified) -> Unified:
    """A mapping that found out where the company stands."""
    return replace(record, company="Acme", tags=("Gone",)) if isinstance(record, Customer) else record


def nothing_new(record: Unified) -> Unified:
    """A mapping with another version only."""
    return record


def test_same_mapping_changes_nothing(path: Path, database_url: str) -> None:
    """Every live record of every stream is read once, all unchanged, and nothing is written."""
    with App(load(path)) as app:
        stored = {line.stream: line.stored_count for line in app.database.runs.status()}
        before = rows(database_url, raw_records), people(app.database)

        reports = remap(app)

        assert (rows(database_url, raw_records), people(app.database)) == before
    assert {report.stream: report.counts.read for report in reports} == stored
    assert all(report.counts.read == report.counts.unchanged for report in reports)


def test_newer_mapping_brings_its_values(path: Path, database_url: str) -> None:
    """Changed values are stored with the new version; what is known of tags, and when it came, stays as it was."""
    tags, fetched = rows(database_url, tag_state), [row["fetched_at"] for row in rows(database_url, raw_records)]
    with upgraded(path, with_company) as app:
        (compared,) = remap(app, CUSTOMERS, dry_run=True)
        untouched = {row["company"] for row in rows(database_url, customers)}
        (done,) = remap(app, CUSTOMERS)
        (again,) = remap(app, CUSTOMERS)

    assert compared.counts == done.counts
    assert done.counts.changed == done.counts.read > 0
    assert again.counts.unchanged == done.counts.read
    assert "Acme" not in untouched
    assert {row["company"] for row in rows(database_url, customers)} == {"Acme"}
    assert {row["mapper_version"] for row in rows(database_url, raw_records) if row["stream"] == "customers"} == {2}
    assert rows(database_url, tag_state) == tags
    assert [row["fetched_at"] for row in rows(database_url, raw_records)] == fetched
    assert rows(database_url, addresses)


def test_version_alone_is_noted(path: Path, database_url: str) -> None:
    """A mapping that makes the same of everything leaves the values and notes its version."""
    with upgraded(path, nothing_new) as app:
        reports = remap(app)

    assert sum(report.counts.changed for report in reports) == 0
    assert {row["mapper_version"] for row in rows(database_url, raw_records)} == {2}


def test_new_reading_of_people_regroups_them(path: Path) -> None:
    """Names and mailboxes that are read anew decide anew who is who, and those people's facts are due."""

    def one_mailbox(record: Unified) -> Unified:
        return replace(record, email="all@example.com", first_name="Ann", last_name="Lee", addresses=(), phone="")

    with upgraded(path, one_mailbox) as app:
        before = app.summary().profiles

        remap(app, CUSTOMERS)

        assert app.summary().profiles < before
        assert app.derive().profiles > 0


def test_unreadable_record_is_set_aside_and_comes_back(path: Path, database_url: str) -> None:
    """A record that cannot be read any more keeps its values and is told; once it can, it is off the list."""
    first = next(row for row in rows(database_url, customers))

    def choosy(record: Unified) -> Unified:
        if record.external_id == first["external_id"]:
            raise MappingFailed("no such word", external_id=record.external_id)
        return record

    with upgraded(path, choosy) as app:
        (report,) = remap(app, CUSTOMERS)
        waiting = app.rejected()
    kept = next(row for row in rows(database_url, customers))
    with App(load(path)) as app:
        remap(app, CUSTOMERS)
        left = app.rejected()

    assert report.counts.rejected == 1
    assert [(view.external_id, view.reason) for view in waiting] == [(first["external_id"], "no such word")]
    assert kept == first
    assert left == []


def test_told_to_stop_ends_between_chunks(path: Path) -> None:
    """A signal ends it after the chunk in hand."""
    with App(load(path)) as app:
        app.stop.set()

        with pytest.raises(Interrupted):
            remap(app)
