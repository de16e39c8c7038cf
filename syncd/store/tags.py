"""Tags: what is wanted, known and ours on every account, and the way of a change through outbox and ledger.

Outbox rows and ledger entries are written together before anything is sent. A row then moves by `TRANSITIONS`; what
its end means for ledger and known tags is done in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select, update

from syncd.clock import Clock
from syncd.errors import LockHeld
from syncd.model import TagAction
from syncd.store.engine import Engines, insert_rows, rows_in, upsert
from syncd.store.ids import NewId
from syncd.store.knowntags import see_tags, tag_state
from syncd.store.outlook import (
    known_ids,
    ledger,
    our_ids,
    outbox,
    outlook,
    pending_ids,
    reach_of,
    reachable_count,
)
from syncd.store.rows import Values, customers
from syncd.store.schema import wait_for_turn
from syncd.store.standing import forget
from syncd.store.types import AccountTag, OutboxItem, PlannedChange, Reach, Settled, TagWish

TRANSITIONS: Mapping[str, frozenset[str]] = {
    "planned": frozenset({"sending"}),
    "waiting": frozenset({"sending"}),
    "sending": frozenset({"sent", "confirmed", "rejected", "waiting", "planned"}),
    "sent": frozenset({"confirmed", "rejected", "waiting"}),
    "confirmed": frozenset(),
    "rejected": frozenset(),
}

_CHUNK = 500


class Tags:
    """Segment tags on platform accounts.

    Args:
        new_id: Makes the ids of outbox rows and ledger entries.
    """

    def __init__(self, engines: Engines, clock: Clock, new_id: NewId) -> None:
        self._engines = engines
        self._clock = clock
        self._new_id = new_id

    def account_tags(self, wishes: Sequence[TagWish]) -> Iterator[AccountTag]:
        """Every account where a wished tag is wanted but not known, or ours but not wanted; lazy, one query a tag.

        A tag that several segments wish for on a store is wanted while any of them wants it.
        """
        for (store_id, tag), segments in _by_tag(wishes).items():
            with self._engines.read() as connection:
                yield from outlook(connection, store_id, tag, segments)

    def reach(self, wishes: Sequence[TagWish]) -> list[Reach]:
        """How far each wish gets, in the order asked."""
        with self._engines.read() as connection:
            return [reach_of(connection, wish) for wish in wishes]

    def reachable(self, segment: str, store_ids: Sequence[str]) -> int:
        """How many members of a segment have an account on at least one of the stores."""
        with self._engines.read() as connection:
            return reachable_count(connection, segment, store_ids)

    def owned(self) -> list[TagWish]:
        """Every tag that the ledger calls ours on some account, with the store and the segment it was for."""
        columns = ledger.c.store_id, ledger.c.tag, ledger.c.segment
        query = select(*columns).where(ledger.c.removed_at.is_(None)).distinct().order_by(*columns)
        with self._engines.read() as connection:
            return [TagWish(**row) for row in connection.execute(query).mappings()]

    def accounts_count(self, store_id: str) -> int:
        """How many accounts a store has."""
        query = select(func.count()).where(customers.c.store_id == store_id, customers.c.deleted_at.is_(None))
        with self._engines.read() as connection:
            return connection.execute(query).scalar_one()

    def enqueue(self, apply_id: str, changes: Sequence[PlannedChange]) -> int:
        """Put changes into the outbox, and additions into the ledger, whose preconditions still hold; how many.

        An addition needs the tag to be unknown there, a removal needs it to be known and ours; neither may have
        another change of the same tag under way.
        """
        now = self._clock.now()
        with self._engines.write() as connection:
            wait_for_turn(connection, "outbox")
            valid = [change for group in _chunked(changes) for change in _still_valid(connection, group)]
            insert_rows(connection, outbox, [self._outbox_row(apply_id, change, now) for change in valid])
            added = [change for change in valid if change.action is TagAction.ADD]
            insert_rows(connection, ledger, [self._ledger_row(apply_id, change, now) for change in added])
        return len(valid)

    def due(self, store_id: str, limit: int) -> list[OutboxItem]:
        """Changes of a store that may be sent now, oldest first."""
        is_due = or_(outbox.c.not_before.is_(None), outbox.c.not_before <= self._clock.now())
        return self._items(
            outbox.c.state.in_(("planned", "waiting")), is_due, outbox.c.store_id == store_id, limit=limit
        )

    def unsettled(self, store_id: str) -> list[OutboxItem]:
        """Changes of a store whose sending was cut off, oldest first: to be read back before anything else."""
        return self._items(outbox.c.state == "sending", outbox.c.store_id == store_id)

    def refused_since(self, at: datetime) -> set[tuple[str, str, str, str]]:
        """Changes that platforms refused since then, as (store id, external id, tag, action)."""
        query = select(outbox.c.store_id, outbox.c.external_id, outbox.c.tag, outbox.c.action).distinct()
        with self._engines.read() as connection:
            found = connection.execute(query.where(outbox.c.state == "rejected", outbox.c.updated_at >= at))
            return {(row.store_id, row.external_id, row.tag, row.action) for row in found}

    def _items(self, *conditions: ColumnElement[bool], limit: int | None = None) -> list[OutboxItem]:
        query = select(outbox).where(*conditions).order_by(outbox.c.outbox_id).limit(limit)
        with self._engines.read() as connection:
            return [_item(row) for row in connection.execute(query)]

    def mark_sending(self, ids: Collection[str]) -> None:
        """Say that these changes are on the wire from now on, one attempt more each.

        Raises:
            LockHeld: One of them is under way or done already: another process works this outbox.
        """
        self._move([Settled(outbox_id=outbox_id, state="sending") for outbox_id in ids])

    def settle(self, outcomes: Sequence[Settled]) -> None:
        """Record what became of changes, with what it means for ledger and known tags, in one transaction.

        Raises:
            LockHeld: A row is not in a state that leads there: another process works this outbox.
        """
        self._move(outcomes)

    def _move(self, outcomes: Sequence[Settled]) -> None:
        now = self._clock.now()
        with self._engines.write() as connection:
            wait_for_turn(connection, "outbox")
            ids = [outcome.outbox_id for outcome in outcomes]
            rows = {row.outbox_id: row for row in rows_in(connection, select(outbox), outbox.c.outbox_id, ids)}
            for outcome in outcomes:
                _check(rows.get(outcome.outbox_id), outcome)
                _write(connection, outcome, now)
                _follow(connection, rows[outcome.outbox_id], outcome.state, now)
            if any(outcome.state == "confirmed" for outcome in outcomes):
                forget(connection)  # a condition may ask who has the tag

    def see_tags(self, store_id: str, external_id: str, tags: Collection[str], at: datetime) -> None:
        """Record all tags that an account was seen to have; newer knowledge stays.

        Args:
            at: When the account was asked for.
        """
        with self._engines.write() as connection:
            see_tags(connection, store_id, {external_id: tags}, at)

    def _outbox_row(self, apply_id: str, change: PlannedChange, now: datetime) -> Values:
        names = ("store_id", "external_id", "profile_id", "tag", "segment")
        own = {"outbox_id": self._new_id(), "apply_id": apply_id, "action": change.action.value}
        start = {"state": "planned", "attempts": 0, "reason": "", "created_at": now, "updated_at": now}
        return {name: getattr(change, name) for name in names} | own | start

    def _ledger_row(self, apply_id: str, change: PlannedChange, now: datetime) -> Values:
        names = ("store_id", "external_id", "tag", "segment")
        own = {"entry_id": self._new_id(), "apply_id": apply_id, "added_at": now}
        return {name: getattr(change, name) for name in names} | own


def _by_tag(wishes: Sequence[TagWish]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for wish in wishes:
        found.setdefault((wish.store_id, wish.tag), []).append(wish.segment)
    return found


def _chunked(changes: Sequence[PlannedChange]) -> Iterator[list[PlannedChange]]:
    """Changes of one tag on one store each, no account twice, in key order, as many as one look-up takes."""
    unique = {(change.store_id, change.tag, change.external_id): change for change in reversed(changes)}
    for _, group in groupby(sorted(unique), key=lambda key: key[:2]):
        keys = list(group)
        for start in range(0, len(keys), _CHUNK):
            yield [unique[key] for key in keys[start : start + _CHUNK]]


def _still_valid(connection: Connection, changes: Sequence[PlannedChange]) -> Iterator[PlannedChange]:
    place = (changes[0].store_id, changes[0].tag)
    ids = [change.external_id for change in changes]
    known, ours, pending = (
        set(connection.execute(query(place, ids)).scalars()) for query in (known_ids, our_ids, pending_ids)
    )
    for change in changes:
        is_known = change.external_id in known
        fits = not is_known if change.action is TagAction.ADD else is_known and change.external_id in ours
        if fits and change.external_id not in pending:
            yield change


def _item(row: Row[Any]) -> OutboxItem:
    change = PlannedChange(
        store_id=row.store_id,
        external_id=row.external_id,
        profile_id=row.profile_id,
        action=TagAction(row.action),
        tag=row.tag,
        segment=row.segment,
    )
    return OutboxItem(
        outbox_id=row.outbox_id,
        apply_id=row.apply_id,
        change=change,
        state=row.state,
        attempts=row.attempts,
        reason=row.reason,
    )


def _check(row: Row[Any] | None, outcome: Settled) -> None:
    state = row.state if row else "gone"
    if outcome.state not in TRANSITIONS.get(state, frozenset()):
        raise LockHeld(
            f"the tag change {outcome.outbox_id} is {state} and cannot become {outcome.state}",
            hint="another process works this outbox: let only one apply changes at a time",
        )


def _write(connection: Connection, outcome: Settled, now: datetime) -> None:
    changes: dict[str, Any] = {
        "state": outcome.state,
        "reason": outcome.reason,
        "not_before": outcome.not_before,
        "updated_at": now,
    }
    if outcome.state == "sending":
        changes["attempts"] = outbox.c.attempts + 1
    connection.execute(update(outbox).where(outbox.c.outbox_id == outcome.outbox_id).values(changes))


def _follow(connection: Connection, row: Row[Any], state: str, now: datetime) -> None:
    if state == "confirmed":
        _know(connection, row, is_present=row.action == TagAction.ADD, now=now)
    if state == "confirmed" and row.action == TagAction.REMOVE:
        _close(connection, row, now)
    elif state == "confirmed":
        _confirm(connection, row, now)
    elif state == "rejected" and row.action == TagAction.ADD:
        _close(connection, row, now, ledger.c.apply_id == row.apply_id)


def _know(connection: Connection, row: Row[Any], *, is_present: bool, now: datetime) -> None:
    place = {"store_id": row.store_id, "external_id": row.external_id, "tag": row.tag}
    upsert(connection, tag_state, [{**place, "is_present": is_present, "known_at": now}])


def _confirm(connection: Connection, row: Row[Any], now: datetime) -> None:
    mine = and_(_open_entries(row), ledger.c.apply_id == row.apply_id)
    connection.execute(update(ledger).where(mine).values(confirmed_at=now))


def _close(connection: Connection, row: Row[Any], now: datetime, *conditions: ColumnElement[bool]) -> None:
    connection.execute(update(ledger).where(_open_entries(row), *conditions).values(removed_at=now))


def _open_entries(row: Row[Any]) -> ColumnElement[bool]:
    return and_(
        ledger.c.store_id == row.store_id,
        ledger.c.external_id == row.external_id,
        ledger.c.tag == row.tag,
        ledger.c.removed_at.is_(None),
    )
