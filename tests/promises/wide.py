"""Connectors to the shops of the property tests whose pages are as large as a test wants them."""

from __future__ import annotations

from typing import Any

from syncd.connectors.base import Connector
from syncd.connectors.bigcommerce.connector import BigCommerce
from syncd.connectors.shopify.connector import Shopify, Sizes
from syncd.connectors.woocommerce.connector import WooCommerce
from syncd.connectors.woocommerce.dialect import WooCommerceConfig
from tests import bigcommerce, shopify
from tests.clock import ManualClock

NEVER = 1_000_000


def wide(shop: Any, clock: ManualClock, page: int) -> Connector:
    """A connector with pages of a size, that leaves nothing to bulk operations."""
    if shop.platform == "shopify":
        sizes = Sizes(page=page, bulk_from=NEVER)
        return Shopify(shopify.config_of(shop), store_id=shop.name, clock=clock, sizes=sizes)
    if shop.platform == "bigcommerce":
        return BigCommerce(bigcommerce.config_of(shop), store_id=shop.name, clock=clock, page_sizes=(page, 10))
    key = shop.credentials["admin"]
    auth = {"consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret}
    config = WooCommerceConfig.model_validate({"url": shop.url, "auth": auth})
    return WooCommerce(config, store_id=shop.name, clock=clock, page_sizes=(page, 10))
