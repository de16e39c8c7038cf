"""Contacts and their identifiers as stored, and the cases a resolver is asked about.

A case is closed: with a contact come the members of its profile, all contacts that carry one of its identifiers
(unless that is shared by many people), and those that people have joined to it by hand.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select, update

from syncd.model import Contact, ContactKey, ContactKind, Identifier, IdentifierKind, IdentityCase, Judgement, Verdict
from syncd.store.engine import insert_rows, rows_in, table_of, upsert
from syncd.store.ids import NewId
from syncd.store.tables import ContactRow, IdentifierRow, JudgementRow, SharedIdentifier

CASE_LIMIT = 5_000  # contacts; past it a case grows only by whole profiles and by manual judgements

contacts = table_of(ContactRow)
identifiers = table_of(IdentifierRow)
shared_identifiers = table_of(SharedIdentifier)
judgements = table_of(JudgementRow)

_FOUND = tuple(
    contacts.c[name]
    for name in ("contact_id", "store_id", "kind", "external_id", "profile_id", "identity_hash", "deleted_at")
)
_KINDS = tuple(kind.value for kind in IdentifierKind)
_IS_LIVE = contacts.c.deleted_at.is_(None)
_IS_STANDING = judgements.c.superseded_at.is_(None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A stored contact with its own id and the profile it is in."""

    contact_id: str
    profile_id: str
    contact: Contact


@dataclass(kw_only=True, slots=True)
class Touched:
    """Contacts that a page changed, by contact id, and what they let go of.

    Args:
        new: Contacts met for the first time.
        changed: Contacts known before whose identifiers or names changed, or that came back.
        gone: Contacts that are no longer one, with the profile each was in.
        freed: Identifiers that changed and gone contacts carried before.
    """

    new: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    gone: dict[str, str] = field(default_factory=dict)
    freed: set[Identifier] = field(default_factory=set)


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """Stored contacts that may be one person's, by contact id."""

    members: Mapping[str, Member]
    manual: tuple[Judgement, ...]
    shared: frozenset[Identifier]

    def question(self) -> IdentityCase:
        """The case as a resolver reads it, in the order of contact keys."""
        ordered = sorted((member.contact for member in self.members.values()), key=lambda contact: contact.key)
        return IdentityCase(contacts=tuple(ordered), manual=self.manual, shared=self.shared)


def find_contacts(connection: Connection, keys: Iterable[ContactKey]) -> dict[ContactKey, Row[Any]]:
    """Where contacts are and whether they are deleted, as rows, of those that are stored."""
    wanted: dict[tuple[str, str], set[str]] = defaultdict(set)
    for key in keys:
        wanted[key.store_id, key.kind.value].add(key.external_id)
    return {
        key_of(row): row
        for (store_id, kind), external_ids in wanted.items()
        for row in rows_in(
            connection,
            select(*_FOUND).where(contacts.c.store_id == store_id, contacts.c.kind == kind),
            contacts.c.external_id,
            external_ids,
        )
    }


def key_of(row: Row[Any]) -> ContactKey:
    """Which contact a row is."""
    return ContactKey(store_id=row.store_id, kind=ContactKind(row.kind), external_id=row.external_id)


def take_contacts(connection: Connection, arriving: Collection[Contact], new_id: NewId, now: datetime) -> Touched:
    """Store contacts; those that are as they were are left alone."""
    known = find_contacts(connection, (contact.key for contact in arriving))
    touched = Touched()
    rows, carried = [], []
    for contact in sorted(arriving, key=lambda contact: contact.key):
        row = _contact_row(contact, known.get(contact.key), new_id, now)
        if row is not None:
            (touched.changed if contact.key in known else touched.new).add(row["contact_id"])
            rows.append(row)
            carried += _carried(row["contact_id"], contact.identifiers)
    touched.freed |= _free_identifiers(connection, touched.changed)
    upsert(connection, contacts, rows, once=("profile_id", "created_at"))
    insert_rows(connection, identifiers, carried)
    return touched


