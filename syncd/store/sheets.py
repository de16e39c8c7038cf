"""The exports as data: for each kind its columns with their meanings, its query and its key.

A column that is not in the query is an amount: the decimal text of `<column>_minor` in the row's currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Column, ColumnElement, FromClause, Select, Table, and_, exists, func, select

from syncd.model import Stream
from syncd.store.engine import table_of
from syncd.store.memberships import memberships
from syncd.store.revenue import contacts
from syncd.store.rows import addresses, carts, consents, customers, orders, owner_of
from syncd.store.tables import FactsRow, ProfileRow

_facts = table_of(FactsRow)
_profiles = table_of(ProfileRow)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """One kind of export.

    Args:
        meanings: What each column means, in the columns' order.
        key: The columns that rows are sorted by, by their names in the query.
    """

    meanings: Mapping[str, str]
    query: Select[Any]
    key: Mapping[str, Column[str]]


_WHO = {
    "email": "e-mail address as typed; none where the platform withholds it",
    "phone": "phone number as typed; none where the platform withholds it",
    "first_name": "first name as typed",
    "last_name": "last name as typed",
}
_ADDRESS = {
    "address_company": "company of the first address",
    "address_line1": "street of the first address",
    "address_line2": "second line of the first address",
    "address_city": "city of the first address",
    "address_region": "state or province of the first address",
    "address_postcode": "postcode of the first address",
    "address_country": "country of the first address, ISO 3166-1 alpha-2",
}
_CONSENT = {
    f"{channel}_consent{suffix}": meaning.format(words)
    for channel, words in (("email", "e-mail"), ("sms", "text messages"))
    for suffix, meaning in (("", "what was said about {}: yes, no, pending or unknown"), ("_at", "when that was said"))
}


def _amount(name: str, meaning: str) -> dict[str, str]:
    return {name: f"{meaning}, decimal text", f"{name}_minor": f"{meaning}, minor units"}


def _record_key(word: str) -> dict[str, str]:
    return {"store": "store id in the configuration", "external_id": f"the platform's id of the {word}"}


_CUSTOMER_MEANINGS = {
    **_record_key("account"),
    **_WHO,
    "company": "company as typed",
    "role": "the platform's word for the kind of account",
    "is_staff": "whether the account is one of the shop's own people",
    "locale": "language, where the platform tells",
    "currency": "currency, where the platform tells",
    "created_at": "when the account was made",
    "updated_at": "when the platform last changed it",
    **_CONSENT,
    **_ADDRESS,
}
_ORDER_MEANINGS = {
    **_record_key("order"),
    "number": "what the buyer was told",
    "status": "the platform's word",
    "state": "what it means: pending, open, completed, cancelled, failed or refunded",
    "placed_at": "when it was placed",
    "paid_at": "when it was paid",
    "completed_at": "when it was completed",
    "updated_at": "when the platform last changed it",
    "customer_external_id": "the account's external_id; none for a guest",
    "is_guest": "whether it belongs to no account",
    **_WHO,
    **_amount("total", "what was charged, refunds not taken off"),
    **_amount("refunded", "what was given back"),
    **_amount("tax", "tax in the total"),
    **_amount("shipping", "shipping in the total"),
    **_amount("discount", "what was taken off before"),
    "currency": "currency of all amounts, ISO 4217",
    "line_count": "number of lines",
    "discount_codes": "codes used, separated by spaces",
    "source": "how the order came about, in the platform's words",
    "is_test": "whether the platform marks it as a test",
}
_CART_MEANINGS = {
    **_record_key("cart"),
    "status": "the platform's word",
    "created_at": "when it was begun",
    "updated_at": "when the platform last changed it",
    "customer_external_id": "the account's external_id; none for a guest",
    "is_guest": "whether it belongs to no account",
    **_WHO,
    **_amount("total", "what is in it"),
    "currency": "currency of the amount, ISO 4217",
    "line_count": "number of lines",
    "recovery_url": "where the buyer can go on, if the platform tells",
}
_PROFILE_MEANINGS = {
    "profile_id": "the person's id",
    "first_name": "first name, to show",
    "last_name": "last name, to show",
    "email": "e-mail address, to show",
    "phone": "phone number, to show",
    "country": "country, ISO 3166-1 alpha-2",
    "created_at": "when we first saw the person",
    "currency": "currency of the amounts, ISO 4217",
    "orders_count": "orders that count as revenue",
    **_amount("spent", "what they brought in, refunds taken off"),
    **_amount("average_order", "the same for each order"),
    **_amount("refunded", "what was given back"),
    "first_order_at": "when the first order was placed",
    "last_order_at": "when the latest order was placed",
    "accounts_count": "accounts on all stores",
    "guest_orders_count": "orders without an account",
    "stores_count": "stores where the person is known",
    "platforms_count": "platforms where the person is known",
    "open_carts_count": "open carts",
    **_amount("open_cart", "what is in the open carts"),
    "open_cart_at": "when the latest open cart was last changed",
    "email_consent": "what the person said about e-mail: yes, no, pending or unknown",
    "sms_consent": "what the person said about text messages: yes, no, pending or unknown",
    "is_staff": "whether one of the accounts is one of a shop's own people",
}
_MEMBER_MEANINGS = {
    "segment": "the segment's name",
    "profile_id": "the person's id",
    "entered_at": "when the person was first found to be in it",
}


def _picked(meanings: Mapping[str, str], *tables: FromClause, **special: ColumnElement[Any]) -> Select[Any]:
    """The query of a sheet's columns: special ones as given, the others by name from the first table that has them."""
    found = {name: table.c[name] for name in meanings for table in reversed(tables) if name in table.c} | special
    return select(*(column.label(name) for name, column in found.items()))


