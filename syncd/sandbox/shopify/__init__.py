"""The Shopify half of the sandbox: an Admin API executed from a schema of its own, as strict as the real one."""

from syncd.sandbox.shopify.access import ShopifyApp, ShopifyToken, well_known_access_token, well_known_app
from syncd.sandbox.shopify.shop import ShopifyShop
from syncd.sandbox.shopify.state import ShopifySite

__all__ = ["ShopifyApp", "ShopifyShop", "ShopifySite", "ShopifyToken", "well_known_access_token", "well_known_app"]
