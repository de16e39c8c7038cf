"""Carts that ended by becoming an order (or by its cancellation) are closed, whichever of the two arrives first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from syncd.model import Cart, ContactKey, ContactKind, Order, OrderState, Unified
from syncd.store.engine import rows_in
from syncd.store.rows import carts, orders

CART_OF_ORDER = "order:"  # a cart made from an order has the order's id behind this

_STILL_CARTS = frozenset({OrderState.PENDING, OrderState.FAILED})
_RECOVERED = frozenset({OrderState.OPEN, OrderState.COMPLETED, OrderState.REFUNDED})


def close_left_carts(connection: Connection, store_id: str, records: Iterable[Unified]) -> set[ContactKey]:
    """Close the carts that orders have left; the contacts whose carts they were."""
    left = {record.left_cart: record for record in records if isinstance(record, Order) and record.left_cart}
    columns = ("external_id", "customer_id", "is_open", "recovered_order_id", "updated_at")
    query = select(*(carts.c[name] for name in columns)).where(carts.c.store_id == store_id)
    found = rows_in(connection, query, carts.c.external_id, left)
    closing = [row for row in found if _is_news(row, left[row.external_id])]
    if closing:
        statement = update(carts).where(carts.c.store_id == store_id, carts.c.external_id == bindparam("cart"))
        changes = [{"cart": row.external_id, "order": _recovered(left[row.external_id])} for row in closing]
        connection.execute(statement.values(is_open=False, recovered_order_id=bindparam("order")), changes)
    return {_key(store_id, row) for row in closing}


def reopened_carts(connection: Connection, store_id: str, arriving: Iterable[Unified]) -> dict[str, ContactKey]:
    """Carts of orders that are stored as closed, yet open and left by no order now; by cart id whose they are.

    An order that left its cart and came back within one second leaves the cart with the content and time it had.
    """
    of_orders = (cart for cart in arriving if isinstance(cart, Cart) and cart.external_id.startswith(CART_OF_ORDER))
    still_open = {cart.external_id: cart for cart in of_orders if cart.is_open}
    query = select(carts.c.external_id, carts.c.customer_id).where(carts.c.store_id == store_id, ~carts.c.is_open)
    closed = {row.external_id: row for row in rows_in(connection, query, carts.c.external_id, still_open)}
    settled = settled_cart_values(connection, store_id, [still_open[external_id] for external_id in closed])
    return {external_id: _key(store_id, row) for external_id, row in closed.items() if external_id not in settled}


def settled_cart_values(
    connection: Connection, store_id: str, arriving: Iterable[Cart]
) -> Mapping[str, Mapping[str, Any]]:
    """The columns that say closed, for those of the carts whose order is known to have left them, by cart id."""
    of_orders = {
        cart.external_id.removeprefix(CART_OF_ORDER): cart
        for cart in arriving
        if cart.external_id.startswith(CART_OF_ORDER)
    }
    query = select(orders.c.external_id, orders.c.state, orders.c.updated_at).where(orders.c.store_id == store_id)
    return {
        of_orders[row.external_id].external_id: {
            "is_open": False,
            "recovered_order_id": row.external_id if row.state in _RECOVERED else None,
        }
        for row in rows_in(connection, query, orders.c.external_id, of_orders)
        if row.state not in _STILL_CARTS and _not_after(of_orders[row.external_id].updated_at, row.updated_at)
    }


def _is_news(cart: Row[Any], order: Order) -> bool:
    is_closed = not cart.is_open and cart.recovered_order_id == _recovered(order)
    return not is_closed and _not_after(cart.updated_at, order.updated_at)


def _recovered(order: Order) -> str | None:
    return order.external_id if order.state in _RECOVERED else None


def _not_after(left: datetime | None, right: datetime | None) -> bool:
    return left is None or right is None or left <= right


def _key(store_id: str, cart: Row[Any]) -> ContactKey:
    if cart.customer_id is not None:
        return ContactKey(store_id=store_id, kind=ContactKind.ACCOUNT, external_id=cart.customer_id)
    return ContactKey(store_id=store_id, kind=ContactKind.CART, external_id=cart.external_id)
