"""Failures in words."""

from __future__ import annotations

import pytest

from syncd.connectors import connect
from syncd.connectors.woocommerce.dialect import WooCommerceConfig
from syncd.errors import Unavailable
from tests.clock import ManualClock

KEY = {"consumer_key": "ck_x", "consumer_secret": "cs_x"}


def test_an_unreachable_shop_is_named_with_the_cause() -> None:
    """The message says which host nothing listens on, and never a key."""
    config = WooCommerceConfig.model_validate({"platform": "woocommerce", "url": "http://127.0.0.1:9", "auth": KEY})
    connector = connect(config, store_id="us", clock=ManualClock())

    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9: nothing listens there") as caught:
        connector.check()

    assert "ck_x" not in str(caught.value)
