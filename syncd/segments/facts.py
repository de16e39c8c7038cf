"""What a segment's condition may ask of a profile: the catalogue of facts and functions, each told in words.

Names and types only. How a fact is computed, and how a condition over it becomes a query, is the database's part.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from syncd.condition import AllOf, AnyOf, Compare, Condition, IsTrue, Term, leaves
from syncd.model import Stream


class Kind(enum.StrEnum):
    """What sort of value a fact has, and so what it can be compared with."""

    COUNT = "count"
    MONEY = "money"
    DAYS = "days"
    TIME = "time"
    TEXT = "text"
    FLAG = "flag"


class Argument(enum.StrEnum):
    """What sort of value a function takes."""

    CURRENCY = "currency"
    DAYS = "days"
    SKU = "sku"
    STORE = "store"
    PLATFORM = "platform"
    SEGMENT = "segment"
    TAG = "tag"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """One thing that is known of every profile, or a function of it.

    Args:
        meaning: In words, for people who write conditions.
        unit: What one of it is; empty for texts and flags.
        streams: Streams that must be complete in every store in scope before the fact can be trusted.
        argument: What the function takes; None for a plain fact.
        choices: The only texts that the fact can have; empty for any text.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    streams: frozenset[Stream]
    argument: Argument | None = None
    choices: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """How it is written in a condition."""
        return f"{self.name}({_EXAMPLES[self.argument]})" if self.argument else self.name


_EXAMPLES = {
    Argument.CURRENCY: "'EUR'",
    Argument.DAYS: "90",
    Argument.SKU: "'sku'",
    Argument.STORE: "'store'",
    Argument.PLATFORM: "'platform'",
    Argument.SEGMENT: "'segment'",
    Argument.TAG: "'tag'",
}
_CONSENT = ("yes", "no", "pending", "unknown")
_MINE = "of the merchant's currency"

_CUSTOMERS = frozenset({Stream.CUSTOMERS})
_ORDERS = frozenset({Stream.ORDERS})
_PEOPLE = frozenset({Stream.CUSTOMERS, Stream.ORDERS})
_CARTS = frozenset({Stream.CARTS, Stream.ORDERS})
# What only grows, and what stays once it is so: refunds and deletions apart, which are records that arrive themselves.
_GROWING = frozenset(
    {"orders_count", "spent", "refunded", "accounts_count", "guest_orders_count", "stores_count", "platforms_count"}
)
_STAYING = frozenset({"bought", "on_store", "on_platform"})
_NONE: frozenset[Stream] = frozenset()


def _fact(kind: Kind, name: str, streams: frozenset[Stream], meaning: str, unit: str = "") -> Fact:
    choices = _CONSENT if name.endswith("_consent") else ()
    return Fact(name=name, kind=kind, meaning=meaning, unit=unit, streams=streams, choices=choices)


def _function(fact: Fact, argument: Argument) -> Fact:
    return Fact(
        name=fact.name,
        kind=fact.kind,
        meaning=fact.meaning,
        unit=fact.unit,
        streams=fact.streams,
        argument=argument,
    )


def _catalogue(*facts: Fact) -> Mapping[str, Fact]:
    return {fact.name: fact for fact in facts}


