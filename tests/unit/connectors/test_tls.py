"""The same over TLS: certificates are verified, and deadlines hold under encryption.

`tls/` holds a self-signed certificate for 127.0.0.1 and its key; they open nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.connectors.woocommerce.connector import WooCommerce
from syncd.connectors.woocommerce.dialect import WooCommerceConfig
from syncd.errors import TlsFailed
from syncd.model import Stream, Window
from syncd.sandbox import Fault, FaultKind, Sandbox, SandboxClock, SandboxOptions, WooShop
from tests.clock import START, ManualClock

TLS = Path(__file__).parent / "tls"


@pytest.fixture(scope="module")
def shop() -> Iterator[WooShop]:
    """A shop served over https."""
    options = SandboxOptions(scale=0.1, tls=(TLS / "cert.pem", TLS / "key.pem"))
    with Sandbox(options, clock=SandboxClock(START, frozen=True)) as sandbox:
        yield sandbox.shops["us-woo"]


def _connector(shop: WooShop, **http: Any) -> WooCommerce:
    key = shop.credentials["admin"]
    auth = {"consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret}
    config = WooCommerceConfig.model_validate({"url": shop.url, "auth": auth, "http": http})
    return WooCommerce(config, store_id="shop", clock=ManualClock())


def test_an_unknown_certificate_is_refused(shop: WooShop) -> None:
    """The store pauses before anything is sent, and the error names the remedy."""
    before = len(shop.history)

    with pytest.raises(TlsFailed, match=r"http\.ca_file"):
        _connector(shop).check()

    assert len(shop.history) == before


def test_a_named_authority_is_trusted(shop: WooShop) -> None:
    """With its authority named the shop is read, the key as Basic and not in the query."""
    pages = list(_connector(shop, ca_file=TLS / "cert.pem").pull(Stream.CUSTOMERS, Window()))

    assert sum(len(page.records) for page in pages) == len(shop.state.accounts)
    assert shop.history[-1].headers["authorization"].startswith("Basic ")
    assert "consumer_key" not in shop.history[-1].query


@pytest.mark.parametrize("kind", [FaultKind.DRIP, FaultKind.STALL])
def test_deadlines_hold_under_tls(shop: WooShop, kind: FaultKind) -> None:
    """Silence or dripping headers end at the deadline, and the read is tried again."""
    shop.faults.add(Fault(kind=kind, seconds=0.02 if kind is FaultKind.DRIP else 3600))
    connector = _connector(shop, ca_file=TLS / "cert.pem", deadline_s=0.5)
    began = time.monotonic()

    pages = list(connector.pull(Stream.CUSTOMERS, Window()))

    assert sum(len(page.records) for page in pages) == len(shop.state.accounts)
    assert time.monotonic() - began < 1.5
