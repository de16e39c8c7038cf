"""What becomes of a WooCommerce checkout, from draft to refund or to nothing, and of a shop behind a cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from syncd.app import App
from syncd.errors import PolicyRefused
from syncd.model import Lane, Stream
from syncd.sandbox import Sandbox, SandboxOptions, WooShop
from syncd.store.types import LaneKey
from tests.flow.woo import config, opened

STORE = "us-woo"
TLS = Path(__file__).parents[1] / "unit" / "connectors" / "tls"
HOUR_S = 3600
DAY_S = 24 * HOUR_S


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxOptions(seed=3, scale=0.03)) as served:
        yield served


@pytest.fixture
def shop(sandbox: Sandbox) -> WooShop:
    """The shop of these tests."""
    found: WooShop = sandbox.shops[STORE]
    return found


@pytest.fixture
def app(sandbox: Sandbox, database_url: str, tmp_path: Path) -> Iterator[App]:
    """An app that holds the shop as it stands."""
    with opened(config(tmp_path, sandbox, database_url, stores=(STORE,))) as made:
        made.sync()
        yield made


def _held(app: App, kind: str, external_id: str) -> dict[str, object] | None:
    """What the database shows of one record; None if it shows none."""
    columns = app.database.exports.columns(kind)
    rows: Iterator[dict[str, object]] = (
        dict(zip(columns, row, strict=True)) for row in app.database.exports.rows(kind)
    )
    return next((row for row in rows if row["external_id"] == external_id), None)


def _cart(app: App, number: int) -> dict[str, object] | None:
    return _held(app, "carts", f"order:{number}")


def test_a_draft_becomes_an_order_and_is_refunded(app: App, shop: WooShop) -> None:
    """The cart is open until it is bought; the order under the same number is then all there is, net of its refund."""
    number = shop.open_draft(billing={"email": "ann@shop.example"})
    app.sync()
    as_draft = (_cart(app, number), _held(app, "orders", str(number)))
    shop.clock.advance(HOUR_S)
    shop.complete_draft(number)
    app.sync()
    as_order = (_cart(app, number), _held(app, "orders", str(number)))
    shop.clock.advance(HOUR_S)
    shop.refund(number)

    app.sync()

    refunded = _held(app, "orders", str(number))
    assert as_draft[0] is not None
    assert as_draft[1] is None
    assert as_order[0] is None
    assert as_order[1] is not None
    assert as_order[1]["refunded_minor"] == 0
    assert refunded is not None
    assert refunded["refunded_minor"] == as_order[1]["total_minor"]
    assert refunded["state"] == "refunded"


def test_a_draft_that_vanishes_is_gone_after_a_sweep(app: App, shop: WooShop) -> None:
    """WooCommerce deletes old drafts without a trace: no order ever was, and a complete walk closes the cart."""
    number = shop.open_draft(billing={"email": "ben@shop.example"})
    app.sync()
    open_before = _cart(app, number)
    shop.clock.advance(2 * DAY_S)
    app.sync()
    open_still = _cart(app, number)

    app.sync(sweep=True)

    assert open_before is not None
    assert open_still is not None
    assert number not in shop.state.orders
    assert _cart(app, number) is None
    assert _held(app, "orders", str(number)) is None


def test_a_pending_order_that_is_cancelled_leaves_its_cart(app: App, shop: WooShop) -> None:
    """Pending it is an order and an open cart; cancelled it is an order only, and nothing was recovered."""
    number = shop.place_order(status="pending", billing={"email": "cleo@shop.example"})
    app.sync()
    as_pending = (_cart(app, number), _held(app, "orders", str(number)))
    shop.clock.advance(HOUR_S)
    shop.edit_order(number, status="cancelled")

    app.sync()

    cancelled = _held(app, "orders", str(number))
    assert None not in as_pending
    assert cancelled is not None
    assert cancelled["state"] == "cancelled"
    assert _cart(app, number) is None


@pytest.mark.parametrize("remove", [WooShop.trash_order, WooShop.delete_order], ids=["trash", "force delete"])
def test_an_order_that_is_taken_away_is_gone_after_a_sweep(
    app: App, shop: WooShop, remove: Callable[[WooShop, int], None]
) -> None:
    """No filter shows what is in the trash or deleted for good: the complete walk does."""
    number = shop.place_order(status="completed")
    app.sync()
    held = _held(app, "orders", str(number))
    shop.clock.advance(HOUR_S)
    remove(shop, number)

    app.sync(sweep=True)

    assert held is not None
    assert _held(app, "orders", str(number)) is None


def test_an_order_out_of_the_trash_is_back(app: App, shop: WooShop) -> None:
    """What a sweep marked deleted and the merchant restored is held again after the next sync."""
    number = shop.place_order(status="completed")
    app.sync()
    shop.trash_order(number)
    app.sync(sweep=True)
    away = _held(app, "orders", str(number))
    shop.clock.advance(HOUR_S)
    shop.edit_order(number, status="completed")

    app.sync()

    assert away is None
    assert _held(app, "orders", str(number)) is not None


def test_a_cache_before_the_shop_stops_it_in_words(database_url: str, tmp_path: Path) -> None:
    """Old answers reach neither database nor bookmark; check and status name the rule to add, and it heals alone."""
    options = SandboxOptions(seed=3, scale=0.03, tls=(TLS / "cert.pem", TLS / "key.pem"))
    trusting = f", http: {{ca_file: '{TLS / 'cert.pem'}'}}"
    with Sandbox(options) as sandbox:
        shop = sandbox.shops[STORE]
        with opened(config(tmp_path, sandbox, database_url, stores=(STORE,), options=trusting)) as app:
            shop.put_before(cache_s=DAY_S)
            app.sync()  # the first walk comes fresh and is remembered by the cache
            account = max(shop.state.accounts)
            before, bookmark = _held(app, "customers", str(account)), _bookmark(app)
            shop.clock.advance(HOUR_S)
            shop.edit_customer(account, first_name="Fresh")

            stopped = app.sync(sweep=True)

            paused, checked = app.database.runs.status()[0].paused_reason, app.check()[0]
            during = (_held(app, "customers", str(account)), _bookmark(app))
            shop.put_before()
            healed = app.sync(sweep=True)
            after = _held(app, "customers", str(account))

    assert {type(outcome.error) for outcome in stopped.outcomes} == {PolicyRefused}
    assert "Cache Rules" in (paused or "")
    assert checked.facts is not None
    assert "Cache Rules" in "".join(finding.remedy for finding in checked.facts.findings)
    assert not checked.is_well
    assert during == (before, bookmark)
    assert {outcome.report.status for outcome in healed.outcomes} == {"succeeded"}
    assert after is not None
    assert after["first_name"] == "Fresh"


def _bookmark(app: App) -> datetime | None:
    key = LaneKey(store_id=STORE, stream=Stream.ORDERS, lane=Lane.LIVE)
    return app.database.runs.state(key).bookmark
