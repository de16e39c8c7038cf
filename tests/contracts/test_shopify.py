"""The Shopify connector keeps the connector contract, against a shop served over HTTP."""

from functools import partial

from syncd.model import Stream
from syncd.sandbox import ShopifyShop as Shop
from tests.contracts.served import Acts, ServedContract
from tests.shopify import REFUSAL, drop_checkout, shopify_to, site, touch_checkout

ACTS = {
    Stream.CUSTOMERS: Acts("accounts", Shop.add_customer, Shop.edit_customer, Shop.delete_customer),
    Stream.ORDERS: Acts("orders", Shop.place_order, Shop.edit_order, Shop.delete_order),
    Stream.CARTS: Acts("checkouts", Shop.open_checkout, touch_checkout, drop_checkout),
}


class TestShopify(ServedContract):
    """The contract, on a shop that shows its token every order."""

    acts = ACTS
    sites = (site("us", plan="Plus"), site("empty", plan="Plus"))
    refusal = REFUSAL
    connect = staticmethod(shopify_to)
    secrets = staticmethod(lambda shop: (shop.credentials["admin"].access_token,))


class TestShopifyInBulk(TestShopify):
    """The same where every complete walk of customers and orders goes by a bulk operation."""

    connect = staticmethod(partial(shopify_to, bulk_from=1))
