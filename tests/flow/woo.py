"""Configs that point at a sandbox's WooCommerce shops, and what can be compared of the databases fed from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from syncd.app import App
from syncd.sandbox import Sandbox
from syncd.settings import load

STORES = ("us-woo", "eu-woo")
NO_SEGMENTS = "segments: {}\n"


def config(
    folder: Path,
    sandbox: Sandbox,
    database: str,
    *,
    stores: Sequence[str] = STORES,
    key: str = "admin",
    options: str = "",
    segments: str = NO_SEGMENTS,
) -> Path:
    """Write a config of some of the sandbox's shops over one database.

    Args:
        key: Which of the shops' keys.
        options: More settings of every store, as YAML flow: `, push: {mode: auto}`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "segments.yaml").write_text(segments)
    lines = "".join(_store(name, sandbox, key, options) for name in stores)
    path = folder / "syncd.yaml"
    path.write_text(
        f"merchant: acme\ncurrency: EUR\nrates: {{USD: '0.9'}}\ndatabase: {{url: {database!r}}}\n"
        f"stores:\n{lines}log: {{level: error}}\n"
    )
    return path


def opened(path: Path) -> App:
    """The app of a config."""
    return App(load(path))


def _store(name: str, sandbox: Sandbox, key_name: str, options: str) -> str:
    shop = sandbox.shops[name]
    key = shop.credentials[key_name]
    auth = f"{{consumer_key: {key.consumer_key}, consumer_secret: {key.consumer_secret}}}"
    return f"  {name}: {{platform: woocommerce, url: {shop.url!r}, auth: {auth}{options}}}\n"
