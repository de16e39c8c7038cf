"""Writes: what they change, what they bump, what is silently dropped."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.sandbox.client import Client


@pytest.fixture
def ann(client: Client) -> int:
    """An account of the shop."""
    return client.shop.add_customer("ann@example.com", first_name="Ann")


def _meta(client: Client, number: int) -> dict[str, Any]:
    return {row["key"]: row["value"] for row in client.get(f"customers/{number}").json()["meta_data"]}


def _write(client: Client, number: int, *items: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.put(f"customers/{number}", {"meta_data": list(items)}).json()["meta_data"]
    return rows


def test_meta_is_replaced_in_place_and_removed_by_null(client: Client, ann: int) -> None:
    """The same key keeps its row's id; null takes the row away; arrays come back as they went."""
    first = _write(client, ann, {"key": "tags", "value": ["vip", "b"]})
    second = _write(client, ann, {"key": "tags", "value": "a,b"})
    third = _write(client, ann, {"key": "tags", "value": None})

    assert first[0]["value"] == ["vip", "b"]
    assert second == [{"id": first[0]["id"], "key": "tags", "value": "a,b"}]
    assert third == []


def test_meta_that_cannot_be_kept_is_dropped_without_a_word(client: Client, ann: int) -> None:
    """Protected keys, keys that are too long and items without a key vanish with a 200."""
    rows = _write(client, ann, {"key": "_tags", "value": "x"}, {"key": "k" * 300, "value": "x"}, {"value": "x"})

    assert rows == []


def test_meta_ids_and_repeats(client: Client, ann: int) -> None:
    """Of one key twice the last wins; a foreign id makes a new row; an own id is used."""
    twice = _write(client, ann, {"key": "seg", "value": "one"}, {"key": "seg", "value": "two"})
    foreign = _write(client, ann, {"id": 999_999, "key": "other", "value": "x"})
    own = _write(client, ann, {"id": twice[0]["id"], "key": "seg", "value": "three"})

    assert [row["value"] for row in twice] == ["two"]
    assert [row["key"] for row in foreign] == ["seg", "other"]
    assert own[0] == {"id": twice[0]["id"], "key": "seg", "value": "three"}


def test_orders_keep_protected_meta(client: Client) -> None:
    """Order meta takes keys that start with an underscore."""
    order = client.shop.place_order()

    rows = client.put(f"orders/{order}", {"meta_data": [{"key": "_x", "value": "1"}]}).json()["meta_data"]

    assert [row["key"] for row in rows] == ["_x"]


def test_every_put_bumps_the_modification_time(client: Client, ann: int) -> None:
    """Even an empty PUT, to a customer or an order, is a modification: pushes come back as echoes."""
    order = client.shop.place_order()
    before = [client.get(path).json()["date_modified_gmt"] for path in (f"customers/{ann}", f"orders/{order}")]
    client.shop.clock.advance(60)

    after = [client.put(path, {}).json()["date_modified_gmt"] for path in (f"customers/{ann}", f"orders/{order}")]

    assert after[0] > before[0]
    assert after[1] > before[1]


def test_names_with_an_ampersand_come_back_encoded(client: Client, ann: int) -> None:
    """The answer to a write shows the name raw, every later answer encoded; billing stays raw."""
    written = client.put(f"customers/{ann}", {"last_name": "A & <b>B</b>", "billing": {"last_name": "A & B"}}).json()
    read = client.get(f"customers/{ann}").json()

    assert written["last_name"] == "A & B"
    assert read["last_name"] == "A &amp; B"
    assert read["billing"]["last_name"] == "A & B"


def test_a_batch_is_done_item_by_item_and_not_validated(client: Client, ann: int) -> None:
    """A bad item fails alone; a bad mail address in a batch blanks the customer's own."""
    items = [{"id": ann, "meta_data": [{"key": "k", "value": "v"}]}, {"id": 99999999}, {"id": ann, "email": "nope"}]

    answer = client.post("customers/batch", {"update": items})

    assert answer.status_code == 200
    assert answer.json()["update"][1]["error"]["code"] == "woocommerce_rest_invalid_id"
    assert answer.json()["update"][2]["email"] == ""
    assert _meta(client, ann) == {"k": "v"}


