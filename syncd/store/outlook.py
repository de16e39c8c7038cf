"""One tag on one store, account by account: who should have it, who has it, who got it from us."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    and_,
    case,
    distinct,
    exists,
    func,
    or_,
    select,
    union,
)

from syncd.model import ContactKind, TagAction, Verdict
from syncd.store.byte_order import byte_order
from syncd.store.engine import table_of
from syncd.store.knowntags import tag_state
from syncd.store.memberships import memberships
from syncd.store.revenue import contacts
from syncd.store.rows import customers
from syncd.store.tables import FactsRow, JudgementRow, LedgerEntry, OutboxRow
from syncd.store.types import AccountTag, Reach, TagWish

ledger = table_of(LedgerEntry)
outbox = table_of(OutboxRow)

_facts = table_of(FactsRow)
_judgements = table_of(JudgementRow)

_PENDING = ("planned", "sending", "sent", "waiting")
_CHUNK = 1000


def outlook(connection: Connection, store_id: str, tag: str, segments: Sequence[str]) -> Iterator[AccountTag]:
    """The store's accounts where the tag is wanted but not known, or ours but not wanted, by external id; lazy."""
    accounts = _accounts([store_id])
    wanted = _wanted(segments)
    known = known_ids(store_id, tag).subquery()
    ours = _ours(store_id, tag)
    pending = pending_ids(store_id, tag).subquery()
    reviewed = _reviewed()
    is_wanted, is_known, is_ours = (
        table.c[name].is_not(None)
        for table, name in ((wanted, "profile_id"), (known, "external_id"), (ours, "external_id"))
    )
    query = (
        select(
            accounts.c.external_id,
            accounts.c.profile_id,
            func.coalesce(wanted.c.segment, ours.c.segment).label("segment"),
            is_wanted.label("is_wanted"),
            is_known.label("is_known"),
            is_ours.label("is_ours"),
            pending.c.external_id.is_not(None).label("is_pending"),
            func.coalesce(_facts.c.email_consent != "no", True).label("is_consenting"),
            reviewed.c.profile_id.is_not(None).label("has_open_review"),
        )
        .select_from(accounts)
        .outerjoin(wanted, wanted.c.profile_id == accounts.c.profile_id)
        .outerjoin(known, known.c.external_id == accounts.c.external_id)
        .outerjoin(ours, ours.c.external_id == accounts.c.external_id)
        .outerjoin(pending, pending.c.external_id == accounts.c.external_id)
        .outerjoin(_facts, _facts.c.profile_id == accounts.c.profile_id)
        .outerjoin(reviewed, reviewed.c.profile_id == accounts.c.profile_id)
        .where(or_(and_(is_wanted, ~is_known), and_(is_ours, ~is_wanted)))
        .order_by(byte_order(accounts.c.external_id))
        .execution_options(yield_per=_CHUNK)
    )
    for row in connection.execute(query).mappings():
        yield AccountTag(store_id=store_id, tag=tag, **row)


def _accounts(store_ids: Collection[str]) -> Subquery:
    same = and_(customers.c.store_id == contacts.c.store_id, customers.c.external_id == contacts.c.external_id)
    return (
        select(contacts.c.external_id, contacts.c.profile_id)
        .join_from(contacts, customers, same)
        .where(
            contacts.c.store_id.in_(store_ids),
            contacts.c.kind == ContactKind.ACCOUNT,
            contacts.c.deleted_at.is_(None),
            customers.c.deleted_at.is_(None),
        )
        .subquery()
    )


def _wanted(segments: Sequence[str]) -> Subquery:
    return (
        select(memberships.c.profile_id, func.min(memberships.c.segment).label("segment"))
        .where(memberships.c.segment.in_(segments), memberships.c.left_at.is_(None))
        .group_by(memberships.c.profile_id)
        .subquery()
    )


def _reviewed() -> Subquery:
    sides = (
        select(contacts.c.profile_id)
        .join_from(_judgements, contacts, contacts.c.contact_id == side)
        .where(_judgements.c.verdict == Verdict.UNSURE, _judgements.c.superseded_at.is_(None))
        for side in (_judgements.c.left_id, _judgements.c.right_id)
    )
    return union(*sides).subquery()


def known_ids(store_id: str, tag: str, ids: Collection[str] | None = None) -> Select[Any]:
    """Accounts that are known to have the tag."""
    place = _at(tag_state, store_id, tag, ids)
    return select(tag_state.c.external_id).where(place, tag_state.c.is_present.is_(True))


def pending_ids(store_id: str, tag: str, ids: Collection[str] | None = None) -> Select[Any]:
    """Accounts with a change of the tag under way."""
    return select(outbox.c.external_id).where(_at(outbox, store_id, tag, ids), outbox.c.state.in_(_PENDING)).distinct()


def our_ids(store_id: str, tag: str, ids: Collection[str] | None = None) -> Select[Any]:
    """Accounts that have the tag from us, as far as the ledger knows."""
    return select(ledger.c.external_id).where(_at(ledger, store_id, tag, ids), *_IS_OURS).distinct()


def _ours(store_id: str, tag: str) -> Subquery:
    return (
        select(ledger.c.external_id, func.min(ledger.c.segment).label("segment"))
        .where(_at(ledger, store_id, tag, None), *_IS_OURS)
        .group_by(ledger.c.external_id)
        .subquery()
    )


def _at(table: Any, store_id: str, tag: str, ids: Collection[str] | None) -> ColumnElement[bool]:
    place = and_(table.c.store_id == store_id, table.c.tag == tag)
    return place if ids is None else and_(place, table.c.external_id.in_(ids))


_IS_SENT = exists().where(
    outbox.c.apply_id == ledger.c.apply_id,
    outbox.c.store_id == ledger.c.store_id,
    outbox.c.external_id == ledger.c.external_id,
    outbox.c.tag == ledger.c.tag,
    outbox.c.action == TagAction.ADD,
    outbox.c.state == "sent",
)
_IS_OURS = (ledger.c.removed_at.is_(None), or_(ledger.c.confirmed_at.is_not(None), _IS_SENT))


def reach_of(connection: Connection, wish: TagWish) -> Reach:
    """How many members a segment has, how many of them have an account on the store, how many the tag."""
    accounts = _accounts([wish.store_id])
    known = known_ids(wish.store_id, wish.tag).subquery()
    query = (
        select(
            func.count(distinct(memberships.c.profile_id)).label("members"),
            func.count(distinct(accounts.c.profile_id)).label("with_account"),
            func.count(distinct(case((known.c.external_id.is_not(None), accounts.c.profile_id)))).label("tagged"),
        )
        .select_from(memberships)
        .outerjoin(accounts, accounts.c.profile_id == memberships.c.profile_id)
        .outerjoin(known, known.c.external_id == accounts.c.external_id)
        .where(memberships.c.segment == wish.segment, memberships.c.left_at.is_(None))
    )
    row = connection.execute(query).mappings().one()
    return Reach(segment=wish.segment, store_id=wish.store_id, **row)


def reachable_count(connection: Connection, segment: str, store_ids: Sequence[str]) -> int:
    """How many members of a segment have an account on at least one of the stores."""
    accounts = _accounts(store_ids)
    query = (
        select(func.count(distinct(memberships.c.profile_id)))
        .join_from(memberships, accounts, accounts.c.profile_id == memberships.c.profile_id)
        .where(memberships.c.segment == segment, memberships.c.left_at.is_(None))
    )
    return connection.execute(query).scalar_one()
