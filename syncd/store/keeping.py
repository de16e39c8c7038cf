"""Kept payloads read back, so that a newer mapping can be tried on them without asking the shop."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, and_, exists, select

from syncd.model import Stream
from syncd.store.deletion import raw_records
from syncd.store.engine import rows_in
from syncd.store.records import Batch
from syncd.store.reports import rejected_records
from syncd.store.rows import unpack
from syncd.store.types import KeptRecord, Remapped

_CHUNK = 500


def kept_records(connection: Connection, store_id: str, stream: Stream, behind: str) -> list[KeptRecord]:
    """The next records behind an external id, in the order of ids."""
    query = _live(store_id, stream).where(raw_records.c.external_id > behind)
    return [
        KeptRecord(
            external_id=row.external_id,
            payload=unpack(row.payload),
            content_hash=row.content_hash,
            fetched_at=row.fetched_at,
        )
        for row in connection.execute(query.order_by(raw_records.c.external_id).limit(_CHUNK))
    ]


def untouched(connection: Connection, remapped: Remapped) -> Batch:
    """Those of the records that are still as they were when they were read; a run has mapped the others itself."""
    query = _live(remapped.store_id, remapped.stream)
    rows = rows_in(connection, query, raw_records.c.external_id, remapped.fetched_at)
    same = {row.external_id for row in rows if row.fetched_at == remapped.fetched_at[row.external_id]}
    return Batch(
        store_id=remapped.store_id,
        stream=remapped.stream,
        accepted=tuple(item for item in remapped.accepted if item.raw.external_id in same),
        rejected=tuple(item for item in remapped.rejected if item.raw.external_id in same),
        mapper_version=remapped.mapper_version,
        asked_at=None,
        seen_at=remapped.fetched_at,
    )


def _live(store_id: str, stream: Stream) -> Select[Any]:
    is_same = and_(*(rejected_records.c[column.name] == column for column in raw_records.primary_key))
    has_newer = exists().where(is_same, rejected_records.c.payload != raw_records.c.payload)
    names = ("external_id", "payload", "content_hash", "fetched_at")
    return select(*(raw_records.c[name] for name in names)).where(
        raw_records.c.store_id == store_id,
        raw_records.c.stream == stream.value,
        raw_records.c.deleted_at.is_(None),
        ~has_newer,
    )
