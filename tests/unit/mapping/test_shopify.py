"""The Shopify mapping, field by field where the golden files do not reach."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.errors import MappingFailed
from syncd.mapping import content_hash, mapper_for
from syncd.mapping.base import MapperOptions
from syncd.model import Cart, Customer, Json, Order, OrderState, RawRecord, Stream, TagAction, TagChange, Unified

MAPPER = mapper_for("shopify", MapperOptions())
NAMED = {"firstName": "Ann", "lastName": "Lee"}


def money(amount: str, currency: str = "EUR") -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": currency}}


def mapped(stream: Stream, payload: dict[str, Any]) -> Unified:
    return MAPPER.to_unified(stream, RawRecord(external_id="7", payload=payload))


def customer(**fields: Json) -> Customer:
    record = mapped(Stream.CUSTOMERS, {"id": "gid://shopify/Customer/7", **fields})
    assert isinstance(record, Customer)
    return record


def order(**fields: Json) -> Order:
    blank: dict[str, Any] = {"id": "gid://shopify/Order/7", "currencyCode": "EUR", "totalPriceSet": money("12.3")}
    record = mapped(Stream.ORDERS, blank | fields)
    assert isinstance(record, Order)
    return record


def cart(**fields: Json) -> Cart:
    blank: dict[str, Any] = {"id": "gid://shopify/AbandonedCheckout/7", "totalPriceSet": money("12.3")}
    record = mapped(Stream.CARTS, blank | fields)
    assert isinstance(record, Cart)
    return record


def lines(*nodes: Json) -> dict[str, Json]:
    return {"nodes": list(nodes), "pageInfo": {"hasNextPage": False}}


@pytest.mark.parametrize(
    ("paid", "delivered", "state"),
    [
        ("PAID", "UNFULFILLED", OrderState.OPEN),
        ("PAID", "PARTIALLY_FULFILLED", OrderState.OPEN),
        ("PAID", "FULFILLED", OrderState.COMPLETED),
        ("PAID", "FULFILLMENT_NOT_REQUIRED", OrderState.COMPLETED),
        ("AUTHORIZED", "UNFULFILLED", OrderState.OPEN),
        ("PARTIALLY_PAID", "UNFULFILLED", OrderState.OPEN),
        ("PARTIALLY_REFUNDED", "FULFILLED", OrderState.COMPLETED),
        ("PENDING", "UNFULFILLED", OrderState.PENDING),
        ("PENDING", "FULFILLED", OrderState.PENDING),
        ("EXPIRED", "UNFULFILLED", OrderState.FAILED),
        ("VOIDED", "UNFULFILLED", OrderState.CANCELLED),
        ("REFUNDED", "FULFILLED", OrderState.REFUNDED),
        ("A_NEW_WORD", "ANOTHER", OrderState.OPEN),
        (None, None, OrderState.OPEN),
    ],
)
def test_payment_and_delivery_tell_the_state(paid: str | None, delivered: str | None, state: OrderState) -> None:
    """Words of later versions leave an order open instead of setting it aside."""
    assert order(displayFinancialStatus=paid, displayFulfillmentStatus=delivered).state is state


def test_a_cancelled_order_is_cancelled_whatever_was_paid() -> None:
    """Cancellation is a time of its own beside the payment's word."""
    record = order(displayFinancialStatus="PAID", cancelledAt="2026-01-01T00:00:00Z")

    assert (record.state, record.status) == (OrderState.CANCELLED, "cancelled")


def test_an_order_without_a_customer_is_a_guests() -> None:
    """The buyer is then known by the order's own mailbox and its billing address."""
    guest = order(customer=None, email="a@b.example", billingAddress={"id": "1", **NAMED, "phone": "0301"})

    assert guest.is_guest
    assert (guest.email, guest.phone, guest.first_name) == ("a@b.example", "0301", "Ann")


def test_the_phone_of_a_gifts_receiver_is_not_the_buyers() -> None:
    """Where there is a billing address, the shipping address says nothing of the buyer."""
    record = order(billingAddress={"id": "1", **NAMED}, shippingAddress={"id": "2", "phone": "0302"})

    assert record.phone == ""


def test_placed_is_when_it_was_processed() -> None:
    """Imported orders are created long after they were placed."""
    assert str(order(processedAt="2020-01-01T00:00:00Z", createdAt="2026-01-01T00:00:00Z").placed_at)[:4] == "2020"
    assert str(order(createdAt="2026-01-01T00:00:00Z").placed_at)[:4] == "2026"


def test_line_amounts_are_after_all_discounts() -> None:
    """The discount is what lies between the two prices."""
    line = {"id": "gid://shopify/LineItem/1", "originalTotalSet": money("50.0"), "discountedTotalSet": money("44.5")}

    (mapped_line,) = order(lineItems=lines(line)).lines

    assert (mapped_line.external_id, mapped_line.total_minor, mapped_line.discount_minor) == ("1", 4450, 550)


