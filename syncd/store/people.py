"""People as `find` and `profile` show them: profiles with their contacts, reasons, facts, segments and tags."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, desc, func, or_, select

from syncd.model import ContactKey, ContactKind, Identifier
from syncd.store.contacts import Member, contacts, identifiers, judgement_of, key_of, members_of, standing
from syncd.store.deletion import KINDS
from syncd.store.engine import Engines, rows_in, table_of
from syncd.store.grouping import profile_events, profiles
from syncd.store.knowntags import tag_state
from syncd.store.reports import stores
from syncd.store.rows import MAIN, orders
from syncd.store.tables import FactsRow, Membership
from syncd.store.types import ContactView, ProfileHit, ProfileView

facts = table_of(FactsRow)
memberships = table_of(Membership)

_IS_LIVE = contacts.c.deleted_at.is_(None)
_SHOWN = ("profile_id", "first_name", "last_name", "email", "phone")
_PLACED = tuple(contacts.c[name] for name in ("store_id", "kind", "external_id", "profile_id"))
_TABLES = {KINDS[stream].value: table for stream, table in MAIN.items()}
_TOMBSTONES_LIMIT = 1_000


class People:
    """Answers questions about profiles."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def find(self, text: str, limit: int = 20, identifiers: Iterable[Identifier] = ()) -> list[ProfileHit]:
        """The profiles that a text may mean: an e-mail, phone, name, external id or profile id; by profile id.

        Args:
            identifiers: The text normalised, where it is an e-mail or a phone.
        """
        with self._engines.read() as connection:
            found = sorted(_meant(connection, text, tuple(identifiers), limit))[:limit]
            return _hits(connection, found)

    def widest(self, limit: int) -> list[str]:
        """The profiles that span most stores, then most contacts."""
        spread = func.count(contacts.c.store_id.distinct())
        query = select(contacts.c.profile_id).where(_IS_LIVE).group_by(contacts.c.profile_id)
        ordered = query.order_by(desc(spread), desc(func.count()), contacts.c.profile_id).limit(limit)
        with self._engines.read() as connection:
            return list(connection.execute(ordered).scalars())

    def profile(self, profile_id: str) -> ProfileView | None:
        """A person; the id of a profile that was merged leads to its successor. None where nobody has the id."""
        with self._engines.read() as connection:
            row = _follow(connection, profile_id)
            return _view(connection, row) if row is not None else None

    def contact_count(self) -> int:
        """How many contacts there are."""
        with self._engines.read() as connection:
            return connection.execute(select(func.count()).select_from(contacts).where(_IS_LIVE)).scalar_one()

    def profile_count(self) -> int:
        """How many people the contacts are."""
        with self._engines.read() as connection:
            query = select(func.count(contacts.c.profile_id.distinct())).where(_IS_LIVE)
            return connection.execute(query).scalar_one()

    def partition(self) -> Iterator[tuple[ContactKey, str]]:
        """Every contact with its profile's id, by contact; read whole before the first is given."""
        ordered = select(*_PLACED).where(_IS_LIVE).order_by(*_PLACED)
        with self._engines.read() as connection:
            rows = connection.execute(ordered).all()
        return ((key_of(row), row.profile_id) for row in rows)


def _meant(connection: Connection, text: str, normalised: tuple[Identifier, ...], limit: int) -> set[str]:
    carriers = [and_(identifiers.c.kind == item.kind.value, identifiers.c.value == item.value) for item in normalised]
    carrying = select(identifiers.c.contact_id).where(or_(*carriers)) if carriers else None
    name = func.trim(contacts.c.first_name + " " + contacts.c.last_name)
    means = [
        contacts.c.external_id == text,
        contacts.c.profile_id == text,
        name.icontains(text, autoescape=True),
        *_mailed(text),
        *([contacts.c.contact_id.in_(carrying)] if carrying is not None else []),
    ]
    query = select(contacts.c.profile_id).where(_IS_LIVE, or_(*means)).distinct()
    return set(connection.execute(query.order_by(contacts.c.profile_id).limit(limit)).scalars())


def _mailed(text: str) -> Iterator[Any]:
    for kind, table in _TABLES.items():
        place = select(table.c.external_id).where(
            table.c.store_id == contacts.c.store_id,
            table.c.external_id == contacts.c.external_id,
            or_(func.lower(table.c.email) == text.lower(), table.c.phone == text),
        )
        yield and_(contacts.c.kind == kind, place.exists())


def _hits(connection: Connection, profile_ids: list[str]) -> list[ProfileHit]:
    counts: dict[str, int] = defaultdict(int)
    places: dict[str, set[str]] = defaultdict(set)
    query = select(contacts.c.profile_id, contacts.c.store_id).where(_IS_LIVE)
    for row in rows_in(connection, query, contacts.c.profile_id, profile_ids):
        counts[row.profile_id] += 1
        places[row.profile_id].add(row.store_id)
    return [
        ProfileHit(
            **_shown(row),
            contact_count=counts[row.profile_id],
            store_ids=tuple(sorted(places[row.profile_id])),
        )
        for row in rows_in(
            connection, select(profiles).order_by(profiles.c.profile_id), profiles.c.profile_id, profile_ids
        )
    ]


