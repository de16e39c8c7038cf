"""The first resolver: contacts with one mailbox, phone, order or home, and with names that agree, are one person.

In comes a closed case, out come all judgements that should be live in it. A function of the case alone: contacts,
identifiers and unions are taken in a fixed order, so the order in which records came plays no part.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

from syncd.identity.names import Name, fits, fits_closely, fits_fully, parse_name
from syncd.identity.normalise import mailbox, phone
from syncd.identity.people import People
from syncd.model import (
    Contact,
    ContactKey,
    Identifier,
    IdentifierKind,
    IdentityCase,
    Judgement,
    Resolution,
    Verdict,
)

Fit = Callable[[Name, Name], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rule:
    """How far one kind of identifier reaches.

    Args:
        rank: Which unions come first; the strongest evidence has the lowest.
        fit: Whether two names on one identifier can be one person's; None where names play no part.
        is_weak: Whether namesakes may share it, father and son.
    """

    name: str
    rank: int
    score: float
    fit: Fit | None
    is_weak: bool = False


_RULES = {
    IdentifierKind.ORDER: _Rule(name="same order", rank=0, score=1.0, fit=None),
    IdentifierKind.MAILBOX: _Rule(name="same mailbox", rank=1, score=0.98, fit=fits),
    IdentifierKind.PHONE: _Rule(name="same phone", rank=2, score=0.95, fit=fits_closely),
    IdentifierKind.ADDRESS: _Rule(name="same name and address", rank=3, score=0.9, fit=fits_fully, is_weak=True),
}
_DOUBTS = {
    "names": _Rule(name="shared identifier, but names elsewhere differ", rank=9, score=0.5, fit=None),
    "accounts": _Rule(name="two accounts of one store with different mailboxes", rank=9, score=0.5, fit=None),
    "surnames": _Rule(name="same phone and forename, but another surname", rank=9, score=0.5, fit=None),
    "namesakes": _Rule(name="same name and address, perhaps of two generations", rank=9, score=0.5, fit=None),
    "parted": _Rule(name="kept apart by hand", rank=9, score=0.0, fit=None),
}
_QUESTIONS_PER_GROUP = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class _Edge:
    """Two contacts that an identifier says are one person."""

    rule: _Rule
    left: ContactKey
    right: ContactKey


class FirstResolver:
    """Who is who by mailbox, phone, order and address, within names that agree.

    Args:
        blocked: Values that are never evidence, as people write them: mailboxes, phones in E.164, `@domain`.
        max_names: Different names that one identifier may carry; beyond, it belongs to no one person.
    """

    version = "first-2"

    def __init__(self, blocked: Collection[str] = (), max_names: int = 6) -> None:
        self._blocked = frozenset(mailbox(text) or phone(text, "") or text.strip().lower() for text in blocked)
        self._max_names = max_names

    def judge(self, case: IdentityCase) -> Resolution:
        """All automatic judgements that should be live among the case's contacts, and the people they make."""
        contacts = {contact.key: contact for contact in sorted(case.contacts, key=lambda contact: contact.key)}
        holders = self._holders(contacts.values(), case.shared)
        shared = frozenset(item for item, who in holders.items() if self._is_shared(item, who))
        usable = {item: who for item, who in holders.items() if item not in shared}
        people = People(contacts.values(), usable, case.manual)
        joined, refused = _join(people, [edge for item, who in usable.items() for edge in _edges(item, who)])
        doubts = [edge for item, who in usable.items() for edge in _doubts(item, who)]
        asked = _open_questions(people, refused + doubts)
        same = (_judgement(edge, Verdict.SAME, contacts, usable) for edge in joined)
        unsure = (_judgement(edge, Verdict.UNSURE, contacts, usable) for edge in asked)
        return Resolution(judgements=(*same, *unsure), groups=people.groups(), shared=shared)

    def _holders(self, contacts: Iterable[Contact], shared: frozenset[Identifier]) -> dict[Identifier, list[Contact]]:
        holders: dict[Identifier, list[Contact]] = defaultdict(list)
        for contact in contacts:
            for identifier in dict.fromkeys(contact.identifiers):
                if identifier not in shared and not self._is_blocked(identifier):
                    holders[identifier].append(contact)
        return {identifier: who for identifier, who in holders.items() if len(who) > 1}

    def _is_blocked(self, identifier: Identifier) -> bool:
        if not self._blocked:
            return False
        return identifier.value in self._blocked or "@" + identifier.value.rpartition("@")[2] in self._blocked

    def _is_shared(self, identifier: Identifier, holders: list[Contact]) -> bool:
        """Whether more names than one person or one household has are on an identifier."""
        if _RULES[identifier.kind].fit is None or len(holders) <= self._max_names:
            return False
        different: list[Name] = []
        for name in sorted(set(map(_name, holders))):
            if not name.is_empty and not any(fits(name, other) for other in different):
                different.append(name)
        return len(different) > self._max_names


