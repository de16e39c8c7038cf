"""The BigCommerce shop of the sandbox, and connectors to it."""

from __future__ import annotations

from typing import Any

from syncd.connectors.bigcommerce.connector import BigCommerce
from syncd.connectors.bigcommerce.dialect import BigCommerceConfig
from syncd.sandbox import BigShop
from tests.clock import ManualClock

SIZES = (10, 5)


def config_of(shop: BigShop, token: str = "admin", **settings: Any) -> BigCommerceConfig:
    """The settings of a served shop.

    Args:
        token: Which of its tokens to use.
    """
    auth = {"token": shop.credentials[token].access_token}
    return BigCommerceConfig.model_validate(
        {"store_hash": shop.store_hash, "base_url": shop.url, "auth": auth, **settings}
    )


def bigcommerce_to(shop: BigShop, token: str = "admin", *, clock: ManualClock | None = None) -> BigCommerce:
    """A connector with small pages to a served shop, whose quota no test uses up."""
    shop.set_quota(1_000_000)
    clock = clock or ManualClock(shop.clock.now())
    return BigCommerce(config_of(shop, token), store_id=shop.name, clock=clock, page_sizes=SIZES)


def is_cart(order: Any) -> bool:
    """Whether an order of the shop is one that was not finished."""
    return bool(order.status_id == 0)


def is_order(order: Any) -> bool:
    """Whether an order of the shop is one that was placed."""
    return not is_cart(order)


def add_customer(shop: BigShop) -> int:
    """Somebody registers, with a mailbox of their own."""
    return shop.add_customer(f"new{len(shop.state.accounts)}@shop.example")
