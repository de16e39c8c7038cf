"""The identity step of a page: touched contacts go to the resolver, its answer becomes judgements and profiles.

It comes last in the page's transaction. A profile's id is its smallest contact id, so merges keep the older id, splits
give each part its own oldest id back, and replays change nothing.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select, update

from syncd.clock import Clock
from syncd.errors import ConfigInvalid
from syncd.model import Contact, ContactKey, Identifier, Judgement, Resolution
from syncd.store.contacts import (
    Case,
    Touched,
    contacts,
    drop_contacts,
    find_contacts,
    judgements,
    load_case,
    shared_identifiers,
    standing,
    take_contacts,
)
from syncd.store.engine import insert_rows, rows_in, table_of, upsert
from syncd.store.ids import NewId
from syncd.store.schema import wait_for_turn
from syncd.store.tables import ProfileEvent, ProfileRow, TouchedProfile
from syncd.store.types import Resolver

profiles = table_of(ProfileRow)
profile_events = table_of(ProfileEvent)
touched_profiles = table_of(TouchedProfile)

_BLANK = dict.fromkeys(("first_name", "last_name", "email", "phone", "country"), "")  # shown once facts are derived

Event = tuple[str, str, Mapping[str, object]]  # profile id, kind, detail


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """What stored records mean for people.

    Args:
        arriving: Contacts of new and changed records.
        veiled: Those whose person the platform withholds now; what is known of them stays.
        leaving: Contacts that no longer are one, with the account that the record belongs to now, if any.
        concerned: Contacts whose records, orders or carts changed: the facts of their profiles are out of date.
    """

    arriving: tuple[Contact, ...] = ()
    veiled: frozenset[ContactKey] = frozenset()
    leaving: Mapping[ContactKey, ContactKey | None]
    concerned: frozenset[ContactKey]


@dataclass(frozen=True, kw_only=True, slots=True)
class Regroup:
    """Who was where, and who is where now.

    Args:
        target: The profile of every contact of the case, by contact id.
        former: The contacts that profiles had before, those that are gone among them; new contacts had none.
        affected: Profiles whose contacts changed in any way, before and after.
    """

    target: Mapping[str, str]
    former: Mapping[str, frozenset[str]]
    affected: frozenset[str]

    def homes(self, profile_id: str) -> set[str]:
        """The profiles in which a former profile's contacts are now."""
        return {self.target[contact_id] for contact_id in self.former.get(profile_id, ()) if contact_id in self.target}

    def alive(self) -> set[str]:
        """The affected profiles that have contacts now."""
        return set(self.target.values()) & self.affected

    def ended(self) -> list[str]:
        """The affected profiles that have no contacts any more."""
        return sorted(self.affected - set(self.target.values()))


