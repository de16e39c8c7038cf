"""Invented people who shop on several stores under different spellings; who they are is known.

A seed makes the same people every time. A `Person` is the truth, a `Face` is how one of them shows up once.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from anyascii import anyascii

from syncd.sandbox.names import CULTURES, DOMAINS, LONG_STREETS, STREETS, Culture

PEOPLE_PER_STORE = 560
_SECOND_STORE_SHARE = 0.35
_FURTHER_STORE_SHARE = 0.25
_HOUSEHOLD_SHARE = 0.10
_WIDE_HOUSEHOLD_SHARE = 0.28
_SHARED_NUMBER = 0.5
_SHARED_MAILBOX = 0.25
_SENIOR_SHARE = 0.02  # of people where families write it
_SENIOR, _JUNIOR = "Sr", "Jr"
_SUFFIX_COUNTRIES = ("US", "GB")
_MOVED_SHARE = 0.15
_OLD_ADDRESS_SHARE = 0.3
# Forms of one name: a household with both would be two people whom nobody could tell apart.
_ALIKE = (frozenset({"Hans", "Johannes"}), frozenset({"Käthe", "Katharina"}))


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where somebody lives."""

    street: str
    city: str
    state: str
    postcode: str
    country: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """One invented person.

    Args:
        mailboxes: Their own or their household's, most used first.
        number: National telephone number without the trunk 0.
        stores: Where they shop.
        suffix: What tells them from a namesake of their family, Jr or Sr.
        former_address: Where they lived before, if they moved while they shopped.
    """

    person_id: str
    culture: Culture
    first_name: str
    last_name: str
    mailboxes: tuple[str, ...]
    number: str
    address: Address
    stores: frozenset[str]
    suffix: str = ""
    former_address: Address | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Face:
    """How a person shows up once: names, mailbox and telephone as typed."""

    person_id: str
    first_name: str
    last_name: str
    email: str
    phone: str
    address: Address


@dataclass(frozen=True, kw_only=True, slots=True)
class Population:
    """Everybody there is."""

    seed: int
    scale: float
    people: tuple[Person, ...]

    def shoppers(self, store: str) -> list[Person]:
        """Who shops on a store, in a fixed order."""
        return [person for person in self.people if store in person.stores]


def populate(seed: int, *, stores: Sequence[str], scale: float = 1.0) -> Population:
    """The people who shop on some stores.

    Args:
        scale: 1 gives every store about 560 people.
    """
    rng = random.Random(f"people:{seed}")
    count = max(1, round(PEOPLE_PER_STORE * scale * len(stores) / _stores_a_head(len(stores))))
    people: list[Person] = []
    household: list[Person] = []
    for number in range(1, count + 1):
        if household and household[-1].suffix == _SENIOR:
            household.append(_junior(rng, number, household[-1]))
        elif household and rng.random() < _household_share(household[-1]):
            household.append(_relative(rng, number, household))
        else:
            household = [_person(rng, number, stores)]
        people.append(household[-1])
    return Population(seed=seed, scale=scale, people=tuple(people))


def _stores_a_head(count: int) -> float:
    """On how many of some stores a person shops on average."""
    shares = [_SECOND_STORE_SHARE * _FURTHER_STORE_SHARE**step for step in range(count - 1)]
    return 1 + sum(shares)


def _household_share(person: Person) -> float:
    """Families that shop on several stores are the hard case: there are more of them than chance would make."""
    return _WIDE_HOUSEHOLD_SHARE if len(person.stores) > 1 else _HOUSEHOLD_SHARE


def _person(rng: random.Random, number: int, stores: Sequence[str]) -> Person:
    culture = rng.choices(CULTURES, weights=[culture.weight for culture in CULTURES])[0]
    first, last = rng.choice(list(culture.firsts)), rng.choice(list(culture.lasts))
    return Person(
        person_id=f"P{number:06d}",
        culture=culture,
        first_name=first,
        last_name=last,
        mailboxes=_mailboxes(rng, first, last, number),
        number=_number(rng, culture),
        address=_address(rng, culture, 2 * number),
        stores=_stores(rng, stores),
        suffix=_SENIOR if culture.country in _SUFFIX_COUNTRIES and rng.random() < _SENIOR_SHARE else "",
        former_address=_address(rng, culture, 2 * number + 1) if rng.random() < _MOVED_SHARE else None,
    )


def _relative(rng: random.Random, number: int, household: Sequence[Person]) -> Person:
    """Somebody else of a household: one address and surname, often one telephone or mailbox."""
    person, culture = household[-1], household[-1].culture
    known = [each.first_name for each in household]
    first = rng.choice([name for name in culture.firsts if not any(_are_alike(name, other) for other in known)])
    mailboxes = _mailboxes(rng, first, person.last_name, number)
    return replace(
        person,
        person_id=f"P{number:06d}",
        first_name=first,
        mailboxes=(person.mailboxes[0], mailboxes[1]) if rng.random() < _SHARED_MAILBOX else mailboxes,
        number=person.number if rng.random() < _SHARED_NUMBER else _number(rng, culture),
        suffix="",
    )


