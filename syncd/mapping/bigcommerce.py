"""BigCommerce's words and ours: v3 customers and v2 orders in, customer attribute values out.

A cart is an incomplete order: it goes by `order:<id>` and keeps that id when it becomes the order. A tag is one
customer attribute with the tag's text as its value. What a record is laid together from is the connector's matter:
`attributes` hold their names, `subscribers` the newsletter subscriptions, `refunds` the refunds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import astuple, replace

from syncd.mapping.base import MapperOptions
from syncd.mapping.fields import Amounts, Fields, Readers, address, read
from syncd.mapping.slugs import TAG_PREFIX, attribute_change
from syncd.model import (
    Address,
    Cart,
    Consent,
    Customer,
    Order,
    OrderLine,
    OrderState,
    PlatformChange,
    RawRecord,
    Refund,
    Stream,
    TagChange,
    Unified,
)

LONGEST_TAG = 255

_INCOMPLETE = 0
_STATES = {
    _INCOMPLETE: OrderState.PENDING,
    1: OrderState.PENDING,  # Pending
    2: OrderState.COMPLETED,  # Shipped
    3: OrderState.OPEN,  # Partially Shipped
    4: OrderState.REFUNDED,  # Refunded
    5: OrderState.CANCELLED,  # Cancelled
    6: OrderState.FAILED,  # Declined
    7: OrderState.PENDING,  # Awaiting Payment
    8: OrderState.OPEN,  # Awaiting Pickup
    9: OrderState.OPEN,  # Awaiting Shipment
    10: OrderState.COMPLETED,  # Completed
    11: OrderState.OPEN,  # Awaiting Fulfillment
    12: OrderState.OPEN,  # Manual Verification Required
    13: OrderState.OPEN,  # Disputed
    14: OrderState.COMPLETED,  # Partially Refunded
}
_ADDRESS = {
    "first_name": "first_name",
    "last_name": "last_name",
    "company": "company",
    "line1": "address1",
    "line2": "address2",
    "city": "city",
    "region": "state_or_province",
    "postcode": "postal_code",
    "country": "country_code",
    "phone": "phone",
}
_ORDER_ADDRESS = {
    "first_name": "first_name",
    "last_name": "last_name",
    "company": "company",
    "line1": "street_1",
    "line2": "street_2",
    "city": "city",
    "region": "state",
    "postcode": "zip",
    "country": "country_iso2",
    "phone": "phone",
}
_NEWSLETTER = "marketing_newsletter"
_TEST_GATEWAY = "Test Payment Gateway"


class BigCommerceMapper:
    """The mapping of one BigCommerce store."""

    platform = "bigcommerce"
    version = 1

    def __init__(self, _options: MapperOptions) -> None:
        self._readers: Readers = {
            Stream.CUSTOMERS: _customer,
            Stream.ORDERS: _order,
            Stream.CARTS: _cart,
        }

    def to_unified(self, stream: Stream, raw: RawRecord) -> Unified:
        """Read one customer, order or incomplete order.

        Raises:
            MappingFailed: The payload cannot be read; the message names the field, never its value.
        """
        return read(self._readers, stream, raw)

    def to_platform(self, change: TagChange) -> PlatformChange:
        """Word one tag change as the attribute that is to hold the tag's text or, with a null value, nothing."""
        return attribute_change(change, "name")


def _customer(external_id: str, fields: Fields) -> Customer:
    return Customer(
        external_id=external_id,
        email=fields.known_text("email"),
        phone=fields.known_text("phone"),
        first_name=fields.known_text("first_name"),
        last_name=fields.known_text("last_name"),
        company=fields.known_text("company"),
        created_at=fields.time("date_created"),
        updated_at=fields.time("date_modified"),
        addresses=tuple(_address("other", found, _ADDRESS) for found in fields.objects("addresses")),
        consents=_consents(fields),
        tags=_tags(fields),
    )


def _consents(fields: Fields) -> tuple[Consent, ...]:
    """What was last said under this mailbox; of two statements at one time, the stricter. Nobody asked: nothing."""
    stated = [_consent(subscriber) for subscriber in fields.objects("subscribers")]
    dated = sorted(stated, key=lambda consent: (consent.at is not None, consent.at, consent.state == "no"))
    return tuple(dated[-1:])


def _consent(subscriber: Fields) -> Consent:
    # Subscriptions made before purposes were told apart are to the newsletter, and say no purpose.
    purposes = subscriber.value("consents")
    has_agreed = purposes is None or (isinstance(purposes, list) and _NEWSLETTER in purposes)
    return Consent(
        channel="email",
        state="yes" if has_agreed else "no",
        at=subscriber.time("date_modified"),
        source=subscriber.text("source"),
    )


def _tags(fields: Fields) -> tuple[str, ...] | None:
    if not fields.holds("attributes"):
        return None
    ours = (value for value in fields.objects("attributes") if value.text("name").startswith(TAG_PREFIX))
    return tuple(dict.fromkeys(filter(None, (value.text("attribute_value", LONGEST_TAG) for value in ours))))