def drop_contacts(connection: Connection, keys: Iterable[ContactKey], touched: Touched, now: datetime) -> None:
    """Take contacts out that no longer are one (a guest order that became an account's), noting them in `touched`."""
    rows = [row for row in find_contacts(connection, keys).values() if row.deleted_at is None]
    if not rows:
        return
    gone = {row.contact_id: row.profile_id for row in rows}
    touched.gone |= gone
    touched.freed |= _free_identifiers(connection, gone)
    statement = update(contacts).where(contacts.c.contact_id == bindparam("gone")).values(deleted_at=now)
    connection.execute(statement, [{"gone": contact_id} for contact_id in sorted(gone)])


def load_case(connection: Connection, touched: Touched) -> Case:
    """The closed case around the touched contacts."""
    return _Loader(connection).load(touched)


def members_of(connection: Connection, contact_ids: Iterable[str]) -> dict[str, Member]:
    """The live contacts among some contact ids, with their identifiers."""
    contact_ids = set(contact_ids)
    carried: dict[str, list[Identifier]] = defaultdict(list)
    for row in rows_in(connection, select(identifiers), identifiers.c.contact_id, contact_ids):
        carried[row.contact_id].append(_identifier(row))
    rows = rows_in(connection, select(contacts).where(_IS_LIVE), contacts.c.contact_id, contact_ids)
    return {row.contact_id: _member(row, carried[row.contact_id]) for row in rows}


def ids_in_profiles(connection: Connection, profile_ids: Iterable[str]) -> set[str]:
    """The live contacts of some profiles, as contact ids."""
    query = select(contacts.c.contact_id).where(_IS_LIVE)
    return {row.contact_id for row in rows_in(connection, query, contacts.c.profile_id, profile_ids)}


def standing(connection: Connection, contact_ids: Collection[str]) -> dict[str, Row[Any]]:
    """All judgements in force that have one of the contacts at either end, by judgement id."""
    query = select(judgements).where(_IS_STANDING)
    return {
        row.judgement_id: row
        for end in (judgements.c.left_id, judgements.c.right_id)
        for row in rows_in(connection, query, end, contact_ids)
    }


def judgement_of(row: Row[Any], members: Mapping[str, Member]) -> Judgement:
    """A stored judgement in the contacts' own terms, the smaller contact key to the left."""
    left, right = sorted((members[row.left_id].contact.key, members[row.right_id].contact.key))
    return Judgement(
        left=left,
        right=right,
        verdict=Verdict(row.verdict),
        rule=row.rule,
        score=row.score,
        evidence=tuple(Identifier(kind=IdentifierKind(kind), value=value) for kind, value in json.loads(row.evidence)),
        origin=row.origin,
    )


