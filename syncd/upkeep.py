"""What keeps a database in order beside the schedule: reading kept payloads anew, letting a store go, estimates.

Works with the app's stores and database; printing is the caller's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from syncd.app import EVERYTHING, App, Selection
from syncd.errors import Interrupted
from syncd.model import RawRecord, Stream
from syncd.store.types import Accepted, Counts, KeptRecord, Rejected, Remapped
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