def _order(external_id: str, fields: Fields) -> Order:
    billing = fields.object("billing_address")
    currency = _currency(fields)
    amounts = Amounts(currency, takes_numbers=True)
    lines = tuple(_lines(fields, amounts))
    refunds = tuple(_refunds(fields, amounts))
    order = Order(
        external_id=external_id,
        number=external_id,
        status=fields.text("status"),
        state=_state(fields),
        customer_id=fields.external_id("customer_id") or None,
        email=billing.known_text("email"),
        phone=billing.known_text("phone"),
        first_name=billing.known_text("first_name"),
        last_name=billing.known_text("last_name"),
        currency=currency,
        total_minor=amounts.charged(fields, "total_inc_tax"),
        tax_minor=amounts.optional(fields, "total_tax"),
        shipping_minor=amounts.optional(fields, "shipping_cost_ex_tax"),
        discount_minor=amounts.optional(fields, "discount_amount") + amounts.optional(fields, "coupon_discount"),
        refunded_minor=_refunded(fields, amounts, refunds),
        placed_at=fields.mail_time("date_created"),
        completed_at=fields.mail_time("date_shipped"),
        updated_at=fields.mail_time("date_modified"),
        source=fields.text("order_source"),
        is_test=fields.text("payment_method") == _TEST_GATEWAY,
        discount_codes=_codes(fields),
        addresses=_addresses(fields),
        lines=lines,
        refunds=refunds,
        left_cart=None if fields.value("status_id") == _INCOMPLETE else f"order:{external_id}",
    )
    return replace(order, rounded_count=amounts.rounded_count)


def _cart(external_id: str, fields: Fields) -> Cart:
    billing = fields.object("billing_address")
    currency = _currency(fields)
    amounts = Amounts(currency, takes_numbers=True)
    cart = Cart(
        external_id=external_id,
        status=fields.text("status"),
        is_open=fields.count("status_id") == _INCOMPLETE,
        customer_id=fields.external_id("customer_id") or None,
        email=billing.known_text("email"),
        phone=billing.known_text("phone"),
        first_name=billing.known_text("first_name"),
        last_name=billing.known_text("last_name"),
        currency=currency,
        total_minor=amounts.charged(fields, "total_inc_tax"),
        created_at=fields.mail_time("date_created"),
        updated_at=fields.mail_time("date_modified"),
        addresses=_addresses(fields),
        lines=tuple(_lines(fields, amounts)),
    )
    return replace(cart, rounded_count=amounts.rounded_count)


def _state(fields: Fields) -> OrderState:
    """What the status means; an archived order counts as cancelled, for to the merchant it is gone."""
    if fields.value("is_deleted") is True:
        return OrderState.CANCELLED
    return _STATES.get(fields.count("status_id"), OrderState.OPEN)


def _consignments(fields: Fields) -> Iterator[tuple[str, Fields]]:
    """An order's consignments, each with what sort it is."""
    found = fields.object("consignments")
    for sort in ("shipping", "pickups", "downloads"):
        yield from ((sort, consignment) for consignment in found.objects(sort))


def _line_items(fields: Fields) -> Iterator[Fields]:
    for _, consignment in _consignments(fields):
        yield from consignment.objects("line_items")


def _lines(fields: Fields, amounts: Amounts) -> Iterator[OrderLine]:
    for line in _line_items(fields):
        discount = sum(amounts.optional(applied, "amount") for applied in line.objects("applied_discounts"))
        yield OrderLine(
            external_id=line.external_id("id"),
            product_id=line.external_id("product_id"),
            variant_id=line.external_id("variant_id"),
            sku=line.text("sku", limit=255),
            name=line.text("name"),
            quantity=line.count("quantity"),
            total_minor=amounts.required(line, "total_ex_tax") - discount,
            tax_minor=amounts.optional(line, "total_tax"),
            discount_minor=discount,
        )


def _codes(fields: Fields) -> tuple[str, ...]:
    codes = (applied.text("code") for line in _line_items(fields) for applied in line.objects("applied_discounts"))
    return tuple(dict.fromkeys(filter(None, codes)))


def _refunds(fields: Fields, amounts: Amounts) -> Iterator[Refund]:
    for refund in fields.objects("refunds"):
        payments = list(refund.objects("payments"))
        if payments and all(payment.value("is_declined") is True for payment in payments):
            continue  # no money went back
        yield Refund(
            external_id=refund.external_id("id"),
            amount_minor=amounts.required(refund, "total_amount"),
            reason=refund.text("reason"),
            at=refund.time("created"),
        )


def _refunded(fields: Fields, amounts: Amounts, refunds: tuple[Refund, ...]) -> int:
    """What went back; the order's own figure is documented to be 0 always, but told by some older orders."""
    return max(sum(refund.amount_minor for refund in refunds), amounts.optional(fields, "refunded_amount"))


def _addresses(fields: Fields) -> tuple[Address, ...]:
    billing = _address("billing", fields.object("billing_address"), _ORDER_ADDRESS)
    shipping = [_address(sort, found, _ORDER_ADDRESS) for sort, found in _consignments(fields) if sort == "shipping"]
    found = (billing, *shipping)
    return tuple(each for each in found if any(astuple(replace(each, kind="", external_id=""))))


def _address(kind: str, fields: Fields, names: Mapping[str, str]) -> Address:
    return address(kind, fields, names, fields.external_id("id"))


def _currency(fields: Fields) -> str:
    """The currency that amounts are in and shoppers pay in, which need not be the one that prices were shown in."""
    return fields.currency("default_currency_code", "currency_code")