def _shown(row: Row[Any]) -> dict[str, str]:
    return {name: getattr(row, name) for name in _SHOWN}


def _follow(connection: Connection, profile_id: str) -> Row[Any] | None:
    for _ in range(_TOMBSTONES_LIMIT):
        row = connection.execute(select(profiles).where(profiles.c.profile_id == profile_id)).first()
        if row is None or row.merged_into is None:
            return row
        profile_id = row.merged_into
    return None


def _view(connection: Connection, profile: Row[Any]) -> ProfileView:
    query = select(contacts).where(_IS_LIVE, contacts.c.profile_id == profile.profile_id)
    rows = connection.execute(query.order_by(contacts.c.contact_id)).all()
    members = members_of(connection, [row.contact_id for row in rows])
    judged = standing(connection, members.keys())
    inside = [row for _, row in sorted(judged.items()) if {row.left_id, row.right_id} <= members.keys()]
    return ProfileView(
        **_shown(profile),
        contacts=tuple(_contact_views(connection, rows, members)),
        judgements=tuple(judgement_of(row, members) for row in inside),
        events=tuple(_events(connection, profile.profile_id)),
        facts=_facts(connection, profile.profile_id),
        segments=_segments(connection, profile.profile_id),
        tags=tuple(_tags(connection, rows)),
    )


def _contact_views(
    connection: Connection, rows: Sequence[Row[Any]], members: Mapping[str, Member]
) -> Iterator[ContactView]:
    platforms = {row.store_id: row.platform for row in connection.execute(select(stores))}
    counts = _order_counts(connection, rows)
    for row in rows:
        email, phone = _reachable_by(connection, row)
        yield ContactView(
            contact=members[row.contact_id].contact,
            contact_id=row.contact_id,
            platform=platforms.get(row.store_id, ""),
            email=email,
            phone=phone,
            order_count=counts.get(key_of(row), int(row.kind == ContactKind.ORDER)),
            created_at=row.created_at,
        )


def _reachable_by(connection: Connection, contact: Row[Any]) -> tuple[str, str]:
    table = _TABLES[contact.kind]
    is_it = and_(table.c.store_id == contact.store_id, table.c.external_id == contact.external_id)
    row = connection.execute(select(table.c.email, table.c.phone).where(is_it)).first()
    return (row.email or "", row.phone or "") if row is not None else ("", "")


def _order_counts(connection: Connection, rows: Iterable[Row[Any]]) -> dict[ContactKey, int]:
    accounts = {row.external_id for row in rows if row.kind == ContactKind.ACCOUNT}
    query = select(orders.c.store_id, orders.c.customer_id, func.count().label("records"))
    query = query.where(orders.c.deleted_at.is_(None)).group_by(orders.c.store_id, orders.c.customer_id)
    return {
        ContactKey(store_id=row.store_id, kind=ContactKind.ACCOUNT, external_id=row.customer_id): row.records
        for row in rows_in(connection, query, orders.c.customer_id, accounts)
    }


def _events(connection: Connection, profile_id: str) -> Iterator[tuple[Any, str, str]]:
    query = select(profile_events).where(profile_events.c.profile_id == profile_id)
    for row in connection.execute(query.order_by(profile_events.c.at, profile_events.c.event_id)):
        yield row.at, row.kind, _in_words(row.kind, json.loads(row.detail or "{}"))


def _in_words(kind: str, detail: Mapping[str, Any]) -> str:
    if "contact" in detail:
        store_id, what, external_id = detail["contact"]
        return f"{what} {external_id} of {store_id}"
    if "profile" in detail:
        return f"profile {detail['profile']} {'came in' if kind == 'merged' else 'went its own way'}"
    return ", ".join(f"{name} {value}" for name, value in detail.items())


def _facts(connection: Connection, profile_id: str) -> dict[str, object]:
    row = connection.execute(select(facts).where(facts.c.profile_id == profile_id)).first()
    return {name: value for name, value in row._mapping.items() if name != "profile_id"} if row is not None else {}


def _segments(connection: Connection, profile_id: str) -> tuple[str, ...]:
    query = select(memberships.c.segment).where(memberships.c.profile_id == profile_id, memberships.c.left_at.is_(None))
    return tuple(connection.execute(query.order_by(memberships.c.segment)).scalars())


def _tags(connection: Connection, rows: Iterable[Row[Any]]) -> list[tuple[str, str, str]]:
    accounts = {(row.store_id, row.external_id) for row in rows if row.kind == ContactKind.ACCOUNT}
    query = select(tag_state).where(tag_state.c.is_present)
    found = rows_in(connection, query, tag_state.c.external_id, {external_id for _, external_id in accounts})
    return sorted(
        (row.store_id, row.external_id, row.tag) for row in found if (row.store_id, row.external_id) in accounts
    )
