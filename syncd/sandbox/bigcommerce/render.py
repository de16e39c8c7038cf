"""How BigCommerce shows customers and what belongs to them (v3)."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from syncd.sandbox.bigcommerce.state import (
    Account,
    Address,
    Attribute,
    AttributeValue,
    BigState,
    Refund,
    Subscriber,
)

MOST_INCLUDED = 10
COUNTRIES = {"US": "United States", "GB": "United Kingdom", "DE": "Germany", "FR": "France", "PL": "Poland"}


def zulu(moment: datetime) -> str:
    """A time as v3 writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def amount(hundredths: int) -> float:
    """An amount as v3 writes it."""
    return hundredths / 100


def account(state: BigState, row: Account, include: Collection[str]) -> dict[str, Any]:
    """A customer; what is included is cut off after ten."""
    return {
        "id": row.id,
        "email": row.email,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "company": row.company,
        "phone": row.phone,
        "registration_ip_address": "",
        "notes": row.notes,
        "tax_exempt_category": "",
        "customer_group_id": row.group_id,
        "date_created": zulu(row.created_at),
        "date_modified": zulu(row.modified_at),
        "address_count": len(row.addresses),
        "attribute_count": len(state.values_of(row.id)),
        "authentication": {"force_password_reset": False},
        "accepts_product_review_abandoned_cart_emails": row.wants_reminders,
        "origin_channel_id": row.channel_id,
        "channel_ids": [row.channel_id],
        **_included(state, row, include),
    }


def _included(state: BigState, row: Account, include: Collection[str]) -> dict[str, Any]:
    values = [value for value in state.values_of(row.id) if value.value]
    known: dict[str, tuple[str, Any]] = {
        "addresses": ("addresses", [address(each) for each in row.addresses[:MOST_INCLUDED]]),
        "attributes": ("attributes", [attribute_value(each) for each in values[:MOST_INCLUDED]]),
        "storecredit": ("store_credit_amounts", [{"amount": amount(row.store_credit)}]),
        "formfields": ("form_fields", []),
        "shopper_profile_id": ("shopper_profile_id", str(uuid.uuid5(uuid.NAMESPACE_OID, f"shopper {row.id}"))),
        "segment_ids": ("segment_ids", []),
    }
    return dict(known[name] for name in include)


def address(row: Address, include: Collection[str] = ()) -> dict[str, Any]:
    """An entry of an address book."""
    fields = row.fields
    return {
        "id": row.id,
        "customer_id": row.customer_id,
        "first_name": fields["first_name"],
        "last_name": fields["last_name"],
        "company": fields["company"],
        "address1": fields["street"],
        "address2": "",
        "city": fields["city"],
        "state_or_province": fields["state"],
        "postal_code": fields["postcode"],
        "country_code": fields["country"],
        "country": COUNTRIES.get(fields["country"], fields["country"]),
        "phone": fields["phone"],
        "address_type": "residential" if row.is_residential else "commercial",
        **({"form_fields": []} if include else {}),
    }


def attribute(row: Attribute) -> dict[str, Any]:
    """A field of customers."""
    return {
        "id": row.id,
        "name": row.name,
        "type": row.kind,
        "date_created": zulu(row.created_at),
        "date_modified": zulu(row.modified_at),
    }


def attribute_value(row: AttributeValue) -> dict[str, Any]:
    """What a customer has in a field: it is written as `value`, but shown as `attribute_value`."""
    return {
        "id": row.id,
        "attribute_id": row.attribute_id,
        "attribute_value": row.value,
        "customer_id": row.customer_id,
        "date_created": zulu(row.created_at),
        "date_modified": zulu(row.modified_at),
    }


def subscriber(row: Subscriber) -> dict[str, Any]:
    """A mailbox that agreed."""
    return {
        "id": row.id,
        "email": row.email,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "source": row.source,
        "order_id": row.order_id,
        "channel_id": row.channel_id,
        "consents": list(row.consents),
        "date_created": zulu(row.created_at),
        "date_modified": zulu(row.modified_at),
    }


def refund(row: Refund) -> dict[str, Any]:
    """Money given back."""
    return {
        "id": row.id,
        "order_id": row.order_id,
        "user_id": 1,
        "created": row.created_at.isoformat(),
        "reason": row.reason,
        "total_amount": amount(row.amount),
        "total_tax": 0,
        "uses_merchant_override_values": any(item.kind == "ORDER" for item in row.items),
        "items": [
            {
                "item_type": item.kind,
                "item_id": item.item_id,
                "reason": row.reason,
                "quantity": item.quantity,
                "requested_amount": amount(item.amount),
                "adjustments": [],
            }
            for item in row.items
        ],
        "payments": [
            {
                "id": row.id,
                "provider_id": "braintree",
                "amount": amount(row.amount),
                "offline": False,
                "is_declined": False,
                "declined_message": "",
                "transaction_id": f"tx-{row.id}",
            }
        ],
    }
