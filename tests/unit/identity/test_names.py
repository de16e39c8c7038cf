"""Which names can be one person's."""

from __future__ import annotations

from itertools import permutations

import pytest

from syncd.identity.names import fits, fits_closely, fits_fully, parse_name

Typed = tuple[str, str]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Ann", "Lee"), ("ANN", "LEE")),
        (("Юлия", "Петрова"), ("Yuliya", "Petrova")),
        (("Iuliia", "Petrova"), ("Julia", "Petrova")),
        (("Jürgen", "Müller"), ("Juergen", "Mueller")),
        (("Bob", "Stone"), ("Robert", "Stone")),
        (("Robert", "Stone"), ("Bob", "Stone")),
        (("B.", "Stone"), ("Bob", "Stone")),
        (("Shaun", "Stone"), ("Shun", "Stone")),
        (("Stone", "Ann"), ("Ann", "Stone")),
        (("Stone", "Donald"), ("Don", "Stone")),
        (("Ann Stone", ""), ("Ann", "Stone")),
        (("", "Ann Stone"), ("Ann", "Stone")),
        (("Stone", ""), ("Ann", "Stone")),
        (("Dr. Ann", "Stone"), ("Ann", "Stone")),
        (("Ann M.", "Stone"), ("Ann", "Stone")),
        (("Ann", "O'Brien"), ("Ann", "OBrien")),
        (("Ann", "Stone-Jennings"), ("Ann", "Stone")),
        (("John", "Stone, Jr"), ("John", "Stone")),
        (("", ""), ("Ann", "Stone")),
        (("Walk-in", "Customer"), ("Ann", "Stone")),
        (("POS", "SALE"), ("Ann", "Stone")),
        (("N/A", "N/A"), ("Ann", "Stone")),
    ],
)
def test_one_persons_names_fit(one: Typed, other: Typed) -> None:
    """Spelling, alphabet, order, short forms and gaps contradict nothing, in either direction."""
    left, right = parse_name(*one), parse_name(*other)

    assert fits_closely(left, right)
    assert fits_closely(right, left)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Ann", "Lee"), ("Bert", "Lee")),
        (("Daniel", "Lee"), ("Daniela", "Lee")),
        (("Mario", "Lee"), ("Maria", "Lee")),
        (("John", "Lee"), ("Joan", "Lee")),
        (("A.", "Lee"), ("Bert", "Lee")),
        (("John", "Lee Jr"), ("John", "Lee Sr")),
        (("John", "Lee II"), ("John", "Lee III")),
        (("Mr John", "Lee"), ("Mrs Jane", "Lee")),
    ],
)
def test_two_peoples_names_do_not_fit(one: Typed, other: Typed) -> None:
    """Another forename or another generation contradicts, however alike it looks."""
    left, right = parse_name(*one), parse_name(*other)

    assert not fits(left, right)
    assert not fits(right, left)


def test_another_surname_contradicts_only_a_close_fit() -> None:
    """People marry: a mailbox goes with them, a phone may belong to the household."""
    maiden, married = parse_name("Ann", "Lee"), parse_name("Ann", "Miller")

    assert fits(maiden, married)
    assert not fits_closely(maiden, married)


FORMS = [
    "Katherine Katie Kate Kathy", "James Jamie Jim", "Deborah Deb", "Patricia Trish Pat", "Elisabeth Lisa Elli",
    "Sebastian Basti", "Friederike Rieke", "Katharina Katja Kathi", "Zbigniew Zbyszek", "Grzegorz Grzesiek",
    "Joanna Asia", "Agnieszka Aga", "Małgorzata Gosia", "Дмитрий Дима Dmitri", "Александр Саша", "Francisco Paco",
    "Giuseppe Beppe", "Frédéric Fred", "Wolfgang Wolf",
]  # fmt: skip
FAMILIES = [
    "Maria Mario Mariusz", "Daniel Daniela", "Christian Christina", "Jan Jana", "Anna Hanna Joanna", "Anne Anna",
    "Luca Lucy Lukas", "Denise Dennis", "Emil Emilia Emily", "Robert William", "Andreas Andrea", "Julia Julian",
    "Carlo Carol Carla", "Louis Luisa",
]  # fmt: skip


@pytest.mark.parametrize("forms", FORMS)
def test_short_forms_are_one_persons(forms: str) -> None:
    """What a person is called at home and what stands in the passport fit, in every pair and direction."""
    names = [parse_name(form, "Miller") for form in forms.split()]

    assert all(fits(one, other) for one, other in permutations(names, 2))


@pytest.mark.parametrize("family", FAMILIES)
def test_similar_names_in_a_family_are_two_peoples(family: str) -> None:
    """Names that differ by an ending, or that lists of short forms mix up, do not fit."""
    names = [parse_name(forename, "Miller") for forename in family.split()]

    assert not any(fits(one, other) for one, other in permutations(names, 2))


def test_a_stem_fits_only_with_the_surname() -> None:
    """An ending of endearment that no list knows is believed within one family's name, and not on a phone."""
    one, other = parse_name("Friederike", "Miller"), parse_name("Friedchen", "Miller")

    assert fits(one, other)
    assert not fits(one, parse_name("Friedchen", "Stone"))
    assert not fits_closely(one, other)


@pytest.mark.parametrize(
    ("one", "other", "is_full"),
    [
        (("Katie", "Lee"), ("Katherine", "LEE"), True),
        (("Lee", "Ann"), ("Ann", "Lee"), True),
        (("John", "Lee Jr"), ("John", "Lee jr."), True),
        (("John", "Lee Jr"), ("John", "Lee"), False),
        (("J.", "Lee"), ("John", "Lee"), False),
        (("", "Lee"), ("John", "Lee"), False),
        (("", ""), ("", ""), False),
        (("Shaun", "Stone"), ("Shun", "Stone"), False),
        (("Ann", "Lee"), ("Ann", "Miller"), False),
    ],
)
def test_a_full_fit_leaves_nothing_open(one: Typed, other: Typed, is_full: bool) -> None:
    """Initials, gaps, slips, another surname and a suffix on one side only are not enough."""
    assert fits_fully(parse_name(*one), parse_name(*other)) is is_full
    assert fits_fully(parse_name(*other), parse_name(*one)) is is_full
