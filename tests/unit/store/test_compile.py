"""What conditions mean: who is picked, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.condition import AllOf, AnyOf, Between, Compare, Condition, IsNull, IsTrue, Like, Not, OneOf, Term, Value
from syncd.store import tables
from syncd.store.compile import members
from syncd.store.recent import Scope
from syncd.store.types import RevenuePolicy
from tests.clock import START
from tests.unit.store.seed import Seed, ago, seeded

EUR = RevenuePolicy(currency="EUR", rates={"USD": Decimal("0.92"), "JPY": Decimal("0.0061")})
NUMBERS = (
    "orders_count",
    "accounts_count",
    "guest_orders_count",
    "stores_count",
    "platforms_count",
    "open_carts_count",
)
AMOUNTS = ("spent", "average_order", "refunded", "open_cart_value")
DAYS = ("days_since_first_order", "days_since_last_order", "days_since_open_cart")
TIMES = ("first_order_at", "last_order_at")
FLAGS = ("can_email", "can_sms", "is_staff")
TEXTS = ("email", "country", "email_consent", "sms_consent")
SIGNS = ("=", "<>", "<", "<=", ">", ">=")


def _compare(name: str, sign: str, value: Value, *args: Value) -> Compare:
    return Compare(term=Term(name=name, args=args), operator=sign, value=value)


def _is(name: str, *args: Value) -> IsTrue:
    return IsTrue(term=Term(name=name, args=args))


class Pick:
    """Two buyers, a prospect of whom nothing is known, and a tombstone; asks who a condition picks."""

    def __init__(self, seed: Seed) -> None:
        self.seed = seed
        self._person("big", spent_minor=50000, orders_count=5, last_order_at=ago(10), email_consent="yes")
        self._person("small", spent_minor=49999, orders_count=1, last_order_at=ago(90), is_staff=True)
        self._person("never")
        self._person("gone", merged_into="big", spent_minor=99999)
        self._orders()

    def _person(self, name: str, merged_into: str | None = None, **figures: object) -> None:
        email = "" if name == "never" else f"{name}.O\\1@Example.com"
        self.seed.profile(name, merged_into=merged_into, email=email, country="DE" if name == "big" else "")
        self.seed.put(tables.FactsRow, profile_id=name, currency="EUR", computed_at=START, **figures)

    def _orders(self) -> None:
        self.seed.store("us", "shopify")
        self.seed.account("big", "1", "us")
        self.seed.account("small", "1")
        self.seed.contact("small", "order", "102")
        self.seed.order("101", "us", customer_id="1", total_minor=10000, placed_at=ago(10))
        self.seed.order("99", "us", customer_id="1", total_minor=10000, currency="USD", placed_at=ago(40))
        self.seed.order("102", total_minor=4999, placed_at=ago(90))
        self.seed.order("103", customer_id="1", total_minor=777, currency="CHF", placed_at=ago(200))
        self.seed.order("104", customer_id="1", total_minor=777, state="cancelled", placed_at=ago(1))
        for order_id, sku in (("101", "tea"), ("102", "pot"), ("104", "tea")):
            store_id = "us" if order_id == "101" else "eu"
            self.seed.put(tables.OrderLineRow, store_id=store_id, order_id=order_id, position=0, sku=sku)
        self.seed.put(tables.SpendRow, profile_id="big", currency="JPY", spent_minor=300)
        for tag, is_present in (("VIP", True), ("old", False)):
            self.seed.put(
                tables.TagState, store_id="us", external_id="1", tag=tag, is_present=is_present, known_at=START
            )
        self.seed.put(tables.Membership, membership_id="M1", segment="vip", profile_id="small", entered_at=ago(1))
        self.seed.put(
            tables.Membership, membership_id="M2", segment="vip", profile_id="big", entered_at=ago(2), left_at=ago(1)
        )

    def __call__(self, condition: Condition, policy: RevenuePolicy = EUR) -> set[str]:
        query = members(condition, Scope(now=START, policy=policy, currency=policy.currency))
        with self.seed.engines.read() as connection:
            found = list(connection.execute(query).scalars())
        assert len(found) == len(set(found))
        return set(found)


@pytest.fixture
def pick(database_url: str) -> Iterator[Pick]:
    """Who a condition picks."""
    with seeded(database_url) as seed:
        yield Pick(seed)


def test_amounts_are_in_main_units(pick: Pick) -> None:
    """500 means 500.00 of the merchant's currency, to the cent."""
    assert pick(_compare("spent", ">=", Decimal(500))) == {"big"}
    assert pick(_compare("spent", "=", Decimal("499.99"))) == {"small"}
    assert pick(_compare("spent", ">", Decimal("499.985"))) == {"big", "small"}
    assert pick(_compare("spent", "=", Decimal("499.985"))) == set()
    assert pick(_compare("spent", "<>", Decimal("499.985"))) == {"big", "small", "never"}
    assert pick(Between(term=Term(name="spent"), low=Decimal("0.001"), high=Decimal("499.999"))) == {"small"}


