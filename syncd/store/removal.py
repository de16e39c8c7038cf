"""Stores as the database knows them, and how one is let go: its schedule forgotten, or all of it deleted.

A purge is one transaction. The store's contacts are taken out first, profile by profile, so that whoever they were
grouped with is grouped anew; then every row of the store goes, and every profile that was made of nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)

from syncd.clock import Clock
from syncd.errors import ConfigInvalid
from syncd.model import Lane, Stream
from syncd.store import leases
from syncd.store.contacts import contacts, identifiers, judgements, key_of, shared_identifiers
from syncd.store.deletion import raw_records
from syncd.store.engine import LOOKUP_BATCH, Engines, rows_in, table_of
from syncd.store.grouping import Grouping, News, profile_events, profiles, touched_profiles
from syncd.store.knowntags import tag_state
from syncd.store.leases import checkpoints
from syncd.store.memberships import memberships
from syncd.store.outlook import ledger, outbox
from syncd.store.pauses import pauses
from syncd.store.reports import rejected_records, runs, stores
from syncd.store.rows import CHILDREN, MAIN
from syncd.store.schema import wait_for_turn
from syncd.store.tables import FactsRow, SpendRow
from syncd.store.types import LaneKey, Receipt, StoreView
from syncd.store.walks import walk_seen

_facts = table_of(FactsRow)
_spend = table_of(SpendRow)

_PROFILES_AT_ONCE = 200
_LEASE_S = 600.0
_BLANK = dict.fromkeys(("first_name", "last_name", "email", "phone", "country"), "")
_RECORDS = {table for tables in CHILDREN.values() for table in tables} | set(MAIN.values())
_OF_STORE = (*_RECORDS, raw_records, rejected_records, tag_state, ledger, outbox, runs, checkpoints, pauses, stores)
_OF_PROFILE = (memberships, _facts, _spend, touched_profiles, profile_events, profiles)
_OF_PEOPLE = (contacts, identifiers, judgements, shared_identifiers, *_OF_PROFILE)
_TURNS = ("outbox", "identity", "segments")


class Stores:
    """The stores that were ever worked."""

    def __init__(self, engines: Engines, clock: Clock, grouping: Grouping) -> None:
        self._engines = engines
        self._clock = clock
        self._grouping = grouping

    def known(self) -> list[StoreView]:
        """Every store that the database knows, by id."""
        with self._engines.read() as connection:
            return _views(connection)

    def tags_left(self, store_id: str) -> int:
        """How many tags of ours are still on a store's accounts, as far as the ledger knows.

        Raises:
            ConfigInvalid: No store has this id.
        """
        with self._engines.read() as connection:
            _check_known(connection, store_id)
            return _tags_left(connection, store_id)

    def forget(self, store_id: str, owner: str, *, dry_run: bool = False) -> Receipt:
        """Forget how far a store's streams came; its records, its people and what we know of its tags stay.

        Raises:
            ConfigInvalid: No store has this id.
            LockHeld: Another process works it.
        """
        with self._engines.write() as connection, connection.begin_nested() as attempt:
            _take_lanes(connection, store_id, owner, self._clock.now())
            rows = {walk_seen.name: _forget_walks(connection, store_id)}
            for table in (checkpoints, pauses):
                rows[table.name] = _delete(connection, table, table.c.store_id == store_id)
            tags_left = _tags_left(connection, store_id)
            if dry_run:
                attempt.rollback()
        return Receipt(store_id=store_id, rows=_counted(rows), tags_left=tags_left)

    def purge(self, store_id: str, owner: str, *, dry_run: bool = False) -> Receipt:
        """Delete every row of a store, in one transaction, and group anew the people it leaves.

        Args:
            dry_run: Do it, count it, and take it back.

        Raises:
            ConfigInvalid: No store has this id.
            LockHeld: Another process works it.
        """
        with self._engines.write() as connection, connection.begin_nested() as attempt:
            for matter in (f"store {store_id}", *_TURNS):
                wait_for_turn(connection, matter)
            _take_lanes(connection, store_id, owner, self._clock.now())
            receipt = self._purge(connection, store_id)
            if dry_run:
                attempt.rollback()
        return receipt

    def _purge(self, connection: Connection, store_id: str) -> Receipt:
        homes = _homes(connection, store_id)
        before, people = _sizes(connection), homes - _without_row(connection, homes)
        tags_left = _tags_left(connection, store_id)
        self._take_people_out(connection, store_id)
        _delete_people(connection, store_id, homes)
        after = _sizes(connection)
        rows = {name: before[name] - after[name] for name in before}
        rows[walk_seen.name] = _forget_walks(connection, store_id)
        for table in _OF_STORE:
            rows[table.name] = _delete(connection, table, table.c.store_id == store_id)
        gone = _without_row(connection, people)
        return Receipt(
            store_id=store_id,
            rows=_counted(rows),
            people_gone=len(gone),
            people_kept=len(people - gone),
            tags_left=tags_left,
        )

    def _take_people_out(self, connection: Connection, store_id: str) -> None:
        """Take the store's contacts out of their profiles, all those of a profile together."""
        is_live = (contacts.c.store_id == store_id, contacts.c.deleted_at.is_(None))
        homes = select(contacts.c.profile_id).where(*is_live).distinct().order_by(contacts.c.profile_id)
        while some := list(connection.execute(homes.limit(_PROFILES_AT_ONCE)).scalars()):
            rows = connection.execute(select(contacts).where(*is_live, contacts.c.profile_id.in_(some)))
            keys = [key_of(row) for row in rows]
            self._grouping.settle(connection, News(leaving=dict.fromkeys(keys), concerned=frozenset(keys)))


