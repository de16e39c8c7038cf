"""The sandbox's WooCommerce: REST v3 of WooCommerce 9.9.5 with HPOS, as recorded from a real server."""

from syncd.sandbox.woocommerce.access import KEY_NAMES, ApiKey, well_known_key
from syncd.sandbox.woocommerce.shop import WooShop
from syncd.sandbox.woocommerce.state import WooSite

__all__ = ["KEY_NAMES", "ApiKey", "WooShop", "WooSite", "well_known_key"]
