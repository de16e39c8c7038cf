"""Quiet hours by the shop's own clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from syncd.connectors.woocommerce.connector import WooCommerce
from syncd.connectors.woocommerce.dialect import WooCommerceConfig
from syncd.connectors.woocommerce.hours import QuietHours, zone_of
from syncd.model import Stream, Window
from syncd.sandbox import Sandbox, SandboxClock
from tests.clock import START, ManualClock

KEYS = {"consumer_key": "ck_" + "1" * 40, "consumer_secret": "cs_" + "2" * 40}


@pytest.mark.parametrize(
    ("hours", "clock", "is_quiet"),
    [
        ("09:00-18:00", "09:00", True),
        ("09:00-18:00", "17:59", True),
        ("09:00-18:00", "18:00", False),
        ("9:00-18:00", "08:59", False),
        ("22:00-06:00", "23:30", True),
        ("22:00-06:00", "05:59", True),
        ("22:00-06:00", "12:00", False),
    ],
)
def test_a_span_of_the_day(hours: str, clock: str, is_quiet: bool) -> None:
    """From its start to before its end, past midnight where it says so."""
    span = QuietHours.parse(hours)

    assert span is not None
    assert span.holds(datetime.fromisoformat(f"2026-03-01T{clock}")) == is_quiet


@pytest.mark.parametrize("text", ["", "9-18", "09:00", "25:00-26:00", "09:00-18:61"])
def test_what_is_no_span_is_told(text: str) -> None:
    """A text that names no hours is a fault of the settings."""
    with pytest.raises(ValidationError):
        WooCommerceConfig.model_validate(
            {"url": "https://shop.example.com", "auth": KEYS, "http": {"quiet_hours": text}}
        )


@pytest.mark.parametrize(
    ("name", "hour"), [("America/New_York", 7), ("UTC-05:00", 7), ("UTC+05:30", 17), ("", 12), ("No/Where", 12)]
)
def test_zones_are_what_the_shop_says(name: str, hour: int) -> None:
    """A name, a fixed offset, or UTC where the shop says neither."""
    assert datetime(2026, 3, 1, 12, tzinfo=UTC).astimezone(zone_of(name)).hour == hour


@pytest.mark.parametrize(("hours", "most"), [("06:00-08:00", 1), ("12:00-13:00", 3)])
def test_quiet_hours_leave_one_request_at_a_time(hours: str, most: int) -> None:
    """At noon UTC it is seven in New York: the shop's day counts, known once it was checked."""
    with Sandbox(seed=3, scale=0.1, clock=SandboxClock(START, frozen=True)) as sandbox:
        shop = sandbox.shops["us-woo"]
        key = shop.credentials["admin"]
        auth = {"consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret}
        values = {"url": shop.url, "auth": auth, "http": {"quiet_hours": hours, "concurrency": 3}}
        connector = WooCommerce(
            WooCommerceConfig.model_validate(values), store_id="shop", clock=ManualClock(START), page_sizes=(10,)
        )
        connector.check()

        walked = sum(len(page.records) for page in connector.pull(Stream.ORDERS, Window()))

    assert connector._most_at_once() == most
    assert walked > 30
