"""Shopify's words and ours: GraphQL customers, orders and abandoned checkouts in, customer tags out.

Names, mailboxes, phones and addresses that the shop withholds are absent or all null: they are None here, and never
empty. An abandoned checkout has no mailbox of its own: who left it is known by its customer or its addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from syncd.mapping.base import MapperOptions
from syncd.mapping.fields import Amounts, Fields, Readers, address, read
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

_UNPAID = {
    "PENDING": OrderState.PENDING,
    "EXPIRED": OrderState.FAILED,
    "VOIDED": OrderState.CANCELLED,
    "REFUNDED": OrderState.REFUNDED,
}
_FULFILLED = frozenset({"FULFILLED", "FULFILLMENT_NOT_REQUIRED"})
_ADDRESS = {
    "first_name": "firstName",
    "last_name": "lastName",
    "company": "company",
    "line1": "address1",
    "line2": "address2",
    "city": "city",
    "region": "provinceCode",
    "postcode": "zip",
    "country": "countryCodeV2",
    "phone": "phone",
}
_CONSENT_STATES = {"SUBSCRIBED": "yes", "UNSUBSCRIBED": "no", "REDACTED": "no", "PENDING": "pending"}
_SILENT = frozenset({"", "NOT_SUBSCRIBED", "NEVER_SUBSCRIBED", "INVALID"})  # nothing was ever said


class ShopifyMapper:
    """The mapping of one Shopify store."""

    platform = "shopify"
    version = 1

    def __init__(self, _options: MapperOptions) -> None:
        self._readers: Readers = {
            Stream.CUSTOMERS: _customer,
            Stream.ORDERS: _order,
            Stream.CARTS: _cart,
        }

    def to_unified(self, stream: Stream, raw: RawRecord) -> Unified:
        """Read one customer, order or abandoned checkout.

        Raises:
            MappingFailed: The payload cannot be read; the message names the field, never its value.
        """
        return read(self._readers, stream, raw)

    def to_platform(self, change: TagChange) -> PlatformChange:
        """Word one tag change: a tag is the platform's own, under its own text."""
        return PlatformChange(external_id=change.external_id, action=change.action, body={"tag": change.tag})


def _customer(external_id: str, fields: Fields) -> Customer:
    home = fields.object("defaultAddress")
    first_name, last_name, email, phone, company = _shown(
        fields.text("firstName"),
        fields.text("lastName"),
        fields.object("defaultEmailAddress").text("emailAddress"),
        fields.object("defaultPhoneNumber").text("phoneNumber") or home.text("phone"),
        home.text("company"),
    )
    return Customer(
        external_id=external_id,
        email=email,
        phone=phone,
        first_name=first_name,
        last_name=last_name,
        company=company,
        role=fields.text("state").lower(),
        locale=fields.text("locale"),
        created_at=fields.time("createdAt"),
        updated_at=fields.time("updatedAt"),
        addresses=_customer_addresses(fields),
        consents=tuple(_consents(fields)),
        tags=_tags(fields),
    )


def _order(external_id: str, fields: Fields) -> Order:
    currency = fields.currency("currencyCode")
    amounts = Amounts(currency)
    customer = fields.object("customer")
    addresses = _addresses(fields)
    buyer = next(iter(addresses), Address(kind="other"))  # a shipping address may be somebody else's
    first_name, last_name, email, phone = _shown(
        customer.text("firstName") or buyer.first_name,
        customer.text("lastName") or buyer.last_name,
        fields.text("email"),
        fields.text("phone") or buyer.phone,
    )
    order = Order(
        external_id=external_id,
        number=fields.text("name"),
        status=_status(fields),
        state=_state(fields),
        customer_id=_number(customer, "id") or None,
        email=email,
        phone=phone,
        first_name=first_name,
        last_name=last_name,
        currency=currency,
        total_minor=amounts.charged(_money(fields, "totalPriceSet"), "amount"),
        tax_minor=_amount(fields, "totalTaxSet", amounts),
        shipping_minor=_amount(fields, "totalShippingPriceSet", amounts),
        discount_minor=_amount(fields, "totalDiscountsSet", amounts),
        refunded_minor=_amount(fields, "totalRefundedSet", amounts),
        placed_at=fields.time("processedAt") or fields.time("createdAt"),
        completed_at=fields.time("closedAt"),
        updated_at=fields.time("updatedAt"),
        source=fields.text("sourceName"),
        is_test=fields.value("test") is True,
        discount_codes=fields.texts("discountCodes"),
        addresses=addresses,
        lines=tuple(_lines(fields, amounts, ("originalTotalSet", "discountedTotalSet"))),
        refunds=tuple(_refunds(fields, amounts)),
    )
    return replace(order, rounded_count=amounts.rounded_count)


