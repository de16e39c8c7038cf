"""Small sandboxes: a fresh one for tests that change it, one for all that only look."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from syncd.sandbox import Sandbox, WooShop
from tests.unit.sandbox.client import Client


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A fresh small sandbox."""
    with Sandbox(scale=0.1) as opened:
        yield opened


@pytest.fixture
def shop(sandbox: Sandbox) -> WooShop:
    """The shop in New York of a fresh sandbox."""
    return sandbox.shops["us-woo"]


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
