"""WooCommerce's words and ours: REST v3 customers and orders in, customer meta keys out.

A cart is an order that is not paid yet: the carts stream holds drafts, pending and failed orders under the id
`order:<id>`. A tag is one customer meta key with the tag's text as its value.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import astuple, replace

from syncd.mapping.base import MapperOptions
from syncd.mapping.fields import Amounts, Fields, Readers, address, read
from syncd.mapping.slugs import TAG_PREFIX, attribute_change
from syncd.model import (
    Address,
    Cart,
    Consent,
    Customer,
    Json,
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

LONGEST_TAG = 500

_STAFF_ROLES = frozenset({"administrator", "shop_manager", "editor", "author", "contributor"})
_CART_STATUSES = frozenset({"checkout-draft", "pending", "failed"})
_STATES = {
    "checkout-draft": OrderState.PENDING,
    "auto-draft": OrderState.PENDING,
    "pending": OrderState.PENDING,
    "processing": OrderState.OPEN,
    "on-hold": OrderState.OPEN,
    "completed": OrderState.COMPLETED,
    "cancelled": OrderState.CANCELLED,
    "trash": OrderState.CANCELLED,
    "failed": OrderState.FAILED,
    "refunded": OrderState.REFUNDED,
}
_ADDRESS = {
    "first_name": "first_name",
    "last_name": "last_name",
    "company": "company",
    "line1": "address_1",
    "line2": "address_2",
    "city": "city",
    "region": "state",
    "postcode": "postcode",
    "country": "country",
    "phone": "phone",
}
_YES = frozenset({"1", "true", "yes", "y", "on", "subscribed"})


class WooCommerceMapper:
    """The mapping of one WooCommerce store."""

    platform = "woocommerce"
    version = 1

    def __init__(self, options: MapperOptions) -> None:
        self._consent_meta_key = options.consent_meta_key
        self._readers: Readers = {
            Stream.CUSTOMERS: self._customer,
            Stream.ORDERS: _order,
            Stream.CARTS: _cart,
        }

    def to_unified(self, stream: Stream, raw: RawRecord) -> Unified:
        """Read one customer, order or cart.

        Raises:
            MappingFailed: The payload cannot be read; the message names the field, never its value.
        """
        return read(self._readers, stream, raw)

    def to_platform(self, change: TagChange) -> PlatformChange:
        """Word one tag change as the meta entry that sets or, with a null value, deletes the tag's key."""
        return attribute_change(change, "key")

    def _customer(self, external_id: str, fields: Fields) -> Customer:
        billing = fields.object("billing")
        role = fields.text("role")
        return Customer(
            external_id=external_id,
            email=fields.known_text("email") or billing.known_text("email"),
            phone=billing.known_text("phone"),
            first_name=_unescaped(fields.known_text("first_name")),
            last_name=_unescaped(fields.known_text("last_name")),
            company=billing.known_text("company"),
            role=role,
            is_staff=role in _STAFF_ROLES,
            created_at=fields.time("date_created_gmt"),
            updated_at=fields.time("date_modified_gmt"),
            addresses=_addresses(fields),
            consents=self._consents(fields),
            tags=_tags(fields),
        )

    def _consents(self, fields: Fields) -> tuple[Consent, ...]:
        stated = [meta.value("value") for meta in fields.objects("meta_data") if self._is_consent(meta)]
        if not stated:
            return ()
        # A key that was written twice: neither is dated, so the stricter counts.
        state = "yes" if all(_is_yes(value) for value in stated) else "no"
        return (Consent(channel="email", state=state, source=f"meta:{self._consent_meta_key}"),)

    def _is_consent(self, meta: Fields) -> bool:
        return bool(self._consent_meta_key) and meta.value("key") == self._consent_meta_key