def test_days_are_whole(pick: Pick) -> None:
    """Days since a time are whole days gone by, so 90 days are reached on the second."""
    assert pick(_compare("days_since_last_order", "<", Decimal(90))) == {"big"}
    assert pick(_compare("days_since_last_order", "=", Decimal(90))) == {"small"}
    assert pick(_compare("days_since_last_order", ">", Decimal(89))) == {"small"}
    assert pick(_compare("days_since_last_order", "<=", Decimal(10))) == {"big"}
    assert pick(_compare("days_since_last_order", "<>", Decimal(10))) == {"small"}
    assert pick(_compare("days_since_last_order", "<", Decimal(10**9))) == {"big", "small"}


def test_unknown_does_not_hold_and_its_negation_does(pick: Pick) -> None:
    """Who never ordered is neither below nor above any number of days, and is therefore in every negation."""
    recent = _compare("days_since_last_order", "<", Decimal(90))

    assert pick(Not(item=recent)) == {"small", "never"}
    assert pick(IsNull(term=Term(name="last_order_at"))) == {"never"}
    assert pick(Not(item=Compare(term=Term(name="spent"), operator="=", value=None))) == {"big", "small", "never"}


def test_joined_by_and_or(pick: Pick) -> None:
    """All of nothing holds, any of nothing does not."""
    rich, staff = _compare("spent", ">=", Decimal(1)), _is("is_staff")

    assert pick(AllOf(items=(rich, staff))) == {"small"}
    assert pick(AnyOf(items=(rich, staff))) == {"big", "small"}
    assert pick(AllOf(items=())) == {"big", "small", "never"}
    assert pick(AnyOf(items=())) == set()


def test_texts(pick: Pick) -> None:
    """Patterns ignore case, take a backslash as it is, and an empty text is no value."""
    email = Term(name="email")

    assert pick(Like(term=email, pattern="BIG%@example.COM")) == {"big"}
    assert pick(Like(term=email, pattern="%.o\\1@%")) == {"big", "small"}
    assert pick(Like(term=email, pattern="%\\")) == set()
    assert pick(IsNull(term=email)) == {"never"}
    assert pick(OneOf(term=Term(name="country"), values=("DE", None, "FR"))) == {"big"}
    assert pick(_compare("country", "<>", "FR")) == {"big"}


def test_flags(pick: Pick) -> None:
    """A flag holds or not; unknown consent is not a yes."""
    assert pick(_is("can_email")) == {"big"}
    assert pick(Not(item=_is("can_email"))) == {"small", "never"}
    assert pick(_compare("is_staff", "=", True)) == {"small"}
    assert pick(_compare("is_staff", "<>", True)) == {"big", "never"}


def test_functions_of_orders(pick: Pick) -> None:
    """Orders of the last days are those that count as revenue, of accounts and guests alike."""
    assert pick(_compare("orders_in_last", "=", Decimal(2), 40)) == {"big"}
    assert pick(_compare("orders_in_last", "=", Decimal(1), 90)) == {"small"}
    assert pick(_compare("orders_in_last", "<", Decimal(1), 30)) == {"small", "never"}
    assert pick(_is("bought", "tea")) == {"big"}
    assert pick(_is("bought", "pot")) == {"small"}