def test_a_batch_of_101_does_nothing(client: Client, ann: int) -> None:
    """Too large a batch is refused whole."""
    items = [{"id": ann, "meta_data": [{"key": "k", "value": "v"}]}] * 101

    answer = client.post("customers/batch", {"update": items})

    assert answer.status_code == 413
    assert _meta(client, ann) == {}


def test_a_deleted_customer_leaves_its_orders_as_guests(client: Client, ann: int) -> None:
    """The orders stay, lose their customer and count as modified."""
    order = client.shop.place_order(customer_id=ann)
    before = client.get(f"orders/{order}").json()["date_modified_gmt"]
    client.shop.clock.advance(60)

    client.delete(f"customers/{ann}", force="true")

    after = client.get(f"orders/{order}").json()
    assert client.get(f"customers/{ann}").status_code == 404
    assert after["customer_id"] == 0
    assert after["date_modified_gmt"] > before


def test_trashing_bumps_and_refunds_bump(client: Client) -> None:
    """Both count as a modification; a refund leaves the total alone and shows as a negative amount."""
    order = client.shop.place_order(status="completed")
    before = client.get(f"orders/{order}").json()
    client.shop.clock.advance(60)

    refund = client.post(f"orders/{order}/refunds", {"amount": "1.50", "reason": "late"}).json()
    refunded = client.get(f"orders/{order}").json()
    client.shop.clock.advance(60)
    client.delete(f"orders/{order}")
    trashed = client.get(f"orders/{order}").json()

    assert refunded["refunds"] == [{"id": refund["id"], "reason": "late", "total": "-1.50"}]
    assert (refunded["total"], refunded["status"]) == (before["total"], "completed")
    assert before["date_modified_gmt"] < refunded["date_modified_gmt"] < trashed["date_modified_gmt"]


def test_a_full_refund_changes_the_status(client: Client) -> None:
    """Giving everything back makes the order refunded; setting that status gives everything back."""
    first, second = client.shop.place_order(), client.shop.place_order()

    client.shop.refund(first)
    set_by_status = client.put(f"orders/{second}", {"status": "refunded"}).json()

    assert client.get(f"orders/{first}").json()["status"] == "refunded"
    assert set_by_status["refunds"][0]["total"] == f"-{set_by_status['total']}"


def test_a_draft_becomes_the_order_or_vanishes(client: Client) -> None:
    """A finished draft keeps its id; one left for a day is deleted by the daily job without a trace."""
    finished, left = client.shop.open_draft(), client.shop.open_draft()
    client.shop.complete_draft(finished)
    client.shop.clock.advance(3 * 86400)

    answers = [client.get(f"orders/{number}") for number in (finished, left)]

    assert answers[0].json()["status"] == "processing"
    assert answers[1].status_code == 404
    assert client.ids("orders", status="checkout-draft") == []


def test_the_first_completed_order_modifies_the_customer(client: Client, ann: int) -> None:
    """Only the first one: the customer starts to be a paying one."""
    client.shop.place_order(customer_id=ann, status="completed")
    first = client.get(f"customers/{ann}").json()
    client.shop.clock.advance(60)

    client.shop.place_order(customer_id=ann, status="completed")

    assert first["is_paying_customer"] is True
    assert client.get(f"customers/{ann}").json()["date_modified_gmt"] == first["date_modified_gmt"]


def test_a_taken_address_is_refused(client: Client, ann: int) -> None:
    """Another account's mail address can be neither registered nor moved to."""
    bob = client.shop.add_customer("bob@example.com")

    created = client.post("customers", {"email": "ANN@example.com"})
    moved = client.put(f"customers/{bob}", {"email": "ann@example.com"})

    assert created.json()["code"] == "registration-error-email-exists"
    assert moved.json()["code"] == "woocommerce_rest_customer_invalid_email"
    assert ann != bob
