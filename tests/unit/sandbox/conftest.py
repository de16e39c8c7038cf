"""Small sandboxes: a fresh one for tests that change it, one for all that only look."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from syncd.sandbox import B2B, Sandbox, SandboxOptions, WooShop
from tests.unit.sandbox.bigcommerce_client import BigClient
from tests.unit.sandbox.client import Client


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A fresh small sandbox."""
    with Sandbox(scale=0.1) as opened:
        yield opened


@pytest.fixture
def shop(sandbox: Sandbox) -> WooShop:
    """The shop in New York of a fresh sandbox."""
    made: WooShop = sandbox.shops["us-woo"]
    return made


@pytest.fixture
def client(shop: WooShop) -> Iterator[Client]:
    """A caller of that shop with its admin key."""
    made = Client(shop)
    yield made
    made.close()


@pytest.fixture(scope="session")
def still_sandbox() -> Iterator[Sandbox]:
    """A sandbox of default size that no test may change."""
    with Sandbox() as opened:
        yield opened


@pytest.fixture
def still(still_sandbox: Sandbox) -> Iterator[Client]:
    """A caller of the unchanging sandbox's shop in New York."""
    made = Client(still_sandbox.shops["us-woo"])
    yield made
    made.close()


@pytest.fixture
def big() -> Iterator[BigClient]:
    """A caller of a fresh small BigCommerce shop with its admin token."""
    with Sandbox(SandboxOptions(sites=[B2B], scale=0.1)) as opened:
        made = BigClient(opened.shops["b2b"])
        yield made
        made.close()


@pytest.fixture(scope="session")
def still_big_sandbox() -> Iterator[Sandbox]:
    """A BigCommerce shop of default size that no test may change."""
    with Sandbox(SandboxOptions(sites=[B2B])) as opened:
        yield opened


@pytest.fixture
def still_big(still_big_sandbox: Sandbox) -> Iterator[BigClient]:
    """A caller of the unchanging BigCommerce shop, in a new window of its quota."""
    shop = still_big_sandbox.shops["b2b"]
    shop.set_quota(10_000)
    made = BigClient(shop)
    yield made
    made.close()
