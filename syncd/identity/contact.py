"""Which contact, if any, a unified record makes, and the identifiers it carries."""

from __future__ import annotations

from collections.abc import Iterator

from syncd.identity.normalise import mailbox, phone
from syncd.identity.places import place
from syncd.model import (
    Cart,
    Contact,
    ContactKey,
    ContactKind,
    Customer,
    Identifier,
    IdentifierKind,
    Order,
    Unified,
)

_CART_FROM_ORDER = "order:"


def contact_of(store_id: str, unified: Unified, region: str) -> Contact | None:
    """The contact of an account, a guest order or a guest cart; None for what belongs to an account.

    A cart without a mailbox, phone or name has no trace of a person and makes none.

    Args:
        store_id: The store that the record came from.
        unified: The record.
        region: ISO country of phone numbers and addresses that name none; "" where unknown.
    """
    if not isinstance(unified, Customer) and unified.customer_id is not None:
        return None
    first_name, last_name = _names(unified)
    identifiers = tuple(_identifiers(store_id, unified, region))
    if isinstance(unified, Cart) and not (_has_person(identifiers) or first_name or last_name):
        return None
    key = ContactKey(store_id=store_id, kind=_kind(unified), external_id=unified.external_id)
    return Contact(key=key, identifiers=identifiers, first_name=first_name, last_name=last_name)


def _kind(unified: Unified) -> ContactKind:
    if isinstance(unified, Customer):
        return ContactKind.ACCOUNT
    return ContactKind.ORDER if isinstance(unified, Order) else ContactKind.CART


def _names(unified: Unified) -> tuple[str, str]:
    if unified.first_name or unified.last_name or not unified.addresses:
        return unified.first_name or "", unified.last_name or ""
    return unified.addresses[0].first_name, unified.addresses[0].last_name


def _identifiers(store_id: str, unified: Unified, region: str) -> Iterator[Identifier]:
    if address := mailbox(unified.email or ""):
        yield Identifier(kind=IdentifierKind.MAILBOX, value=address)
    if number := _phone(unified, region):
        yield Identifier(kind=IdentifierKind.PHONE, value=number)
    if order_id := _order_id(unified):
        yield Identifier(kind=IdentifierKind.ORDER, value=f"{store_id}:{order_id}")
    if home := next(filter(None, (place(address, region) for address in unified.addresses)), None):
        yield Identifier(kind=IdentifierKind.ADDRESS, value=home)


def _phone(unified: Unified, region: str) -> str | None:
    typed = unified.phone or ""
    home = next((address.country for address in unified.addresses if len(address.country) == 2), region)
    return phone(typed, home) or phone(typed, region)


def _order_id(unified: Unified) -> str:
    if isinstance(unified, Order):
        return unified.external_id
    is_order = isinstance(unified, Cart) and unified.external_id.startswith(_CART_FROM_ORDER)
    return unified.external_id.removeprefix(_CART_FROM_ORDER) if is_order else ""


def _has_person(identifiers: tuple[Identifier, ...]) -> bool:
    return any(identifier.kind in (IdentifierKind.MAILBOX, IdentifierKind.PHONE) for identifier in identifiers)


def identifiers_of(text: str, region: str) -> frozenset[Identifier]:
    """The identifiers that a typed text may stand for, for looking people up."""
    found = {IdentifierKind.MAILBOX: mailbox(text), IdentifierKind.PHONE: phone(text, region)}
    return frozenset(Identifier(kind=kind, value=value) for kind, value in found.items() if value)
