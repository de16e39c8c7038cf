"""The BigCommerce mapping, field by field where the golden files do not reach."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from syncd.errors import MappingFailed
from syncd.mapping import mapper_for
from syncd.mapping.base import MapperOptions
from syncd.model import Consent, Customer, Json, Order, OrderState, RawRecord, Stream, TagAction, TagChange

ORDER: dict[str, Any] = {"id": 7, "status_id": 10, "default_currency_code": "EUR", "total_inc_tax": "12.3000"}
MAPPER = mapper_for("bigcommerce", MapperOptions())


def customer(**fields: Json) -> Customer:
    mapped = MAPPER.to_unified(Stream.CUSTOMERS, RawRecord(external_id="1", payload={"id": 1, **fields}))
    assert isinstance(mapped, Customer)
    return mapped


def order(**fields: Json) -> Order:
    mapped = MAPPER.to_unified(Stream.ORDERS, RawRecord(external_id="7", payload=ORDER | fields))
    assert isinstance(mapped, Order)
    return mapped


def consents(*subscribers: Json) -> tuple[Consent, ...]:
    return customer(subscribers=list(subscribers)).consents


def refund(amount: Json, **fields: Json) -> dict[str, Json]:
    return {"id": 3, "order_id": 7, "total_amount": amount, "created": "2026-02-10T12:00:00+00:00", **fields}


@pytest.mark.parametrize(
    ("status_id", "state"),
    [
        (0, OrderState.PENDING),
        (1, OrderState.PENDING),
        (2, OrderState.COMPLETED),
        (3, OrderState.OPEN),
        (4, OrderState.REFUNDED),
        (5, OrderState.CANCELLED),
        (6, OrderState.FAILED),
        (7, OrderState.PENDING),
        (8, OrderState.OPEN),
        (9, OrderState.OPEN),
        (10, OrderState.COMPLETED),
        (11, OrderState.OPEN),
        (12, OrderState.OPEN),
        (13, OrderState.OPEN),
        (14, OrderState.COMPLETED),
        (99, OrderState.OPEN),
    ],
)
def test_each_status_means_one_state(status_id: int, state: OrderState) -> None:
    """The platform's fifteen statuses are known, and one that is not is an open order."""
    assert order(status_id=status_id).state is state


def test_an_archived_order_is_no_revenue() -> None:
    """What the merchant put away counts as cancelled, whatever it was."""
    assert order(is_deleted=True).state is OrderState.CANCELLED


@pytest.mark.parametrize(("status_id", "cart"), [(0, None), (1, "order:7"), (11, "order:7")])
def test_every_order_but_an_incomplete_one_left_its_cart(status_id: int, cart: str | None) -> None:
    """An order closes the cart that it was; an incomplete one still is it."""
    assert order(status_id=status_id).left_cart == cart


def test_amounts_are_in_the_currency_that_was_paid() -> None:
    """Prices may be shown in another currency than the shopper pays in."""
    assert order(currency_code="USD", default_currency_code="EUR").currency == "EUR"


def test_the_shown_currency_serves_where_no_other_is_told() -> None:
    """Old orders name one currency only."""
    assert order(currency_code="USD", default_currency_code="").currency == "USD"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"total_inc_tax": None}, "total_inc_tax is missing"),
        ({"total_inc_tax": "-1.0000"}, "total_inc_tax is negative"),
        ({"total_inc_tax": "free"}, "total_inc_tax is no amount"),
        ({"total_inc_tax": True}, "total_inc_tax is no text"),
        ({"default_currency_code": "EURO"}, "default_currency_code is no currency code"),
        ({"default_currency_code": None}, "default_currency_code is missing"),
        ({"date_created": "soon"}, "date_created is no time"),
        ({"billing_address": "none"}, "billing_address is no object"),
        ({"refunds": [refund(None)]}, r"refunds\[0\].total_amount is missing"),
        ({"refunds": [refund(float("inf"))]}, r"refunds\[0\].total_amount is no amount"),
    ],
)
def test_what_cannot_be_read_names_its_field(fields: dict[str, Json], words: str) -> None:
    """A record is set aside with the field's name and its own id."""
    with pytest.raises(MappingFailed, match=words) as caught:
        order(**fields)

    assert caught.value.external_id == "7"