def test_spent_in_last_is_converted(pick: Pick) -> None:
    """Sums of the last days are converted exactly, and are no value where a rate is missing."""
    assert pick(_compare("spent_in_last", "=", Decimal(192), 60)) == {"big"}
    assert pick(_compare("spent_in_last", ">", Decimal("191.99"), 60)) == {"big"}
    assert pick(_compare("spent_in_last", "=", Decimal("49.99"), 100)) == {"small"}
    assert pick(_compare("spent_in_last", ">=", Decimal(0), 300)) == {"big", "never"}
    assert pick(IsNull(term=Term(name="spent_in_last", args=(300,)))) == {"small"}
    assert pick(_compare("spent_in_last", ">=", Decimal(0), 300), RevenuePolicy()) == {"never"}


def test_spent_in_one_currency(pick: Pick) -> None:
    """A sum in one currency is in that currency's own main units."""
    assert pick(_compare("spent", ">=", Decimal(300), "JPY")) == {"big"}
    assert pick(_compare("spent", "=", Decimal(0), "JPY")) == {"small", "never"}


def test_places_segments_and_tags(pick: Pick) -> None:
    """Stores and platforms by contacts, segments by open memberships, tags by what is known to be there."""
    assert pick(_is("on_store", "us")) == {"big"}
    assert pick(_is("on_platform", "woocommerce")) == {"small"}
    assert pick(_is("in_segment", "vip")) == {"small"}
    assert pick(_is("has_tag", "VIP")) == {"big"}
    assert pick(_is("has_tag", "old")) == set()
    assert pick(AllOf(items=(_is("on_store", "eu"), Not(item=_is("on_store", "us"))))) == {"small"}


def test_values_are_bound(pick: Pick) -> None:
    """A text that looks like SQL is compared, never run."""
    nasty = "'; DROP TABLE facts; --"

    assert pick(AnyOf(items=(_compare("email", "=", nasty), _is("bought", nasty), _is("has_tag", nasty)))) == set()
    query = members(_is("on_store", nasty), Scope(now=START, policy=EUR, currency="EUR"))
    with pick.seed.engines.read() as connection:
        assert "DROP" not in str(query.compile(connection))


_numbers = st.decimals(-10, 10**12, places=3).map(Decimal) | st.integers(0, 10**12).map(Decimal)
_terms = st.sampled_from([*NUMBERS, *AMOUNTS, *DAYS]).map(lambda name: Term(name=name))
_functions = st.sampled_from(
    [Term(name="spent", args=("EUR",)), Term(name="orders_in_last", args=(30,)), Term(name="spent_in_last", args=(90,))]
)
_claims = st.sampled_from(
    [Term(name=name) for name in FLAGS]
    + [Term(name=name, args=("x",)) for name in ("bought", "on_store", "on_platform", "in_segment", "has_tag")]
)
_times = st.builds(
    Compare,
    term=st.sampled_from([Term(name=name) for name in TIMES]),
    operator=st.sampled_from(SIGNS),
    value=st.integers(-400, 400).map(lambda days: START + timedelta(days=days)),
)
_texts = st.sampled_from([Term(name=name) for name in TEXTS])
_words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)
_leaves = st.one_of(
    st.builds(Compare, term=_terms | _functions, operator=st.sampled_from(SIGNS), value=_numbers),
    st.builds(OneOf, term=_terms | _functions, values=st.lists(_numbers, max_size=3).map(tuple)),
    st.builds(Like, term=_texts, pattern=_words),
    st.builds(Compare, term=_texts, operator=st.sampled_from(("=", "<>")), value=_words),
    st.builds(IsNull, term=_terms | _functions | _texts | _claims),
    st.builds(IsTrue, term=_claims),
    _times,
)
_conditions: st.SearchStrategy[Condition] = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.builds(Not, item=inner),
        st.builds(AllOf, items=st.lists(inner, max_size=3).map(tuple)),
        st.builds(AnyOf, items=st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(condition=_conditions)
def test_every_condition_parts_the_profiles(pick: Pick, condition: Condition) -> None:
    """Whatever the condition, every live profile is in it or in its negation, never in both."""
    inside, outside = pick(condition), pick(Not(item=condition))

    assert inside | outside == {"big", "small", "never"}
    assert inside & outside == set()