FACTS: Mapping[str, Fact] = _catalogue(
    _fact(Kind.COUNT, "orders_count", _ORDERS, "orders that count as revenue", "orders"),
    _fact(Kind.MONEY, "spent", _ORDERS, "sum of orders less refunds", _MINE),
    _fact(Kind.MONEY, "average_order", _ORDERS, "spent, shared out over the orders", _MINE),
    _fact(Kind.MONEY, "refunded", _ORDERS, "sum of refunds", _MINE),
    _fact(Kind.TIME, "first_order_at", _ORDERS, "when the first order was placed", "UTC"),
    _fact(Kind.TIME, "last_order_at", _ORDERS, "when the latest order was placed", "UTC"),
    _fact(Kind.DAYS, "days_since_first_order", _ORDERS, "whole days since the first order", "days"),
    _fact(Kind.DAYS, "days_since_last_order", _ORDERS, "whole days since the latest order", "days"),
    _fact(Kind.COUNT, "accounts_count", _CUSTOMERS, "accounts over all stores", "accounts"),
    _fact(Kind.COUNT, "guest_orders_count", _ORDERS, "orders placed without an account", "orders"),
    _fact(Kind.COUNT, "stores_count", _PEOPLE, "stores where the person is known", "stores"),
    _fact(Kind.COUNT, "platforms_count", _PEOPLE, "platforms where the person is known", "platforms"),
    _fact(Kind.COUNT, "open_carts_count", _CARTS, "carts that became no order", "carts"),
    _fact(Kind.MONEY, "open_cart_value", _CARTS, "sum of the open carts", _MINE),
    _fact(Kind.DAYS, "days_since_open_cart", _CARTS, "whole days since the latest open cart", "days"),
    _fact(Kind.TEXT, "email_consent", _CUSTOMERS, "what the person said about e-mail: yes, no, pending or unknown"),
    _fact(
        Kind.TEXT, "sms_consent", _CUSTOMERS, "what the person said about text messages: yes, no, pending or unknown"
    ),
    _fact(Kind.FLAG, "can_email", _CUSTOMERS, "the person said yes to e-mail"),
    _fact(Kind.FLAG, "can_sms", _CUSTOMERS, "the person said yes to text messages"),
    _fact(Kind.FLAG, "is_staff", _CUSTOMERS, "an account of the person works for the shop"),
    _fact(Kind.TEXT, "email", _PEOPLE, "the person's e-mail address"),
    _fact(Kind.TEXT, "country", _PEOPLE, "the person's country, two upper-case letters"),
)

FUNCTIONS: Mapping[str, Fact] = _catalogue(
    _function(_fact(Kind.MONEY, "spent", _ORDERS, "spent in one currency", "of that currency"), Argument.CURRENCY),
    _function(_fact(Kind.COUNT, "orders_in_last", _ORDERS, "orders of the last so many days", "orders"), Argument.DAYS),
    _function(_fact(Kind.MONEY, "spent_in_last", _ORDERS, "spent in the last so many days", _MINE), Argument.DAYS),
    _function(_fact(Kind.FLAG, "bought", _ORDERS, "an order holds this sku"), Argument.SKU),
    _function(_fact(Kind.FLAG, "on_store", _PEOPLE, "the person is known on this store"), Argument.STORE),
    _function(_fact(Kind.FLAG, "on_platform", _PEOPLE, "the person is known on this platform"), Argument.PLATFORM),
    _function(_fact(Kind.FLAG, "in_segment", _NONE, "the person is in this segment"), Argument.SEGMENT),
    _function(_fact(Kind.FLAG, "has_tag", _CUSTOMERS, "an account of the person has this tag"), Argument.TAG),
)


def fact_of(term: Term) -> Fact:
    """What the catalogue says of a checked condition's term."""
    return (FUNCTIONS if term.args else FACTS)[term.name]


def terms(condition: Condition) -> tuple[Term, ...]:
    """Every fact and function that a condition asks for, in the order written, repeats included."""
    return tuple(leaf.term for leaf in leaves(condition))


def segments_asked(condition: Condition) -> tuple[str, ...]:
    """Names of the segments that a condition builds on, sorted."""
    return tuple(sorted({str(term.args[0]) for term in terms(condition) if term.name == "in_segment"}))


def is_lasting(condition: Condition, lasting_segments: Collection[str]) -> bool:
    """Whether a condition that holds goes on holding as time passes and more records arrive.

    Args:
        lasting_segments: Segments whose own conditions are so.
    """
    match condition:
        case AllOf(items=items) | AnyOf(items=items):
            return all(is_lasting(item, lasting_segments) for item in items)
        case Compare(term=term, operator=">" | ">="):
            return term.name in _GROWING
        case IsTrue(term=Term(name="in_segment", args=(segment,))):
            return segment in lasting_segments
        case IsTrue(term=term):
            return term.name in _STAYING
        case _:
            return False


def needs_rates(condition: Condition) -> tuple[str, ...]:
    """Names of the facts in a condition that add up amounts in the merchant's currency, sorted."""
    return tuple(sorted({term.name for term in terms(condition) if fact_of(term).unit == _MINE}))
