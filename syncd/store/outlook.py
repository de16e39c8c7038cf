"""One tag on one store, account by account: who should have it, who has it, who got it from us.

Every query starts from its own few rows (members, ledger) and looks the rest up through indexes, so that it is linear
also before the database has counted its rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    union_all,
)

from syncd.model import ContactKind, TagAction, Verdict
from syncd.store.byte_order import byte_order
from syncd.store.engine import table_of
from syncd.store.knowntags import tag_state
from syncd.store.memberships import memberships
from syncd.store.revenue import contacts, facts
from syncd.store.rows import customers
from syncd.store.tables import JudgementRow, LedgerEntry, OutboxRow
from syncd.store.types import AccountTag, Reach, TagWish

ledger = table_of(LedgerEntry)
outbox = table_of(OutboxRow)

_judgements = table_of(JudgementRow)

_CHUNK = 1000
_Place = tuple[str, str]  # store id, tag

_IS_ACCOUNT = and_(
    contacts.c.kind == ContactKind.ACCOUNT,
    contacts.c.deleted_at.is_(None),
    customers.c.store_id == contacts.c.store_id,
    customers.c.external_id == contacts.c.external_id,
    customers.c.deleted_at.is_(None),
)
_IS_PRESENT = (tag_state.c.is_present.is_(True),)
_IS_PENDING = (outbox.c.state.in_(("planned", "sending", "sent", "waiting")),)
_IS_SENT = exists().where(
    outbox.c.apply_id == ledger.c.apply_id,
    outbox.c.store_id == ledger.c.store_id,
    outbox.c.external_id == ledger.c.external_id,
    outbox.c.tag == ledger.c.tag,
    outbox.c.action == TagAction.ADD,
    outbox.c.state == "sent",
)
_IS_OURS = (ledger.c.removed_at.is_(None), or_(ledger.c.confirmed_at.is_not(None), _IS_SENT))


def outlook(connection: Connection, store_id: str, tag: str, segments: Sequence[str]) -> Iterator[AccountTag]:
    """The store's accounts where the tag is wanted but not known, or ours but not wanted, by external id; lazy."""
    place = (store_id, tag)
    found = union_all(_missing(place, segments), _superfluous(place, segments)).subquery()
    query = (
        select(
            found,
            _has(outbox, place, found.c.external_id, *_IS_PENDING).label("is_pending"),
            func.coalesce(facts.c.email_consent != "no", true()).label("is_consenting"),
            _is_reviewed(found.c.profile_id).label("has_open_review"),
        )
        .outerjoin_from(found, facts, facts.c.profile_id == found.c.profile_id)
        .order_by(byte_order(found.c.external_id))
        .execution_options(yield_per=_CHUNK)
    )
    for row in connection.execute(query).mappings():
        yield AccountTag(store_id=store_id, tag=tag, **row)


def _missing(place: _Place, segments: Sequence[str]) -> Select[Any]:
    return (
        select(
            contacts.c.external_id,
            contacts.c.profile_id,
            func.min(memberships.c.segment).label("segment"),
            true().label("is_wanted"),
            false().label("is_known"),
            _has(ledger, place, contacts.c.external_id, *_IS_OURS).label("is_ours"),
        )
        .join_from(memberships, contacts, contacts.c.profile_id == memberships.c.profile_id)
        .join(customers, _IS_ACCOUNT)
        .where(
            memberships.c.segment.in_(segments),
            memberships.c.left_at.is_(None),
            contacts.c.store_id == place[0],
            not_(_has(tag_state, place, contacts.c.external_id, *_IS_PRESENT)),
        )
        .group_by(contacts.c.external_id, contacts.c.profile_id)
    )


def _superfluous(place: _Place, segments: Sequence[str]) -> Select[Any]:
    same = and_(contacts.c.store_id == ledger.c.store_id, contacts.c.external_id == ledger.c.external_id)
    is_member = exists().where(
        memberships.c.segment.in_(segments),
        memberships.c.left_at.is_(None),
        memberships.c.profile_id == contacts.c.profile_id,
    )
    return (
        select(
            contacts.c.external_id,
            contacts.c.profile_id,
            func.min(ledger.c.segment).label("segment"),
            false().label("is_wanted"),
            _has(tag_state, place, contacts.c.external_id, *_IS_PRESENT).label("is_known"),
            true().label("is_ours"),
        )
        .join_from(ledger, contacts, same)
        .join(customers, _IS_ACCOUNT)
        .where(_at(ledger, place), *_IS_OURS, not_(is_member))
        .group_by(contacts.c.external_id, contacts.c.profile_id)
    )


def _has(
    table: Table, place: _Place, external_id: ColumnElement[str], *conditions: ColumnElement[bool]
) -> ColumnElement[bool]:
    return exists().where(_at(table, place), table.c.external_id == external_id, *conditions)


def _at(table: Table, place: _Place) -> ColumnElement[bool]:
    return and_(table.c.store_id == place[0], table.c.tag == place[1])


def _is_reviewed(profile_id: ColumnElement[str]) -> ColumnElement[bool]:
    is_open = and_(_judgements.c.verdict == Verdict.UNSURE, _judgements.c.superseded_at.is_(None))
    return or_(
        *(
            exists().where(contacts.c.profile_id == profile_id, side == contacts.c.contact_id, is_open)
            for side in (_judgements.c.left_id, _judgements.c.right_id)
        )
    )


def known_ids(place: _Place, ids: Collection[str]) -> Select[Any]:
    """Those accounts that are known to have the tag."""
    return _ids_of(tag_state, place, ids, *_IS_PRESENT)


def pending_ids(place: _Place, ids: Collection[str]) -> Select[Any]:
    """Those accounts that have a change of the tag under way."""
    return _ids_of(outbox, place, ids, *_IS_PENDING)


def our_ids(place: _Place, ids: Collection[str]) -> Select[Any]:
    """Those accounts that have the tag from us, as far as the ledger knows."""
    return _ids_of(ledger, place, ids, *_IS_OURS)


def _ids_of(table: Table, place: _Place, ids: Collection[str], *conditions: ColumnElement[bool]) -> Select[Any]:
    return select(table.c.external_id).where(_at(table, place), table.c.external_id.in_(ids), *conditions).distinct()


def reach_of(connection: Connection, wish: TagWish) -> Reach:
    """How many members a segment has, how many of them have an account on the store, how many the tag."""
    is_tagged = _has(tag_state, (wish.store_id, wish.tag), contacts.c.external_id, *_IS_PRESENT)
    query = select(
        func.count().label("members"),
        func.count(case((_has_account([wish.store_id]), 1))).label("with_account"),
        func.count(case((_has_account([wish.store_id], is_tagged), 1))).label("tagged"),
    ).where(memberships.c.segment == wish.segment, memberships.c.left_at.is_(None))
    row = connection.execute(query).mappings().one()
    return Reach(segment=wish.segment, store_id=wish.store_id, **row)


def reachable_count(connection: Connection, segment: str, store_ids: Collection[str]) -> int:
    """How many members of a segment have an account on at least one of the stores."""
    is_member = and_(memberships.c.segment == segment, memberships.c.left_at.is_(None))
    query = select(func.count()).select_from(memberships).where(is_member, _has_account(store_ids))
    return connection.execute(query).scalar_one()


def _has_account(store_ids: Collection[str], *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    own = contacts.c.profile_id == memberships.c.profile_id
    return (
        select(literal(1))
        .join_from(contacts, customers, _IS_ACCOUNT)
        .where(own, contacts.c.store_id.in_(store_ids), *conditions)
        .exists()
    )
