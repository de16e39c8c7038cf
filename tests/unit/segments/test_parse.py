"""Conditions as marketers write them, right and wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.condition import AllOf, AnyOf, Between, Compare, Condition, IsNull, IsTrue, Like, Not, OneOf, Term
from syncd.errors import ConfigInvalid
from syncd.segments.facts import FACTS, FUNCTIONS, Kind
from syncd.segments.faults import Names
from syncd.segments.parse import LONGEST, parse, read
from syncd.segments.reader import DEEPEST

SPENT = Term(name="spent")
CAN_EMAIL = IsTrue(term=Term(name="can_email"))
NAMES = Names(stores=("eu-woo", "us-woo"), platforms=("memory",), segments=("vip",))


def compare(name: str, operator: str, value: object, *args: str | int) -> Compare:
    return Compare(term=Term(name=name, args=args), operator=operator, value=value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("spent >= 500", compare("spent", ">=", Decimal(500))),
        ("500 <= spent", compare("spent", ">=", Decimal(500))),
        ("10.5 > spent", compare("spent", "<", Decimal("10.5"))),
        ("3 = orders_count", compare("orders_count", "=", 3)),
        ("refunded = -1", compare("refunded", "=", Decimal(-1))),
        ("Orders_Count <> 2", compare("orders_count", "<>", 2)),
        ("orders_count != 2", compare("orders_count", "<>", 2)),
        ("spent('eur') < 5", compare("spent", "<", Decimal(5), "EUR")),
        ("orders_in_last(90) >= 3", compare("orders_in_last", ">=", 3, 90)),
        ("email = 'it''s'", compare("email", "=", "it's")),
        ("spent between 1 and 2.5", Between(term=SPENT, low=Decimal(1), high=Decimal("2.5"))),
        ("spent not between 1 and 2", Not(item=Between(term=SPENT, low=Decimal(1), high=Decimal(2)))),
        ("country in ('DE', 'AT')", OneOf(term=Term(name="country"), values=("DE", "AT"))),
        ("country not in ('DE')", Not(item=OneOf(term=Term(name="country"), values=("DE",)))),
        ("email like '%@example.com'", Like(term=Term(name="email"), pattern="%@example.com")),
        ("email not like '%x'", Not(item=Like(term=Term(name="email"), pattern="%x"))),
        ("spent is null", IsNull(term=SPENT)),
        ("spent is not null", Not(item=IsNull(term=SPENT))),
        ("can_email", CAN_EMAIL),
        ("can_email = true", CAN_EMAIL),
        ("can_email <> false", CAN_EMAIL),
        ("can_email is true", CAN_EMAIL),
        ("can_email = false", Not(item=CAN_EMAIL)),
        ("can_email is not true", Not(item=CAN_EMAIL)),
        ("not can_email", Not(item=CAN_EMAIL)),
        ("bought('sku-1')", IsTrue(term=Term(name="bought", args=("sku-1",)))),
        ("on_store('eu-woo')", IsTrue(term=Term(name="on_store", args=("eu-woo",)))),
        ("in_segment('vip')", IsTrue(term=Term(name="in_segment", args=("vip",)))),
        ("spent > 1 -- for a start", compare("spent", ">", Decimal(1))),
    ],
)
def test_a_clause_means_what_it_says(text: str, expected: Condition) -> None:
    """Every form of a clause becomes the one value that stands for it, whichever side the fact is on."""
    condition = parse(text, NAMES)

    assert condition == expected


def test_and_binds_before_or_and_brackets_before_both() -> None:
    """Precedence is SQL's, and a chain of the same word is one flat list."""
    loose = parse("can_email or can_sms and is_staff")
    tight = parse("(can_email or can_sms) and is_staff and not (is_staff)")

    can_sms, is_staff = (IsTrue(term=Term(name=name)) for name in ("can_sms", "is_staff"))
    assert loose == AnyOf(items=(CAN_EMAIL, AllOf(items=(can_sms, is_staff))))
    assert tight == AllOf(items=(AnyOf(items=(CAN_EMAIL, can_sms)), is_staff, Not(item=is_staff)))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31 14:30", datetime(2026, 1, 31, 14, 30, tzinfo=UTC)),
        ("2026-01-31T14:30:00+02:00", datetime(2026, 1, 31, 12, 30, tzinfo=UTC)),
    ],
)
def test_times_are_utc_unless_they_say_otherwise(text: str, at: datetime) -> None:
    """A time without an offset is UTC, one with an offset is brought there."""
    condition = parse(f"last_order_at >= '{text}'")

    assert condition == compare("last_order_at", ">=", at)


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("", 1, "empty"),
        ("spnt > 5", 1, "did you mean 'spent'"),
        ("spent > 5 and bougth('x')", 15, "did you mean 'bought'"),
        ("zzz > 5", 1, "the example segments.yaml lists"),
        ("now() > 1", 1, "unknown function 'now'"),
        ("bought > 1", 1, "bought('sku')"),
        ("bought('a', 'b')", 1, "one argument"),
        ("bought(5)", 8, "single quotes"),
        ("can_email()", 1, "leave the brackets out"),
        ("on_store('eu-wo')", 10, "did you mean 'eu-woo'"),
        ("on_platform('shop')", 13, "unknown platform"),
        ("in_segment('vi')", 12, "did you mean 'vip'"),
        ("orders_in_last(0) > 1", 16, "from 1 to"),
        ("orders_in_last(1.5) > 1", 16, "whole number of days"),
        ("spent('EURO') > 1", 7, "currency code"),
        ("spent", 1, "spent >= 500"),
        ("5", 1, "compare a fact"),
        ("true", 1, "compare a fact"),
        ("spent > '5'", 9, "not with the text '5'"),
        ("orders_count > 1.5", 16, "whole number of orders"),
        ("days_since_last_order < 'x'", 25, "number of days"),
        ("last_order_at > 'soon'", 17, "2026-01-31"),
        ("last_order_at > 5", 17, "2026-01-31"),
        ("country = 5", 11, "single quotes"),
        ('email = "x@example.com"', 9, "single quotes: 'x@example.com'"),
        ("country > 'DE'", 11, "no order"),
        ("email_consent = 'yess'", 17, "did you mean 'yes'"),
        ("is_staff = 1", 12, "true or false"),
        ("is_staff between true and false", 1, "no order"),
        ("spent = null", 1, "use is null"),
        ("spent is true", 1, "is goes with null"),
        ("spent like 'x'", 1, "like compares texts"),
        ("email like 5", 12, "needs a text"),
        ("spent between 5 and 2", 1, "smaller value first"),
        ("spent in ()", 1, "at least one value"),
        ("spent > average_order", 9, "not with another fact"),
        ("1 = 1", 5, "a fact is expected"),
        ("1 < spent < 5", 13, "a fact is expected"),
        ("spent > 1e3", 9, "plain number"),
        ("spent > 9999999999999999999", 9, "that large"),
        ("spent + 1 > 2", 13, "a fact is expected"),
        ("spent >", 7, "not understood at '>'"),
        ("spent >= 5 5", 12, "not understood at '5'"),
        ("spent > 'x", 10, "not closed"),
        ("email = 'a\x00'", 11, "cannot be printed"),
    ],
)
def test_a_fault_names_its_place_and_the_remedy(text: str, position: int, words: str) -> None:
    """What cannot be used is refused at its own character, with what to write instead."""
    _, faults = read(text, NAMES)

    assert [fault.position for fault in faults] == [position]
    assert words in faults[0].message


