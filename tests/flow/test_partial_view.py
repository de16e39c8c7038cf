"""What a shop does not show is not empty, and not gone: known values, people and older orders stay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.app import App, Selection
from syncd.model import Stream
from syncd.sandbox import Sandbox, SandboxOptions, ShopifyShop
from syncd.settings import load
from syncd.store.contacts import identifiers
from syncd.store.rows import addresses, consents, customers, orders
from syncd.store.types import StreamStatus
from tests.shopify import site
from tests.unit.store.kit import people, rows

ORDERS = Selection(streams=(Stream.ORDERS,))


@pytest.fixture
def shop() -> Iterator[ShopifyShop]:
    with Sandbox(SandboxOptions(scale=0.1, sites=(site("us"),))) as sandbox:
        yield sandbox.shops["us"]


def opened(folder: Path, shop: ShopifyShop, database: str, token: str = "admin") -> App:
    """The app of one shop's config."""
    folder.mkdir(exist_ok=True)
    (folder / "segments.yaml").write_text("segments: {}\n")
    store = (
        f"{{platform: shopify, url: {shop.state.site.handle}, base_url: {shop.url!r}, "
        f"auth: {{token: {shop.credentials[token].access_token}}}}}"
    )
    path = folder / "syncd.yaml"
    path.write_text(f"merchant: acme\ndatabase: {{url: {database!r}}}\nstores:\n  us: {store}\nlog: {{level: error}}\n")
    return App(load(path))


def status_of(app: App, stream: Stream) -> StreamStatus:
    """The stream's line in `status`."""
    return next(line for line in app.database.runs.status() if line.stream is stream)


def test_withheld_people_stay_known(shop: ShopifyShop, database_url: str, tmp_path: Path) -> None:
    """A plan that withholds who is who changes nothing that was known, and `status` says so in words."""
    known = (customers, addresses, consents, identifiers)
    with opened(tmp_path, shop, database_url) as app:
        app.sync(sweep=True)
        before = [rows(database_url, table) for table in known]
        who = people(app.database)
        shop.state.plan = "Basic"

        report = app.sync(sweep=True)

        line = status_of(app, Stream.CUSTOMERS)
        assert people(app.database) == who
    assert [rows(database_url, table) for table in known] == before
    assert {outcome.report.status for outcome in report.outcomes} == {"succeeded"}
    assert [outcome.report.deleted for outcome in report.outcomes] == [0, 0, 0]
    assert "the shop withholds who its customers are" in line.remark


def test_orders_that_are_no_longer_shown_are_not_deleted(shop: ShopifyShop, database_url: str, tmp_path: Path) -> None:
    """A key that shows the orders of 60 days only makes no older one a deleted one."""
    with opened(tmp_path / "all", shop, database_url) as app:
        app.pull(ORDERS, lambda key: app.live_ask(key, sweep=True))
    before = rows(database_url, orders)

    with opened(tmp_path / "recent", shop, database_url, "recent_orders") as app:
        (outcome,) = app.pull(ORDERS, lambda key: app.live_ask(key, sweep=True))
        findings = app.check()[0].facts

    assert outcome.report.counts.read < len(before)
    assert (outcome.report.status, outcome.report.deleted) == ("succeeded", 0)
    assert rows(database_url, orders) == before
    assert findings is not None
    assert any("60 days" in finding.message for finding in findings.findings)


def test_history_is_not_called_complete(shop: ShopifyShop, database_url: str, tmp_path: Path) -> None:
    """What a key shows of 60 days is no complete history, says `status`; once it shows all, the next sweep makes it."""
    with opened(tmp_path / "recent", shop, database_url, "recent_orders") as app:
        app.backfill()
        partial = status_of(app, Stream.ORDERS)

    with opened(tmp_path / "all", shop, database_url) as app:
        app.sync(sweep=True)
        whole = status_of(app, Stream.ORDERS)

    assert partial.history_complete_since is None
    assert "the shop keeps older orders from our key" in partial.remark
    assert whole.history_complete_since is not None
    assert (whole.remark, whole.stored_count) == ("", whole.declared)
