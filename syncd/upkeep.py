"""What keeps a database in order beside the schedule: reading kept payloads anew, letting a store go, estimates.

Works with the app's stores and database; printing is the caller's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from syncd import process, push
from syncd.app import EVERYTHING, App, Selection
from syncd.errors import BrakeTripped, Interrupted
from syncd.model import RawRecord, Stream
from syncd.store.types import Accepted, Counts, KeptRecord, Receipt, Rejected, Remapped, StoreView
from syncd.sync import Source, map_records


@dataclass(frozen=True, kw_only=True, slots=True)
class RemapReport:
    """What today's mapping makes of one stream's kept payloads."""

    store_id: str
    stream: Stream
    counts: Counts


def remap(app: App, selection: Selection = EVERYTHING, *, dry_run: bool = False) -> list[RemapReport]:
    """Run today's mapping over the kept payloads of live records and store what it makes; no shop is asked.

    Args:
        dry_run: Only compare what would be stored with what is.

    Raises:
        Interrupted: Told to stop between two chunks; what is done stays, and doing it again changes nothing.
    """
    work = _compared if dry_run else _stored
    return [
        RemapReport(store_id=source.store_id, stream=stream, counts=sum(work(app, source, stream), Counts()))
        for source, stream in app.kept_sources(selection)
    ]


def orphaned(app: App) -> list[StoreView]:
    """Stores that the database works and the config does not have (any more)."""
    return [view for view in app.database.stores.known() if view.is_worked and view.store_id not in app.settings.stores]


@dataclass(frozen=True, kw_only=True, slots=True)
class Removal:
    """How a store is let go: its tags of ours taken off first, all of its data deleted after, or neither."""

    store_id: str
    untag: bool = False
    purge: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RemovalReport:
    """What was done to let a store go.

    Args:
        receipt: What was deleted; None where our tags could not all be taken off, and the rest was left as it was.
        applied: What taking the tags off did; None where that was not asked for, or in a dry run.
        untagging: Tag changes that were due before.
        tags_left: Tags of ours still on the store's accounts.
        is_configured: Whether the store still stands in the config.
    """

    removal: Removal
    is_dry_run: bool
    is_configured: bool
    receipt: Receipt | None
    applied: push.ApplyReport | None = None
    untagging: int = 0
    tags_left: int = 0


def remove_store(app: App, removal: Removal, *, approved: int | None = None, dry_run: bool = False) -> RemovalReport:
    """Let a store go: take our tags off, then forget its schedule or delete all that is known of it.

    Args:
        approved: Customers that somebody agreed to take tags from, past the brake.

    Raises:
        ConfigInvalid: The database does not know the store, or the config lacks it and tags are to be taken off.
        LockHeld: Another process works it.
        BrakeTripped: More tags would be taken off than the brake allows; nothing was done.
    """
    stores, owner = app.database.stores, process.own_name()
    let_go = stores.purge if removal.purge else stores.forget
    known_left = stores.tags_left(removal.store_id)
    plan = app.plan_untagging(removal.store_id) if removal.untag else None
    applied = _untagged(app, plan, removal, approved) if plan and not dry_run else None
    left = app.plan_untagging(removal.store_id) if applied else plan
    stays = bool(applied and left and _due(left))
    receipt = None if stays else let_go(removal.store_id, owner, dry_run=dry_run)
    if receipt is not None and not dry_run:
        app.derive()
    return RemovalReport(
        removal=removal,
        is_dry_run=dry_run,
        is_configured=removal.store_id in app.settings.stores,
        receipt=receipt,
        applied=applied,
        untagging=_due(plan) if plan else 0,
        tags_left=_due(left) if applied and left else known_left,
    )


def _due(plan: push.Plan) -> int:
    return plan.total + sum(group.count for group in plan.held)


def _untagged(app: App, plan: push.Plan, removal: Removal, approved: int | None) -> push.ApplyReport:
    try:
        return app.untag(removal.store_id, plan, approved)
    except BrakeTripped as error:
        customers = sum(brake.customers for brake in plan.brakes)
        error.hint = (
            f"If that is right, approve it: `syncd store remove {removal.store_id} --untag --approve {customers}`"
        )
        raise


def _stored(app: App, source: Source, stream: Stream) -> Iterator[Counts]:
    for chunk in _chunks(app, source.store_id, stream):
        accepted, rejected = _mapped(source, stream, chunk)
        yield app.database.pages.remap(
            Remapped(
                store_id=source.store_id,
                stream=stream,
                accepted=accepted,
                rejected=rejected,
                mapper_version=source.mapper.version,
                fetched_at={record.external_id: record.fetched_at for record in chunk},
            )
        )


def _compared(app: App, source: Source, stream: Stream) -> Iterator[Counts]:
    for chunk in _chunks(app, source.store_id, stream):
        accepted, rejected = _mapped(source, stream, chunk)
        known = {record.external_id: record.content_hash for record in chunk}
        changed = sum(item.content_hash != known[item.raw.external_id] for item in accepted)
        unchanged = len(accepted) - changed
        yield Counts(read=len(chunk), changed=changed, unchanged=unchanged, rejected=len(rejected))


def _chunks(app: App, store_id: str, stream: Stream) -> Iterator[list[KeptRecord]]:
    chunk = app.database.pages.kept(store_id, stream)
    while chunk:
        yield chunk
        if app.stop.is_set():
            raise Interrupted("stopped between two chunks; what was read anew stays, start it again", store=store_id)
        chunk = app.database.pages.kept(store_id, stream, behind=chunk[-1].external_id)


def _mapped(
    source: Source, stream: Stream, chunk: list[KeptRecord]
) -> tuple[tuple[Accepted, ...], tuple[Rejected, ...]]:
    raws = (RawRecord(external_id=record.external_id, payload=json.loads(record.payload)) for record in chunk)
    return map_records(source, stream, tuple(raws))
