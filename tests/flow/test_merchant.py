"""A merchant who edits, trashes, deletes and sells while everything is pulled: in the end, what a fresh pull holds."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncd.app import ALL_TIME, App, Selection
from syncd.sandbox import Sandbox, SandboxOptions
from syncd.sandbox.exchange import Call
from syncd.sandbox.faults import Fault, FaultKind
from syncd.sandbox.woocommerce import WooShop
from syncd.sync import Ask
from tests.flow.woo import config, opened

STORE = "us-woo"
PAGE_SIZE = 10
KINDS = ("customers", "orders", "carts")
STATUSES = ("pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed")
ROLES = ("customer", "subscriber", "author", "shop_manager", "administrator")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxOptions(seed=3, scale=0.1)) as served:
        yield served


def test_edits_between_pages_are_never_lost(
    sandbox: Sandbox, database_url: str, tmp_path: Path, rng: random.Random
) -> None:
    """After the merchant rests and the faults stop, two syncs hold exactly what a fresh backfill of the shop holds."""
    shop = sandbox.shops[STORE]
    merchant = Merchant(shop, rng)
    with _opened(tmp_path / "live", sandbox, database_url) as app:
        shop.mutator = merchant
        app.pull(Selection(), lambda _: Ask(kind="backfill", window=ALL_TIME))
        sandbox.clock.advance(400)
        shop.faults.add(Fault(kind=FaultKind.HTML, skip=3))
        app.pull(Selection(), app.live_ask)
        shop.mutator = None
        shop.faults.clear()
        sandbox.clock.advance(60)

        app.pull(Selection(), app.live_ask)
        reports = [outcome.report for outcome in app.pull(Selection(), lambda _: Ask(kind="sweep"))]

        with _opened(tmp_path / "fresh", sandbox, f"sqlite:///{tmp_path}/fresh.db") as fresh:
            fresh.backfill()
            assert merchant.acts > 50
            assert {report.status for report in reports} == {"succeeded"}
            for kind in KINDS:
                assert _rows(app, kind) == _rows(fresh, kind)


def test_a_sync_without_a_sweep_misses_no_order(
    sandbox: Sandbox, database_url: str, tmp_path: Path, rng: random.Random
) -> None:
    """What is sold or edited in mid-walk is stored by the next incremental run; only deletions wait for a sweep."""
    shop = sandbox.shops[STORE]
    with _opened(tmp_path / "live", sandbox, database_url) as app:
        shop.mutator = Merchant(shop, rng)
        app.backfill()
        shop.mutator = None

        app.pull(Selection(), lambda _: Ask(kind="incremental"))

        with _opened(tmp_path / "fresh", sandbox, f"sqlite:///{tmp_path}/fresh.db") as fresh:
            fresh.backfill()
            assert set(_rows(fresh, "orders")) <= set(_rows(app, "orders"))
            assert set(_rows(fresh, "carts")) <= set(_rows(app, "carts"))


class Merchant:
    """Acts between two requests, now and then: a random hand on every kind of record."""

    def __init__(self, shop: WooShop, rng: random.Random) -> None:
        self.acts = 0
        self._shop = shop
        self._rng = rng
        self._habits: tuple[Callable[[], object], ...] = (
            lambda: shop.edit_order(self._order(), billing={"first_name": f"F{rng.randrange(99)}"}),
            lambda: shop.edit_order(self._order(), status=rng.choice(STATUSES)),
            lambda: shop.edit_order(self._order(), status=rng.choice(STATUSES)),
            lambda: shop.trash_order(self._order()),
            lambda: shop.delete_order(self._order()),
            lambda: shop.place_order(customer_id=self._buyer(), billing={"email": f"b{rng.randrange(30)}@x.example"}),
            lambda: shop.place_order(status=rng.choice(STATUSES), billing={"email": f"b{rng.randrange(30)}@x.example"}),
            lambda: shop.open_draft(customer_id=self._buyer()),
            lambda: shop.add_customer(f"n{rng.random()}@x.example", role=rng.choice(ROLES)),
            lambda: shop.edit_customer(self._account(), first_name=f"E{rng.randrange(99)}"),
            lambda: shop.delete_customer(self._account()),
            lambda: shop.refund(self._order(), rng.choice((100, None))),
            lambda: shop.touch_many([order_id for order_id, order in shop.state.orders.items() if order.id % 2]),
        )

    def __call__(self, call: Call) -> None:
        """Act a few times, or rest."""
        for _ in range(self._rng.choice((0, 1, 2, 4))):
            self._rng.choice(self._habits)()
            self.acts += 1

    def _order(self) -> int:
        return self._rng.choice([key for key, order in self._shop.state.orders.items() if order.status != "trash"])

    def _account(self) -> int:
        return self._rng.choice(list(self._shop.state.accounts))

    def _buyer(self) -> int:
        return self._rng.choice([0, self._account()])


def _opened(folder: Path, sandbox: Sandbox, database: str) -> App:
    """The app over one shop, asking for small pages so that there are many edges."""
    app = opened(config(folder, sandbox, database, stores=(STORE,)))
    app.connector(STORE)._page_sizes = (PAGE_SIZE,)  # type: ignore[attr-defined]
    return app


def _rows(app: App, kind: str) -> list[tuple[object, ...]]:
    return list(app.database.exports.rows(kind))
