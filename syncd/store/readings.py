"""What monitoring reads off a database: what is cheap enough for every look, and what whole tables are read for."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from syncd.model import Lane, Stream
from syncd.store.engine import Engines, table_of
from syncd.store.leases import checkpoints
from syncd.store.pauses import all_pauses
from syncd.store.reports import rejected_counts, stored_counts
from syncd.store.tables import OutboxRow
from syncd.store.types import Reading, Stock, StreamReading

OPEN_STATES = ("planned", "sending", "sent", "waiting")

_outbox = table_of(OutboxRow)


class Readings:
    """The state of the whole database in few figures."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def now(self) -> Reading:
        """Where every stream stands, what rests and what waits to be sent; as cheap as the number of stores."""
        with self._engines.read() as connection:
            return Reading(
                streams=_streams(connection), pauses=tuple(all_pauses(connection)), outbox=_open_rows(connection)
            )

    def stock(self) -> Stock:
        """How much is stored; dear, as it counts whole tables."""
        with self._engines.read() as connection:
            return Stock(stored=stored_counts(connection), rejected=rejected_counts(connection))


def _streams(connection: Connection) -> dict[tuple[str, str], StreamReading]:
    query = select(
        checkpoints.c.store_id, checkpoints.c.stream, checkpoints.c.fresh_until, checkpoints.c.succeeded_at
    ).where(checkpoints.c.lane == Lane.LIVE.value)
    return {
        (row.store_id, Stream(row.stream)): StreamReading(fresh_until=row.fresh_until, succeeded_at=row.succeeded_at)
        for row in connection.execute(query)
    }


def _open_rows(connection: Connection) -> dict[tuple[str, str], int]:
    """Unsettled rows by store and state; the index holds all that is asked for."""
    place = (_outbox.c.store_id, _outbox.c.state)
    query = select(*place, func.count().label("count_")).where(_outbox.c.state.in_(OPEN_STATES)).group_by(*place)
    return {(row.store_id, row.state): row.count_ for row in connection.execute(query)}
