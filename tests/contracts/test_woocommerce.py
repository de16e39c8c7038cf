"""The WooCommerce connector keeps the connector contract, against a shop served over HTTP."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from syncd.connectors.woocommerce.connector import WooCommerce
from syncd.connectors.woocommerce.dialect import WooCommerceConfig
from syncd.mapping.base import MapperOptions
from syncd.mapping.woocommerce import WooCommerceMapper
from syncd.model import Stream
from syncd.sandbox import Fault, FaultKind, Sandbox, SandboxClock, WooShop
from syncd.testing import START, ConnectorContract, ManualClock, Subject

SIZES = (10, 5)
_CARTS = ("checkout-draft", "pending", "failed")


@dataclass
class _Hand:
    shop: WooShop

    def touch(self, stream: Stream, external_id: str) -> None:
        number = int(external_id.removeprefix("order:"))
        if stream is Stream.CUSTOMERS:
            self.shop.edit_customer(number)
        else:
            self.shop.edit_order(number)

    def remove(self, stream: Stream, external_id: str) -> None:
        number = int(external_id.removeprefix("order:"))
        if stream is Stream.CUSTOMERS:
            self.shop.delete_customer(number)
        else:
            self.shop.trash_order(number)

    def advance(self, seconds: float) -> None:
        self.shop.clock.advance(seconds)

    def break_next(self) -> None:
        body = '{"code":"woocommerce_rest_authentication_error","message":"Consumer key is invalid."}'
        self._answer(401, body, {})

    def throttle_next(self) -> None:
        self._answer(429, "{}", {"Retry-After": "3600"})

    def mend(self) -> None:
        self.shop.faults.clear()

    def _answer(self, status: int, body: str, headers: dict[str, str]) -> None:
        given = {"Content-Type": "application/json", **headers}
        route = "wc/v3"  # WordPress shows its index to everybody
        fault = Fault(kind=FaultKind.ANSWER, path=route, status=status, headers=given, body=body, times=None)
        self.shop.faults.add(fault)


def connector_to(shop: WooShop, *, key: str = "admin", clock: ManualClock | None = None) -> WooCommerce:
    """A connector with small pages to a served shop."""
    auth = shop.credentials[key]
    config = WooCommerceConfig.model_validate(
        {
            "platform": "woocommerce",
            "url": shop.url,
            "auth": {"consumer_key": auth.consumer_key, "consumer_secret": auth.consumer_secret},
        }
    )
    return WooCommerce(config, store_id=shop.name, clock=clock or ManualClock(shop.clock.now()), page_sizes=SIZES)


def ids_of(shop: WooShop) -> dict[Stream, frozenset[str]]:
    """What a complete walk of each stream should hold, from the shop's own records."""
    orders = shop.state.orders.values()
    return {
        Stream.CUSTOMERS: frozenset(str(number) for number in shop.state.accounts),
        Stream.ORDERS: frozenset(str(order.id) for order in orders if order.status not in ("trash", "checkout-draft")),
        Stream.CARTS: frozenset(f"order:{order.id}" for order in orders if order.status in _CARTS),
    }


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Two served shops: one filled, and one whose every order is in the trash; each test restores them."""
    with Sandbox(seed=7, scale=0.1, clock=SandboxClock(START, frozen=True)) as served:
        for number in range(25):
            served.shops["us-woo"].place_order(status=_CARTS[number % 3])
        for number in list(served.shops["eu-woo"].state.orders):
            served.shops["eu-woo"].trash_order(number)
        yield served


class TestWooCommerce(ConnectorContract):
    """The contract, on a shop in New York."""

    @pytest.fixture
    def subject(self, sandbox: Sandbox) -> Iterator[Subject]:
        """The filled shop and the empty one, restored afterwards."""
        shop, empty = sandbox.shops["us-woo"], sandbox.shops["eu-woo"]
        before = copy.deepcopy(shop.state, {id(sandbox.clock): sandbox.clock})
        connectors = [connector_to(site) for site in (shop, shop, empty)]
        yield Subject(
            connector=connectors[0],
            restarted=connectors[1],
            empty=connectors[2],
            mapper=WooCommerceMapper(MapperOptions()),
            hand=_Hand(shop),
            ids=ids_of(shop),
            started_at=shop.clock.now(),
            secrets=dataclasses.astuple(shop.credentials["admin"])[:2],
        )
        for connector in connectors:
            connector.close()
        shop.state = before
        shop.faults.clear()
        sandbox.clock.set(START)