@pytest.mark.parametrize(
    "text",
    [
        "select 1",
        "(select spent) > 1",
        "spent in (select 1)",
        "exists (select 1)",
        "spent > 1; drop table profiles",
        "profiles.spent > 1",
        "x.spent('EUR') > 1",
        "count(*) > 1",
        "avg(spent) > 1",
        "left(email, 2) = 'x'",
        "spent::int > 5",
        "spent > 5 as x",
        "spent > ?",
        "spent > @x",
        "spent > all (1)",
        "email like any ('a', 'b')",
        "email like 'a' escape 'b'",
        "spent between symmetric 1 and 2",
        "spent is distinct from 5",
        "spent('EUR') over () > 1",
        "bought(distinct 'a')",
        "bought(*)",
        "first_order_at > date '2026-01-01'",
        "current_date > '2026-01-01'",
        "case when can_email then true end",
        "email || 'x' = 'y'",
    ],
)
def test_sql_beyond_conditions_is_refused(text: str) -> None:
    """Only what is listed passes; nothing that could reach a table, a function of the database or arithmetic."""
    with pytest.raises(ConfigInvalid, match="character"):
        parse(text)


def test_every_fault_is_told_at_once() -> None:
    """One reading lists all faults, in the order of their places."""
    with pytest.raises(ConfigInvalid) as caught:
        parse("spnt > 5 and bougth('x') and on_store('eu-wo')", NAMES)

    assert [part.split(":")[0] for part in caught.value.message.split("; ") if part.startswith("character")] == [
        "character 1",
        "character 14",
        "character 39",
    ]


@pytest.mark.parametrize("text", ["(" * 400 + "can_email" + ")" * 400, "not " * 400 + "can_email"])
def test_depth_is_limited(text: str) -> None:
    """A condition nested too deeply is refused, however deep it goes."""
    _, faults = read(text, NAMES)

    assert str(DEEPEST) in faults[0].message


def test_length_is_limited() -> None:
    """A condition may have as many characters as the limit says, and not one more."""
    longest = ("can_email or " * LONGEST)[: LONGEST - len("can_sms")].rsplit("or", 1)[0] + "or can_sms"

    _, fits = read(longest.ljust(LONGEST), NAMES)
    _, over = read(longest.ljust(LONGEST + 1), NAMES)

    assert not fits
    assert "longer than" in over[0].message


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever is written, the answer is a condition or faults with a place inside the text."""
    _, faults = read(text, NAMES)

    assert all(1 <= fault.position <= len(text) + 1 for fault in faults)


@pytest.mark.parametrize("name", sorted(FACTS))
def test_every_fact_of_the_catalogue_can_be_used(name: str) -> None:
    """The catalogue holds nothing that a condition cannot ask for."""
    values = {Kind.TEXT: "'yes'", Kind.TIME: "'2026-01-31'"}
    text = name if FACTS[name].kind is Kind.FLAG else f"{name} = {values.get(FACTS[name].kind, '5')}"

    _, faults = read(text, NAMES)

    assert faults == ()


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_of_the_catalogue_can_be_used_as_it_says(name: str) -> None:
    """The usage that faults recommend is itself without fault."""
    usage = FUNCTIONS[name].usage
    _, faults = read(usage if FUNCTIONS[name].kind is Kind.FLAG else f"{usage} > 5", Names())

    assert faults == ()
