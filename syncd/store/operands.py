"""What a condition's terms are in SQL, by kind of value: how each is compared with a value of the condition.

Values are always bound parameters. Database types stay plain (whole numbers, times, texts), so that both databases
compare alike: amounts are turned into minor units, days into points in time.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Protocol

from sqlalchemy import BigInteger, ColumnElement, Text, and_, false, func, literal, not_, or_, true

from syncd.condition import Value
from syncd.store.tables import UtcDateTime

_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_LARGEST = 2**63 - 1
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)


class Operand(Protocol):
    """A term in SQL."""

    @property
    def column(self) -> ColumnElement[Any]:
        """The term's own value, NULL where it has none."""
        ...

    def compare(self, sign: str, value: Value) -> ColumnElement[bool]:
        """`term sign value`; not true where the term has no value."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Whole:
    """A whole number, `factor` of which are one in the condition (100 cents are 1 euro)."""

    column: ColumnElement[Any]
    factor: int = 1

    def compare(self, sign: str, value: Value) -> ColumnElement[bool]:
        """Compare exactly, also with a value that no whole number equals."""
        exact = _number(value) * self.factor
        if exact != exact.to_integral_value():
            if sign in ("=", "<>"):
                return false() if sign == "=" else self.column.is_not(None)
            exact = exact.to_integral_value(ROUND_CEILING if sign in ("<", ">=") else ROUND_FLOOR)
        limited = max(-_LARGEST, min(_LARGEST, int(exact)))
        return _compared(self.column, sign, literal(limited, BigInteger))


@dataclass(frozen=True, kw_only=True, slots=True)
class Days:
    """Whole days from a time until now; compared as points in time, so the database does no date arithmetic."""

    column: ColumnElement[Any]
    now: datetime

    def compare(self, sign: str, value: Value) -> ColumnElement[bool]:
        """Compare the days gone by."""
        edges = day_edges(sign, value)
        if not edges:
            return false() if sign == "=" else self.column.is_not(None)
        if sign in ("<", "<=", "<>"):
            ends = [self._less_than(edges[0]), *map(self._at_least, edges[1:])]
            return or_(*ends)
        ends = [self._at_least(edges[0]), *map(self._less_than, edges[1:])]
        return and_(*ends)

    def _at_least(self, days: int) -> ColumnElement[bool]:
        return self.column <= literal(days_before(self.now, days), UtcDateTime)

    def _less_than(self, days: int) -> ColumnElement[bool]:
        return self.column > literal(days_before(self.now, days), UtcDateTime)


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """A point in time."""

    column: ColumnElement[Any]

    def compare(self, sign: str, value: Value) -> ColumnElement[bool]:
        """Compare two points in time."""
        return _compared(self.column, sign, literal(value, UtcDateTime))


class Words:
    """A text; an empty one is no value."""

    def __init__(self, column: ColumnElement[str]) -> None:
        self.column: ColumnElement[Any] = func.nullif(column, "")

    def compare(self, sign: str, value: Value) -> ColumnElement[bool]:
        """Compare two texts, letter by letter."""
        return _compared(self.column, sign, literal(str(value), Text))

    def like(self, pattern: str) -> ColumnElement[bool]:
        """Match a pattern of % and _, upper and lower case alike."""
        # On PostgreSQL alone a backslash would escape what follows it.
        return self.column.ilike(literal(pattern.replace("\\", "\\\\"), Text), escape="\\")


@dataclass(frozen=True, kw_only=True, slots=True)
class Flag:
    """A claim that holds or does not."""

    column: ColumnElement[bool]

    def compare(self, sign: str, value: Value) -> ColumnElement[bool]:
        """Compare with true or false."""
        return self.column if (sign == "=") is bool(value) else not_(func.coalesce(self.column, false()))


def day_edges(sign: str, value: Value) -> tuple[int, ...]:
    """The days at whose completion `days sign value` turns, the first turn first; none if it never does."""
    exact = _number(value)
    if sign in ("<", ">="):
        return (int(exact.to_integral_value(ROUND_CEILING)),)
    if sign in ("<=", ">"):
        return (int(exact.to_integral_value(ROUND_FLOOR)) + 1,)
    return (int(exact), int(exact) + 1) if exact == exact.to_integral_value() else ()


def holds(clause: ColumnElement[bool]) -> ColumnElement[bool]:
    """The clause with unknown as false, so that its negation is true."""
    return func.coalesce(clause, false())


def all_of(clauses: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Every clause; true for none."""
    return and_(true(), *clauses)


def any_of(clauses: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    """At least one clause; false for none."""
    return or_(false(), *clauses)


def days_before(now: datetime, days: int) -> datetime:
    """So many days before now, as far as the calendar goes."""
    return now - timedelta(days=max(-(_LATEST - now).days, min((now - _EARLIEST).days, days)))


def days_after(moment: datetime, days: int) -> datetime:
    """So many days after a moment, as far as the calendar goes."""
    return moment + timedelta(days=max(-(moment - _EARLIEST).days, min((_LATEST - moment).days, days)))


def _compared(column: ColumnElement[Any], sign: str, value: ColumnElement[Any]) -> ColumnElement[bool]:
    clause: ColumnElement[bool] = _OPERATORS[sign](column, value)
    return clause


def _number(value: Value) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(int(value)) if isinstance(value, bool) else str(value))