def _cart(external_id: str, fields: Fields) -> Cart:
    currency = _money(fields, "totalPriceSet").currency("currencyCode")
    amounts = Amounts(currency)
    customer = fields.object("customer")
    addresses = _addresses(fields)
    buyer = next(iter(addresses), Address(kind="other"))  # a shipping address may be somebody else's
    completed_at = fields.time("completedAt")
    first_name, last_name, email, phone = _shown(
        customer.text("firstName") or buyer.first_name,
        customer.text("lastName") or buyer.last_name,
        customer.object("defaultEmailAddress").text("emailAddress"),
        customer.object("defaultPhoneNumber").text("phoneNumber") or buyer.phone,
    )
    cart = Cart(
        external_id=external_id,
        status="completed" if completed_at else "open",
        is_open=completed_at is None,
        customer_id=_number(customer, "id") or None,
        email=email,
        phone=phone,
        first_name=first_name,
        last_name=last_name,
        currency=currency,
        total_minor=amounts.charged(_money(fields, "totalPriceSet"), "amount"),
        created_at=fields.time("createdAt"),
        updated_at=fields.time("updatedAt"),
        recovery_url=fields.text("abandonedCheckoutUrl"),
        addresses=addresses,
        lines=tuple(
            _lines(fields, amounts, ("originalTotalPriceSet", "discountedTotalPriceWithCodeDiscount")),
        ),
    )
    return replace(cart, rounded_count=amounts.rounded_count)


def _shown(*texts: str) -> tuple[str | None, ...]:
    """What a record says of a person; all None where it says nothing at all, since then it is withheld.

    Shopify keeps no customer without a name, a mailbox or a phone.
    """
    return texts if any(texts) else (None,) * len(texts)


def _status(fields: Fields) -> str:
    if fields.value("cancelledAt"):
        return "cancelled"
    return fields.text("displayFinancialStatus").lower()


def _state(fields: Fields) -> OrderState:
    """What payment and delivery make of an order; words that are new to us leave it open."""
    if fields.value("cancelledAt"):
        return OrderState.CANCELLED
    unpaid = _UNPAID.get(fields.text("displayFinancialStatus"))
    if unpaid:
        return unpaid
    is_delivered = fields.text("displayFulfillmentStatus") in _FULFILLED
    return OrderState.COMPLETED if is_delivered else OrderState.OPEN


def _amount(fields: Fields, name: str, amounts: Amounts) -> int:
    """An amount in the shop's own currency; 0 when absent or null."""
    return amounts.optional(_money(fields, name), "amount")


def _money(fields: Fields, name: str) -> Fields:
    return fields.object(name).object("shopMoney")


def _lines(fields: Fields, amounts: Amounts, prices: tuple[str, str]) -> Iterator[OrderLine]:
    """The lines; `prices` name the price before discounts and the one after all of them."""
    original_name, discounted_name = prices
    for line in fields.object("lineItems").objects("nodes"):
        original = _amount(line, original_name, amounts)
        total = amounts.required(_money(line, discounted_name), "amount")
        yield OrderLine(
            external_id=_number(line, "id"),
            product_id=_number(line.object("product"), "id"),
            variant_id=_number(line.object("variant"), "id"),
            sku=line.text("sku", limit=255),
            name=line.text("name") or line.text("title"),
            quantity=line.count("quantity"),
            total_minor=total,
            tax_minor=sum(_amount(tax, "priceSet", amounts) for tax in line.objects("taxLines")),
            discount_minor=original - total,
        )


def _refunds(fields: Fields, amounts: Amounts) -> Iterator[Refund]:
    for refund in fields.objects("refunds"):
        yield Refund(
            external_id=_number(refund, "id"),
            amount_minor=_amount(refund, "totalRefundedSet", amounts),
            reason=refund.text("note"),
            at=refund.time("createdAt"),
        )


def _customer_addresses(fields: Fields) -> tuple[Address, ...]:
    """The default address first, then the others."""
    listed = [_address("other", found) for found in fields.object("addressesV2").objects("nodes")]
    home = _number(fields.object("defaultAddress"), "id")
    return tuple(sorted(listed, key=lambda each: each.external_id != home))


def _addresses(fields: Fields) -> tuple[Address, ...]:
    both = {"billing": fields.object("billingAddress"), "shipping": fields.object("shippingAddress")}
    return tuple(_address(kind, found) for kind, found in both.items() if found.value("id"))


def _address(kind: str, fields: Fields) -> Address:
    return address(kind, fields, _ADDRESS, _number(fields, "id"))


def _consents(fields: Fields) -> Iterator[Consent]:
    email = fields.object("defaultEmailAddress")
    phone = fields.object("defaultPhoneNumber")
    sms = phone.object("smsMarketingConsent")
    yield from _consent("email", email, ("marketingState", "marketingOptInLevel", "marketingUpdatedAt"))
    if phone.holds("smsMarketingConsent"):
        yield from _consent("sms", sms, ("state", "optInLevel", "updatedAt"))
    else:  # 2026-07 has no such object
        yield from _consent("sms", phone, ("marketingState", "marketingOptInLevel", "marketingUpdatedAt"))


def _consent(channel: str, fields: Fields, names: tuple[str, str, str]) -> Iterator[Consent]:
    """What was said about a channel; nothing where nothing was, and unknown where the word is new to us."""
    state_name, level_name, at_name = names
    state = fields.text(state_name)
    if state in _SILENT:
        return
    yield Consent(
        channel=channel,
        state=_CONSENT_STATES.get(state, "unknown"),
        level=fields.text(level_name).lower(),
        at=fields.time(at_name),
        source="account",
    )


def _tags(fields: Fields) -> tuple[str, ...] | None:
    return fields.texts("tags") if fields.holds("tags") else None


def _number(fields: Fields, name: str) -> str:
    """The number in a global id such as gid://shopify/MailingAddress/7?model_name=Order; "" where there is none."""
    return fields.text(name).partition("?")[0].rpartition("/")[2]
