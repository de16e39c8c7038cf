"""What must hold of identity for any records in any order."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from syncd.identity import FirstResolver
from syncd.identity.names import fits, fits_closely, fits_fully, parse_name
from syncd.identity.normalise import mailbox, phone
from syncd.identity.places import place
from syncd.model import Address, Contact, ContactKey, ContactKind, IdentityCase, Judgement, Resolution, Verdict
from tests.unit.identity.makers import identifier

FORENAMES = [
    "Ann",
    "Anna",
    "A.",
    "Bob",
    "Robert",
    "Rob",
    "Юлия",
    "Julia",
    "Alex",
    "Alexandra",
    "Alexander",
    "",
    "Customer",
]
SURNAMES = ["Lee", "Miller", "Lee, Jr", "Lee Sr", "Müller", "Ann", "", "Петрова"]
HOME, AWAY = "DE 80331 12 haup", "DE 10115 3 mill"
VALUES = ["a@x.example", "b@x.example", "c@x.example", "+4930901820", "+4930901821", "eu:1", "eu:2", HOME, AWAY]

keys = st.builds(
    ContactKey,
    store_id=st.sampled_from(["eu", "us"]),
    kind=st.sampled_from(ContactKind),
    external_id=st.sampled_from("123456789"),
)
contacts = st.lists(
    st.builds(
        Contact,
        key=keys,
        identifiers=st.lists(st.sampled_from(VALUES).map(identifier), max_size=3, unique=True).map(tuple),
        first_name=st.sampled_from(FORENAMES),
        last_name=st.sampled_from(SURNAMES),
    ),
    max_size=14,
    unique_by=lambda contact: contact.key,
)
typed = st.one_of(
    st.text(max_size=40),
    st.from_regex(r"[A-Za-z.+\-]{1,8}@{1,2}(gmail|Yahoo|googlemail|shop)\.(com|con|de)", fullmatch=True),
)
dialled = st.one_of(st.text(max_size=20), st.from_regex(r"\+?[0-9 ()\-]{5,18}", fullmatch=True))
names = st.tuples(
    st.one_of(st.sampled_from(FORENAMES), st.text(max_size=12)),
    st.one_of(st.sampled_from(SURNAMES), st.text(max_size=12)),
)


def by_hand(draw: st.DataObject, among: list[Contact]) -> tuple[Judgement, ...]:
    """A few judgements of a person that do not contradict each other: kept apart only."""
    if len(among) < 2:
        return ()
    pair = draw.draw(st.lists(st.sampled_from(among), min_size=2, max_size=2, unique_by=lambda item: item.key))
    left, right = sorted(item.key for item in pair)
    return (Judgement(left=left, right=right, verdict=Verdict.DIFFERENT, rule="manual", score=1.0, origin="manual"),)


def judge(found: list[Contact], manual: tuple[Judgement, ...] = (), max_names: int = 3) -> Resolution:
    return FirstResolver(max_names=max_names).judge(IdentityCase(contacts=tuple(found), manual=manual))


@given(contacts, st.randoms(use_true_random=False))
def test_order_of_arrival_plays_no_part(found: list[Contact], dice: random.Random) -> None:
    """The same contacts in another order make the same judgements, people and shared values."""
    shuffled = list(found)
    dice.shuffle(shuffled)

    assert judge(shuffled) == judge(found)


@given(contacts)
def test_people_are_what_the_judgements_join(found: list[Contact]) -> None:
    """The groups are exactly the components of the `same` judgements, and hold every contact once."""
    resolution = judge(found)

    joined = components(found, [item for item in resolution.judgements if item.verdict is Verdict.SAME])
    assert set(resolution.groups) == joined
    assert sum(map(len, resolution.groups)) == len(found)


@given(contacts)
def test_every_automatic_join_has_evidence(found: list[Contact]) -> None:
    """A judgement names at least one value that both contacts carry, and runs from the smaller key to the larger."""
    holders = {contact.key: set(contact.identifiers) for contact in found}

    for item in judge(found).judgements:
        assert item.left < item.right
        if item.verdict is Verdict.SAME:
            assert item.evidence
            assert set(item.evidence) <= holders[item.left] & holders[item.right]


@given(contacts, st.data())
def test_what_a_person_parted_stays_parted(found: list[Contact], data: st.DataObject) -> None:
    """No chain of other records brings two contacts together that were kept apart by hand."""
    manual = by_hand(data, found)

    groups = judge(found, manual).groups

    for item in manual:
        assert not any(item.left in group and item.right in group for group in groups)


@given(contacts)
def test_repeats_change_nothing(found: list[Contact]) -> None:
    """The same case judged again gives the same answer; what was learned to be shared then joins nobody."""
    once = judge(found)

    assert judge(found) == once
    again = FirstResolver(max_names=3).judge(IdentityCase(contacts=tuple(found), shared=once.shared))
    assert again.groups == once.groups


@given(typed)
def test_a_normalised_mailbox_is_its_own_form(text: str) -> None:
    """Normalising twice is normalising once."""
    once = mailbox(text)

    assert once is None or mailbox(once) == once


@given(dialled, st.sampled_from(["US", "DE", "IT", "GB", ""]))
def test_a_normalised_phone_is_its_own_form(text: str, region: str) -> None:
    """Normalising twice is normalising once, whatever the region."""
    once = phone(text, region)

    assert once is None or phone(once, "FR") == once


@given(st.text(max_size=12), st.text(max_size=30), st.sampled_from(["US", "DE", ""]))
def test_a_place_holds_a_postcode_and_a_street(postcode: str, line: str, region: str) -> None:
    """Whatever is typed, a short form has all its parts, or there is none."""
    found = place(Address(kind="billing", line1=line, postcode=postcode), region)

    assert found is None or len(found.split()) == 3 + bool(region)


@given(names, names)
def test_fitting_is_mutual(one: tuple[str, str], other: tuple[str, str]) -> None:
    """If one name fits another, the other fits it; every name fits itself and the empty one."""
    left, right = parse_name(*one), parse_name(*other)

    assert fits(left, right) == fits(right, left)
    assert fits_closely(left, right) == fits_closely(right, left)
    assert fits_fully(left, right) == fits_fully(right, left)
    assert fits_closely(left, right) or not fits_fully(left, right)
    assert fits(left, right) or not fits_closely(left, right)
    assert fits_closely(left, left)
    assert fits_closely(left, parse_name("", ""))


def components(found: list[Contact], edges: list[Judgement]) -> set[tuple[ContactKey, ...]]:
    group = {contact.key: {contact.key} for contact in found}
    for edge in edges:
        union = group[edge.left] | group[edge.right]
        for key in union:
            group[key] = union
    return {tuple(sorted(members)) for members in group.values()}
