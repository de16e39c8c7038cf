"""Shopify shops of the sandbox, and connectors to them."""

from __future__ import annotations

from typing import Any

from syncd.connectors.shopify import Shopify
from syncd.connectors.shopify_dialect import ShopifyConfig
from syncd.sandbox import ShopifyShop, ShopifySite
from tests.clock import ManualClock

REFUSAL = '{"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}'


def site(store: str, **settings: Any) -> ShopifySite:
    """A shop in Los Angeles."""
    place = {"title": store, "timezone": "America/Los_Angeles", "country": "US", "currency": "USD"}
    return ShopifySite(store=store, handle=f"{store}-shop", **(place | settings))


def config_of(shop: ShopifyShop, token: str = "admin", **settings: Any) -> ShopifyConfig:
    """The settings of a served shop.

    Args:
        token: Which of its tokens to use.
    """
    auth = {"token": shop.credentials[token].access_token}
    given = {"platform": "shopify", "url": shop.state.site.handle, "base_url": shop.url, "auth": auth}
    return ShopifyConfig.model_validate(given | settings)


def shopify_to(
    shop: ShopifyShop, *, config: ShopifyConfig | None = None, clock: ManualClock | None = None, page_size: int = 7
) -> Shopify:
    """A connector with small pages to a served shop."""
    clock = clock or ManualClock(shop.clock.now())
    return Shopify(config or config_of(shop), store_id=shop.name, clock=clock, page_size=page_size)


def touch_checkout(shop: ShopifyShop, number: int) -> None:
    """A shopper changes a checkout that was left."""
    shop.state.touch(shop.state.checkouts[number])


def drop_checkout(shop: ShopifyShop, number: int) -> None:
    """A checkout that was left is forgotten."""
    del shop.state.checkouts[number]
