"""Who is who: what joins, what keeps apart, what is asked."""

from __future__ import annotations

import random

import pytest

from syncd.identity import FirstResolver
from syncd.identity.names import fits, parse_name
from syncd.model import Contact, ContactKind, IdentityCase, Verdict
from tests.unit.identity.makers import account, by_hand, contact, guest, identifier, judge, key, people

MAIL = "ann@shop.example"
OTHER_MAIL = "lee@other.example"
PHONE = "+4930901820"


def test_a_shared_mailbox_joins_one_persons_records() -> None:
    """Two stores, two spellings, one mailbox: one person, with the evidence named."""
    resolution = judge([account("a", "Юлия Петрова", MAIL), account("b", "Julia Petrova", MAIL, store="us")])

    (judgement,) = resolution.judgements
    assert people(resolution) == {"ab"}
    assert (judgement.verdict, judgement.rule) == (Verdict.SAME, "same mailbox")
    assert judgement.evidence == (identifier(MAIL),)


def test_a_family_on_one_mailbox_or_phone_stays_apart() -> None:
    """Another forename is another person, and no question."""
    for shared in (MAIL, PHONE):
        resolution = judge(
            [guest("a", "Ann Lee", shared), guest("b", "Bert Lee", shared), guest("c", "Ann Lee", shared)]
        )

        assert people(resolution) == {"ac", "b"}
        assert {item.verdict for item in resolution.judgements} == {Verdict.SAME}


def test_a_mailbox_outlives_a_surname_and_a_phone_does_not() -> None:
    """The same forename under another surname joins by mailbox; by phone it is a question."""
    assert people(judge([guest("a", "Ann Lee", MAIL), guest("b", "Ann Miller", MAIL)])) == {"ab"}

    by_phone = judge([guest("a", "Ann Lee", PHONE), guest("b", "Ann Miller", PHONE)])

    assert people(by_phone) == {"a", "b"}
    assert [item.verdict for item in by_phone.judgements] == [Verdict.UNSURE]


def test_father_and_son_of_one_name_stay_apart() -> None:
    """Jr and Sr contradict, and a record without either joins neither."""
    family = [guest("a", "John Lee, Jr", MAIL), guest("b", "John Lee, Sr", MAIL), guest("c", "John Lee", MAIL)]

    assert people(judge(family)) == {"a", "b", "c"}


def test_a_nameless_record_joins_only_where_one_person_is() -> None:
    """Without a name, a family's mailbox says nothing of whose record it is."""
    assert people(judge([guest("a", "Ann Lee", MAIL), guest("b", "", MAIL)])) == {"ab"}
    assert people(judge([guest("a", "Ann Lee", MAIL), guest("b", "", MAIL), guest("c", "Bert Lee", MAIL)])) == {
        "a",
        "b",
        "c",
    }


def test_an_initial_joins_only_where_it_fits_one_person() -> None:
    """A. is Ann while there is no Amy."""
    assert people(judge([guest("a", "Ann Lee", MAIL), guest("b", "A. Lee", MAIL)])) == {"ab"}
    assert people(judge([guest("a", "Ann Lee", MAIL), guest("b", "A. Lee", MAIL), guest("c", "Amy Lee", MAIL)])) == {
        "a",
        "b",
        "c",
    }


def test_a_nameless_mailbox_is_not_joined_by_a_phone() -> None:
    """Another member of the household may have typed the family's phone."""
    assert people(judge([guest("a", "Ann Lee", MAIL, PHONE), guest("b", "", OTHER_MAIL, PHONE)])) == {"a", "b"}
    assert people(judge([guest("a", "Ann Lee", MAIL, PHONE), guest("b", "", PHONE)])) == {"ab"}


def test_a_value_with_too_many_names_belongs_to_nobody() -> None:
    """The shop's own mailbox is learned, and joins nobody, not even equal names."""
    names = ["Ann Lee", "Bert Lee", "Carl Lee", "Dora Lee", "Emil Lee", "Fred Lee", "Gert Lee", "Ann Lee"]
    resolution = judge([guest(letter, name, MAIL) for letter, name in zip("abcdefgh", names, strict=True)])

    assert resolution.shared == {identifier(MAIL)}
    assert resolution.judgements == ()


def test_one_name_on_many_records_is_not_many_names() -> None:
    """A loyal customer's mailbox stays evidence however often it is used."""
    resolution = judge([guest(letter, "Ann Lee", MAIL) for letter in "abcdefghijkl"])

    assert people(resolution) == {"abcdefghijkl"}
    assert len(resolution.judgements) == 11