def _order(external_id: str, fields: Fields) -> Order:
    billing = fields.object("billing")
    currency = fields.currency("currency")
    amounts = Amounts(currency)
    status = fields.text("status")
    refunds = tuple(_refunds(fields, amounts))
    order = Order(
        external_id=external_id,
        number=fields.external_id("number"),
        status=status,
        state=_STATES.get(status, OrderState.OPEN),
        customer_id=fields.external_id("customer_id") or None,
        email=billing.known_text("email"),
        phone=billing.known_text("phone"),
        first_name=billing.known_text("first_name"),
        last_name=billing.known_text("last_name"),
        currency=currency,
        total_minor=amounts.charged(fields, "total"),
        tax_minor=amounts.optional(fields, "total_tax"),
        shipping_minor=amounts.optional(fields, "shipping_total"),
        discount_minor=amounts.optional(fields, "discount_total"),
        refunded_minor=sum(refund.amount_minor for refund in refunds),
        placed_at=fields.time("date_created_gmt"),
        paid_at=fields.time("date_paid_gmt"),
        completed_at=fields.time("date_completed_gmt"),
        updated_at=fields.time("date_modified_gmt"),
        source=fields.text("created_via"),
        discount_codes=tuple(filter(None, (coupon.text("code") for coupon in fields.objects("coupon_lines")))),
        addresses=_addresses(fields),
        lines=tuple(_lines(fields, amounts)),
        refunds=refunds,
        left_cart=None if status in _CART_STATUSES else f"order:{external_id}",
    )
    return replace(order, rounded_count=amounts.rounded_count)


def _cart(external_id: str, fields: Fields) -> Cart:
    billing = fields.object("billing")
    currency = fields.currency("currency")
    amounts = Amounts(currency)
    status = fields.text("status")
    cart = Cart(
        external_id=external_id,
        status=status,
        is_open=status in _CART_STATUSES,
        customer_id=fields.external_id("customer_id") or None,
        email=billing.known_text("email"),
        phone=billing.known_text("phone"),
        first_name=billing.known_text("first_name"),
        last_name=billing.known_text("last_name"),
        currency=currency,
        total_minor=amounts.charged(fields, "total"),
        created_at=fields.time("date_created_gmt"),
        updated_at=fields.time("date_modified_gmt"),
        recovery_url=fields.text("payment_url"),
        addresses=_addresses(fields),
        lines=tuple(_lines(fields, amounts)),
    )
    return replace(cart, rounded_count=amounts.rounded_count)


def _lines(fields: Fields, amounts: Amounts) -> Iterator[OrderLine]:
    for line in fields.objects("line_items"):
        total = amounts.required(line, "total")
        undiscounted = amounts.optional(line, "subtotal") or total
        yield OrderLine(
            external_id=line.external_id("id"),
            product_id=line.external_id("product_id"),
            variant_id=line.external_id("variation_id"),
            sku=line.text("sku", limit=255),
            name=line.text("name"),
            quantity=line.count("quantity"),
            total_minor=total,
            tax_minor=amounts.optional(line, "total_tax"),
            discount_minor=undiscounted - total,
        )


def _refunds(fields: Fields, amounts: Amounts) -> Iterator[Refund]:
    for refund in fields.objects("refunds"):
        yield Refund(
            external_id=refund.external_id("id"),
            amount_minor=abs(amounts.required(refund, "total")),  # negative inside an order, positive on its own
            reason=refund.text("reason"),
        )


def _addresses(fields: Fields) -> tuple[Address, ...]:
    both = (address(kind, fields.object(kind), _ADDRESS) for kind in ("billing", "shipping"))
    return tuple(found for found in both if any(astuple(replace(found, kind=""))))


def _tags(fields: Fields) -> tuple[str, ...] | None:
    if fields.value("meta_data") is None:
        return None  # only an administrator's key is shown meta data
    ours = (meta for meta in fields.objects("meta_data") if _is_tag(meta))
    return tuple(dict.fromkeys(meta.text("value", LONGEST_TAG) for meta in ours))


def _is_tag(meta: Fields) -> bool:
    key, value = meta.value("key"), meta.value("value")
    return isinstance(key, str) and key.startswith(TAG_PREFIX) and isinstance(value, str) and bool(value)


def _is_yes(value: Json) -> bool:
    return value is True or value == 1 or (isinstance(value, str) and value.strip().lower() in _YES)


def _unescaped(text: str | None) -> str | None:
    # WordPress profile forms store account names HTML-encoded; billing names are raw.
    return html.unescape(text) if text else text
