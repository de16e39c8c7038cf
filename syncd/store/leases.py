"""The right to work one lane of one stream: taken with an epoch, checked inside every committing transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, select, update

from syncd import process
from syncd.errors import LockHeld
from syncd.store.engine import insert_rows, table_of
from syncd.store.schema import wait_for_turn
from syncd.store.tables import Checkpoint
from syncd.store.types import Counts, LaneKey, Lease

checkpoints = table_of(Checkpoint)

_UNWORKED = {"lease_epoch": 0} | {f"walk_{name}": 0 for name in Counts.__dataclass_fields__}


def is_lane(key: LaneKey) -> ColumnElement[bool]:
    """The condition that picks a lane's checkpoint."""
    return and_(
        checkpoints.c.store_id == key.store_id,
        checkpoints.c.stream == key.stream.value,
        checkpoints.c.lane == key.lane.value,
    )


def checkpoint(connection: Connection, key: LaneKey) -> Row[Any] | None:
    """A lane's checkpoint, held until the transaction ends; None before the lane was first worked."""
    return connection.execute(select(checkpoints).where(is_lane(key)).with_for_update()).first()


def ensure_checkpoint(connection: Connection, key: LaneKey) -> Row[Any]:
    """A lane's checkpoint, held until the transaction ends; made if there is none yet."""
    wait_for_turn(connection, "checkpoints")
    if checkpoint(connection, key) is None:
        row = {"store_id": key.store_id, "stream": key.stream.value, "lane": key.lane.value}
        insert_rows(connection, checkpoints, [row | _UNWORKED])
    return connection.execute(select(checkpoints).where(is_lane(key)).with_for_update()).one()


def write_checkpoint(connection: Connection, key: LaneKey, **values: Any) -> None:
    """Change some columns of a lane's checkpoint."""
    connection.execute(update(checkpoints).where(is_lane(key)).values(**values))


def holder(row: Row[Any], now: datetime) -> str:
    """Who works the lane of a checkpoint; "" where nobody does whose lease still runs, or who may still live."""
    is_running = row.lease_until is not None and row.lease_until > now
    return row.lease_owner if is_running and row.lease_owner and not process.is_gone(row.lease_owner) else ""


def acquire(connection: Connection, key: LaneKey, owner: str, now: datetime, ttl_s: float) -> Lease:
    """Take a lane's lease that is free, run out, the owner's already, or a dead process's.

    Raises:
        LockHeld: Another owner holds it.
    """
    row = ensure_checkpoint(connection, key)
    if holder(row, now) not in ("", owner):
        raise LockHeld(
            f"another syncd works the {key.lane} lane: {process.shown(row.lease_owner)}",
            store=key.store_id,
            stream=key.stream,
            hint=f"wait for it, or end it; its lease runs until {row.lease_until:%H:%M:%S} UTC",
        )
    lease = Lease(key=key, owner=owner, epoch=row.lease_epoch + 1)
    until = now + timedelta(seconds=ttl_s)
    write_checkpoint(connection, key, lease_owner=owner, lease_epoch=lease.epoch, lease_until=until)
    return lease


def hold(connection: Connection, lease: Lease) -> Row[Any]:
    """The leased lane's checkpoint, held until the transaction ends.

    Raises:
        LockHeld: The lease was lost to somebody else.
    """
    row = checkpoint(connection, lease.key)
    if row is None or row.lease_epoch != lease.epoch or row.lease_owner != lease.owner:
        raise LockHeld(
            f"lease lost: another process works the {lease.key.lane} lane now",
            store=lease.key.store_id,
            stream=lease.key.stream,
            hint="nothing of this page was stored; the other process goes on",
        )
    return row


def renew(connection: Connection, lease: Lease, now: datetime, ttl_s: float) -> None:
    """Hold a lease for some seconds from now.

    Raises:
        LockHeld: It was lost.
    """
    hold(connection, lease)
    write_checkpoint(connection, lease.key, lease_until=now + timedelta(seconds=ttl_s))


def release(connection: Connection, lease: Lease) -> None:
    """Give a lease back; one that was lost is left alone. The epoch stays, so that the next one is greater."""
    row = checkpoint(connection, lease.key)
    if row is not None and row.lease_epoch == lease.epoch:
        write_checkpoint(connection, lease.key, lease_owner=None, lease_until=None)
