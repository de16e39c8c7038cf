"""Facts and memberships on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from syncd.condition import Compare, Term
from syncd.model import OrderState
from syncd.store import tables
from syncd.store.facts import Facts
from syncd.store.types import Moves, RevenuePolicy, Rule
from tests.clock import START, ManualClock
from tests.unit.store.seed import Seed, ago, seeded

EUR = RevenuePolicy(currency="EUR")
TWO_ORDERS = Compare(term=Term(name="orders_count"), operator=">=", value=Decimal(2))
LOYAL = Rule(segment="loyal", condition=TWO_ORDERS)


@pytest.fixture
def seed(database_url: str) -> Iterator[Seed]:
    """A fresh database with the store `eu`."""
    with seeded(database_url) as seed:
        yield seed


@pytest.fixture
def facts(seed: Seed, clock: ManualClock) -> Facts:
    """The part under test."""
    return Facts(seed.engines, clock, seed.new_id)


def _of(seed: Seed, profile_id: str = "P1") -> Any:
    (row,) = seed.rows(tables.FactsRow, profile_id=profile_id)
    return row


def test_orders_of_accounts_and_guests_add_up(seed: Seed, facts: Facts) -> None:
    """An account's orders and a guest's order of one profile make one set of figures, net of refunds."""
    seed.profile("P1")
    seed.account("P1", "7")
    seed.contact("P1", "order", "102")
    seed.order("101", customer_id="7", total_minor=1000, placed_at=ago(30))
    seed.order("102", total_minor=501, refunded_minor=100, placed_at=ago(2))
    seed.order("103", customer_id="8", total_minor=7777)

    handled = facts.recompute(EUR)

    row = _of(seed)
    assert handled == 1
    assert (row.orders_count, row.guest_orders_count, row.spent_minor, row.refunded_minor) == (2, 1, 1401, 100)
    assert (row.average_order_minor, row.currency) == (700, "EUR")
    assert (row.first_order_at, row.last_order_at, row.computed_at) == (ago(30), ago(2), START)
    assert (row.accounts_count, row.stores_count, row.platforms_count) == (1, 1, 1)
    assert seed.rows(tables.TouchedProfile) == []


def test_what_is_no_revenue_does_not_count(seed: Seed, facts: Facts) -> None:
    """Deleted, test and excluded orders leave no trace in the figures."""
    seed.profile("P1")
    seed.account("P1", "7")
    left_out: list[dict[str, Any]] = [
        {"deleted_at": START},
        {"is_test": True},
        {"state": OrderState.CANCELLED.value},
        {"state": OrderState.PENDING.value},
    ]
    for number, values in enumerate(left_out):
        seed.order(str(number), customer_id="7", total_minor=100, **values)

    facts.recompute(EUR)

    row = _of(seed)
    assert (row.orders_count, row.spent_minor, row.average_order_minor, row.first_order_at) == (0, 0, None, None)
    assert seed.rows(tables.SpendRow) == []


def test_policy_leaves_out_tax_and_shipping(seed: Seed, facts: Facts) -> None:
    """Tax and shipping come off where the policy says so, but never below nothing on a refunded order."""
    seed.profile("P1")
    seed.account("P1", "7")
    seed.order("1", customer_id="7", total_minor=1190, tax_minor=190, shipping_minor=100)
    seed.order("2", customer_id="7", total_minor=1190, tax_minor=190, refunded_minor=1190)

    facts.recompute(RevenuePolicy(currency="EUR", include_tax=False, include_shipping=False))

    assert _of(seed).spent_minor == 900


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (RevenuePolicy(currency="EUR", rates={"JPY": Decimal("0.00615"), "KWD": Decimal("3")}), (2246, "EUR")),
        (RevenuePolicy(currency="EUR", rates={"JPY": Decimal("0.00615")}), (None, "EUR")),
        (RevenuePolicy(), (None, "")),
    ],
)
def test_currencies_are_converted_or_told_apart(
    seed: Seed, facts: Facts, policy: RevenuePolicy, expected: tuple[int | None, str]
) -> None:
    """Sums are converted when every rate is known and are nothing otherwise; each currency's own sum stays."""
    seed.profile("P1")
    seed.account("P1", "7")
    seed.order("1", customer_id="7", total_minor=1000)
    seed.order("2", customer_id="7", total_minor=1001, currency="JPY")
    seed.order("3", customer_id="7", total_minor=2100, currency="KWD")

    facts.recompute(policy)

    row = _of(seed)
    assert (row.spent_minor, row.currency) == expected
    assert [(own.currency, own.spent_minor) for own in seed.rows(tables.SpendRow)] == [
        ("EUR", 1000),
        ("JPY", 1001),
        ("KWD", 2100),
    ]
    assert facts.currencies() == {"EUR", "JPY", "KWD"}


