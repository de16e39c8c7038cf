"""How BigCommerce shows orders (v2): amounts are texts with four decimals, times are those of mail headers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from syncd.sandbox.bigcommerce.products import PRODUCTS
from syncd.sandbox.bigcommerce.render import COUNTRIES
from syncd.sandbox.bigcommerce.state import REFUNDED, STATUSES, BigState, Line, Order, is_digital

_PAYMENT = {0: "", 1: "", 4: "refunded", 5: "void", 6: "declined", 7: "pending", 14: "partially refunded"}
_CURRENCY_IDS = {"USD": 1, "EUR": 2, "GBP": 3}


def money(hundredths: int) -> str:
    """An amount as v2 writes it."""
    whole, part = divmod(abs(hundredths), 100)
    return f"{'-' if hundredths < 0 else ''}{whole}.{part:02d}00"


def mail_time(moment: datetime | None) -> str:
    """A time as v2 writes it; no time is an empty text."""
    return format_datetime(moment) if moment else ""


def order(state: BigState, row: Order, home: str, include: Collection[str] = ()) -> dict[str, Any]:
    """An order; its lines only if its consignments are included."""
    link = f"{home}/stores/{state.site.store_hash}/v2/orders/{row.id}"
    return {
        "id": row.id,
        "customer_id": row.customer_id,
        "date_created": mail_time(row.created_at),
        "date_modified": mail_time(row.modified_at),
        "date_shipped": mail_time(row.shipped_at),
        "status_id": row.status_id,
        "status": STATUSES[row.status_id],
        "custom_status": STATUSES[row.status_id],
        **_amounts(row),
        **_currencies(state, row),
        **_circumstances(row),
        "billing_address": _person(row.billing) | {"form_fields": []},
        "products": _resource(link, "products"),
        "shipping_addresses": _resource(link, "shipping_addresses"),
        "coupons": _resource(link, "coupons"),
        "consignments": _consignments(row, include) or _resource(link, "consignments"),
        "fees": [] if "fees" in include else _resource(link, "fees"),
    }


def _resource(link: str, name: str) -> dict[str, str]:
    return {"url": f"{link}/{name}", "resource": f"/orders/{link.rpartition('/')[2]}/{name}"}


def _amounts(row: Order) -> dict[str, Any]:
    tax, goods = sum(line.tax for line in row.lines), sum(line.total for line in row.lines)
    discount, fee = sum(line.discount for line in row.lines), row.shipping_fee
    zero = ("store_credit_amount", "gift_certificate_amount", *_fees("handling"), *_fees("wrapping"))
    return {
        **dict.fromkeys(zero, money(0)),
        "subtotal_ex_tax": money(goods),
        "subtotal_inc_tax": money(goods + tax),
        "subtotal_tax": money(tax),
        "base_shipping_cost": money(fee),
        "shipping_cost_ex_tax": money(fee),
        "shipping_cost_inc_tax": money(fee),
        "shipping_cost_tax": money(0),
        "shipping_cost_tax_class_id": 2,
        "handling_cost_tax_class_id": 2,
        "wrapping_cost_tax_class_id": 3,
        "total_ex_tax": money(row.total - tax),
        "total_inc_tax": money(row.total),
        "total_tax": money(tax),
        "discount_amount": money(0),
        "coupon_discount": money(discount),
        # documented: it never tells; refunds have their own address
        "refunded_amount": money(0),
        "items_total": sum(line.quantity for line in row.lines),
        "items_shipped": sum(line.quantity for line in row.lines) if row.shipped_at else 0,
    }


def _fees(name: str) -> tuple[str, ...]:
    return (f"base_{name}_cost", f"{name}_cost_ex_tax", f"{name}_cost_inc_tax", f"{name}_cost_tax")


def _currencies(state: BigState, row: Order) -> dict[str, Any]:
    """What is shown on the storefront, what is paid in, and what the shop counts in: three currencies."""
    return {
        "currency_id": _CURRENCY_IDS.get(row.shown_currency, 9),
        "currency_code": row.shown_currency,
        "currency_exchange_rate": "1.0000000000" if row.shown_currency == row.currency else "0.9200000000",
        "default_currency_id": _CURRENCY_IDS.get(row.currency, 9),
        "default_currency_code": row.currency,
        "store_default_currency_code": state.site.currency,
        "store_default_to_transactional_exchange_rate": "1.0000000000",
    }


def _circumstances(row: Order) -> dict[str, Any]:
    return {
        "channel_id": row.channel_id,
        "cart_id": row.cart_id,
        "payment_method": row.payment_method,
        "payment_provider_id": "",
        "payment_status": _PAYMENT.get(row.status_id, "captured"),
        "order_source": row.source,
        "order_is_digital": is_digital(row),
        "is_deleted": row.is_deleted,
        "is_email_opt_in": row.is_opt_in,
        "is_tax_inclusive_pricing": False,
        "shipping_address_count": 0 if is_digital(row) else 1,
        "ip_address": "192.0.2.7",
        "ip_address_v6": "",
        "geoip_country": COUNTRIES.get(row.billing["country"], ""),
        "geoip_country_iso2": row.billing["country"],
        "staff_notes": row.staff_notes,
        "customer_message": row.customer_message,
        "customer_locale": "en",
        "ebay_order_id": "0",
        "external_id": None,
        "external_merchant_id": None,
        "external_source": "",
        "external_order_id": row.external_order_id,
        "tax_provider_id": "BasicTaxProvider",
    }


def _person(fields: dict[str, str]) -> dict[str, str]:
    return {
        "first_name": fields["first_name"],
        "last_name": fields["last_name"],
        "company": fields["company"],
        "street_1": fields["street"],
        "street_2": "",
        "city": fields["city"],
        "state": fields["state"],
        "zip": fields["postcode"],
        "country": COUNTRIES.get(fields["country"], fields["country"]),
        "country_iso2": fields["country"],
        "phone": fields["phone"],
        "email": fields["email"],
    }


def _consignments(row: Order, include: Collection[str]) -> dict[str, Any] | None:
    """What goes where; None if nobody asked."""
    with_lines = "consignments.line_items" in include
    if not with_lines and "consignments" not in include:
        return None
    goods = [line for line in row.lines if not PRODUCTS[line.product].is_digital]
    files = [line for line in row.lines if PRODUCTS[line.product].is_digital]
    return {
        "pickups": [],
        "shipping": [_shipping(row, goods, with_lines=with_lines)] if goods else [],
        "downloads": [_download(row, files, with_lines=with_lines)] if files else [],
        "email": {"gift_certificates": []},
    }


def _download(row: Order, lines: list[Line], *, with_lines: bool) -> dict[str, Any]:
    return {"recipient_email": row.billing["email"], "line_items": _lines(row, lines, with_lines=with_lines)}


def _shipping(row: Order, lines: list[Line], *, with_lines: bool) -> dict[str, Any]:
    fee, count = row.shipping_fee / 100, sum(line.quantity for line in lines)
    return {
        "id": row.id,
        **_person(row.shipping),
        "form_fields": [],
        "line_items": _lines(row, lines, with_lines=with_lines),
        "items_total": count,
        "items_shipped": count if row.shipped_at else 0,
        "shipping_method": "Flat Rate",
        **dict.fromkeys(("base_cost", "cost_ex_tax", "cost_inc_tax"), fee),
        "cost_tax": 0,
        "cost_tax_class_id": 2,
        **dict.fromkeys(("base_handling_cost", *(f"handling_cost_{tax}" for tax in ("ex_tax", "inc_tax", "tax"))), 0),
        "handling_cost_tax_class_id": 2,
        "shipping_zone_id": 1,
        "shipping_zone_name": "Everywhere",
    }


def _lines(row: Order, lines: list[Line], *, with_lines: bool) -> list[dict[str, Any]]:
    if with_lines:
        return [line(row, each) for each in lines]
    return [{"url": "", "resource": f"/orders/{row.id}/products/{each.id}"} for each in lines]


def line(row: Order, each: Line) -> dict[str, Any]:
    """A product on an order."""
    product = PRODUCTS[each.product]
    return {
        "id": each.id,
        "order_id": row.id,
        "product_id": product.id,
        "variant_id": product.id + 1000,
        "order_pickup_method_id": 0,
        "order_address_id": 0 if product.is_digital else row.id,
        "name": product.name,
        "name_customer": product.name,
        "name_merchant": product.name,
        "sku": product.sku,
        "upc": "",
        "type": "digital" if product.is_digital else "physical",
        "brand": "Acme",
        "quantity": each.quantity,
        "quantity_shipped": each.quantity if row.shipped_at else 0,
        "is_refunded": each.refunded_quantity >= each.quantity or row.status_id == REFUNDED,
        "quantity_refunded": each.refunded_quantity,
        "refund_amount": money(each.paid if each.refunded_quantity else 0),
        **_line_amounts(each),
        **_line_rest(),
        "applied_discounts": _discounts(row, each),
        "product_options": [],
        "configurable_fields": [],
    }


def _line_amounts(each: Line) -> dict[str, str]:
    tax_each = each.tax // each.quantity
    return {
        "base_price": money(each.price),
        "price_ex_tax": money(each.price),
        "price_inc_tax": money(each.price + tax_each),
        "price_tax": money(tax_each),
        "base_total": money(each.total),
        "total_ex_tax": money(each.total),
        "total_inc_tax": money(each.total + each.tax),
        "total_tax": money(each.tax),
        "discounted_total_inc_tax": money(each.paid),
    }


def _line_rest() -> dict[str, Any]:
    costs = ("base_cost_price", "cost_price_inc_tax", "cost_price_ex_tax", "cost_price_tax", "base_wrapping_cost",
             "wrapping_cost_ex_tax", "wrapping_cost_inc_tax", "wrapping_cost_tax", "fixed_shipping_cost")  # fmt: skip
    nothing = ("wrapping_name", "event_name", "event_date", "option_set_id", "parent_order_product_id", "external_id",
               "gift_certificate_id")  # fmt: skip
    return {
        **dict.fromkeys(costs, money(0)),
        **dict.fromkeys(nothing),
        **dict.fromkeys(("weight", "width", "height", "depth"), "1.0000"),
        **dict.fromkeys(("wrapping_message", "ebay_item_id", "ebay_transaction_id", "bin_picking_number"), ""),
        "return_id": 0,
        "wrapping_id": 0,
        "is_bundled_product": False,
    }


def _discounts(row: Order, each: Line) -> list[dict[str, Any]]:
    if not each.discount:
        return []
    amount = money(each.discount)
    return [{"id": "coupon", "amount": amount, "name": row.coupon, "code": row.coupon, "target": "order"}]
