"""Runs and streams as `history` and `status` show them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, select, true, update

from syncd.model import Lane, Stream
from syncd.store.engine import table_of
from syncd.store.leases import checkpoints
from syncd.store.pauses import all_pauses
from syncd.store.rows import MAIN
from syncd.store.tables import RejectedRecord, Run, Store
from syncd.store.types import COMPLETE_KINDS, Counts, LaneKey, LaneState, RunReport, StreamStatus
from syncd.store.walks import lane_state

stores = table_of(Store)
runs = table_of(Run)
rejected_records = table_of(RejectedRecord)

_IS_WHOLE = runs.c.kind.in_(COMPLETE_KINDS)
_HAS_READ = runs.c.status.in_(("succeeded", "partial"))
_COUNTS = tuple(Counts.__dataclass_fields__)
_PLAIN = ("run_id", "store_id", "kind", "status", "started_at", "ended_at", "reason", "pages", "deleted", "declared")

CUT_OFF = "the process ended before the run did"

Place = tuple[str, str]  # store id, stream


def run_row(report: RunReport) -> dict[str, Any]:
    """A run's row in `runs`."""
    return (
        {name: getattr(report, name) for name in _PLAIN}
        | {name: getattr(report.counts, name) for name in _COUNTS}
        | {"stream": report.stream.value, "lane": report.lane.value}
    )


def run_report(row: Row[Any]) -> RunReport:
    """A row of `run_query` as a report."""
    return RunReport(
        **{name: getattr(row, name) for name in _PLAIN},
        platform=row.platform or "",
        stream=Stream(row.stream),
        lane=Lane(row.lane),
        counts=Counts(**{name: getattr(row, name) for name in _COUNTS}),
    )


def settle_cut_off_runs(connection: Connection, key: LaneKey) -> None:
    """Note of a lane's runs that are still under way that they were interrupted; nobody knows when."""
    statement = update(runs).where(
        runs.c.store_id == key.store_id,
        runs.c.stream == key.stream.value,
        runs.c.lane == key.lane.value,
        runs.c.status == "running",
    )
    connection.execute(statement.values(status="interrupted", reason=CUT_OFF))


def run_query() -> Select[Any]:
    """All runs with their store's platform, newest first."""
    query = select(runs, stores.c.platform).outerjoin(stores, stores.c.store_id == runs.c.store_id)
    return query.order_by(runs.c.started_at.desc(), runs.c.run_id.desc())


def last_whole(connection: Connection, place: Place, unless: str) -> RunReport | None:
    """The last run of a stream that walked all of it to the end; partial ones for one reason do not count."""
    query = run_query().where(_is_of(place), _IS_WHOLE, _HAS_READ, runs.c.reason != unless)
    row = connection.execute(query.limit(1)).first()
    return run_report(row) if row is not None else None


def failed_runs(connection: Connection, place: Place) -> tuple[RunReport, RunReport] | None:
    """The first and the last run of a stream that failed since one did not."""
    good = select(runs.c.started_at).where(_is_of(place), _HAS_READ).order_by(runs.c.started_at.desc()).limit(1)
    since = connection.execute(good).scalar()
    is_since = true() if since is None else runs.c.started_at > since
    query = run_query().where(_is_of(place), runs.c.status == "failed", is_since).limit(1)
    last = connection.execute(query).first()
    first = connection.execute(query.order_by(None).order_by(runs.c.started_at, runs.c.run_id)).first()
    return (run_report(first), run_report(last)) if first is not None and last is not None else None


def _is_of(place: Place) -> ColumnElement[bool]:
    return and_(runs.c.store_id == place[0], runs.c.stream == place[1])