def test_only_currency_of_a_profile_needs_no_configuration(seed: Seed, facts: Facts) -> None:
    """Without a configured currency, the one that all orders of a profile share is taken."""
    seed.profile("P1")
    seed.account("P1", "7")
    seed.order("1", customer_id="7", total_minor=1000, currency="JPY")

    facts.recompute(RevenuePolicy())

    assert (_of(seed).spent_minor, _of(seed).currency) == (1000, "JPY")


def test_open_carts(seed: Seed, facts: Facts) -> None:
    """Open carts of accounts and guests add up; completed and deleted ones do not count."""
    seed.profile("P1")
    seed.account("P1", "7")
    seed.contact("P1", "cart", "order:2")
    seed.cart("order:1", customer_id="7", total_minor=300, created_at=ago(5))
    seed.cart("order:2", total_minor=200, created_at=ago(9), updated_at=ago(3))
    seed.cart("order:3", customer_id="7", total_minor=50, is_open=False)
    seed.cart("order:4", customer_id="7", total_minor=50, deleted_at=START)

    facts.recompute(EUR)

    row = _of(seed)
    assert (row.open_carts_count, row.open_cart_minor, row.open_cart_at) == (2, 500, ago(3))


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([], "unknown"),
        ([("unknown", ago(1))], "unknown"),
        ([("yes", None), ("no", None)], "no"),
        ([("yes", ago(1)), ("no", ago(2))], "yes"),
        ([("no", ago(1)), ("yes", ago(2))], "no"),
        ([("yes", ago(2)), ("no", None)], "yes"),
        ([("pending", None), ("yes", None)], "pending"),
        ([("yes", ago(1)), ("no", ago(1))], "no"),
    ],
)
def test_consent(seed: Seed, facts: Facts, statements: list[tuple[str, Any]], expected: str) -> None:
    """The latest dated statement wins, undated ones only among themselves, and then the stricter."""
    seed.profile("P1")
    seed.account("P1", "0")
    for number, (state, at) in enumerate(statements, 1):
        seed.account("P1", str(number))
        seed.consent(str(number), state, at)

    facts.recompute(EUR)

    assert (_of(seed).email_consent, _of(seed).sms_consent) == (expected, "unknown")


def test_display_prefers_recent_accounts(seed: Seed, facts: Facts) -> None:
    """Each field is the most recent that is not empty, accounts first; first and last name stay together."""
    seed.profile("P1")
    seed.account("P1", "1", first_name="Ann", last_name="Old", email="old@example.com", updated_at=ago(50))
    seed.account("P1", "2", first_name="Anna", last_name="", email="", phone=None, updated_at=ago(9), is_staff=True)
    seed.contact("P1", "order", "3")
    seed.order("3", first_name="Guest", email="guest@example.com", phone="+4930123456", updated_at=ago(1))
    seed.put(tables.AddressRow, store_id="eu", owner="order", owner_id="3", position=0, kind="shipping", country="FR")
    seed.put(tables.AddressRow, store_id="eu", owner="order", owner_id="3", position=1, kind="billing", country="DE")

    facts.recompute(EUR)

    (profile,) = seed.rows(tables.ProfileRow)
    assert (profile.first_name, profile.last_name, profile.email) == ("Anna", "", "old@example.com")
    assert (profile.phone, profile.country) == ("+4930123456", "DE")
    assert _of(seed).is_staff is True


