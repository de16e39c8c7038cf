"""Shops to practise on: stateful, deterministic, as strict as the platforms, spoken to over HTTP.

`Sandbox` opens them on loopback; each `shops[name]` is a handle with url, credentials, merchant actions, scripted
faults and the history of requests. Nothing in the service imports this package except the command that starts it.
"""

from syncd.sandbox.bigcommerce import BigShop, BigSite, BigToken, well_known_token
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.exchange import Call, Seen
from syncd.sandbox.faults import Fault, FaultKind
from syncd.sandbox.server import B2B, PORTS, Sandbox, SandboxOptions, serve_forever
from syncd.sandbox.shop import Shop
from syncd.sandbox.shopify import (
    ShopifyApp,
    ShopifyShop,
    ShopifySite,
    ShopifyToken,
    well_known_access_token,
    well_known_app,
)
from syncd.sandbox.woocommerce import ApiKey, WooShop, WooSite, well_known_key

__all__ = [
    "B2B",
    "PORTS",
    "ApiKey",
    "BigShop",
    "BigSite",
    "BigToken",
    "Call",
    "Fault",
    "FaultKind",
    "Sandbox",
    "SandboxClock",
    "SandboxOptions",
    "Seen",
    "Shop",
    "ShopifyApp",
    "ShopifyShop",
    "ShopifySite",
    "ShopifyToken",
    "WooShop",
    "WooSite",
    "serve_forever",
    "well_known_access_token",
    "well_known_app",
    "well_known_key",
    "well_known_token",
]