def _junior(rng: random.Random, number: int, father: Person) -> Person:
    """A son of his father's name, at home with him."""
    return replace(
        father,
        person_id=f"P{number:06d}",
        mailboxes=_mailboxes(rng, father.first_name, father.last_name, number),
        number=father.number if rng.random() < _SHARED_NUMBER else _number(rng, father.culture),
        suffix=_JUNIOR,
    )


def _are_alike(name: str, other: str) -> bool:
    return name[0] == other[0] or any(name in forms and other in forms for forms in _ALIKE)


def _number(rng: random.Random, culture: Culture) -> str:
    return rng.choice(culture.prefixes) + "".join(rng.choices("0123456789", k=culture.digits))


def _mailboxes(rng: random.Random, first: str, last: str, number: int) -> tuple[str, ...]:
    given, family = (anyascii(part).lower().replace(" ", "").replace("'", "") for part in (first, last))
    family = family.replace(".", "")
    local = rng.choice([f"{given}.{family}{number}", f"{given[0]}{family}{number}", f"{family}.{number}"])
    second = f"{given}{rng.randrange(1950, 2006)}.{number}@{rng.choice(DOMAINS)}"
    return (f"{local}@{rng.choice(DOMAINS)}", second)


def _address(rng: random.Random, culture: Culture, number: int) -> Address:
    """A home that is nobody else's: strangers of one name do not live in one house."""
    city, state, postcode = rng.choice(culture.places)
    street = f"{number // len(STREETS) + 1} {STREETS[number % len(STREETS)]}"
    return Address(street=street, city=city, state=state, postcode=postcode, country=culture.country)


def _stores(rng: random.Random, stores: Sequence[str]) -> frozenset[str]:
    """One store, often a second, seldom more."""
    chosen = rng.sample(list(stores), k=len(stores))
    count, share = 1, _SECOND_STORE_SHARE
    while count < len(stores) and rng.random() < share:
        count, share = count + 1, _FURTHER_STORE_SHARE
    return frozenset(chosen[:count])


def appear(person: Person, rng: random.Random) -> Face:
    """One way in which a person shows up."""
    return Face(
        person_id=person.person_id,
        first_name=_spelled(rng, person.first_name, person.culture.firsts[person.first_name]),
        last_name=_typed_surname(rng, person),
        email=_typed_mailbox(rng, person),
        phone=_typed_phone(rng, person) if rng.random() < 0.78 else "",
        address=_typed_address(rng, person),
    )


def dialled(person: Person) -> str:
    """A person's telephone number as it is written the world over."""
    return f"+{person.culture.dial}{person.number}"


def _spelled(rng: random.Random, name: str, others: Sequence[str]) -> str:
    if others and rng.random() < 0.2:
        name = rng.choice(others)
    habit = rng.random()
    return name.upper() if habit < 0.04 else name.lower() if habit < 0.07 else name


def _typed_surname(rng: random.Random, person: Person) -> str:
    surname = _spelled(rng, person.last_name, person.culture.lasts.get(person.last_name, ()))
    return f"{surname} {person.suffix}".rstrip()


def _typed_address(rng: random.Random, person: Person) -> Address:
    is_old = rng.random() < _OLD_ADDRESS_SHARE
    home = (person.former_address if is_old else None) or person.address
    habit = rng.random()
    street = _in_full(home.street) if habit < 0.2 else home.street.upper() if habit < 0.25 else home.street
    return replace(home, street=street)


def _in_full(street: str) -> str:
    name, _, sort = street.rpartition(" ")
    return f"{name} {LONG_STREETS.get(sort, sort)}"


def _typed_mailbox(rng: random.Random, person: Person) -> str:
    mailbox = person.mailboxes[0] if rng.random() < 0.9 else person.mailboxes[1]
    habit = rng.random()
    if habit < 0.05:
        local, domain = mailbox.split("@")
        return f"{local}+shop@{domain}"
    if habit < 0.13:
        return mailbox.upper() if habit < 0.08 else mailbox.capitalize()
    return mailbox


_PHONE_HABITS: tuple[Callable[[Culture, str], str], ...] = (
    lambda culture, number: f"+{culture.dial}{number}",
    lambda culture, number: f"+{culture.dial} {number[:3]} {number[3:6]} {number[6:]}",
    lambda culture, number: f"00{culture.dial} {number}" if culture.country != "US" else f"1-{_dashed(number)}",
    lambda culture, number: f"{culture.trunk}{number}",
    lambda culture, number: f"({number[:3]}) {number[3:6]}-{number[6:]}" if culture.country == "US" else
    f"{culture.trunk}{number[:3]} {number[3:]}",
    lambda culture, number: _dashed(culture.trunk + number) if culture.country != "US" else _dashed(number, "."),
)  # fmt: skip


def _dashed(number: str, mark: str = "-") -> str:
    return mark.join((number[:3], number[3:6], number[6:]))


def _typed_phone(rng: random.Random, person: Person) -> str:
    return rng.choice(_PHONE_HABITS)(person.culture, person.number)
