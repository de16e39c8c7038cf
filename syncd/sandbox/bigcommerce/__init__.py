"""The sandbox's BigCommerce: customers by v3, orders by v2, as its published specifications describe them."""

from syncd.sandbox.bigcommerce.access import TOKEN_NAMES, BigToken, well_known_token
from syncd.sandbox.bigcommerce.shop import BigShop
from syncd.sandbox.bigcommerce.state import BigSite

__all__ = ["TOKEN_NAMES", "BigShop", "BigSite", "BigToken", "well_known_token"]
