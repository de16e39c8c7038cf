"""The sandbox's shops as histories need them, served over HTTP with a clock that only the history moves."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from syncd.connectors.base import Connector
from syncd.connectors.bigcommerce.connector import BigCommerce
from syncd.connectors.shopify.connector import Shopify, Sizes
from syncd.connectors.woocommerce.connector import WooCommerce
from syncd.connectors.woocommerce.dialect import WooCommerceConfig
from syncd.mapping import mapper_for
from syncd.mapping.base import MapperOptions
from syncd.model import Stream
from syncd.sandbox import (
    B2B,
    BigShop,
    Fault,
    FaultKind,
    Sandbox,
    SandboxClock,
    SandboxOptions,
    ShopifyShop,
    WooShop,
    WooSite,
)
from syncd.sandbox.bigcommerce.state import STATUSES
from tests import bigcommerce, shopify
from tests.clock import START, ManualClock
from tests.property.shops import BURST, PAGE, Deed, Truth, mailbox, pick

INDEX_LAG_S = 90
SERVED = ("woocommerce", "shopify", "bigcommerce")

_EMPTY = 0.001  # scale of a shop with hardly anybody in it
_WOO_CARTS = ("checkout-draft", "pending", "failed")


class ServedStage:
    """A shop of the sandbox: what all platforms share."""

    lists: tuple[str, str]  # method and address, a regular expression, of the requests whose rows may be withheld
    deeds: Mapping[str, Deed]
    lag_s = 0.0

    def __init__(self, shop: Any) -> None:
        self.shop = shop
        self.clock: SandboxClock = shop.clock
        self.mapper = mapper_for(shop.platform, MapperOptions())
        self._born = 0
        self._first = copy.deepcopy(shop.state, {id(shop.clock): shop.clock})

    def connect(self, clock: ManualClock) -> Connector:
        """A connector with small pages."""
        raise NotImplementedError

    def truth(self) -> Truth:
        """What the shop's records are."""
        raise NotImplementedError

    def reset(self) -> None:
        """Give the shop back as it was at first."""
        self.clock.set(START)
        self.calm()
        self.shop.state = copy.deepcopy(self._first, {id(self.clock): self.clock})
        self.shop.history.clear()

    def hook(self, before_each: Callable[[], None] | None) -> None:
        """Have something done before each request."""
        self.shop.mutator = (lambda _call: before_each()) if before_each else None

    def fail(self, kind: FaultKind, skip: int, row: int = 0) -> None:
        """Let every request fail after some, or withhold one row of one list."""
        is_row = kind is FaultKind.DROP_ROW
        method, path, times = (*self.lists, 1) if is_row else (None, "", None)
        self.shop.faults.add(Fault(kind=kind, skip=skip, row=row, method=method, path=path, times=times))

    def calm(self) -> None:
        """End every fault and the hook."""
        self.shop.faults.clear()
        self.shop.mutator = None

    def _new_mailbox(self) -> str:
        self._born += 1
        return f"new{self._born}@shop.example"

    def _order_of(self, number: int, holds: Callable[[Any], bool] = lambda _: True) -> int | None:
        chosen = pick((each for each in self.shop.state.orders.values() if holds(each)), number)
        return chosen.id if chosen else None

    def _account_of(self, number: int) -> int | None:
        chosen: int | None = pick(self.shop.state.accounts, number)
        return chosen

    def _to_order(self, act: Callable[..., object], holds: Callable[[Any], bool] = lambda _: True) -> Deed:
        """The deed that does something to one of the orders there are."""
        return lambda number: (found := self._order_of(number, holds)) and act(found)

    def _to_account(self, act: Callable[..., object]) -> Deed:
        """The deed that does something to one of the accounts there are."""
        return lambda number: (found := self._account_of(number)) and act(found)

    def _refund_part(self, number: int) -> None:
        found = self._order_of(number, lambda order: order.refunded + 100 <= order.total)
        if found:
            self.shop.refund(found, amount=100)

    def _touch_all(self, number: int) -> None:
        self.shop.touch_many(list(self.shop.state.orders))

    def _late_edit(self, late_s: int, **fields: Any) -> Deed:
        """The deed of a request that takes long: what it changes is stamped before it is there to be seen."""

        def act(number: int) -> None:
            stamped = self.clock.second() - timedelta(seconds=late_s)
            found = self._order_of(number, lambda order: order.modified_at <= stamped)
            if found:
                self.shop.edit_order(found, **fields)
                self.shop.touch_many([found], at=stamped)

        return act


