"""The small shapes that records are shown in: ids, times, amounts, mailboxes, telephones, streets."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from syncd.sandbox.shopify.state import Account, Place

Shown = dict[str, Any]


def gid(kind: str, number: int) -> str:
    """A record's global id."""
    return f"gid://shopify/{kind}/{number}"


def stamp(moment: datetime | None) -> str | None:
    """A time as it is shown."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def amount(hundredths: Decimal | int) -> str:
    """An amount as it is shown: at least one decimal, no zeros behind it."""
    text = f"{Decimal(hundredths) / 100:.2f}"
    return text.removesuffix("0")


def ids(kind: str, number: int) -> Shown:
    """A record's global id and its old one."""
    return {"id": gid(kind, number), "legacyResourceId": str(number)}


def full_name(account: Account) -> str:
    """Both names, as far as they are known."""
    return " ".join(filter(None, (account.first_name, account.last_name)))


def mailbox(account: Account) -> Shown | None:
    """A customer's mailbox with the consent to be written to; None if there is none."""
    if not account.email:
        return None
    consent = account.email_consent
    return {
        "emailAddress": account.email,
        "marketingState": consent.state,
        "marketingOptInLevel": consent.level,
        "marketingUpdatedAt": stamp(consent.at),
        "marketingUnsubscribeUrl": f"https://shop.example/unsubscribe/{account.id}",
        "validFormat": True,
    }


def telephone(account: Account) -> Shown | None:
    """A customer's telephone with the consent to be texted; None if there is none."""
    if not account.phone:
        return None
    consent = account.sms_consent
    return {
        "phoneNumber": account.phone,
        "marketingState": consent.state,
        "marketingOptInLevel": consent.level,
        "marketingUpdatedAt": stamp(consent.at),
        "marketingCollectedFrom": "SHOPIFY",
        "smsMarketingConsent": {
            "state": "NEVER_SUBSCRIBED" if consent.state == "NOT_SUBSCRIBED" else consent.state,
            "optInLevel": consent.level,
            "updatedAt": stamp(consent.at),
            "collectedFrom": "SHOPIFY",
        },
    }


def street(place: Place) -> Shown:
    """What an address tells about a person."""
    return {
        "firstName": place.first_name,
        "lastName": place.last_name,
        "name": " ".join(filter(None, (place.first_name, place.last_name))) or None,
        "company": place.company,
        "address1": place.address1,
        "address2": place.address2,
        "phone": place.phone,
        "zip": place.zip,
    }
