"""Stores, leases, walks and runs: who works what, how far it came, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, select

from syncd.clock import Clock
from syncd.errors import ConfigInvalid
from syncd.model import StoreFacts, Stream
from syncd.store import leases, walks
from syncd.store.deletion import delete_missing
from syncd.store.engine import Engines, insert_rows, upsert
from syncd.store.grouping import Grouping
from syncd.store.reports import (
    failed_runs,
    last_whole,
    run_query,
    run_report,
    run_row,
    runs,
    settle_cut_off_runs,
    stores,
    stream_statuses,
)
from syncd.store.schema import wait_for_turn
from syncd.store.types import LaneKey, LaneState, Lease, RunReport, StreamStatus, Walk, WalkEnd

_FACTS = ("identity", "name", "timezone", "currency", "country", "version")


class Runs:
    """What drivers ask and tell about stores, lanes and runs."""

    def __init__(self, engines: Engines, clock: Clock, grouping: Grouping) -> None:
        self._engines = engines
        self._clock = clock
        self._grouping = grouping

    def register_store(self, store_id: str, platform: str, facts: StoreFacts) -> None:
        """Keep what a store says of itself; its identity is kept from first contact on.

        Raises:
            ConfigInvalid: Another shop is known under this id.
        """
        now = self._clock.now()
        with self._engines.write() as connection:
            wait_for_turn(connection, "stores")
            known = connection.execute(select(stores).where(stores.c.store_id == store_id)).first()
            if known is not None:
                _same_shop(known, platform, facts)
            row = {name: getattr(facts, name) for name in _FACTS}
            row |= {"store_id": store_id, "platform": platform, "first_seen_at": now, "checked_at": now}
            upsert(connection, stores, [row], once=("first_seen_at",))

    def country(self, store_id: str) -> str:
        """The country that a store named at its last check, ISO code; "" where it is unknown."""
        with self._engines.read() as connection:
            query = select(stores.c.country).where(stores.c.store_id == store_id)
            return connection.execute(query).scalar() or ""

    def acquire(self, key: LaneKey, owner: str, ttl_s: float) -> Lease:
        """Take the lease of a lane for some seconds; one that is the owner's already begins a new epoch.

        A run of the lane that is still noted as running lost its lease, so it is settled as interrupted.

        Raises:
            LockHeld: Another owner holds it and it has not run out.
        """
        with self._engines.write() as connection:
            lease = leases.acquire(connection, key, owner, self._clock.now(), ttl_s)
            settle_cut_off_runs(connection, key)
            return lease

    def renew(self, lease: Lease, ttl_s: float) -> None:
        """Hold a lease for some seconds from now.

        Raises:
            LockHeld: It was lost.
        """
        with self._engines.write() as connection:
            leases.renew(connection, lease, self._clock.now(), ttl_s)

    def release(self, lease: Lease) -> None:
        """Give a lease back; one that was lost is left alone."""
        with self._engines.write() as connection:
            leases.release(connection, lease)

    def state(self, key: LaneKey) -> LaneState:
        """Where a lane stands; empty before it was first worked."""
        with self._engines.read() as connection:
            row = connection.execute(select(leases.checkpoints).where(leases.is_lane(key))).first()
            return walks.lane_state(row)

    def begin_walk(self, lease: Lease, walk: Walk) -> None:
        """Keep a new walk as the lane's; whatever walk was under way is forgotten.

        Raises:
            LockHeld: The lease was lost.
        """
        with self._engines.write() as connection:
            row = leases.hold(connection, lease)
            walks.forget_walk(connection, row, lease.key)
            leases.write_checkpoint(connection, lease.key, **walks.walk_values(walk))

    def backfill_left(self, new_walks: Mapping[LaneKey, Walk]) -> set[LaneKey]:
        """The lanes in which the same backfill was begun and not ended; none where it is begun only now, in all.

        Each lane's walk is noted before the first is worked, so that a command that comes back after it was cut off
        can tell what it has done from what it has not come to.

        Args:
            new_walks: The walk that each lane is to do, all of one window; those that others work at are left alone.
        """
        now = self._clock.now()
        with self._engines.write() as connection:
            rows = {key: leases.ensure_checkpoint(connection, key) for key in new_walks}
            left = {key for key, row in rows.items() if walks.is_under_way(row, new_walks[key].window)}
            for key, row in rows.items() if not left else ():
                if not leases.holder(row, now):
                    walks.forget_walk(connection, row, key)
                    leases.write_checkpoint(connection, key, **walks.walk_values(new_walks[key]))
            return left

    def drop_walk(self, lease: Lease) -> None:
        """Forget the walk under way; what it stored stays.

        Raises:
            LockHeld: The lease was lost.
        """
        with self._engines.write() as connection:
            walks.forget_walk(connection, leases.hold(connection, lease), lease.key)

    def finish_walk(self, lease: Lease, end: WalkEnd, report: RunReport | None = None) -> int:
        """End a walk that was stored whole; with it the run that came to its end, which gives its lease back.

        Returns:
            How many records were marked deleted because the walk did not meet them.

        Raises:
            LockHeld: The lease was lost.
        """
        now = self._clock.now()
        with self._engines.write() as connection:
            wait_for_turn(connection, f"store {lease.key.store_id}")
            row = leases.hold(connection, lease)
            deleted = delete_missing(connection, row, self._grouping, now) if end.delete_missing else 0
            walks.settle_lane(connection, row, lease.key, end, now)
            walks.forget_walk(connection, row, lease.key)
            if report is not None:
                upsert(connection, runs, [run_row(replace(report, deleted=deleted))])
                leases.release(connection, lease)
            return deleted

    def seed_bookmark(self, key: LaneKey, end: WalkEnd) -> None:
        """Give a live lane without a bookmark what a complete backfill earned; otherwise nothing."""
        with self._engines.write() as connection:
            walks.seed_lane(connection, key, end, self._clock.now())

    def start_run(self, report: RunReport) -> None:
        """Note that a run is under way."""
        with self._engines.write() as connection:
            insert_rows(connection, runs, [run_row(report)])

    def finish_run(self, report: RunReport) -> None:
        """Note how a run ended."""
        with self._engines.write() as connection:
            upsert(connection, runs, [run_row(report)])

    def last(self, key: LaneKey) -> RunReport | None:
        """The latest run of a lane; None before the first."""
        query = run_query().where(
            runs.c.store_id == key.store_id, runs.c.stream == key.stream.value, runs.c.lane == key.lane.value
        )
        with self._engines.read() as connection:
            row = connection.execute(query.limit(1)).first()
            return run_report(row) if row is not None else None

    def history(self, limit: int, store_id: str | None = None, stream: Stream | None = None) -> list[RunReport]:
        """The latest runs, newest first, of all stores and streams or of some."""
        query = run_query().limit(limit)
        if store_id is not None:
            query = query.where(runs.c.store_id == store_id)
        if stream is not None:
            query = query.where(runs.c.stream == stream.value)
        with self._engines.read() as connection:
            return [run_report(row) for row in connection.execute(query)]

    def last_whole(self, store_id: str, stream: Stream, *, unless: str) -> RunReport | None:
        """The last run of a stream that walked all of it to the end, be it succeeded or partial.

        Args:
            unless: The reason of partial runs that were ended before the end, which count for nothing.
        """
        with self._engines.read() as connection:
            return last_whole(connection, (store_id, stream.value), unless)

    def failed(self, store_id: str, stream: Stream) -> tuple[RunReport, RunReport] | None:
        """The first and the last of the runs of a stream that failed since one did not; None if there is none."""
        with self._engines.read() as connection:
            return failed_runs(connection, (store_id, stream.value))

    def status(self) -> list[StreamStatus]:
        """Every stream that was ever worked, by store and stream: where it stands and what is stored of it."""
        with self._engines.read() as connection:
            return stream_statuses(connection)


def _same_shop(known: Row[Any], platform: str, facts: StoreFacts) -> None:
    if (known.platform, known.identity) != (platform, facts.identity):
        raise ConfigInvalid(
            f"this id belongs to {known.platform} {known.identity}, the shop that answers is "
            f"{platform} {facts.identity}",
            store=known.store_id,
            hint="give the other shop an id of its own in `stores`",
        )
