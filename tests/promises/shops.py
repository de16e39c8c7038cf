"""Shops of every platform and configs over them: what the promises are tried on, and a watch over what is written."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from syncd.sandbox import Call, Sandbox, SandboxOptions, ShopifySite
from syncd.sandbox.server import SITES

STORES = {"woocommerce": "us-woo", "shopify": "us-shopify", "bigcommerce": "b2b"}
EVERYBODY = "segments:\n  all: {when: 'orders_count >= 0', tag: Everybody}\n  buyers: {when: 'spent > 0', tag: Buyer}\n"
RATES = "{USD: '0.9', GBP: '1.2', JPY: '0.006'}"
ANY_NUMBER = "brake: {max_customers: 100000, max_percent: 100}"

Tag = tuple[str, str]  # account, tag


def sandbox_of(*stores: str, seed: int = 3, scale: float = 0.02) -> Sandbox:
    """A small sandbox of some stores."""
    at_once = {"plan": "Plus", "index_lag_s": 0.0}  # no request has to wait, and none shows another moment's shop
    sites = tuple(
        replace(site, **at_once) if isinstance(site, ShopifySite) else site for site in SITES if site.store in stores
    )
    made = Sandbox(SandboxOptions(seed=seed, scale=scale, sites=sites))
    for shop in made.shops.values():
        _without_limit(shop)
    return made


def auth_of(shop: Any, key: str = "admin") -> str:
    """The credentials of a shop as a config has them, and where it is served."""
    known = shop.credentials[key]
    if shop.platform == "woocommerce":
        auth = f"consumer_key: {known.consumer_key}, consumer_secret: {known.consumer_secret}"
        return f"url: {shop.url!r}, auth: {{{auth}}}"
    address = f"store_hash: {shop.store_hash}" if shop.platform == "bigcommerce" else f"url: {shop.state.site.handle}"
    return f"{address}, base_url: {shop.url!r}, auth: {{token: {known.access_token}}}"


def config(
    folder: Path,
    shops: Iterable[Any],
    database: str,
    *,
    merchant: str = "acme",
    push: str = "review",
    segments: str = EVERYBODY,
    more: str = "log: {level: error}\n",
) -> Path:
    """Write a config of some shops over one database.

    Args:
        push: The push mode of every store.
        more: Further lines of the config.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "segments.yaml").write_text(segments)
    stores = "".join(
        f"  {shop.name}: {{platform: {shop.platform}, {auth_of(shop)}, push: {{mode: {push}, {ANY_NUMBER}}}}}\n"
        for shop in shops
    )
    path = folder / "syncd.yaml"
    path.write_text(
        f"merchant: {merchant}\ncurrency: EUR\nrates: {RATES}\ndatabase: {{url: {database!r}}}\nstores:\n{stores}{more}"
    )
    return path


class Beginning:
    """A shop as it is now, to be put back to."""

    def __init__(self, shop: Any) -> None:
        self._shop = shop
        self._state = _copied(shop)

    def restore(self) -> None:
        """Let the shop be as it was, without faults, without a past and with its whole quota."""
        self._shop.state = self._state
        self._state = _copied(self._shop)
        self._shop.mutator = None
        self._shop.faults.clear()
        self._shop.history.clear()
        if self._shop.platform == "shopify":
            self._shop.bulk.operations.clear()
            self._shop.bucket.available = float(self._shop.bucket.size)
        _without_limit(self._shop)


def _without_limit(shop: Any) -> None:
    if shop.platform == "bigcommerce":
        shop.set_quota(1_000_000)


def _copied(shop: Any) -> Any:
    return copy.deepcopy(shop.state, {id(shop.clock): shop.clock})


def tags_on(shop: Any) -> frozenset[Tag]:
    """Every tag that is on an account, with the account's id: the platform's own, or what stands in its place."""
    state = shop.state
    if shop.platform == "woocommerce":
        found = ((each.id, meta.value) for each in state.accounts.values() for meta in each.meta if _is_tag(meta.key))
    elif shop.platform == "shopify":
        found = ((each.id, tag) for each in state.accounts.values() for tag in each.tags)
    else:
        named = {each.id for each in state.attributes.values() if _is_tag(each.name)}
        found = ((each.customer_id, each.value) for each in state.values.values() if each.attribute_id in named)
    return frozenset((str(account), str(tag)) for account, tag in found)


def _is_tag(key: str) -> bool:
    return key.startswith("syncd_tag_")


class Watch:
    """Sees what each request does to a shop's tags, whatever the merchant does in between.

    Args:
        merchant: Acts before each request.

    Attributes:
        added: Tags that requests have put on, in their order; one that is put on twice stands here twice.
        removed: Tags that requests have taken off.
        idle: How many requests that write tags changed nothing.
    """

    def __init__(self, shop: Any, merchant: Callable[[Call], None] | None = None) -> None:
        self.added: list[Tag] = []
        self.removed: list[Tag] = []
        self.idle = 0
        self._shop = shop
        self._merchant = merchant
        self._before = tags_on(shop)
        self._is_write = False
        shop.mutator = self

    def __call__(self, call: Call) -> None:
        """A request is about to be answered."""
        self.look()
        if self._merchant is not None:
            self._merchant(call)
        self._before = tags_on(self._shop)
        self._is_write = writes_tags(call)

    def look(self) -> None:
        """See what the latest request has done."""
        now = tags_on(self._shop)
        self.added += sorted(now - self._before)
        self.removed += sorted(self._before - now)
        self.idle += self._is_write and now == self._before
        self._before, self._is_write = now, False


def writes_tags(call: Call) -> bool:
    """Whether a request puts tags on accounts or takes them off."""
    if call.path.endswith("/graphql.json"):
        return b"tagsAdd" in call.body or b"tagsRemove" in call.body
    is_probe = call.body in (b"{}", b"[]")  # which only asks whether we may
    return call.method != "GET" and call.path.endswith(("customers/batch", "attribute-values")) and not is_probe