class Grouping:
    """Keeps profiles true to what the resolver says.

    Args:
        resolver: Who is who; None where nothing that stores contacts is to be done.
    """

    def __init__(self, resolver: Resolver | None, clock: Clock, new_id: NewId) -> None:
        self._resolver = resolver
        self._clock = clock
        self._new_id = new_id

    def settle(self, connection: Connection, news: News) -> None:
        """Store what is new of people, regroup everybody it concerns, and note whose facts are out of date."""
        if not (news.arriving or news.leaving or news.concerned):
            return
        wait_for_turn(connection, "identity")
        arriving = _not_veiled(connection, news)
        touched = take_contacts(connection, arriving, self._new_id, self._clock.now())
        drop_contacts(connection, news.leaving, touched, self._clock.now())
        case = load_case(connection, touched)
        resolution = self._judge(case)
        change = regroup(case, touched, resolution)
        self._write_judgements(connection, case, touched, resolution)
        _move(connection, case, change)
        self._write_profiles(connection, change, news)
        self._write_events(connection, [*_comings(case, touched, change), *_changes(change)])

    def _judge(self, case: Case) -> Resolution:
        if self._resolver is None:
            raise ConfigInvalid("contacts cannot be stored without a resolver")
        return self._resolver.judge(case.question()) if case.members else Resolution(judgements=(), groups=())

    def _write_judgements(self, connection: Connection, case: Case, touched: Touched, resolution: Resolution) -> None:
        wanted = _by_contact_ids(case, resolution.judgements)
        rows = standing(connection, (case.members.keys() - touched.new) | touched.gone.keys()).values()
        inside = {(row.left_id, row.right_id): row for row in rows if _is_ours(row, case, touched)}
        kept = {ends for ends, row in inside.items() if ends in wanted and _says(row) == _content(wanted[ends])}
        _supersede(connection, [row.judgement_id for ends, row in inside.items() if ends not in kept], self._clock)
        fresh = [self._judgement_row(ends, wanted[ends]) for ends in sorted(wanted.keys() - kept)]
        insert_rows(connection, judgements, fresh)
        self._write_shared(connection, resolution.shared - case.shared)

    def _judgement_row(self, ends: tuple[str, str], judgement: Judgement) -> dict[str, Any]:
        return _content(judgement) | {
            "judgement_id": self._new_id(),
            "left_id": ends[0],
            "right_id": ends[1],
            "origin": judgement.origin,
            "actor": "",
            "created_at": self._clock.now(),
        }

    def _write_shared(self, connection: Connection, found: Iterable[Identifier]) -> None:
        since = self._clock.now()
        rows = [{"kind": item.kind.value, "value": item.value, "origin": "auto", "since": since} for item in found]
        upsert(connection, shared_identifiers, rows, once=("origin", "since"))

    def _write_profiles(self, connection: Connection, change: Regroup, news: News) -> None:
        known = {
            row.profile_id: row for row in rows_in(connection, select(profiles), profiles.c.profile_id, change.alive())
        }
        fresh = sorted(change.alive() - known.keys())
        blank = _BLANK | {"created_at": self._clock.now()}
        insert_rows(connection, profiles, [blank | {"profile_id": new} for new in fresh])
        self._write_events(connection, [(new, "created", {}) for new in fresh])
        _revive(connection, [row.profile_id for row in known.values() if row.merged_into is not None])
        _bury(connection, change, _heirs(connection, news))
        found = find_contacts(connection, news.concerned).values()
        _touch(connection, change.affected.union(row.profile_id for row in found if row.deleted_at is None))

    def _write_events(self, connection: Connection, events: Iterable[Event]) -> None:
        at = self._clock.now()
        rows = [
            {
                "event_id": self._new_id(),
                "profile_id": profile_id,
                "kind": kind,
                "at": at,
                "actor": "auto",
                "detail": json.dumps(detail),
            }
            for profile_id, kind, detail in events
        ]
        insert_rows(connection, profile_events, rows)


def _not_veiled(connection: Connection, news: News) -> list[Contact]:
    """The arriving contacts without those of whom more is known than the platform shows now."""
    rows = find_contacts(connection, news.veiled)
    known = {key for key, row in rows.items() if row.deleted_at is None}
    return [contact for contact in news.arriving if contact.key not in known]


def regroup(case: Case, touched: Touched, resolution: Resolution) -> Regroup:
    """What a resolution changes: pure, from the contacts as they were to the profiles as they are to be."""
    ids = {member.contact.key: contact_id for contact_id, member in case.members.items()}
    target: dict[str, str] = {}
    for group in resolution.groups:
        members = [ids[key] for key in group]
        target |= dict.fromkeys(members, min(members))
    former: dict[str, set[str]] = defaultdict(set)
    for contact_id, member in case.members.items():
        if contact_id not in touched.new:
            former[member.profile_id].add(contact_id)
    for contact_id, profile_id in touched.gone.items():
        former[profile_id].add(contact_id)
    return Regroup(
        target=target,
        former={profile_id: frozenset(members) for profile_id, members in former.items()},
        affected=frozenset(_affected(case, touched, target)),
    )


def _affected(case: Case, touched: Touched, target: Mapping[str, str]) -> Iterator[str]:
    yield from touched.gone.values()
    yield from (target[contact_id] for contact_id in (touched.new | touched.changed))
    for contact_id, member in case.members.items():
        if target[contact_id] != member.profile_id:
            yield target[contact_id]
            if contact_id not in touched.new:
                yield member.profile_id


def _by_contact_ids(case: Case, judged: Iterable[Judgement]) -> dict[tuple[str, str], Judgement]:
    ids = {member.contact.key: contact_id for contact_id, member in case.members.items()}
    ends = ((sorted((ids[judgement.left], ids[judgement.right])), judgement) for judgement in judged)
    return {(left, right): judgement for (left, right), judgement in ends}