def _views(connection: Connection) -> list[StoreView]:
    is_worked = exists().where(checkpoints.c.store_id == stores.c.store_id)
    live = {
        stream: select(func.count()).where(table.c.store_id == stores.c.store_id, table.c.deleted_at.is_(None))
        for stream, table in MAIN.items()
    }
    counts = (query.scalar_subquery().label(stream.value) for stream, query in live.items())
    query = select(stores.c.store_id, stores.c.platform, is_worked.label("is_worked"), *counts)
    return [
        StoreView(
            store_id=row.store_id,
            platform=row.platform,
            is_worked=bool(row.is_worked),
            records={stream: getattr(row, stream.value) for stream in MAIN},
        )
        for row in connection.execute(query.order_by(stores.c.store_id))
    ]


def _check_known(connection: Connection, store_id: str) -> None:
    known = sorted(connection.execute(select(stores.c.store_id)).scalars())
    if store_id not in known:
        raise ConfigInvalid(f"the database knows no store {store_id!r}; it knows {', '.join(known) or 'none'}")


def _take_lanes(connection: Connection, store_id: str, owner: str, now: datetime) -> None:
    """Make sure that the store is there and that nobody works it; whoever comes back finds its lease gone."""
    _check_known(connection, store_id)
    lanes = select(checkpoints.c.stream, checkpoints.c.lane).where(checkpoints.c.store_id == store_id)
    for row in connection.execute(lanes).all():
        key = LaneKey(store_id=store_id, stream=Stream(row.stream), lane=Lane(row.lane))
        leases.acquire(connection, key, owner, now, _LEASE_S)


def _forget_walks(connection: Connection, store_id: str) -> int:
    walks = select(checkpoints.c.walk_id).where(checkpoints.c.store_id == store_id, checkpoints.c.walk_id.is_not(None))
    return _delete(connection, walk_seen, walk_seen.c.walk_id.in_(walks))


