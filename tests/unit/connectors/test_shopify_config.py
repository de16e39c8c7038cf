"""The settings of a Shopify store: what names a shop, and what lets us in."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from syncd.connectors.shopify.dialect import ShopifyConfig


def config(url: str = "acme", **settings: Any) -> ShopifyConfig:
    """A store's settings with a token."""
    return ShopifyConfig.model_validate({"platform": "shopify", "url": url, "auth": {"token": "t"}} | settings)


@pytest.mark.parametrize(
    "url",
    [
        "acme",
        "ACME",
        " acme.myshopify.com ",
        "https://acme.myshopify.com",
        "https://acme.myshopify.com/admin/customers?page=2",
        "http://acme.myshopify.com/",
    ],
)
def test_a_shop_is_known_by_handle_domain_or_address(url: str) -> None:
    """However it is written, the shop is its myshopify domain."""
    assert config(url).domain == "acme.myshopify.com"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "acme.com",
        "evil.example.com",
        "acme.myshopify.com.evil.example",
        "https://admin.shopify.com/store/acme",
        "acme.other.myshopify.com",
        "127.0.0.1:8080",
        "-acme",
        "a b",
    ],
)
def test_what_is_no_shop_is_refused(url: str) -> None:
    """Another host is never cut down to something that looks like a shop."""
    with pytest.raises(ValidationError, match="myshopify"):
        config(url)


def test_documents_go_to_the_version_asked_for() -> None:
    """The newest version is the default, the one before it can be chosen."""
    assert config().api_root == "https://acme.myshopify.com/admin/api/2026-10"
    assert config(api_version="2026-07").api_root == "https://acme.myshopify.com/admin/api/2026-07"


@pytest.mark.parametrize("version", ["2024-10", "2099-99", "latest", "unstable"])
def test_versions_that_the_documents_are_not_written_for_are_refused(version: str) -> None:
    """Shopify would fall forward in silence."""
    with pytest.raises(ValidationError, match="2026-10"):
        config(api_version=version)


def test_base_url_moves_the_bytes_and_not_the_shop() -> None:
    """A proxy or the sandbox replaces scheme and host; the shop keeps its name."""
    moved = config(base_url="http://127.0.0.1:9103/")

    assert moved.api_root == "http://127.0.0.1:9103/admin/api/2026-10"
    assert moved.domain == "acme.myshopify.com"


def test_base_url_must_be_safe() -> None:
    """A token goes over plain http to this machine only."""
    with pytest.raises(ValidationError, match="base_url must be https"):
        config(base_url="http://proxy.example")


@pytest.mark.parametrize("auth", [{}, {"client_id": "x"}, {"client_secret": "y"}])
def test_half_a_key_opens_nothing(auth: dict[str, str]) -> None:
    """A token is enough, and so are an app's id and secret together."""
    with pytest.raises(ValidationError, match="needs a token"):
        config(auth=auth)


def test_settings_show_no_secret() -> None:
    """Neither token nor secret is in what is printed."""
    shown = config(auth={"token": "shpat_aaaa", "client_id": "id", "client_secret": "shpss_bbbb"})

    assert "aaaa" not in repr(shown)
    assert "bbbb" not in str(shown.model_dump())
