"""Shopify shops of the sandbox, and connectors to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from syncd.connectors.shopify.connector import BULK_FROM, Shopify, Sizes
from syncd.connectors.shopify.dialect import ShopifyConfig
from syncd.sandbox import Fault, FaultKind, Sandbox, SandboxOptions, ShopifyShop, ShopifySite
from tests.clock import ManualClock

REFUSAL = '{"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}'


def site(store: str, **settings: Any) -> ShopifySite:
    """A shop in Los Angeles."""
    place = {"title": store, "timezone": "America/Los_Angeles", "country": "US", "currency": "USD"}
    return ShopifySite(store=store, handle=f"{store}-shop", **(place | settings))


def config_of(shop: ShopifyShop, token: str = "admin", **settings: Any) -> ShopifyConfig:
    """The settings of a served shop.

    Args:
        token: Which of its tokens to use.
    """
    auth = {"token": shop.credentials[token].access_token}
    given = {"platform": "shopify", "url": shop.state.site.handle, "base_url": shop.url, "auth": auth}
    return ShopifyConfig.model_validate(given | settings)


def shopify_to(
    shop: ShopifyShop,
    *,
    config: ShopifyConfig | None = None,
    clock: ManualClock | None = None,
    page_size: int = 7,
    bulk_from: int = BULK_FROM,
) -> Shopify:
    """A connector with small pages to a served shop."""
    clock = clock or ManualClock(shop.clock.now())
    given = config or config_of(shop)
    sizes = Sizes(page=page_size, bulk_from=bulk_from)
    return Shopify(given, store_id=shop.name, clock=clock, sizes=sizes)


def touch_checkout(shop: ShopifyShop, number: int) -> None:
    """A shopper changes a checkout that was left."""
    shop.state.touch(shop.state.checkouts[number])


def drop_checkout(shop: ShopifyShop, number: int) -> None:
    """A checkout that was left is forgotten."""
    del shop.state.checkouts[number]


@contextmanager
def opened(**settings: Any) -> Iterator[ShopifyShop]:
    """One small served shop, named "us", at the machine's time."""
    with Sandbox(SandboxOptions(scale=0.1, sites=(site("us", **settings),))) as sandbox:
        yield sandbox.shops["us"]


def asked(shop: ShopifyShop) -> list[dict[str, Any]]:
    """The GraphQL requests that a shop has seen, oldest first."""
    return [orjson.loads(seen.body) for seen in shop.history if seen.path.endswith("/graphql.json")]


def answering(shop: ShopifyShop, body: object, *, times: int | None = 1, version: str = "2026-10") -> None:
    """Let a shop answer its next documents with status 200 and this body."""
    headers = {"Content-Type": "application/json", "X-Shopify-API-Version": version}
    text = orjson.dumps(body).decode()
    fault = Fault(kind=FaultKind.ANSWER, status=200, headers=headers, body=text, path="graphql", times=times)
    shop.faults.add(fault)