def stream_statuses(connection: Connection) -> list[StreamStatus]:
    """Every stream that was ever worked, by store and stream."""
    known = {row.store_id: row for row in connection.execute(select(stores))}
    stored, rejected, declared = stored_counts(connection), rejected_counts(connection), _declared(connection)
    resting = {(pause.store_id, pause.stream, pause.is_push): pause for pause in all_pauses(connection)}
    due = _due(connection)
    last, whole = _last_runs(connection), _last_runs(connection, _IS_WHOLE & (runs.c.status == "succeeded"))
    return [
        StreamStatus(
            store_id=place[0],
            platform=known[place[0]].platform,
            stream=Stream(place[1]),
            bookmark=state.bookmark,
            history_complete_since=state.history_complete_since,
            fresh_until=state.fresh_until,
            last_sweep_at=state.last_sweep_at,
            walk=state.walk,
            stored_count=stored.get(place, 0),
            rejected_count=rejected.get(place, 0),
            last_run=last.get(place),
            declared=declared.get(place),
            pause=resting.get((place[0], None, False)) or resting.get((place[0], Stream(place[1]), False)),
            push_pause=resting.get((place[0], None, True)),
            due_at=due.get(place),
            remark=whole[place].reason if place in whole else "",
        )
        for place, state in _states(connection).items()
        if place[0] in known
    ]


def _states(connection: Connection) -> Mapping[Place, LaneState]:
    """The live lane of every stream; one that only a backfill has worked shows that walk."""
    live_first = checkpoints.c.lane != Lane.LIVE.value
    pulled = select(checkpoints).where(checkpoints.c.lane != Lane.PUSH.value)
    query = pulled.order_by(checkpoints.c.store_id, checkpoints.c.stream, live_first)
    states: dict[Place, LaneState] = {}
    for row in connection.execute(query):
        states.setdefault((row.store_id, row.stream), lane_state(row))
    return states


def _due(connection: Connection) -> dict[Place, datetime | None]:
    query = select(checkpoints.c.store_id, checkpoints.c.stream, checkpoints.c.due_at)
    rows = connection.execute(query.where(checkpoints.c.lane == Lane.LIVE.value))
    return {(row.store_id, row.stream): row.due_at for row in rows}


def stored_counts(connection: Connection) -> dict[Place, int]:
    """Live records of each stream; reads whole tables."""
    return {
        (row.store_id, stream.value): row.records
        for stream, table in MAIN.items()
        for row in connection.execute(
            select(table.c.store_id, func.count().label("records"))
            .where(table.c.deleted_at.is_(None))
            .group_by(table.c.store_id)
        )
    }


def rejected_counts(connection: Connection) -> dict[Place, int]:
    """Records of each stream that could not be mapped."""
    place = (rejected_records.c.store_id, rejected_records.c.stream)
    query = select(*place, func.count().label("records")).group_by(*place)
    return {(row.store_id, row.stream): row.records for row in connection.execute(query)}


def _declared(connection: Connection) -> dict[Place, int]:
    """What each stream's platform said at its last complete walk that the stream holds."""
    counted = _last_runs(connection, _IS_WHOLE & runs.c.declared.is_not(None))
    return {place: run.declared for place, run in counted.items() if run.declared is not None}


def old_runs(before: datetime) -> ColumnElement[bool]:
    """Picks ended runs that began before a time; never a stream's last run, nor its last one that `status` leans on."""
    needed = (true(), _IS_WHOLE & (runs.c.status == "succeeded"), _IS_WHOLE & runs.c.declared.is_not(None))
    return and_(
        runs.c.started_at < before,
        runs.c.status != "running",
        *(runs.c.run_id.not_in(_newest_ids(among)) for among in needed),
    )


def _newest_ids(among: ColumnElement[bool]) -> Select[Any]:
    """The newest run of each stream, of those that meet a condition."""
    newest = func.row_number().over(
        partition_by=(runs.c.store_id, runs.c.stream), order_by=(runs.c.started_at.desc(), runs.c.run_id.desc())
    )
    numbered = select(runs.c.run_id, newest.label("place")).where(among).subquery()
    return select(numbered.c.run_id).where(numbered.c.place == 1)


def _last_runs(connection: Connection, among: ColumnElement[bool] | None = None) -> dict[Place, RunReport]:
    newest = _newest_ids(true() if among is None else among)
    rows = connection.execute(run_query().where(runs.c.run_id.in_(newest)))
    return {(row.store_id, row.stream): run_report(row) for row in rows}
