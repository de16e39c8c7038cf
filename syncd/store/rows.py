"""Unified records as table rows. Pure: values in, plain dicts out."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import Table

from syncd.model import Address, Cart, Customer, Json, Order, OrderLine, Refund, Stream, Unified
from syncd.store.engine import table_of
from syncd.store.tables import (
    AddressRow,
    CartLineRow,
    CartRow,
    ConsentRow,
    CustomerRow,
    OrderLineRow,
    OrderRow,
    RefundRow,
)

Values = dict[str, Any]

customers = table_of(CustomerRow)
orders = table_of(OrderRow)
carts = table_of(CartRow)
addresses = table_of(AddressRow)
consents = table_of(ConsentRow)
order_lines = table_of(OrderLineRow)
refunds = table_of(RefundRow)
cart_lines = table_of(CartLineRow)

MAIN: Mapping[Stream, Table] = {Stream.CUSTOMERS: customers, Stream.ORDERS: orders, Stream.CARTS: carts}

# the tables whose rows belong to a record of the stream, each with the column that names the record
CHILDREN: Mapping[Stream, Mapping[Table, str]] = {
    Stream.CUSTOMERS: {addresses: "owner_id", consents: "customer_id"},
    Stream.ORDERS: {addresses: "owner_id", order_lines: "order_id", refunds: "order_id"},
    Stream.CARTS: {addresses: "owner_id", cart_lines: "cart_id"},
}

# columns where None means withheld by the platform
WITHHELD = ("email", "phone", "first_name", "last_name", "company")

_OWNER = {Stream.CUSTOMERS: "customer", Stream.ORDERS: "order", Stream.CARTS: "cart"}
_LINE = (
    "external_id",
    "product_id",
    "variant_id",
    "sku",
    "name",
    "quantity",
    "total_minor",
    "tax_minor",
    "discount_minor",
)
_REFUND = ("external_id", "amount_minor", "reason", "at")
_ADDRESS = tuple(Address.__dataclass_fields__)
_CONSENT = ("channel", "state", "level", "at", "source")


def owner_of(stream: Stream) -> str:
    """What `addresses.owner` says for records of a stream."""
    return _OWNER[stream]


def _shared_names(table: Table, model: type[Customer | Order | Cart]) -> tuple[str, ...]:
    return tuple(name for name in model.__dataclass_fields__ if name in table.c and name != "discount_codes")


_CUSTOMER = _shared_names(customers, Customer)
_ORDER = _shared_names(orders, Order)
_CART = _shared_names(carts, Cart)


def main_row(store_id: str, record: Unified) -> Values:
    """The record's own row in customers, orders or carts."""
    if isinstance(record, Customer):
        return _row(record, _CUSTOMER, store_id=store_id, deleted_at=None)
    own = {"store_id": store_id, "deleted_at": None, "line_count": len(record.lines)}
    if isinstance(record, Cart):
        return _row(record, _CART, **own)
    codes = " ".join(record.discount_codes)
    return _row(record, _ORDER, **own) | {"state": record.state.value, "discount_codes": codes}


def child_rows(store_id: str, record: Unified) -> Iterator[tuple[Table, Values]]:
    """The rows that belong to the record, each with its table."""
    if isinstance(record, Customer):
        yield from _address_rows(store_id, "customer", record)
        for row in {item.channel: item for item in record.consents}.values():
            yield consents, _row(row, _CONSENT, store_id=store_id, customer_id=record.external_id)
    elif isinstance(record, Order):
        yield from _address_rows(store_id, "order", record)
        owner = {"store_id": store_id, "order_id": record.external_id}
        yield from ((order_lines, row) for row in _numbered(record.lines, _LINE, owner))
        yield from ((refunds, row) for row in _numbered(record.refunds, _REFUND, owner))
    else:
        yield from _address_rows(store_id, "cart", record)
        owner = {"store_id": store_id, "cart_id": record.external_id}
        yield from ((cart_lines, row) for row in _numbered(record.lines, _LINE, owner))


def pack(payload: Mapping[str, Json]) -> bytes:
    """A payload as compressed JSON text; what orjson refuses (lone surrogates, huge integers) is escaped."""
    try:
        text = orjson.dumps(payload)
    except TypeError:
        text = json.dumps(payload, ensure_ascii=True).encode()
    return zlib.compress(text, 1)


def unpack(payload: bytes) -> bytes:
    """The JSON text that `pack` compressed."""
    return zlib.decompress(payload)


def _address_rows(store_id: str, owner: str, record: Unified) -> Iterator[tuple[Table, Values]]:
    place = {"store_id": store_id, "owner": owner, "owner_id": record.external_id}
    return ((addresses, row) for row in _numbered(record.addresses, _ADDRESS, place))


def _numbered(items: Iterable[Address | OrderLine | Refund], names: tuple[str, ...], owner: Values) -> Iterator[Values]:
    return (_row(item, names, position=position, **owner) for position, item in enumerate(items))


def _row(item: object, names: tuple[str, ...], **more: Any) -> Values:
    return {name: getattr(item, name) for name in names} | more