def _edges(identifier: Identifier, holders: list[Contact]) -> Iterator[_Edge]:
    """A star in each class of holders, its hub the smallest key."""
    rule = _RULES[identifier.kind]
    for hub, *others in _classes(_telling(identifier, holders), rule.fit):
        for other in others:
            yield _Edge(rule=rule, left=hub, right=other)


def _telling(identifier: Identifier, holders: list[Contact]) -> list[Contact]:
    """The holders that an identifier tells something of.

    On a phone, a nameless mailbox may be anyone's at home; at an address, so may whatever has no full name.
    """
    if identifier.kind is IdentifierKind.ADDRESS:
        return [holder for holder in holders if _name(holder).is_full]
    if identifier.kind is not IdentifierKind.PHONE:
        return holders
    return [holder for holder in holders if not (_name(holder).is_empty and _has_mailbox(holder))]


def _has_mailbox(contact: Contact) -> bool:
    return any(item.kind is IdentifierKind.MAILBOX for item in contact.identifiers)


def _classes(holders: list[Contact], fit: Fit | None) -> Iterator[list[ContactKey]]:
    """An identifier's holders by person, as far as their names tell: in a class every name fits every other.

    A name that fits two names which do not fit each other (an initial, no name at all) could be either's: its
    holder is joined to neither, only to those who go by exactly that name, if it is a whole one.
    """
    by_name: dict[Name, list[ContactKey]] = defaultdict(list)
    for holder in holders:
        by_name[_name(holder) if fit else Name()].append(holder.key)
    clear = [name for name in sorted(by_name) if fit is None or not _is_ambiguous(name, by_name, fit)]
    yield from (sorted(by_name[name]) for name in sorted(by_name) if name not in clear and not name.is_partial)
    while clear:
        first = clear[0]
        alike = [name for name in clear if name == first or (fit is not None and fit(first, name))]
        clear = [name for name in clear if name not in alike]
        yield sorted(key for name in alike for key in by_name[name])


def _is_ambiguous(name: Name, names: Iterable[Name], fit: Fit) -> bool:
    fitting = [other for other in names if other != name and fit(name, other)]
    return any(not fit(one, other) for one, other in combinations(fitting, 2))


def _join(people: People, edges: list[_Edge]) -> tuple[list[_Edge], list[_Edge]]:
    """Unite along the edges, strongest first: those that joined two groups, and those that groups contradict."""
    joined: list[_Edge] = []
    refused: list[_Edge] = []
    for edge in sorted(edges, key=lambda edge: (edge.rule.rank, edge.left, edge.right)):
        if people.are_one(edge.left, edge.right):
            continue
        reason = _objection(people, edge)
        if reason == "parted" or (reason and edge.rule.fit):
            refused.append(replace(edge, rule=_DOUBTS[reason]))
            continue
        people.unite(edge.left, edge.right)
        joined.append(edge)
    return joined, refused


def _objection(people: People, edge: _Edge) -> str:
    reason = people.contradiction(edge.left, edge.right)
    if not reason and edge.rule.is_weak and people.may_be_namesakes(edge.left, edge.right):
        return "namesakes"
    return reason


def _doubts(identifier: Identifier, holders: list[Contact]) -> Iterator[_Edge]:
    """Between the classes of a phone: the same forename with another surname may be a married name."""
    if identifier.kind is not IdentifierKind.PHONE:
        return
    names = {holder.key: _name(holder) for holder in holders}
    hubs = [group[0] for group in _classes(_telling(identifier, holders), _RULES[identifier.kind].fit)]
    for left, right in combinations(sorted(hubs), 2):
        if names[left].forename and names[right].forename and fits(names[left], names[right]):
            yield _Edge(rule=_DOUBTS["surnames"], left=left, right=right)


def _open_questions(people: People, edges: list[_Edge]) -> Iterator[_Edge]:
    """One question per pair of groups, a few per group: more would only bury the first."""
    asked: set[tuple[ContactKey, ContactKey]] = set()
    count: Counter[ContactKey] = Counter()
    for edge in sorted(edges, key=lambda edge: (edge.left, edge.right, edge.rule.name)):
        left, right = sorted((people.representative(edge.left), people.representative(edge.right)))
        is_settled = left == right or people.contradiction(left, right) == "parted"
        if is_settled or (left, right) in asked or max(count[left], count[right]) >= _QUESTIONS_PER_GROUP:
            continue
        asked.add((left, right))
        count.update((left, right))
        yield edge


def _judgement(
    edge: _Edge, verdict: Verdict, contacts: Mapping[ContactKey, Contact], usable: Collection[Identifier]
) -> Judgement:
    both = set(contacts[edge.left].identifiers) & set(contacts[edge.right].identifiers)
    return Judgement(
        left=edge.left,
        right=edge.right,
        verdict=verdict,
        rule=edge.rule.name,
        score=edge.rule.score,
        evidence=tuple(sorted(both.intersection(usable))),
    )


def _name(contact: Contact) -> Name:
    return parse_name(contact.first_name, contact.last_name)
