"""One page, one transaction: raw records, their tables, known tags, people, touched profiles and the checkpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, delete, select
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from syncd.clock import Clock
from syncd.errors import DatabaseBusy, LockHeld
from syncd.model import Customer, Stream
from syncd.store.engine import Engines, rows_in, upsert
from syncd.store.grouping import Grouping
from syncd.store.keeping import kept_records, untouched
from syncd.store.knowntags import see_tags
from syncd.store.leases import hold, write_checkpoint
from syncd.store.records import Batch, Fate, Sorting, sort_records, write_records
from syncd.store.reports import rejected_records
from syncd.store.rows import pack, unpack
from syncd.store.schema import wait_for_turn
from syncd.store.types import Accepted, Counts, KeptRecord, PageCommit, Rejected, RejectedRecordView, Remapped
from syncd.store.walks import counts_values, first_meetings, walk_counts

_ATTEMPTS = 6  # of a page that lost against a concurrent transaction


class Pages:
    """Commits pages, and keeps the records that could not be mapped."""

    def __init__(self, engines: Engines, clock: Clock, grouping: Grouping) -> None:
        self._engines = engines
        self._clock = clock
        self._grouping = grouping

    def commit(self, page: PageCommit) -> Counts:
        """Store a page with its checkpoint, whole or not at all.

        Returns:
            The walk's counts of distinct records, this page's among them.

        Raises:
            LockHeld: The lease or its walk was lost; nothing was stored.
            RetryLater: The database could not be written; nothing was stored.
        """
        batch = Batch(
            store_id=page.lease.key.store_id,
            stream=page.lease.key.stream,
            accepted=page.accepted,
            rejected=page.rejected,
            mapper_version=page.mapper_version,
            asked_at=page.asked_at,
        )
        return self._repeated(lambda: self._commit(page, batch))

    def recommit(
        self,
        store_id: str,
        stream: Stream,
        accepted: tuple[Accepted, ...],
        rejected: tuple[Rejected, ...],
        mapper_version: int,
    ) -> Counts:
        """Store kept records mapped anew, outside any walk; what these records count to."""
        batch = Batch(
            store_id=store_id,
            stream=stream,
            accepted=accepted,
            rejected=rejected,
            mapper_version=mapper_version,
            asked_at=self._clock.now(),
            is_kept=True,
        )
        return self._repeated(lambda: self._recommit(batch))

    def kept(self, store_id: str, stream: Stream, behind: str = "") -> list[KeptRecord]:
        """Some kept records by external id, those behind an id; empty behind the last one.

        Records that the shop deleted are left out, and those whose newer payload waits among the rejected.
        """
        with self._engines.read() as connection:
            return kept_records(connection, store_id, stream, behind)

    def remap(self, remapped: Remapped) -> Counts:
        """Store kept records mapped anew; those that a run has stored meanwhile are left alone and not counted."""
        return self._repeated(lambda: self._remap(remapped))

    def rejected(
        self, store_id: str | None = None, stream: Stream | None = None, external_id: str | None = None
    ) -> list[RejectedRecordView]:
        """The records that could not be mapped, by key; all, or those of a store, a stream, an id."""
        wanted = {"store_id": store_id, "stream": stream, "external_id": external_id}
        query = select(rejected_records).order_by(*rejected_records.primary_key)
        for name, value in wanted.items():
            if value is not None:
                query = query.where(rejected_records.c[name] == value)
        with self._engines.read() as connection:
            return [_view(row) for row in connection.execute(query)]

    def _repeated(self, work: Callable[[], Counts]) -> Counts:
        """SQLite has waited for its turn already; on PostgreSQL the loser of a conflict begins anew from memory."""
        attempts = _ATTEMPTS if self._engines.dialect == "postgresql" else 1
        retrying = Retrying(
            retry=retry_if_exception_type(DatabaseBusy),
            stop=stop_after_attempt(attempts),
            wait=wait_random_exponential(multiplier=0.05, max=1),
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(work)

    def _sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)

    def _commit(self, page: PageCommit, batch: Batch) -> Counts:
        with self._engines.write() as connection:
            wait_for_turn(connection, f"store {batch.store_id}")
            row = _hold_walk(connection, page)
            tally = self._store(connection, batch)
            fresh = first_meetings(connection, page.walk_id, tally.keys())
            counts = walk_counts(row) + _counts(tally, fresh)
            write_checkpoint(connection, page.lease.key, **_progress(row, page), **counts_values(counts))
            return counts

    def _recommit(self, batch: Batch) -> Counts:
        with self._engines.write() as connection:
            wait_for_turn(connection, f"store {batch.store_id}")
            seen_at = _seen_at(connection, batch)
            oldest = min(seen_at.values(), default=batch.asked_at)
            tally = self._store(connection, replace(batch, asked_at=oldest, seen_at=seen_at))
            return _counts(tally, tally.keys())

    def _remap(self, remapped: Remapped) -> Counts:
        with self._engines.write() as connection:
            wait_for_turn(connection, f"store {remapped.store_id}")
            tally = self._store(connection, untouched(connection, remapped))
            return _counts(tally, tally.keys())

    def _store(self, connection: Connection, batch: Batch) -> dict[str, str]:
        """Store a batch; what became of each distinct record, in the words of `Counts`."""
        sorting = sort_records(connection, batch)
        news = write_records(connection, batch, sorting, self._clock.now())
        refused = {item.raw.external_id: item for item in batch.rejected if item.raw.external_id not in sorting.items}
        self._set_aside(connection, batch, refused.values())
        _take_back(connection, batch, sorting)
        self._grouping.settle(connection, news)
        _see_account_tags(connection, batch, sorting)
        return _words(sorting) | dict.fromkeys(refused, "rejected")

    def _set_aside(self, connection: Connection, batch: Batch, refused: Collection[Rejected]) -> None:
        now = self._clock.now()
        rows = [
            {
                "store_id": batch.store_id,
                "stream": batch.stream.value,
                "external_id": item.raw.external_id,
                "payload": pack(item.raw.payload),
                "reason": item.reason,
                "mapper_version": batch.mapper_version,
                "first_seen_at": now,
                "last_seen_at": batch.seen_at.get(item.raw.external_id, now),
            }
            for item in refused
        ]
        upsert(connection, rejected_records, rows, once=("first_seen_at",))


def _hold_walk(connection: Connection, page: PageCommit) -> Row[Any]:
    row = hold(connection, page.lease)
    if row.walk_id != page.walk_id:
        raise LockHeld(
            "lease lost: another walk is under way",
            store=page.lease.key.store_id,
            stream=page.lease.key.stream,
            hint="nothing of this page was stored",
        )
    return row


def _progress(row: Row[Any], page: PageCommit) -> dict[str, Any]:
    declared = [count for count in (row.walk_declared, page.declared) if count is not None]
    return {
        "walk_cursor": page.cursor,
        "walk_signpost": row.walk_signpost or page.signpost,
        "walk_declared": min(declared, default=None),
    }


def _words(sorting: Sorting) -> dict[str, str]:
    return {
        external_id: (Fate.UNCHANGED if fate is Fate.REFRESHED else fate).value
        for external_id, fate in sorting.fates.items()
    }


def _counts(tally: dict[str, str], fresh: Collection[str]) -> Counts:
    words = Counter(word for external_id, word in tally.items() if external_id in fresh)
    return Counts(read=words.total(), **words)


def _seen_at(connection: Connection, batch: Batch) -> dict[str, datetime]:
    """When the shop last gave some rejected records: what they say of tags is that old."""
    query = _rejected_of(batch, rejected_records.c.external_id, rejected_records.c.last_seen_at)
    ids = {item.raw.external_id for item in batch.accepted} | {item.raw.external_id for item in batch.rejected}
    rows = rows_in(connection, query, rejected_records.c.external_id, ids)
    return {row.external_id: row.last_seen_at for row in rows}


def _rejected_of(batch: Batch, *columns: ColumnElement[Any]) -> Select[Any]:
    return select(*columns).where(
        rejected_records.c.store_id == batch.store_id, rejected_records.c.stream == batch.stream.value
    )


def _take_back(connection: Connection, batch: Batch, sorting: Sorting) -> None:
    """Records that can be read now are no longer rejected."""
    query = _rejected_of(batch, rejected_records.c.external_id)
    readable = rows_in(connection, query, rejected_records.c.external_id, sorting.items)
    rows = [{"readable": row.external_id} for row in readable]
    if rows:
        statement = delete(rejected_records).where(
            rejected_records.c.store_id == batch.store_id,
            rejected_records.c.stream == batch.stream.value,
            rejected_records.c.external_id == bindparam("readable"),
        )
        connection.execute(statement, rows)


def _see_account_tags(connection: Connection, batch: Batch, sorting: Sorting) -> None:
    if batch.asked_at is None:
        return
    fresh = sorting.of({Fate.NEW, Fate.CHANGED, Fate.REFRESHED, Fate.UNCHANGED})
    accounts = (item.unified for item in fresh if isinstance(item.unified, Customer))
    seen = {account.external_id: account.tags for account in accounts if account.tags is not None}
    see_tags(connection, batch.store_id, seen, batch.asked_at)


def _view(row: Row[Any]) -> RejectedRecordView:
    return RejectedRecordView(
        store_id=row.store_id,
        stream=Stream(row.stream),
        external_id=row.external_id,
        reason=row.reason,
        mapper_version=row.mapper_version,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        payload=unpack(row.payload),
    )