def test_amounts_are_the_shops_own_money() -> None:
    """What the buyer saw in another currency is not read."""
    both = {**money("10.0"), "presentmentMoney": {"amount": "1500.0", "currencyCode": "JPY"}}

    record = order(totalPriceSet=both, presentmentCurrencyCode="JPY")

    assert (record.total_minor, record.currency) == (1000, "EUR")


@pytest.mark.parametrize(
    ("word", "state"),
    [("SUBSCRIBED", "yes"), ("UNSUBSCRIBED", "no"), ("REDACTED", "no"), ("PENDING", "pending"), ("NEW", "unknown")],
)
def test_consent_is_read_per_channel(word: str, state: str) -> None:
    """E-mail and SMS each have their own statement."""
    email = {"emailAddress": "a@b.example", "marketingState": word, "marketingOptInLevel": "SINGLE_OPT_IN"}
    phone = {"phoneNumber": "+491", "smsMarketingConsent": {"state": word, "updatedAt": "2026-01-01T00:00:00Z"}}

    consents = customer(defaultEmailAddress=email, defaultPhoneNumber=phone).consents

    assert [(consent.channel, consent.state) for consent in consents] == [("email", state), ("sms", state)]
    assert consents[0].level == "single_opt_in"
    assert consents[1].at is not None


@pytest.mark.parametrize("word", ["NOT_SUBSCRIBED", "INVALID", None])
def test_never_asked_is_no_statement(word: str | None) -> None:
    """Somebody who was never asked said neither yes nor no."""
    assert customer(defaultEmailAddress={"emailAddress": "a@b.example", "marketingState": word}).consents == ()


def test_nothing_shown_of_a_person_is_withheld() -> None:
    """Shopify keeps no customer without name, mailbox or phone: nothing at all means that it is hidden."""
    hidden = customer(firstName=None, lastName=None, defaultEmailAddress=None, defaultPhoneNumber=None)
    shown = customer(firstName="Ann", lastName=None, defaultEmailAddress=None, defaultPhoneNumber=None)

    assert (hidden.email, hidden.phone, hidden.first_name) == (None, None, None)
    assert (shown.email, shown.phone, shown.first_name) == ("", "", "Ann")


def test_a_customer_is_reached_at_home() -> None:
    """Most customers have a phone only in their address."""
    assert customer(**NAMED, defaultAddress={"id": "1", "phone": "0301"}).phone == "0301"


def test_withheld_tags_are_not_no_tags() -> None:
    """A payload without tags says nothing of them."""
    assert customer().tags is None
    assert customer(tags=[]).tags == ()


def test_a_checkout_is_open_until_it_is_completed() -> None:
    """Who came back later left no cart."""
    assert cart(completedAt=None).is_open
    assert not cart(completedAt="2026-01-01T00:00:00Z").is_open


def test_a_checkout_is_its_customers() -> None:
    """It has no mailbox of its own."""
    record = cart(customer={"id": "gid://shopify/Customer/9", "defaultEmailAddress": {"emailAddress": "a@b.example"}})

    assert (record.customer_id, record.email) == ("9", "a@b.example")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("totalPriceSet", None),
        ("totalPriceSet", money("-1.0")),
        ("totalPriceSet", {"shopMoney": {"amount": 12.3}}),
        ("currencyCode", None),
        ("currencyCode", "EURO"),
        ("updatedAt", "0000-00-00T00:00:00Z"),
        ("billingAddress", "x"),
        ("lineItems", {"nodes": [{"id": "gid://shopify/LineItem/1"}]}),
        ("refunds", [{"id": "1", "totalRefundedSet": money("1e400")}]),
        ("customer", {"id": 7}),
        ("discountCodes", "SPRING"),
        ("discountCodes", [7]),
        ("email", "a\x00"),
    ],
)
def test_unreadable_orders_are_set_aside_by_name(field: str, value: Json) -> None:
    """A record that cannot be read says which record it is, and never what stood there."""
    with pytest.raises(MappingFailed) as failure:
        order(**{field: value})

    assert failure.value.external_id == "7"
    assert any(word in failure.value.message for word in (field, "amount", "customer", "nodes", "record"))


@pytest.mark.parametrize("action", list(TagAction))
def test_a_tag_is_the_platforms_own(action: TagAction) -> None:
    """The text goes as it is, and comes back as a tag."""
    change = MAPPER.to_platform(TagChange(external_id="7", action=action, tag="Große Kunden"))

    assert (change.external_id, change.action, change.body) == ("7", action, {"tag": "Große Kunden"})
    assert customer(tags=["Große Kunden"]).tags == ("Große Kunden",)


def test_our_own_push_is_no_change() -> None:
    """Update time and our own tags leave the content hash alone; a tag of staff does not."""
    before = customer(**NAMED, tags=["press"], updatedAt="2026-01-01T00:00:00Z")
    after = customer(**NAMED, tags=["VIP", "press"], updatedAt="2026-01-02T00:00:00Z")

    assert content_hash(before, frozenset({"VIP"})) == content_hash(after, frozenset({"VIP"}))
    assert content_hash(before, frozenset()) != content_hash(after, frozenset())
