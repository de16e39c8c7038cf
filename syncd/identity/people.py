"""Contacts being gathered into people: which groups stand, and whether two of them may become one.

A group is looked at as a whole: two contacts that share an identifier stay apart when their groups contradict each
other elsewhere.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from itertools import product

from syncd.identity.names import Name, fits, parse_name
from syncd.model import Contact, ContactKey, ContactKind, Identifier, IdentifierKind, Judgement, Verdict

_INDEPENDENT = 2  # identifiers that two accounts of one store must share to be one person


class Group:
    """Contacts taken for one person so far, with what a union has to be checked against."""

    __slots__ = ("accounts", "identifiers", "keys", "mailboxes", "names", "parted", "phones")

    def __init__(self, contact: Contact, usable: Container[Identifier]) -> None:
        self.keys = {contact.key}
        self.identifiers = {identifier for identifier in contact.identifiers if identifier in usable}
        self.names = {parse_name(contact.first_name, contact.last_name)}
        self.parted: set[ContactKey] = set()
        self.accounts = _accounts(contact)
        self.mailboxes = _values(contact, IdentifierKind.MAILBOX)
        self.phones = _values(contact, IdentifierKind.PHONE)

    def absorb(self, other: Group) -> None:
        """Take in everything of another group."""
        self.keys |= other.keys
        self.identifiers |= other.identifiers
        self.names |= other.names
        self.parted |= other.parted
        self.accounts |= other.accounts
        self.mailboxes |= other.mailboxes
        self.phones |= other.phones

    def contradicts(self, other: Group) -> str:
        """Why the two cannot be one person, in one word; "" when nothing speaks against it."""
        if not self.parted.isdisjoint(other.keys):
            return "parted"
        if not _all_fit(self.names, other.names):
            return "names"
        return "accounts" if self._rival_accounts(other) else ""

    def may_be_namesake(self, other: Group) -> bool:
        """Whether two of one name and home may be father and son: their suffixes or their phones differ."""
        has_rival_phones = bool(self.phones and other.phones) and self.phones.isdisjoint(other.phones)
        return has_rival_phones or self._suffixes() != other._suffixes()

    def _suffixes(self) -> set[str]:
        return {name.suffix for name in self.names} - {""}

    def _rival_accounts(self, other: Group) -> bool:
        rivals = any(
            store == other_store and box != other_box
            for (store, box), (other_store, other_box) in product(self.accounts, other.accounts)
        )
        return rivals and len(self.identifiers & other.identifiers) < _INDEPENDENT


class People:
    """The contacts of a case as groups that only ever grow.

    Args:
        contacts: Each begins as a group of its own.
        usable: The identifiers that are evidence.
        manual: What people judged: some contacts are one from the start, some may never be.
    """

    def __init__(self, contacts: Iterable[Contact], usable: Container[Identifier], manual: Iterable[Judgement]) -> None:
        self._group_of = {contact.key: Group(contact, usable) for contact in contacts}
        known = [item for item in manual if item.left in self._group_of and item.right in self._group_of]
        for item in known:
            if item.verdict is Verdict.DIFFERENT:
                self._group_of[item.left].parted.add(item.right)
                self._group_of[item.right].parted.add(item.left)
        for item in known:
            if item.verdict is Verdict.SAME:
                self.unite(item.left, item.right)

    def are_one(self, left: ContactKey, right: ContactKey) -> bool:
        """Whether the two are in one group already."""
        return self._group_of[left] is self._group_of[right]

    def contradiction(self, left: ContactKey, right: ContactKey) -> str:
        """Why the groups of the two cannot be one person; "" when nothing speaks against it."""
        return self._group_of[left].contradicts(self._group_of[right])

    def may_be_namesakes(self, left: ContactKey, right: ContactKey) -> bool:
        """Whether the groups of the two, of one name and home, may be two generations all the same."""
        return self._group_of[left].may_be_namesake(self._group_of[right])

    def representative(self, key: ContactKey) -> ContactKey:
        """The smallest key of the contact's group."""
        return min(self._group_of[key].keys)

    def unite(self, left: ContactKey, right: ContactKey) -> None:
        """Make the groups of the two one group."""
        small, large = sorted((self._group_of[left], self._group_of[right]), key=lambda group: len(group.keys))
        if small is large:
            return
        large.absorb(small)
        for key in small.keys:
            self._group_of[key] = large

    def groups(self) -> tuple[tuple[ContactKey, ...], ...]:
        """All groups, each sorted, in the order of their smallest keys."""
        distinct = {id(group): group for group in self._group_of.values()}
        return tuple(sorted(tuple(sorted(group.keys)) for group in distinct.values()))


def _accounts(contact: Contact) -> set[tuple[str, str]]:
    boxes = _values(contact, IdentifierKind.MAILBOX) if contact.key.kind is ContactKind.ACCOUNT else ()
    return {(contact.key.store_id, box) for box in boxes}


def _values(contact: Contact, kind: IdentifierKind) -> set[str]:
    return {item.value for item in contact.identifiers if item.kind is kind}


def _all_fit(left: set[Name], right: set[Name]) -> bool:
    return all(fits(one, other) for one, other in product(left, right) if one != other)