def test_stores_and_platforms(seed: Seed, facts: Facts) -> None:
    """Stores and platforms are counted over the contacts that are left."""
    seed.store("us", "shopify")
    seed.store("fr", "shopify")
    seed.profile("P1")
    seed.account("P1", "1", "us")
    seed.account("P1", "1", "fr")
    seed.contact("P1", "order", "9", "eu", deleted_at=START)

    facts.recompute(EUR)

    assert (_of(seed).stores_count, _of(seed).platforms_count, _of(seed).accounts_count) == (2, 1, 2)


def test_merged_and_empty_profiles_are_forgotten(seed: Seed, facts: Facts) -> None:
    """A tombstone and a profile without contacts lose facts, spend and memberships."""
    seed.profile("P1", merged_into="P0")
    seed.contact("P1", "order", "1")
    seed.profile("P2")
    seed.put(tables.FactsRow, profile_id="P1", computed_at=ago(1))
    seed.put(tables.SpendRow, profile_id="P2", currency="EUR")
    seed.put(tables.Membership, membership_id="M1", segment="vip", profile_id="P2", entered_at=ago(1))

    handled = facts.recompute(EUR)

    assert handled == 2
    assert seed.rows(tables.FactsRow) == []
    assert seed.rows(tables.SpendRow) == []
    assert [row.left_at for row in seed.rows(tables.Membership)] == [START]


def test_more_profiles_than_a_batch(seed: Seed, facts: Facts) -> None:
    """Every touched profile is done, batch after batch."""
    with seed.engines.write() as connection:
        names = [{"profile_id": f"P{number:04}"} for number in range(1201)]
        connection.execute(tables.TouchedProfile.__table__.insert(), names)  # type: ignore[attr-defined]

    assert facts.recompute(EUR) == 1201
    assert facts.recompute(EUR) == 0


def test_profiles_enter_and_leave(seed: Seed, facts: Facts, clock: ManualClock) -> None:
    """An evaluation opens and closes memberships, and a second one over the same facts writes nothing."""
    for profile_id, orders_count in (("P1", 1), ("P2", 2), ("P3", 3)):
        seed.profile(profile_id)
        seed.put(tables.FactsRow, profile_id=profile_id, orders_count=orders_count, computed_at=START)
    seed.put(tables.Membership, membership_id="M1", segment="loyal", profile_id="P1", entered_at=ago(1))
    seed.put(tables.Membership, membership_id="M2", segment="loyal", profile_id="P2", entered_at=ago(1))

    first = facts.evaluate(LOYAL, clock.now(), EUR)
    before = seed.rows(tables.Membership)
    second = facts.evaluate(LOYAL, clock.now(), EUR)

    assert first == Moves(entered=1, left=1, members=2)
    assert second == Moves(entered=0, left=0, members=2)
    assert seed.rows(tables.Membership) == before
    assert {(row.profile_id, row.left_at) for row in before} == {("P1", START), ("P2", None), ("P3", None)}


def test_a_segment_that_is_gone_is_left(seed: Seed, facts: Facts) -> None:
    """Dropping keeps the history of segments that are no longer configured and leaves the others alone."""
    for segment in ("old", "vip"):
        seed.put(tables.Membership, membership_id=segment, segment=segment, profile_id="P1", entered_at=ago(1))

    facts.drop_segments({"vip"})

    assert facts.sizes() == {"vip": 1}
    assert [row.left_at for row in seed.rows(tables.Membership, segment="old")] == [START]
