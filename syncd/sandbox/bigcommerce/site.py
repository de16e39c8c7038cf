"""v2/store and v2/time."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from syncd.sandbox.bigcommerce.render import COUNTRIES
from syncd.sandbox.bigcommerce.request import Request
from syncd.sandbox.exchange import Answer, json_answer

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


def store(request: Request) -> Answer:
    """GET store."""
    site = request.state.site
    domain = f"{site.store}.example.com"
    return json_answer(
        200,
        {
            "id": site.store_hash,
            "account_uuid": str(uuid.uuid5(uuid.NAMESPACE_DNS, domain)),
            "domain": domain,
            "secure_url": f"https://{domain}",
            "control_panel_base_url": f"https://store-{site.store_hash}.example.com",
            "status": "live",
            "name": site.title,
            "first_name": "Ada",
            "last_name": "Keeper",
            "address": "1 Quay",
            "country": COUNTRIES.get(site.country, site.country),
            "country_code": site.country,
            "infrastructure_region": "us-central1",
            "phone": "",
            "admin_email": f"admin@{domain}",
            "order_email": f"orders@{domain}",
            "favicon_url": "",
            "timezone": _timezone(request),
            "language": "en",
            **_currency(site.currency),
            **_units(),
            "plan_name": "Standard",
            "plan_level": "Standard",
            "plan_is_trial": False,
            "industry": "",
            "logo": [],
            "is_price_entered_with_tax": False,
            "store_id": 1000100,
            "default_channel_id": 1,
            "default_site_id": 1000,
            "active_comparison_modules": [],
            "features": _features(),
        },
    )


def _timezone(request: Request) -> dict[str, Any]:
    now = request.state.clock.now().astimezone(ZoneInfo(request.state.site.timezone))
    offset, saving = now.utcoffset() or timedelta(), now.dst() or timedelta()
    return {
        "name": request.state.site.timezone,
        "raw_offset": int((offset - saving).total_seconds()),
        "dst_offset": int(saving.total_seconds()),
        "dst_correction": bool(saving),
        "date_format": {"display": "M jS Y", "export": "M jS Y", "extended_display": "M jS Y @ g:i A"},
    }


def _currency(code: str) -> dict[str, Any]:
    return {
        "currency": code,
        "currency_symbol": _SYMBOLS.get(code, code),
        "decimal_separator": ".",
        "thousands_separator": ",",
        "decimal_places": 2,
        "currency_symbol_location": "left",
    }


def _units() -> dict[str, Any]:
    return {
        "weight_units": "KGS",
        "dimension_units": "Centimeters",
        "dimension_decimal_places": 2,
        "dimension_decimal_token": ".",
        "dimension_thousands_token": ",",
    }


def _features() -> dict[str, Any]:
    return {
        "stencil_enabled": True,
        "sitewidehttps_enabled": True,
        "facebook_catalog_id": "",
        "checkout_type": "optimized",
        "wishlists_enabled": False,
        "graphql_storefront_api_enabled": True,
        "shopper_consent_tracking_enabled": False,
        "multi_storefront_enabled": True,
        "storefront_limits": {"active": 2, "total_including_inactive": 4},
    }


def time(request: Request) -> Answer:
    """GET time: the server's clock."""
    return json_answer(200, {"time": int(request.state.clock.now().timestamp())})
