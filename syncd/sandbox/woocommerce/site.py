"""What the shop says about itself: the index, settings, system status, reports and schemas."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping
from typing import Any

from syncd.sandbox.exchange import Answer, json_answer
from syncd.sandbox.woocommerce import render
from syncd.sandbox.woocommerce.params import CUSTOMERS, ORDERS, Param
from syncd.sandbox.woocommerce.refusal import Refused
from syncd.sandbox.woocommerce.request import Request
from syncd.sandbox.woocommerce.state import STATUSES

_NAMESPACES = (
    "oembed/1.0", "wc/v3", "wc/v1", "jetpack/v4", "wc-admin", "wc-analytics", "wc/store", "wc/store/v1", "wc/private",
    "wc/v2", "wc-admin-email", "wc-telemetry", "wccom-site/v3", "wp/v2", "wp-site-health/v1", "wp-block-editor/v1",
    "wp-abilities/v1",
)  # fmt: skip
_CURRENCIES = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTC BTN BWP BYR BYN BZD CAD "
    "CDF CHF CLP CNY COP CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GGP GHS GIP GMD GNF GTQ "
    "GYD HKD HNL HRK HTG HUF IDR ILS IMP INR IQD IRR IRT ISK JEP JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK "
    "LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN "
    "PGK PHP PKR PLN PRB PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLL SOS SRD SSP STN SYP SZL THB TJS TMT "
    "TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VEF VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW"
)
_COUNTRIES = ("AT", "BE", "CH", "DE", "ES", "FR", "GB", "IE", "IT", "JP", "NL", "PL", "US", "US:CA", "US:NY")


def index(request: Request) -> Answer:
    """GET wp-json/: who the site is, to anybody who asks."""
    state = request.state
    offset = state.clock.now().astimezone(state.zone).utcoffset()
    hours = (offset.total_seconds() if offset else 0.0) / 3600
    shown = {
        "name": state.site.title,
        "description": "",
        "url": request.home,
        "home": request.home,
        "gmt_offset": int(hours) if hours.is_integer() else hours,
        "timezone_string": state.site.timezone,
        "page_for_posts": 0,
        "page_on_front": 0,
        "show_on_front": "posts",
        "namespaces": list(_NAMESPACES),
        "authentication": {},
        "routes": {},
        "_links": {"help": [{"href": "https://developer.wordpress.org/rest-api/"}]},
    }
    return json_answer(200, render.narrowed(shown, request.params["_fields"]))


def system_status(request: Request) -> Answer:
    """GET system_status."""
    shown = {"environment": _environment(request), "settings": _settings(request), "active_plugins": [], "_links": {}}
    return json_answer(200, render.narrowed(shown, request.params["_fields"]))


def _environment(request: Request) -> dict[str, Any]:
    unreachable = dict.fromkeys(
        ("remote_post_successful", "remote_post_response", "remote_get_successful", "remote_get_response"), False
    )
    return {
        "home_url": request.home,
        "site_url": request.home,
        "store_id": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{request.state.site.store}.sandbox")),
        "version": "9.9.5",
        "log_directory": "/var/www/html/wp-content/uploads/wc-logs/",
        "log_directory_writable": True,
        "wp_version": "6.9",
        "wp_multisite": False,
        "wp_memory_limit": 268435456,
        "wp_debug_mode": False,
        "wp_cron": True,
        "language": "en_US",
        "external_object_cache": None,
        "server_info": "nginx/1.22.1",
        "server_architecture": "Linux sandbox x86_64",
        "php_version": "8.2.36",
        "php_post_max_size": 16777216,
        "php_max_execution_time": 30,
        "php_max_input_vars": 1000,
        "curl_version": "7.88.1, OpenSSL/3.0.19",
        "suhosin_installed": False,
        "max_upload_size": 2097152,
        "mysql_version": "10.11.19",
        "mysql_version_string": "10.11.19-MariaDB",
        "default_timezone": "UTC",
        "fsockopen_or_curl_enabled": True,
        "soapclient_enabled": False,
        "domdocument_enabled": True,
        "gzip_enabled": True,
        "mbstring_enabled": True,
        **unreachable,
    }


def _settings(request: Request) -> dict[str, Any]:
    site = request.state.site
    return {
        "api_enabled": False,
        "force_ssl": False,
        "currency": site.currency,
        "currency_symbol": render.SYMBOLS.get(site.currency, site.currency),
        "currency_position": "left",
        "thousand_separator": ",",
        "decimal_separator": ".",
        "number_of_decimals": site.decimals,
        "geolocation_enabled": False,
        "taxonomies": {name: name for name in ("external", "grouped", "simple", "variable")},
        "product_visibility_terms": _visibility_terms(),
        "woocommerce_com_connected": "no",
        "enforce_approved_download_dirs": True,
        "order_datastore": "Automattic\\WooCommerce\\Internal\\DataStores\\Orders\\OrdersTableDataStore",
        "HPOS_enabled": True,
        "HPOS_sync_enabled": False,
        "enabled_features": ["analytics", "marketplace", "order_attribution", "custom_order_tables"],
    }


def _visibility_terms() -> dict[str, str]:
    terms = ("exclude-from-catalog", "exclude-from-search", "featured", "outofstock")
    return {name: name for name in (*terms, *(f"rated-{stars}" for stars in range(1, 6)))}


def currency(request: Request) -> Answer:
    """GET settings/general/woocommerce_currency."""
    options = {code: f"{code} ({render.SYMBOLS.get(code, code)}) — {code}" for code in _CURRENCIES.split()}
    return _setting(request, "woocommerce_currency", request.state.site.currency, ("USD", options))


def country(request: Request) -> Answer:
    """GET settings/general/woocommerce_default_country."""
    options = {code: code for code in _COUNTRIES}
    return _setting(request, "woocommerce_default_country", request.state.site.country, ("US:CA", options))


def no_setting(request: Request) -> Answer:
    """GET of any other general setting."""
    raise Refused(404, "rest_setting_setting_invalid", "Invalid setting.")


def _setting(request: Request, name: str, value: str, choice: tuple[str, dict[str, str]]) -> Answer:
    words = "What the shop is set to."
    shown = {
        "id": name,
        "label": name.removeprefix("woocommerce_").replace("_", " ").capitalize(),
        "description": words,
        "type": "select",
        "default": choice[0],
        "options": choice[1],
        "tip": words,
        "value": value,
        "group_id": "general",
        "_links": {
            "self": request.view.link(f"settings/general/{name}", ("GET", "POST", "PUT", "PATCH")),
            "collection": request.view.link("settings/general"),
        },
    }
    return json_answer(200, render.narrowed(shown, request.params["_fields"]))


def order_totals(request: Request) -> Answer:
    """GET reports/orders/totals."""
    counts = Counter(order.status for order in request.state.orders.values())
    return json_answer(200, [{"slug": status, "name": _title(status), "total": counts[status]} for status in STATUSES])


def customer_totals(request: Request) -> Answer:
    """GET reports/customers/totals; accounts of role customer only."""
    paying = [account.is_paying for account in request.state.accounts.values() if account.role == "customer"]
    rows = (("paying", "Paying customer", sum(paying)), ("non_paying", "Non-paying customer", paying.count(False)))
    return json_answer(200, [{"slug": slug, "name": name, "total": total} for slug, name, total in rows])


def reports(request: Request) -> Answer:
    """GET reports."""
    slugs = ("orders/totals", "customers/totals")
    return json_answer(
        200,
        [
            {"slug": slug, "description": "", "_links": {"about": request.view.link(f"reports/{slug}")}}
            for slug in slugs
        ],
    )


def _title(status: str) -> str:
    return {"checkout-draft": "Draft", "pending": "Pending payment"}.get(status, status.capitalize())


def customers_schema(request: Request) -> Answer:
    """OPTIONS customers."""
    return json_answer(200, _schema("customer", CUSTOMERS, {}))


def orders_schema(request: Request) -> Answer:
    """OPTIONS orders: here the statuses that the shop knows are listed."""
    status = {
        "description": "Order status.",
        "type": "string",
        "default": "pending",
        "enum": ["auto-draft", *STATUSES],
        "context": ["view", "edit"],
    }
    return json_answer(200, _schema("shop_order", ORDERS, {"status": status}))


def _schema(title: str, params: Mapping[str, Param], properties: Mapping[str, Any]) -> dict[str, Any]:
    number = {"description": "Unique identifier for the resource.", "type": "integer", "readonly": True}
    return {
        "namespace": "wc/v3",
        "methods": ["GET", "POST"],
        "endpoints": [
            {"methods": ["GET"], "args": {name: _arg(param) for name, param in params.items()}},
            {"methods": ["POST"], "args": {}},
        ],
        "schema": {
            "$schema": "http://json-schema.org/draft-04/schema#",
            "title": title,
            "type": "object",
            "properties": {"id": number, **properties},
        },
    }


def _arg(param: Param) -> dict[str, Any]:
    is_list = param.kind in ("integers", "strings")
    item: dict[str, Any] = {"type": "integer" if param.kind == "integers" else "string"}
    if param.enum:
        item["enum"] = list(param.enum)
    shown = {"type": "array", "items": item} if is_list else {**item, "type": _json_type(param.kind)}
    return {**shown, "required": False} | ({} if param.default is None else {"default": param.default})


def _json_type(kind: str) -> str:
    return {"date": "string", "email": "string"}.get(kind, kind)
