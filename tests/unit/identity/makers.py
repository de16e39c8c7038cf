"""Contacts in few words, for tests of the resolver."""

from __future__ import annotations

from collections.abc import Iterable

from syncd.identity import FirstResolver
from syncd.model import (
    Contact,
    ContactKey,
    ContactKind,
    Identifier,
    IdentifierKind,
    IdentityCase,
    Judgement,
    Resolution,
    Verdict,
)


def key(name: str, store: str = "eu", kind: ContactKind = ContactKind.ACCOUNT) -> ContactKey:
    """A contact's key; tests name contacts a, b, c."""
    return ContactKey(store_id=store, kind=kind, external_id=name)


def guest(name: str, person: str, *values: str) -> Contact:
    """A guest order with a full name, such as `Ann Lee`, and identifiers; what starts with + is a phone."""
    return contact(key(name, kind=ContactKind.ORDER), person, *values)


def account(name: str, person: str, *values: str, store: str = "eu") -> Contact:
    """An account of a store."""
    return contact(key(name, store), person, *values)


def contact(source: ContactKey, person: str, *values: str) -> Contact:
    """A contact with a full name and identifiers."""
    first, _, last = person.partition(" ")
    return Contact(key=source, identifiers=tuple(map(identifier, values)), first_name=first, last_name=last)


def identifier(value: str) -> Identifier:
    """A phone where the value starts with +, a mailbox where it has an @, an address with a blank, else an order."""
    if value.startswith("+"):
        return Identifier(kind=IdentifierKind.PHONE, value=value)
    if " " in value:
        return Identifier(kind=IdentifierKind.ADDRESS, value=value)
    kind = IdentifierKind.MAILBOX if "@" in value else IdentifierKind.ORDER
    return Identifier(kind=kind, value=value)


def by_hand(left: Contact, right: Contact, verdict: Verdict) -> Judgement:
    """A person's own judgement."""
    one, other = sorted((left.key, right.key))
    return Judgement(left=one, right=other, verdict=verdict, rule="manual", score=1.0, origin="manual")


def judge(contacts: Iterable[Contact], *manual: Judgement, resolver: FirstResolver | None = None) -> Resolution:
    """What the resolver says of some contacts as one case."""
    return (resolver or FirstResolver()).judge(IdentityCase(contacts=tuple(contacts), manual=manual))


def people(resolution: Resolution) -> set[str]:
    """The groups as words: `ab c` is two people, the first with two contacts."""
    return {"".join(item.external_id for item in group) for group in resolution.groups}
