"""Whether a value fits a fact or a function's argument, and its typed form if it does.

Amounts are in the currency's main unit as Decimal, times aware UTC, counts and days whole numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from syncd.condition import Value
from syncd.segments.facts import Argument, Fact, Kind
from syncd.segments.faults import suggestion

# Amounts in minor units, and counts, must fit the database's 64-bit integers with room for sums.
_LARGEST = Decimal(10) ** 12
_MOST_DAYS = 36_500


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """Why a value does not fit; `reason` goes on from the fact's name."""

    reason: str


def number(text: str) -> Decimal | Refused:
    """The number that a text of digits stands for."""
    if not re.fullmatch(r"\d{1,30}(\.\d{1,30})?|\.\d{1,30}", text):
        return Refused(reason=f"cannot use {text!r}: write a plain number, such as 500 or 10.5")
    return Decimal(text)


def fact_value(fact: Fact, value: Value | Refused) -> Value | Refused:
    """The value to compare a fact with, in the fact's own type; what is refused already stays so."""
    if isinstance(value, Refused):
        return value
    if value is None:
        return Refused(reason="cannot be compared with null: use is null")
    return _READERS[fact.kind](fact, value)


def argument_value(argument: Argument, value: Value | Refused) -> Value | Refused:
    """A function's argument in its own type; what is refused already stays so."""
    if isinstance(value, Refused):
        return value
    if argument is Argument.DAYS:
        return _whole_days(value)
    if not isinstance(value, str) or not value.strip():
        return Refused(reason="needs a text in single quotes")
    if argument is Argument.CURRENCY:
        code = value.upper()
        return code if re.fullmatch("[A-Z]{3}", code) else Refused(reason="needs a currency code, such as 'EUR'")
    return value


def _whole_days(value: Value) -> Value | Refused:
    if isinstance(value, Decimal) and value == int(value) and 1 <= value <= _MOST_DAYS:
        return int(value)
    return Refused(reason=f"needs a whole number of days from 1 to {_MOST_DAYS}")


def _amount(fact: Fact, value: Value) -> Value | Refused:
    if not isinstance(value, Decimal):
        return Refused(reason=f"is an amount {fact.unit}: compare it with a number, not with {_told(value)}")
    return value if abs(value) <= _LARGEST else Refused(reason="cannot be that large")


def _whole(fact: Fact, value: Value) -> Value | Refused:
    if not isinstance(value, Decimal):
        return Refused(reason=f"is a number of {fact.unit}: compare it with a number, not with {_told(value)}")
    if abs(value) > _LARGEST:
        return Refused(reason="cannot be that large")
    return int(value) if value == int(value) else Refused(reason=f"is a whole number of {fact.unit}")


def _time(fact: Fact, value: Value) -> Value | Refused:
    wrong = Refused(reason="is a time: compare it with one in UTC, such as '2026-01-31' or '2026-01-31 14:00'")
    if not isinstance(value, str):
        return wrong
    try:
        parsed = datetime.fromisoformat(value)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return wrong


def _text(fact: Fact, value: Value) -> Value | Refused:
    if not isinstance(value, str):
        return Refused(reason=f"is a text: compare it with one in single quotes, not with {_told(value)}")
    if fact.choices and value not in fact.choices:
        return Refused(reason=f"is never {value!r}; {suggestion(value, fact.choices)}")
    return value


def _flag(fact: Fact, value: Value) -> Value | Refused:
    return value if isinstance(value, bool) else Refused(reason=f"is true or false, never {_told(value)}")


def _told(value: Value) -> str:
    return f"the text {value!r}" if isinstance(value, str) else str(value).lower()


_READERS: dict[Kind, Callable[[Fact, Value], Value | Refused]] = {
    Kind.COUNT: _whole,
    Kind.DAYS: _whole,
    Kind.MONEY: _amount,
    Kind.TIME: _time,
    Kind.TEXT: _text,
    Kind.FLAG: _flag,
}
