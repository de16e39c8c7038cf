"""Records as wc/v3 shows them: the same keys and types as a real server's."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from syncd.sandbox.products import PRODUCTS
from syncd.sandbox.woocommerce.state import Account, Line, Meta, Order, Refund, WooState

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_PAYMENT_TITLES = {"bacs": "Direct bank transfer", "stripe": "Credit card"}
_STAMP = "%Y-%m-%dT%H:%M:%S"
_ORDER_ALLOW = ("GET", "POST", "PUT", "PATCH", "DELETE")
_EDITABLE = frozenset({"pending", "on-hold", "auto-draft"})
_UNPAID = frozenset({"pending", "failed", "checkout-draft"})


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """How the asker sees records.

    Args:
        home: The site's address.
        with_meta: Whether accounts show their meta data.
        decimals: Decimals of amounts.
    """

    state: WooState
    home: str
    with_meta: bool = True
    decimals: int = 2

    def local(self, moment: datetime | None) -> str | None:
        """A moment in the site's wall time."""
        return None if moment is None else moment.astimezone(self.state.zone).strftime(_STAMP)

    def money(self, hundredths: int) -> str:
        """An amount as text."""
        if self.decimals == 2:
            sign, hundredths = ("-", -hundredths) if hundredths < 0 else ("", hundredths)
            return f"{sign}{hundredths // 100}.{hundredths % 100:02d}"
        return f"{hundredths / 100:.{self.decimals}f}"

    def link(self, path: str, allow: Sequence[str] = ()) -> list[dict[str, Any]]:
        """A link, with the methods allowed on it where that is said."""
        href = f"{self.home}/wp-json/wc/v3/{path}"
        return [{"href": href, "targetHints": {"allow": list(allow)}}] if allow else [{"href": href}]


def gmt(moment: datetime | None) -> str | None:
    """A moment as the *_gmt fields write it."""
    return None if moment is None else moment.astimezone(UTC).strftime(_STAMP)


def account(view: View, record: Account, allow: Sequence[str]) -> dict[str, Any]:
    """A customer."""
    shown: dict[str, Any] = {
        "id": record.id,
        "date_created": view.local(record.created_at),
        "date_created_gmt": gmt(record.created_at),
        "date_modified": view.local(record.modified_at),
        "date_modified_gmt": gmt(record.modified_at),
        "email": record.email,
        "first_name": record.first_name,
        "last_name": record.last_name,
        "role": record.role,
        "username": record.username,
        "billing": record.billing,
        "shipping": record.shipping,
        "is_paying_customer": record.is_paying,
        "avatar_url": avatar(record.email),
    }
    if view.with_meta:
        shown["meta_data"] = meta_rows(record.meta)
    shown["_links"] = {
        "self": view.link(f"customers/{record.id}", allow),
        "collection": view.link("customers"),
    }
    return shown


@lru_cache(maxsize=65536)
def avatar(email: str) -> str:
    """Where a mailbox's picture would be."""
    digest = hashlib.sha256(email.strip().lower().encode()).hexdigest() if email else ""
    return f"https://secure.gravatar.com/avatar/{digest}?s=96&d=mm&r=g"


def meta_rows(rows: Sequence[Meta]) -> list[dict[str, Any]]:
    """Meta data."""
    return [{"id": row.id, "key": row.key, "value": row.value} for row in rows]


def order(view: View, record: Order) -> dict[str, Any]:
    """An order."""
    discount = sum(line.subtotal - line.total for line in record.lines)
    zero = view.money(0)
    return {
        "id": record.id,
        "parent_id": 0,
        "status": record.status,
        "currency": record.currency,
        "version": "9.9.5",
        "prices_include_tax": False,
        "date_created": view.local(record.created_at),
        "date_modified": view.local(record.modified_at),
        "discount_total": view.money(discount),
        "discount_tax": zero,
        "shipping_total": view.money(record.shipping_fee),
        "shipping_tax": zero,
        "cart_tax": zero,
        "total": view.money(record.total),
        "total_tax": zero,
        "customer_id": record.customer_id,
        "order_key": _order_key(view.state.site.store, record.id),
        "billing": record.billing,
        "shipping": record.shipping,
        "payment_method": record.payment_method,
        "payment_method_title": _PAYMENT_TITLES.get(record.payment_method, ""),
        "transaction_id": "",
        "customer_ip_address": f"203.0.113.{record.id % 250}",
        "customer_user_agent": "Mozilla/5.0 (sandbox)",
        "created_via": record.created_via,
        "customer_note": record.note,
        "date_completed": view.local(record.completed_at),
        "date_paid": view.local(record.paid_at),
        "cart_hash": _order_key("cart", record.id) if record.created_via == "store-api" else "",
        "number": str(record.id),
        "meta_data": meta_rows(sorted(record.meta, key=lambda row: row.key)),
        "line_items": [_line(view, line) for line in record.lines],
        "tax_lines": [],
        "shipping_lines": [_shipping_line(view, record)] if record.shipping_fee else [],
        "fee_lines": [],
        "coupon_lines": [_coupon_line(view, record, discount)] if record.coupon else [],
        "refunds": [
            {"id": refund.id, "reason": refund.reason, "total": view.money(-refund.amount)} for refund in record.refunds
        ],
        "payment_url": _payment_url(view, record),
        "is_editable": record.status in _EDITABLE,
        "needs_payment": record.status in _UNPAID and record.total > 0,
        "needs_processing": True,
        "date_created_gmt": gmt(record.created_at),
        "date_modified_gmt": gmt(record.modified_at),
        "date_completed_gmt": gmt(record.completed_at),
        "date_paid_gmt": gmt(record.paid_at),
        "currency_symbol": SYMBOLS.get(record.currency, record.currency),
        "_links": _order_links(view, record),
    }