def _is_ours(row: Row[Any], case: Case, touched: Touched) -> bool:
    ends = {row.left_id, row.right_id}
    return row.origin == "auto" and (ends <= case.members.keys() or not ends.isdisjoint(touched.gone))


def _content(judgement: Judgement) -> dict[str, Any]:
    evidence = sorted((item.kind.value, item.value) for item in judgement.evidence)
    return {
        "verdict": judgement.verdict.value,
        "rule": judgement.rule,
        "score": judgement.score,
        "evidence": json.dumps(evidence),
    }


def _says(row: Row[Any]) -> dict[str, Any]:
    return {"verdict": row.verdict, "rule": row.rule, "score": row.score, "evidence": row.evidence}


def _supersede(connection: Connection, judgement_ids: list[str], clock: Clock) -> None:
    statement = update(judgements).where(judgements.c.judgement_id == bindparam("old"))
    if judgement_ids:
        rows = [{"old": judgement_id} for judgement_id in sorted(judgement_ids)]
        connection.execute(statement.values(superseded_at=clock.now()), rows)


def _move(connection: Connection, case: Case, change: Regroup) -> None:
    moved = [
        {"mover": contact_id, "home": home}
        for contact_id, home in sorted(change.target.items())
        if case.members[contact_id].profile_id != home
    ]
    if moved:
        statement = update(contacts).where(contacts.c.contact_id == bindparam("mover"))
        connection.execute(statement.values(profile_id=bindparam("home")), moved)


def _heirs(connection: Connection, news: News) -> dict[str, str]:
    """Where the orders and carts of contacts that left went: the account's profile, by the profile that was left."""
    if not news.leaving:
        return {}
    rows = find_contacts(connection, [key for pair in news.leaving.items() for key in pair if key is not None])
    return {
        rows[left].profile_id: rows[account].profile_id
        for left, account in news.leaving.items()
        if account is not None and left in rows and account in rows and rows[account].deleted_at is None
    }


def _revive(connection: Connection, profile_ids: Iterable[str]) -> None:
    """Profiles that a split gave back are tombstones no more."""
    rows = [{"revived": profile_id} for profile_id in sorted(profile_ids)]
    if rows:
        statement = update(profiles).where(profiles.c.profile_id == bindparam("revived"))
        connection.execute(statement.values(merged_into=None), rows)


def _bury(connection: Connection, change: Regroup, heirs: Mapping[str, str]) -> None:
    """Leave a tombstone for each profile that ended; one without an heir was nobody any more, and goes."""
    ended = {old: min(change.homes(old), default=heirs.get(old)) for old in change.ended()}
    merged = [{"ended": old, "heir": heir} for old, heir in ended.items() if heir is not None]
    gone = [{"ended": old} for old, heir in ended.items() if heir is None]
    is_it = profiles.c.profile_id == bindparam("ended")
    if merged:
        connection.execute(update(profiles).where(is_it).values(merged_into=bindparam("heir")), merged)
    if gone:
        connection.execute(delete(profiles).where(is_it), gone)


def _touch(connection: Connection, profile_ids: Iterable[str]) -> None:
    upsert(connection, touched_profiles, [{"profile_id": profile_id} for profile_id in profile_ids])


def _comings(case: Case, touched: Touched, change: Regroup) -> Iterator[Event]:
    for contact_id in sorted(touched.new):
        if change.target[contact_id] != contact_id:
            key = case.members[contact_id].contact.key
            yield change.target[contact_id], "attached", {"contact": [key.store_id, key.kind.value, key.external_id]}
    for contact_id, profile_id in sorted(touched.gone.items()):
        yield profile_id, "detached", {"contact_id": contact_id}


def _changes(change: Regroup) -> Iterator[Event]:
    for old in sorted(change.affected & change.former.keys()):
        homes = change.homes(old)
        heir = old if old in homes else min(homes, default=None)
        if heir is not None and heir != old:
            yield heir, "merged", {"profile": old}
        yield from ((old, "split", {"profile": other}) for other in sorted(homes - {heir}))
