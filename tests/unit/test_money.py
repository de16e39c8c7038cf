"""Minor units to and from decimal text."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd import money

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD", "CLF", "", "XYZ"])


@pytest.mark.parametrize(("currency", "digits"), [("EUR", 2), ("jpy", 0), ("KWD", 3), ("CLF", 4), ("", 2), ("HUF", 2)])
def test_exponent(currency: str, digits: int) -> None:
    """A currency has the decimals that ISO 4217 gives it, in any case of letters."""
    assert money.exponent(currency) == digits


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("10.5", "EUR", (1050, False)),
        ("817.73", "JPY", (818, True)),
        ("0.125", "EUR", (12, True)),
        ("0.135", "EUR", (14, True)),
        ("-3.99", "EUR", (-399, False)),
        ("1.0000", "EUR", (100, False)),
        ("1.5", "KWD", (1500, False)),
        (Decimal("0"), "EUR", (0, False)),
    ],
)
def test_to_minor_rounds_half_even_and_tells(amount: Decimal | str, currency: str, expected: tuple[int, bool]) -> None:
    """Only amounts with more decimals than the currency has are rounded, to even, and reported as rounded."""
    assert money.to_minor(amount, currency) == expected


@pytest.mark.parametrize("amount", ["", "abc", "NaN", "Infinity", "1e400", "1e999999999", "9e18", "1,50"])
def test_to_minor_refuses(amount: str) -> None:
    """What is not a finite number that the database can hold is a ValueError."""
    with pytest.raises(ValueError, match="amount is"):
        money.to_minor(amount, "EUR")


@given(minor=st.integers(-(2**62), 2**62), currency=CURRENCIES)
def test_text_and_back(minor: int, currency: str) -> None:
    """Decimal text read back gives the same minor units, unrounded."""
    assert money.to_minor(money.to_text(minor, currency), currency) == (minor, False)


def test_to_text() -> None:
    """Text has exactly the currency's decimals."""
    texts = [money.to_text(*pair) for pair in [(-1230, "EUR"), (5, "EUR"), (818, "JPY"), (-5, "KWD")]]

    assert texts == ["-12.30", "0.05", "818", "-0.005"]


@pytest.mark.parametrize(
    ("minor", "source", "target", "rate", "expected"),
    [
        (1000, "USD", "EUR", "0.92", 920),
        (1000, "JPY", "EUR", "0.00615", 615),
        (250, "EUR", "KWD", "0.33", 825),
        (150, "EUR", "JPY", "1", 2),
        (5, "USD", "EUR", "0.5", 2),
        (999999, "EUR", "EUR", "1", 999999),
    ],
)
def test_convert(minor: int, source: str, target: str, rate: str, expected: int) -> None:
    """A rate is applied to whole units and the result is rounded half-even to the target's minor units."""
    assert money.convert(minor, source, target, Decimal(rate)) == expected


def test_convert_without_rate() -> None:
    """Without a rate there is no converted amount, not a wrong one."""
    assert money.convert(100, "USD", "EUR", None) is None