def _order_links(view: View, record: Order) -> dict[str, Any]:
    path = f"orders/{record.id}"
    links = {
        "self": view.link(path, _ORDER_ALLOW),
        "collection": view.link("orders"),
        "email_templates": [{"embeddable": True, **view.link(f"{path}/actions/email_templates")[0]}],
    }
    if record.customer_id:
        links["customer"] = view.link(f"customers/{record.customer_id}")
    return links


@lru_cache(maxsize=65536)
def _order_key(salt: str, number: int) -> str:
    return "wc_order_" + hashlib.sha256(f"{salt}:{number}".encode()).hexdigest()[:13]


def _payment_url(view: View, record: Order) -> str:
    key = _order_key(view.state.site.store, record.id)
    return f"{view.home}/checkout/order-pay/{record.id}/?pay_for_order=true&key={key}"


def _line(view: View, line: Line) -> dict[str, Any]:
    product = PRODUCTS[line.product]
    return {
        "id": line.id,
        "name": product.name,
        "product_id": product.id,
        "variation_id": 0,
        "quantity": line.quantity,
        "tax_class": "",
        "subtotal": view.money(line.subtotal),
        "subtotal_tax": view.money(0),
        "total": view.money(line.total),
        "total_tax": view.money(0),
        "taxes": [],
        "meta_data": [],
        "sku": product.sku,
        "price": line.total / 100 / line.quantity,
        "image": {"id": "", "src": ""},
        "parent_name": None,
    }


def _shipping_line(view: View, record: Order) -> dict[str, Any]:
    return {
        "id": record.id * 10 + 1,
        "method_title": "Flat rate",
        "method_id": "flat_rate",
        "instance_id": "",
        "total": view.money(record.shipping_fee),
        "total_tax": view.money(0),
        "taxes": [],
        "tax_status": "taxable",
        "meta_data": [],
    }


def _coupon_line(view: View, record: Order, discount: int) -> dict[str, Any]:
    info = f'[34,"{record.coupon}","percent",10]'
    meta = {"id": record.id * 10 + 3, "key": "coupon_info", "value": info, "display_key": "coupon_info"}
    return {
        "id": record.id * 10 + 2,
        "code": record.coupon,
        "discount": view.money(discount),
        "discount_tax": "0",
        "meta_data": [{**meta, "display_value": info}],
        "discount_type": "percent",
        "nominal_amount": 10,
        "free_shipping": False,
    }


def refund(view: View, record: Refund, *, with_parent: bool) -> dict[str, Any]:
    """A refund; with its order's id where refunds of all orders are listed."""
    path = f"orders/{record.order_id}/refunds"
    parent = {"parent_id": record.order_id} if with_parent else {}
    return {
        "id": record.id,
        **parent,
        "date_created": view.local(record.created_at),
        "date_created_gmt": gmt(record.created_at),
        "amount": view.money(record.amount),
        "reason": record.reason,
        "refunded_by": 1,
        "refunded_payment": False,
        "meta_data": [],
        "line_items": [],
        "shipping_lines": [],
        "tax_lines": [],
        "fee_lines": [],
        "_links": {
            "self": view.link(f"{path}/{record.id}", ("GET", "DELETE")),
            "collection": view.link(path),
            "up": view.link(f"orders/{record.order_id}"),
        },
    }


def narrowed(shown: Mapping[str, Any], fields: str) -> dict[str, Any]:
    """Only the fields asked for with `_fields`; all of them if none were."""
    wanted = [name.strip() for name in fields.split(",") if name.strip()]
    if not wanted:
        return dict(shown)
    return {name: _inner(value, name, wanted) for name, value in shown.items() if _asked(name, wanted)}


def _asked(name: str, wanted: Sequence[str]) -> bool:
    return any(each == name or each.startswith(f"{name}.") for each in wanted)


def _inner(value: Any, name: str, wanted: Sequence[str]) -> Any:
    inner = ",".join(each.removeprefix(f"{name}.") for each in wanted if each.startswith(f"{name}."))
    return narrowed(value, inner) if inner and name not in wanted and isinstance(value, dict) else value
