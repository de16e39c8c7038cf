"""The platforms syncd knows: one table from a platform's name to its settings and its connector.

Connectors written elsewhere join by the entry point group `syncd.connectors`: the entry's name is the platform, its
value a pair of config model and connector class. Their mappings join by `syncd.mappings`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from syncd.clock import Clock
from syncd.connectors.base import Connector
from syncd.connectors.bigcommerce.connector import BigCommerce
from syncd.connectors.bigcommerce.dialect import BigCommerceConfig
from syncd.connectors.config import StoreConfig
from syncd.connectors.shopify.auth import SCOPES, authorize
from syncd.connectors.shopify.connector import Shopify
from syncd.connectors.shopify.dialect import ShopifyConfig
from syncd.connectors.woocommerce.connector import WooCommerce
from syncd.connectors.woocommerce.dialect import WooCommerceConfig
from syncd.errors import ConfigInvalid
from syncd.meter import SILENT, Meter
from syncd.plugins import Plugged


class Maker(Protocol):
    """What makes a connector from a store's settings, usually its class; `meter` counts its requests."""

    def __call__(self, config: Any, *, store_id: str, clock: Clock, meter: Meter) -> Connector:
        """A connector; nothing is sent yet."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Approval:
    """How a platform's shops let us in by approval in a browser.

    Args:
        scopes: What to ask for, each with its reason.
        authorize: Gets a token for a store's settings: `(config, *, store_id, clock, open_url, port) -> token`.
    """

    config: type[StoreConfig]
    scopes: Mapping[str, str]
    authorize: Callable[..., str]


def _pair_fault(part: object) -> str | None:
    match part:
        case (type() as config, connector) if issubclass(config, StoreConfig) and callable(connector):
            return None
    return "its connector entry must be a pair of a StoreConfig model and a connector class"


REGISTRY: Mapping[str, tuple[type[StoreConfig], Maker]] = Plugged(
    "syncd.connectors",
    {
        "bigcommerce": (BigCommerceConfig, BigCommerce),
        "shopify": (ShopifyConfig, Shopify),
        "woocommerce": (WooCommerceConfig, WooCommerce),
    },
    _pair_fault,
)

APPROVALS = {"shopify": Approval(config=ShopifyConfig, scopes=SCOPES, authorize=authorize)}


def connect(config: StoreConfig, *, store_id: str, clock: Clock, meter: Meter = SILENT) -> Connector:
    """The connector to one store; nothing is sent yet.

    Raises:
        ConfigInvalid: No connector of that platform is known.
    """
    if config.platform not in REGISTRY:
        known = ", ".join(sorted(REGISTRY))
        raise ConfigInvalid(f"{config.platform} is not a platform", store=store_id, hint=f"Use one of: {known}")
    _, make = REGISTRY[config.platform]
    return make(config, store_id=store_id, clock=clock, meter=meter)


def config_model(platform: str) -> type[StoreConfig] | None:
    """The settings model of a platform's stores, None if there is no such platform.

    Raises:
        ConfigInvalid: An installed package brings the platform and does not work.
    """
    return REGISTRY[platform][0] if platform in REGISTRY else None
