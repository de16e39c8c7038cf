"""Shops to practise on: stateful, deterministic, as strict as the platforms, spoken to over HTTP.

`Sandbox` opens them on loopback; each `shops[name]` is a handle with url, credentials, merchant actions, scripted
faults and the history of requests. Nothing in the service imports this package except the command that starts it.
"""

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.exchange import Call, Seen
from syncd.sandbox.faults import Fault, FaultKind
from syncd.sandbox.server import PORTS, Sandbox, SandboxOptions, serve_forever
from syncd.sandbox.shop import Shop
from syncd.sandbox.woocommerce import ApiKey, WooShop, WooSite, well_known_key

__all__ = [
    "PORTS",
    "ApiKey",
    "Call",
    "Fault",
    "FaultKind",
    "Sandbox",
    "SandboxClock",
    "SandboxOptions",
    "Seen",
    "Shop",
    "WooShop",
    "WooSite",
    "serve_forever",
    "well_known_key",
]