def _customers() -> Sheet:
    address = addresses.alias()
    spoken = {channel: consents.alias() for channel in ("email", "sms")}
    special: dict[str, ColumnElement[Any]] = {name: address.c[name.removeprefix("address_")] for name in _ADDRESS}
    source = customers.outerjoin(address, _first_address(address))
    for channel, said in spoken.items():
        source = source.outerjoin(said, _statement(said, channel))
        special |= {f"{channel}_consent": func.coalesce(said.c.state, "unknown"), f"{channel}_consent_at": said.c.at}
    query = _picked(_CUSTOMER_MEANINGS, customers, store=customers.c.store_id, **special).select_from(source)
    return _of_records(_CUSTOMER_MEANINGS, query, customers)


def _first_address(address: FromClause) -> ColumnElement[bool]:
    return and_(
        address.c.store_id == customers.c.store_id,
        address.c.owner == owner_of(Stream.CUSTOMERS),
        address.c.owner_id == customers.c.external_id,
        address.c.position == 0,
    )


def _statement(said: FromClause, channel: str) -> ColumnElement[bool]:
    return and_(
        said.c.store_id == customers.c.store_id,
        said.c.customer_id == customers.c.external_id,
        said.c.channel == channel,
    )


def _owned(meanings: Mapping[str, str], table: Table) -> Sheet:
    owner = table.c.customer_id
    special = {"store": table.c.store_id, "customer_external_id": owner, "is_guest": owner.is_(None)}
    return _of_records(meanings, _picked(meanings, table, **special), table)


def _of_records(meanings: Mapping[str, str], query: Select[Any], table: Table) -> Sheet:
    key = {"store": table.c.store_id, "external_id": table.c.external_id}
    return Sheet(meanings=meanings, query=query.where(table.c.deleted_at.is_(None)), key=key)


def _open_carts() -> Sheet:
    sheet = _owned(_CART_MEANINGS, carts)
    return replace(sheet, query=sheet.query.where(carts.c.is_open.is_(True)))


def _people() -> Sheet:
    is_alive = exists().where(contacts.c.profile_id == _profiles.c.profile_id, contacts.c.deleted_at.is_(None))
    source = _profiles.outerjoin(_facts, _facts.c.profile_id == _profiles.c.profile_id)
    query = _picked(_PROFILE_MEANINGS, _profiles, _facts).select_from(source)
    return Sheet(
        meanings=_PROFILE_MEANINGS,
        query=query.where(_profiles.c.merged_into.is_(None), is_alive),
        key={"profile_id": _profiles.c.profile_id},
    )


def _members() -> Sheet:
    return Sheet(
        meanings=_MEMBER_MEANINGS,
        query=_picked(_MEMBER_MEANINGS, memberships).where(memberships.c.left_at.is_(None)),
        key={"segment": memberships.c.segment, "profile_id": memberships.c.profile_id},
    )


SHEETS: Mapping[str, Sheet] = {
    "customers": _customers(),
    "orders": _owned(_ORDER_MEANINGS, orders),
    "carts": _open_carts(),
    "profiles": _people(),
    "members": _members(),
}