class _Loader:
    """Grows a case, round by round, until it is closed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._members: dict[str, Member] = {}
        self._asked: set[str] = set()
        self._profiles: set[str] = set()
        self._identifiers: set[Identifier] = set()
        self._shared: set[Identifier] = set()
        self._manual: dict[str, Row[Any]] = {}
        self._new: set[str] = set()

    def load(self, touched: Touched) -> Case:
        """The case around the touched contacts, and around those that they let go of."""
        self._new = touched.new
        pending = touched.new | touched.changed | self._left_behind(touched)
        while pending := pending - self._asked:
            self._asked |= pending
            fresh = members_of(self._connection, pending)
            self._members |= fresh
            pending = self._around(fresh)
        return Case(members=self._members, manual=self._judged_by_hand(), shared=frozenset(self._shared))

    def _left_behind(self, touched: Touched) -> set[str]:
        return self._in_profiles(touched.gone.values()) | self._carriers(touched.freed)

    def _around(self, fresh: Mapping[str, Member]) -> set[str]:
        known = fresh.keys() - self._new  # nothing is joined to new contacts yet
        around = self._in_profiles(fresh[contact_id].profile_id for contact_id in known)
        around |= self._joined_by_hand(known)
        carried = {identifier for member in fresh.values() for identifier in member.contact.identifiers}
        return around | self._carriers(carried)

    def _in_profiles(self, profile_ids: Iterable[str]) -> set[str]:
        fresh = set(profile_ids) - self._profiles
        self._profiles |= fresh
        return ids_in_profiles(self._connection, fresh)

    def _joined_by_hand(self, known: Collection[str]) -> set[str]:
        rows = {key: row for key, row in standing(self._connection, known).items() if row.origin == "manual"}
        self._manual |= rows
        return _ends(row for row in rows.values() if row.verdict == Verdict.SAME)

    def _carriers(self, carried: set[Identifier]) -> set[str]:
        fresh = carried - self._identifiers
        self._identifiers |= fresh
        self._shared |= {_identifier(row) for row in _by_value(self._connection, shared_identifiers, fresh)}
        if len(self._members) > CASE_LIMIT:
            return set()
        return {row.contact_id for row in _by_value(self._connection, identifiers, fresh - self._shared)}

    def _judged_by_hand(self) -> tuple[Judgement, ...]:
        rows = (row for _, row in sorted(self._manual.items()))
        inside = (row for row in rows if {row.left_id, row.right_id} <= self._members.keys())
        return tuple(judgement_of(row, self._members) for row in inside)


def _ends(rows: Iterable[Row[Any]]) -> set[str]:
    return {end for row in rows for end in (row.left_id, row.right_id)}


def _by_value(connection: Connection, table: Any, wanted: set[Identifier]) -> Iterator[Row[Any]]:
    query = select(table).where(table.c.kind.in_(_KINDS))
    rows = rows_in(connection, query, table.c.value, (identifier.value for identifier in wanted))
    return (row for row in rows if _identifier(row) in wanted)


def _identifier(row: Row[Any]) -> Identifier:
    return Identifier(kind=IdentifierKind(row.kind), value=row.value)


def _member(row: Row[Any], carried: Iterable[Identifier]) -> Member:
    contact = Contact(
        key=key_of(row), identifiers=tuple(sorted(carried)), first_name=row.first_name, last_name=row.last_name
    )
    return Member(contact_id=row.contact_id, profile_id=row.profile_id, contact=contact)


def _contact_row(contact: Contact, known: Row[Any] | None, new_id: NewId, now: datetime) -> dict[str, Any] | None:
    identity_hash = _identity_hash(contact)
    if known is not None and known.identity_hash == identity_hash and known.deleted_at is None:
        return None
    contact_id = new_id() if known is None else known.contact_id
    return {
        "contact_id": contact_id,
        "store_id": contact.key.store_id,
        "kind": contact.key.kind.value,
        "external_id": contact.key.external_id,
        "profile_id": contact_id,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "identity_hash": identity_hash,
        "created_at": now,
        "deleted_at": None,
    }


def _identity_hash(contact: Contact) -> bytes:
    carried = sorted((identifier.kind.value, identifier.value) for identifier in contact.identifiers)
    text = json.dumps([carried, contact.first_name, contact.last_name])
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _carried(contact_id: str, carried: Iterable[Identifier]) -> list[dict[str, Any]]:
    return [{"kind": item.kind.value, "value": item.value, "contact_id": contact_id} for item in sorted(set(carried))]


def _free_identifiers(connection: Connection, contact_ids: Collection[str]) -> set[Identifier]:
    freed = {
        _identifier(row) for row in rows_in(connection, select(identifiers), identifiers.c.contact_id, contact_ids)
    }
    if contact_ids:
        statement = delete(identifiers).where(identifiers.c.contact_id == bindparam("gone"))
        connection.execute(statement, [{"gone": contact_id} for contact_id in sorted(contact_ids)])
    return freed