def test_shared_and_blocked_values_are_no_evidence() -> None:
    """What is known to be many people's, or is blocked by hand or by domain, joins nobody."""
    pair = (guest("a", "Ann Lee", MAIL), guest("b", "Ann Lee", MAIL))
    known = FirstResolver().judge(IdentityCase(contacts=pair, shared=frozenset({identifier(MAIL)})))

    assert people(known) == {"a", "b"}
    for blocked in ("Ann@Shop.example", "@shop.example"):
        assert people(judge(pair, resolver=FirstResolver(blocked=[blocked]))) == {"a", "b"}


def test_an_order_joins_what_it_was_and_what_it_became() -> None:
    """A draft that was finished under another name is still one checkout."""
    draft = contact(key("a", kind=ContactKind.CART), "Bert Miller", "eu:7")

    assert people(judge([draft, guest("b", "Ann Lee", "eu:7")])) == {"ab"}


def test_the_whole_profile_is_looked_at_before_a_union() -> None:
    """A nameless record that links two people by mailbox and phone makes them no one, and somebody is asked."""
    contacts = [guest("a", "Ann Lee", MAIL), guest("b", "", MAIL, PHONE), guest("c", "Bert Miller", PHONE)]
    bridge = [
        guest("d", "A. Lee", OTHER_MAIL),
        guest("e", "Amy Lee", OTHER_MAIL),
        guest("a", "A. Lee", OTHER_MAIL, PHONE),
    ]
    resolution = judge([guest("a", "Ann Lee", MAIL), guest("b", "A. Lee", MAIL, PHONE), guest("c", "Amy Lee", PHONE)])

    assert people(judge(contacts)) == {"ab", "c"}
    assert people(judge(bridge)) == {"ade"}
    assert people(resolution) == {"ab", "c"}
    assert [item.verdict for item in resolution.judgements] == [Verdict.SAME, Verdict.UNSURE]


def test_two_accounts_of_one_store_need_two_shared_values() -> None:
    """The platform knows two accounts there: a phone alone is a question, across stores it is enough."""
    one = account("a", "Ann Lee", MAIL, PHONE)

    here = judge([one, account("b", "Ann Lee", OTHER_MAIL, PHONE)])
    there = judge([one, account("b", "Ann Lee", OTHER_MAIL, PHONE, store="us")])
    proven = judge([one, account("b", "Ann Lee", OTHER_MAIL, PHONE), guest("c", "Ann Lee", OTHER_MAIL, PHONE, MAIL)])

    assert (people(here), here.judgements[0].verdict) == ({"a", "b"}, Verdict.UNSURE)
    assert people(there) == {"ab"}
    assert people(proven) == {"abc"}


def test_two_accounts_of_one_store_and_mailbox_are_one_person() -> None:
    """Some platforms allow a second account under the same mailbox with dots or tags."""
    assert people(judge([account("a", "Ann Lee", MAIL), account("b", "Ann Lee", MAIL)])) == {"ab"}


def test_a_person_who_keeps_apart_is_obeyed() -> None:
    """Kept apart by hand, two records stay apart through every third record, and nobody is asked again."""
    one, two, three = guest("a", "Ann Lee", MAIL), guest("b", "Ann Lee", MAIL), guest("c", "Ann Lee", MAIL)

    resolution = judge([one, two, three], by_hand(one, two, Verdict.DIFFERENT))

    assert people(resolution) == {"ac", "b"}
    assert {item.verdict for item in resolution.judgements} == {Verdict.SAME}


def test_a_person_who_joins_is_obeyed() -> None:
    """Joined by hand, two records are one whatever their names and values; the judgement itself is not repeated."""
    one, two = guest("a", "Ann Lee", MAIL), guest("b", "Bert Miller", PHONE)

    resolution = judge([one, two], by_hand(one, two, Verdict.SAME))

    assert people(resolution) == {"ab"}
    assert resolution.judgements == ()


def test_questions_do_not_flood() -> None:
    """A switchboard's phone asks a few questions, not one per pair."""
    surnames = ["Lee", "Miller", "Stone", "Wood", "Hill", "Brook", "Field", "Marsh", "Frost", "Kling"]
    callers = [guest(letter, f"Ann {name}", PHONE) for letter, name in zip("abcdefghij", surnames, strict=True)]

    resolution = judge(callers)

    assert len(resolution.judgements) <= 15
    assert len(resolution.groups) == 10


def test_invented_town_is_resolved_precisely() -> None:
    """300 people on several stores under several spellings, 30 shared household values: no wrong pair, few missed."""
    dice = random.Random(7)
    contacts, truth = town(dice)

    groups = judge(contacts).groups

    found = {pair for group in groups for pair in pairs(group)}
    true = {pair for person in truth for pair in pairs(person)}
    assert found <= true
    assert len(found) >= 0.9 * len(true)


