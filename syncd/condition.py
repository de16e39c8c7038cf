"""A segment's condition as typed values: made by `segments`, compiled to one query by `store`.

There is no evaluator beside that query, so what a condition means is defined in one place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

Value = str | int | bool | Decimal | datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """A fact, or a function of the profile such as `orders_in_last(90)`; `name` is in the facts catalogue."""

    name: str
    args: tuple[Value, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Compare:
    """`term operator value`; the operator is one of = <> < <= > >=. NULL on either side is false."""

    term: Term
    operator: str
    value: Value


@dataclass(frozen=True, kw_only=True, slots=True)
class Between:
    """`low <= term <= high`."""

    term: Term
    low: Value
    high: Value


@dataclass(frozen=True, kw_only=True, slots=True)
class OneOf:
    """The term equals one of the values."""

    term: Term
    values: tuple[Value, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Like:
    """SQL pattern match, case-insensitive."""

    term: Term
    pattern: str


@dataclass(frozen=True, kw_only=True, slots=True)
class IsNull:
    """The term has no value (never ordered, not convertible)."""

    term: Term


@dataclass(frozen=True, kw_only=True, slots=True)
class IsTrue:
    """A term that is true or false by itself, such as `can_email` or `on_store('x')`."""

    term: Term


@dataclass(frozen=True, kw_only=True, slots=True)
class Not:
    """The item does not hold; what is unknown does not hold, so its negation does."""

    item: Condition


@dataclass(frozen=True, kw_only=True, slots=True)
class AllOf:
    """Every item holds."""

    items: tuple[Condition, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class AnyOf:
    """At least one item holds."""

    items: tuple[Condition, ...]


Leaf = Compare | Between | OneOf | Like | IsNull | IsTrue
Condition = Leaf | Not | AllOf | AnyOf


def leaves(condition: Condition) -> Iterator[Leaf]:
    """What a condition asks of single terms, in the order written, repeats included."""
    if isinstance(condition, AllOf | AnyOf):
        for item in condition.items:
            yield from leaves(item)
    elif isinstance(condition, Not):
        yield from leaves(condition.item)
    else:
        yield condition