@pytest.mark.parametrize("text", ["Wed, 10 Jan 2018 21:05:30 +0000", "Wed, 10 Jan 2018 22:05:30 +0100"])
def test_order_times_are_mail_dates(text: str) -> None:
    """v2 writes times as mail headers do; inside they are UTC."""
    assert order(date_created=text).placed_at == datetime(2018, 1, 10, 21, 5, 30, tzinfo=UTC)


def test_refunds_are_json_numbers_read_exactly() -> None:
    """The amount as written is the amount, not its nearest binary fraction."""
    mapped = order(refunds=[refund(1.1), refund(2)])

    assert [given.amount_minor for given in mapped.refunds] == [110, 200]
    assert (mapped.refunded_minor, mapped.rounded_count) == (310, 0)


@pytest.mark.parametrize(
    ("declined", "count"), [([], 1), ([False], 1), ([True, False], 1), ([True], 0), ([True, True], 0)]
)
def test_a_refund_whose_every_payment_was_declined_gave_nothing_back(declined: list[bool], count: int) -> None:
    """Money that never left is no refund."""
    payments = [{"is_declined": was_declined} for was_declined in declined]

    assert len(order(refunds=[refund(5, payments=payments)]).refunds) == count


@pytest.mark.parametrize(("subscriber", "state"), [
    ({"consents": ["marketing_newsletter"]}, "yes"),
    ({"consents": ["abandoned_cart", "marketing_newsletter"]}, "yes"),
    ({"consents": ["abandoned_cart"]}, "no"),
    ({"consents": []}, "no"),
    ({}, "yes"),
])  # fmt: skip
def test_only_the_newsletter_is_consent(subscriber: dict[str, Json], state: str) -> None:
    """A reminder of a cart is no newsletter; subscriptions older than purposes are to the newsletter."""
    assert [consent.state for consent in consents(subscriber)] == [state]


def test_nobody_asked_is_neither_yes_nor_no() -> None:
    """An account without a subscription says nothing, though it may take product reviews."""
    assert customer(subscribers=[], accepts_product_review_abandoned_cart_emails=True).consents == ()


def test_the_latest_word_counts() -> None:
    """Of several subscriptions under one mailbox, the one changed last is what was said."""
    early = {"consents": [], "date_modified": "2026-01-01T00:00:00Z"}
    late = {"consents": ["marketing_newsletter"], "date_modified": "2026-01-02T00:00:00Z"}

    assert [consent.state for consent in consents(late, early)] == ["yes"]


def test_tags_are_our_attributes_with_a_text() -> None:
    """Other attributes, and ours without a text, are no tags."""
    values = [
        {"name": "syncd_tag_vip", "attribute_value": "VIP"},
        {"name": "syncd_tag_old", "attribute_value": ""},
        {"name": "Tax number", "attribute_value": "X"},
    ]

    assert customer(attributes=values).tags == ("VIP",)


def test_attributes_that_are_not_shown_are_withheld() -> None:
    """Not seeing tags is not the same as there being none."""
    assert customer().tags is None


@pytest.mark.parametrize(("action", "value"), [(TagAction.ADD, "VIP"), (TagAction.REMOVE, None)])
def test_a_tag_is_one_attribute(action: TagAction, value: str | None) -> None:
    """The tag's text is the value, and no value takes it away."""
    change = MAPPER.to_platform(TagChange(external_id="5", action=action, tag="VIP"))

    assert (change.external_id, change.body) == ("5", {"name": "syncd_tag_vip", "value": value})
