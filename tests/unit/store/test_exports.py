"""Exports: documented columns, rows in byte order, the same texts from both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from syncd.store import tables
from syncd.store.exports import Exports
from tests.clock import START
from tests.unit.store.seed import Seed, ago, seeded

KINDS = ("customers", "orders", "carts", "profiles", "members")


@pytest.fixture
def seed(database_url: str) -> Iterator[Seed]:
    """A fresh database with the store `eu`."""
    with seeded(database_url) as seed:
        yield seed


@pytest.fixture
def exports(seed: Seed) -> Exports:
    """The part under test, with chunks of two rows."""
    return Exports(seed.engines, chunk=2)


def _dicts(exports: Exports, kind: str) -> list[dict[str, Any]]:
    return [dict(zip(exports.columns(kind), row, strict=True)) for row in exports.rows(kind)]


@pytest.mark.parametrize(
    ("kind", "first"),
    [
        ("customers", ("store", "external_id")),
        ("orders", ("store", "external_id")),
        ("carts", ("store", "external_id")),
        ("profiles", ("profile_id",)),
        ("members", ("segment", "profile_id")),
    ],
)
def test_columns_begin_with_the_key(exports: Exports, kind: str, first: tuple[str, ...]) -> None:
    """Every kind begins with its key, and every column has a meaning."""
    assert exports.columns(kind)[: len(first)] == first
    assert all(exports.meanings(kind).values())
    assert list(exports.rows(kind)) == []


def test_rows_are_in_byte_order_over_chunks(seed: Seed, exports: Exports) -> None:
    """Keys are sorted byte by byte, none lost or doubled where one chunk ends."""
    keys = [("eu", "10"), ("eu", "9"), ("eu", "order:1"), ("EU", "1"), ("é", "a"), ("eu", "B"), ("eu", "a"), ("f", "2")]
    for store_id, external_id in keys:
        seed.order(external_id, store_id)

    found = [row[:2] for row in exports.rows("orders")]

    assert found == sorted(keys, key=lambda key: (key[0].encode(), key[1].encode()))


def test_orders(seed: Seed, exports: Exports) -> None:
    """An order's amounts are told as text with the currency's decimals and as minor units, its times in UTC."""
    seed.order(
        "1",
        total_minor=123456,
        refunded_minor=5,
        currency="KWD",
        customer_id="7",
        placed_at=datetime.fromisoformat("2026-02-03T04:05:06+02:00"),
        email=None,
        line_count=2,
        is_test=True,
    )
    seed.order("2", deleted_at=START)
    seed.order("3", total_minor=817, currency="JPY", status="on-hold")

    account, guest = _dicts(exports, "orders")

    assert (account["total"], account["total_minor"], account["refunded"]) == ("123.456", 123456, "0.005")
    assert (account["placed_at"], account["updated_at"]) == ("2026-02-03T02:05:06Z", None)
    assert (account["customer_external_id"], account["is_guest"], account["is_test"]) == ("7", False, True)
    assert (account["email"], account["line_count"]) == (None, 2)
    assert (guest["external_id"], guest["total"], guest["is_guest"], guest["status"]) == ("3", "817", True, "on-hold")


def test_carts_are_the_open_ones(seed: Seed, exports: Exports) -> None:
    """Carts that ended or are gone are left out."""
    seed.cart("order:1", total_minor=1050)
    seed.cart("order:2", is_open=False)
    seed.cart("order:3", deleted_at=START)

    (cart,) = _dicts(exports, "carts")

    assert (cart["external_id"], cart["total"], cart["is_guest"]) == ("order:1", "10.50", True)


def test_customers(seed: Seed, exports: Exports) -> None:
    """A customer comes with the first address and what was said about each channel, once each."""
    seed.account("P1", "1", email="a@example.com", is_staff=True, created_at=ago(1))
    seed.account("P1", "2")
    seed.account("P1", "3", deleted_at=START)
    seed.consent("1", "yes", ago(2))
    seed.consent("1", "no", channel="sms")
    for position, city in enumerate(("Bonn", "Köln")):
        row = {"store_id": "eu", "owner": "customer", "owner_id": "1", "position": position, "kind": "billing"}
        seed.put(tables.AddressRow, **row, city=city)

    first, second = _dicts(exports, "customers")

    assert (first["email"], first["is_staff"], first["address_city"]) == ("a@example.com", True, "Bonn")
    assert (first["email_consent"], first["email_consent_at"]) == ("yes", "2026-02-27T12:00:00Z")
    assert (first["sms_consent"], first["sms_consent_at"]) == ("no", None)
    assert (second["external_id"], second["address_city"], second["email_consent"]) == ("2", None, "unknown")


def test_profiles_are_people_who_are_alive(seed: Seed, exports: Exports) -> None:
    """Tombstones and profiles without contacts are left out; facts and their amounts come along."""
    seed.profile("P1", first_name="Ann", email="a@example.com")
    seed.account("P1", "1")
    seed.put(tables.FactsRow, profile_id="P1", currency="JPY", spent_minor=300, orders_count=1, computed_at=START)
    seed.profile("P2", merged_into="P1")
    seed.profile("P3")
    seed.profile("P4")
    seed.contact("P4", "order", "5")

    ann, other = _dicts(exports, "profiles")

    assert (ann["profile_id"], ann["first_name"], ann["spent"], ann["spent_minor"]) == ("P1", "Ann", "300", 300)
    assert (ann["average_order"], ann["orders_count"], ann["is_staff"]) == (None, 1, False)
    assert (other["profile_id"], other["spent"], other["orders_count"]) == ("P4", None, None)


def test_members_are_in_now(seed: Seed, exports: Exports) -> None:
    """Only open memberships are told, by segment and profile."""
    for number, (segment, profile_id, left_at) in enumerate(
        [("vip", "P2", None), ("vip", "P1", None), ("new", "P3", None), ("vip", "P0", START)]
    ):
        row = {"membership_id": str(number), "segment": segment, "profile_id": profile_id, "left_at": left_at}
        seed.put(tables.Membership, entered_at=ago(1), **row)

    found = list(exports.rows("members"))

    at = "2026-02-28T12:00:00Z"
    assert found == [("new", "P3", at), ("vip", "P1", at), ("vip", "P2", at)]


def test_no_connection_is_held_between_chunks(seed: Seed, exports: Exports) -> None:
    """While the reader is busy, the database can be written, and rows behind the reader's place still come."""
    for number in "13":
        seed.order(number)
    rows = exports.rows("orders")
    first = next(rows)

    seed.order("4")

    assert [first[1], *(row[1] for row in rows)] == ["1", "3", "4"]
