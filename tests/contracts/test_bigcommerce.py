"""The BigCommerce connector keeps the connector contract, against a shop served over HTTP."""

from dataclasses import replace

from syncd.model import Stream
from syncd.sandbox import B2B
from syncd.sandbox import BigShop as Shop
from tests.bigcommerce import add_customer, bigcommerce_to, is_cart, is_order
from tests.contracts.served import Acts, ServedContract

ACTS = {
    Stream.CUSTOMERS: Acts("accounts", add_customer, Shop.edit_customer, Shop.delete_customer),
    Stream.ORDERS: Acts("orders", Shop.place_order, Shop.edit_order, Shop.delete_order, holds=is_order),
    Stream.CARTS: Acts("orders", Shop.open_incomplete, Shop.edit_order, Shop.drop_incomplete, "order:", is_cart),
}


class TestBigCommerce(ServedContract):
    """The contract, on a shop in Chicago."""

    acts = ACTS
    sites = (B2B, replace(B2B, store="empty"))
    refusal = '{"status": 401, "title": "X-Auth-Token header is invalid"}'
    connect = staticmethod(bigcommerce_to)
    secrets = staticmethod(lambda shop: (shop.credentials["admin"].access_token,))
