"""Which names can be one person's."""

from __future__ import annotations

import pytest

from syncd.identity.names import fits, fits_closely, parse_name

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