def town(dice: random.Random) -> tuple[list[Contact], list[list[object]]]:
    forenames = [("Robert", "Bob"), ("Юлия", "Julia"), ("Jürgen", "Juergen"), ("William", "Bill"), ("Anna", "ANNA")]
    surnames = ["Stone", "Müller", "Петров", "Lee", "O'Brien", "Baker", "Kowalski", "Rossi", "Dupont", "Fischer"]
    contacts: list[Contact] = []
    truth: list[list[object]] = []
    for number in range(300):
        forename = dice.choice(forenames)
        surname = surnames[number % 10]
        mail, phone = f"person{number}@mail.example", f"+4930{number:06}"
        mine = [
            contact(
                key(f"{number}-{at}", f"store{at}"),
                f"{dice.choice(forename)} {surname}",
                *dice.choice(((mail,), (mail, phone))),
            )
            for at in range(dice.randint(1, 4))
        ]
        contacts += mine
        truth.append([item.key for item in mine])
    for number in range(30):
        home = f"+4940{number:06}" if number % 2 else f"family{number}@mail.example"
        parents = dice.sample(range(5), 2)
        for at, parent in enumerate(parents):
            member = contact(key(f"home{number}-{at}"), f"{forenames[parent][0]} {surnames[number % 10]}", home)
            again = contact(key(f"home{number}-{at}", "us"), f"{forenames[parent][1]} {surnames[number % 10]}", home)
            contacts += [member, again]
            truth.append([member.key, again.key])
    dice.shuffle(contacts)
    return contacts, truth


def pairs(keys: object) -> set[tuple[object, object]]:
    ordered = sorted(keys)  # type: ignore[call-overload]
    return {(one, other) for index, one in enumerate(ordered) for other in ordered[index + 1 :]}


def test_a_fit_is_no_proof() -> None:
    """Equal names without a shared value stay apart."""
    assert fits(parse_name("Ann", "Lee"), parse_name("Ann", "Lee"))
    assert people(judge([guest("a", "Ann Lee", MAIL), guest("b", "Ann Lee", OTHER_MAIL)])) == {"a", "b"}


HOME = "DE 80331 12 haup"


def test_a_full_name_at_one_address_is_one_person() -> None:
    """A new mailbox and no phone: the name and the home are the same."""
    resolution = judge([guest("a", "Katherine Lee", MAIL, HOME, PHONE), guest("b", "Katie Lee", OTHER_MAIL, HOME)])

    assert people(resolution) == {"ab"}
    assert [(item.rule, item.evidence) for item in resolution.judgements] == [
        ("same name and address", (identifier(HOME),))
    ]


@pytest.mark.parametrize("other", ["Bert Lee", "A. Lee", "Lee", "", "Ann Miller", "Anna Lee Jr", "Anni Stone"])
def test_an_address_joins_no_one_whose_full_name_is_another(other: str) -> None:
    """Families share a home; less than the whole name leaves open who of them it is."""
    assert people(judge([guest("a", "Ann Lee", MAIL, HOME), guest("b", other, OTHER_MAIL, HOME)])) == {"a", "b"}


def test_father_and_son_at_one_address_stay_apart() -> None:
    """A suffix on either side, or another phone, makes it a question."""
    father = guest("a", "John Lee", MAIL, PHONE, HOME)
    marked = judge([father, guest("b", "John Lee Jr", OTHER_MAIL, HOME), guest("c", "John Lee Jr", OTHER_MAIL)])
    called = judge([father, guest("b", "John Lee", OTHER_MAIL, "+4930901899", HOME)])

    assert people(marked) == {"a", "bc"}
    assert people(called) == {"a", "b"}
    assert [item.rule for item in called.judgements] == ["same name and address, perhaps of two generations"]


def test_an_address_alone_joins_no_two_accounts_of_one_store() -> None:
    """The platform knows two mailboxes there; with the phone beside the address they are one person's."""
    one, other = account("a", "Ann Lee", MAIL, PHONE, HOME), account("b", "Ann Lee", OTHER_MAIL, HOME)
    called = account("b", "Ann Lee", OTHER_MAIL, PHONE, HOME)

    assert people(judge([one, other])) == {"a", "b"}
    assert people(judge([one, called])) == {"ab"}


def test_a_building_with_many_names_is_nobodys_home() -> None:
    """An office or a dormitory joins nobody, not even equal names."""
    names = ["Ann Lee", "Bert Lee", "Carl Lee", "Dora Lee", "Emil Lee", "Fred Lee", "Gert Lee", "Ann Lee"]

    resolution = judge([guest(letter, name, HOME) for letter, name in zip("abcdefgh", names, strict=True)])

    assert resolution.shared == {identifier(HOME)}
    assert resolution.judgements == ()