class WooStage(ServedStage):
    """A WooCommerce shop."""

    shop: WooShop
    lists = ("GET", r"/wc/v3/(orders|customers)\?")

    def __init__(self, shop: WooShop) -> None:
        super().__init__(shop)
        self.deeds = {
            "register": lambda number: shop.add_customer(self._new_mailbox(), first_name="Ann"),
            "rename": lambda number: self._to_account(lambda found: shop.edit_customer(found, first_name=f"B{number}")),
            "delete_customer": self._to_account(shop.delete_customer),
            "order": lambda number: shop.place_order(billing={"email": mailbox(number)}),
            "order_of_account": self._to_account(lambda found: shop.place_order(customer_id=found)),
            "burst": lambda number: [shop.place_order(billing={"email": mailbox(number)}) for _ in range(BURST)],
            "touch_all": self._touch_all,
            "late_edit": self._late_edit(120, status="on-hold"),
            "complete": self._to_order(lambda found: shop.edit_order(found, status="completed")),
            "unpay": self._to_order(lambda found: shop.edit_order(found, status="pending")),
            "cancel": self._to_order(lambda found: shop.edit_order(found, status="cancelled")),
            "refund": self._refund_part,
            "trash": self._to_order(shop.trash_order),
            "delete": self._to_order(shop.delete_order),
            "open_draft": lambda number: shop.open_draft(billing={"email": mailbox(number)}),
            "complete_draft": self._to_order(shop.complete_draft, lambda order: order.status == "checkout-draft"),
            "fail_draft": self._to_order(
                lambda found: shop.complete_draft(found, "failed"), lambda order: order.status == "checkout-draft"
            ),
        }

    def connect(self, clock: ManualClock) -> Connector:
        """A connector with small pages."""
        key = self.shop.credentials["admin"]
        auth = {"consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret}
        given = {"url": self.shop.url, "auth": auth, "http": {"concurrency": 1}}  # more would make chance of a seed
        config = WooCommerceConfig.model_validate(given)
        return WooCommerce(config, store_id=self.shop.name, clock=clock, page_sizes=(PAGE, 2))

    def truth(self) -> Truth:
        """What the shop's records are."""
        orders = self.shop.state.orders.values()
        accounts = self.shop.state.accounts.values()
        return {
            Stream.CUSTOMERS: {str(each.id): (each.email, each.first_name) for each in accounts},
            Stream.ORDERS: {
                str(each.id): (each.status, each.total, each.refunded)
                for each in orders
                if each.status not in ("trash", "checkout-draft")
            },
            Stream.CARTS: {f"order:{each.id}": (each.total,) for each in orders if each.status in _WOO_CARTS},
        }


class ShopifyStage(ServedStage):
    """A Shopify shop whose lists show a change late."""

    shop: ShopifyShop
    lists = ("POST", "graphql")
    lag_s = INDEX_LAG_S

    def __init__(self, shop: ShopifyShop) -> None:
        super().__init__(shop)
        self.deeds = {
            "register": lambda number: shop.add_customer(self._new_mailbox(), first_name="Ann"),
            "rename": lambda number: self._to_account(lambda found: shop.edit_customer(found, first_name=f"B{number}")),
            "delete_customer": self._to_account(shop.delete_customer),
            "merge": self._merge,
            "order": lambda number: shop.place_order(email=mailbox(number)),
            "order_of_account": self._to_account(lambda found: shop.place_order(customer_id=found)),
            "burst": lambda number: [shop.place_order(email=mailbox(number)) for _ in range(BURST)],
            "touch_all": self._touch_all,
            "edit": self._to_order(lambda found: shop.edit_order(found, shipping_fee=found % 500)),
            "cancel": self._to_order(shop.cancel_order, lambda order: order.cancelled_at is None),
            "refund": self._refund_part,
            "delete": self._to_order(shop.delete_order),
            "open_checkout": lambda number: shop.open_checkout(billing={"first_name": f"Ann{number}"}),
            "touch_checkout": self._to_checkout(lambda found: shopify.touch_checkout(shop, found)),
            "complete_checkout": self._to_checkout(shop.complete_checkout),
            "drop_checkout": self._to_checkout(lambda found: shopify.drop_checkout(shop, found)),
        }

    def connect(self, clock: ManualClock) -> Connector:
        """A connector with small pages."""
        return Shopify(shopify.config_of(self.shop), store_id=self.shop.name, clock=clock, sizes=Sizes(page=PAGE))

    def truth(self) -> Truth:
        """What the shop's records are."""
        state = self.shop.state
        return {
            Stream.CUSTOMERS: {str(each.id): (each.email, each.first_name) for each in state.accounts.values()},
            Stream.ORDERS: {
                str(each.id): ("cancelled" if each.cancelled_at else each.financial.lower(), each.total, each.refunded)
                for each in state.orders.values()
            },
            Stream.CARTS: {
                str(each.id): (each.total,) for each in state.checkouts.values() if each.completed_at is None
            },
        }

    def _to_checkout(self, act: Callable[[int], object]) -> Deed:
        return lambda number: (found := pick(self.shop.state.checkouts, number)) and act(found)

    def _merge(self, number: int) -> None:
        """Two customers become one: the orders of the other are theirs now."""
        first, second = pick(self.shop.state.accounts, number), pick(self.shop.state.accounts, number + 1)
        if first == second:
            return
        for order_id in [order.id for order in self.shop.state.orders.values() if order.customer_id == first]:
            self.shop.edit_order(order_id, customer_id=second)
        self.shop.delete_customer(first)
        self.shop.edit_customer(second)


class BigStage(ServedStage):
    """A BigCommerce shop."""

    shop: BigShop
    lists = ("GET", r"/v2/orders\?|/v3/customers\?")

    def __init__(self, shop: BigShop) -> None:
        super().__init__(shop)
        self.deeds = {
            "register": lambda number: shop.add_customer(self._new_mailbox()),
            "rename": lambda number: self._to_account(lambda found: shop.edit_customer(found, first_name=f"B{number}")),
            "delete_customer": self._to_account(shop.delete_customer),
            "move": self._to_account(lambda found: shop.add_address(found, city="Rome")),
            "subscribe": self._to_account(lambda found: shop.subscribe(shop.state.accounts[found].email)),
            "unsubscribe": lambda number: shop.unsubscribe(mailbox(number)),
            "order": lambda number: shop.place_order(billing={"email": mailbox(number)}),
            "order_of_account": self._to_account(lambda found: shop.place_order(customer_id=found)),
            "burst": lambda number: [shop.place_order(billing={"email": mailbox(number)}) for _ in range(BURST)],
            "touch_all": self._touch_all,
            "late_edit": self._late_edit(300, status_id=7),
            "complete": self._to_order(lambda found: shop.edit_order(found, status_id=10), bigcommerce.is_order),
            "cancel": self._to_order(shop.cancel_order),
            "refund": self._refund_part,
            "archive": self._to_order(shop.archive_order),
            "delete": self._to_order(shop.delete_order),
            "open_incomplete": lambda number: shop.open_incomplete(billing={"email": mailbox(number)}),
            "complete_incomplete": self._to_order(shop.complete_incomplete, bigcommerce.is_cart),
            "drop_incomplete": self._to_order(shop.drop_incomplete, bigcommerce.is_cart),
        }

    def connect(self, clock: ManualClock) -> Connector:
        """A connector with small pages."""
        config = bigcommerce.config_of(self.shop)
        return BigCommerce(config, store_id=self.shop.name, clock=clock, page_sizes=(PAGE, 2))

    def reset(self) -> None:
        """Give the shop back as it was at first, with requests enough for a history."""
        super().reset()
        self.shop.set_quota(1_000_000)

    def truth(self) -> Truth:
        """What the shop's records are."""
        state = self.shop.state
        orders = state.orders.values()
        return {
            Stream.CUSTOMERS: {str(each.id): (each.email, each.first_name) for each in state.accounts.values()},
            Stream.ORDERS: {
                str(each.id): (STATUSES[each.status_id], each.total, each.refunded)
                for each in orders
                if bigcommerce.is_order(each)
            },
            Stream.CARTS: {f"order:{each.id}": (each.total,) for each in orders if bigcommerce.is_cart(each)},
        }


_SITES: Mapping[str, tuple[Any, Callable[[Any], ServedStage]]] = {
    "woocommerce": (
        WooSite(store="us-woo", title="Acme", timezone="America/New_York", country="US", currency="USD"),
        WooStage,
    ),
    "shopify": (shopify.site("us", plan="Plus", index_lag_s=INDEX_LAG_S), ShopifyStage),
    "bigcommerce": (B2B, BigStage),
}


@contextmanager
def served(platform: str) -> Iterator[ServedStage]:
    """An almost empty shop of a platform, over HTTP, its clock standing still until it is moved."""
    site, stage_of = _SITES[platform]
    options = SandboxOptions(seed=7, scale=_EMPTY, sites=(site,))
    with Sandbox(options, clock=SandboxClock(START, frozen=True)) as sandbox:
        yield stage_of(sandbox.shops[site.store])