def _tags_left(connection: Connection, store_id: str) -> int:
    """On how many accounts a tag of ours still is, counted once for each tag."""
    same = (tag_state.c[name] == ledger.c[name] for name in ("store_id", "external_id", "tag"))
    is_there = exists().where(*same, tag_state.c.is_present.is_(True))
    ours = select(ledger.c.external_id, ledger.c.tag).where(
        ledger.c.store_id == store_id, ledger.c.removed_at.is_(None)
    )
    query = select(func.count()).select_from(ours.where(is_there).distinct().subquery())
    return connection.execute(query).scalar_one()


def _homes(connection: Connection, store_id: str) -> set[str]:
    """The profiles that the store's contacts are or were in."""
    query = select(contacts.c.profile_id).where(contacts.c.store_id == store_id).distinct()
    return set(connection.execute(query).scalars())


def _delete_people(connection: Connection, store_id: str, homes: Collection[str]) -> None:
    """Delete the store's contacts with all that names them, and the profiles that nobody is left of."""
    own = contacts.c.store_id == store_id
    own_ids = select(contacts.c.contact_id).where(own)
    _delete(connection, judgements, or_(judgements.c.left_id.in_(own_ids), judgements.c.right_id.in_(own_ids)))
    _delete(connection, identifiers, identifiers.c.contact_id.in_(own_ids))
    _delete(connection, profile_events, _tells_of(store_id, own))
    _delete(connection, contacts, own)
    same = and_(*(identifiers.c[name] == shared_identifiers.c[name] for name in ("kind", "value")))
    _delete(connection, shared_identifiers, shared_identifiers.c.origin == "auto", ~exists().where(same))
    gone = _without_row(connection, homes)
    while gone:
        for table in _OF_PROFILE:
            _delete_in(connection, table, table.c.profile_id, gone)
        gone = _heirless(connection)
    _blank_tombstones(connection, homes)


def _tells_of(store_id: str, own: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether an event names one of the store's contacts, in the words of `Grouping`."""
    attached = profile_events.c.detail.startswith(f'{{"contact": ["{store_id}", ', autoescape=True)
    detached = select(literal('{"contact_id": "') + contacts.c.contact_id + literal('"}')).where(own)
    return or_(attached, profile_events.c.detail.in_(detached))


def _without_row(connection: Connection, profile_ids: Iterable[str]) -> set[str]:
    wanted = set(profile_ids)
    rows = rows_in(connection, select(profiles.c.profile_id), profiles.c.profile_id, wanted)
    return wanted - {row.profile_id for row in rows}


def _heirless(connection: Connection) -> set[str]:
    """Tombstones of profiles whose successor is no more."""
    heirs = profiles.alias()
    has_heir = exists().where(heirs.c.profile_id == profiles.c.merged_into)
    query = select(profiles.c.profile_id).where(profiles.c.merged_into.is_not(None), ~has_heir)
    return set(connection.execute(query).scalars())


def _blank_tombstones(connection: Connection, profile_ids: Collection[str]) -> None:
    """A tombstone only leads to its successor; what it showed of a person came from the store, too."""
    for some in _portions(profile_ids):
        is_one = profiles.c.profile_id.in_(some) & profiles.c.merged_into.is_not(None)
        connection.execute(update(profiles).where(is_one).values(_BLANK))


def _delete(connection: Connection, table: Table, *conditions: ColumnElement[bool]) -> int:
    return connection.execute(delete(table).where(*conditions)).rowcount


def _delete_in(connection: Connection, table: Table, column: ColumnElement[str], values: Collection[str]) -> None:
    for some in _portions(values):
        _delete(connection, table, column.in_(some))


def _portions(values: Iterable[str]) -> Iterator[list[str]]:
    ordered = iter(sorted(values))
    while some := list(islice(ordered, LOOKUP_BATCH)):
        yield some


def _sizes(connection: Connection) -> dict[str, int]:
    counts = {table.name: select(func.count()).select_from(table) for table in _OF_PEOPLE}
    return {name: connection.execute(query).scalar_one() for name, query in counts.items()}


def _counted(rows: Mapping[str, int]) -> dict[str, int]:
    return {str(name): count for name, count in sorted(rows.items()) if count > 0}
