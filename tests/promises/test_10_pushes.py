"""Promise 10: pushes are idempotent and minimal, and tags that are not ours stay as they are.

A merchant edits tags in the window between plan and write: the same tag, a word of their own, ours taken off. What each
request did to the shop's tags is seen from inside the shop.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from syncd import push
from syncd.app import App
from syncd.sandbox import Call
from syncd.settings import load
from tests.promises.oracles import unfinished
from tests.promises.shops import EVERYBODY, STORES, Tag, Watch, config, sandbox_of, tags_on, writes_tags

OURS = {"Everybody", "Buyer"}
KEYS = {"Everybody": "syncd_tag_everybody", "Buyer": "syncd_tag_buyer"}
FOREIGN = "do not call"


@pytest.fixture(params=STORES)
def shop(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A shop of each platform, whose staff tagged some accounts."""
    with sandbox_of(STORES[request.param], scale=0.05) as sandbox:
        shop = sandbox.shops[STORES[request.param]]
        if shop.platform == "bigcommerce":
            shop.set_quota(1_000_000)
        for account in sorted(shop.state.accounts)[::3]:
            word(shop, account, FOREIGN)
        yield shop


@contextmanager
def opened(folder: Path, shop: Any, url: str, segments: str = EVERYBODY) -> Iterator[App]:
    """The app over the shop, everything pulled and derived."""
    with App(load(config(folder, [shop], url, segments=segments))) as app:
        app.sync(sweep=True)
        yield app


def apply(app: App, plan: push.Plan | None = None) -> push.ApplyReport:
    """Write a plan, or what is due now."""
    made = plan or app.plan()
    return app.apply(made, approved=100_000)


def put(shop: Any, account: int, tag: str) -> None:
    """Staff put a tag of ours on an account, as we would."""
    if shop.platform == "shopify":
        word(shop, account, tag)
    elif shop.platform == "bigcommerce":
        shop.set_attribute(account, KEYS[tag], tag)
    else:
        shop.edit_customer(account, meta_data=[{"key": KEYS[tag], "value": tag}])


def take(shop: Any, account: int, tag: str) -> None:
    """Staff take a tag of ours off an account."""
    if shop.platform == "shopify":
        tags = [each for each in shop.state.accounts[account].tags if each != tag]
        shop.edit_customer(account, tags=tags)
    elif shop.platform == "bigcommerce":
        shop.set_attribute(account, KEYS[tag], None)
    else:
        shop.edit_customer(account, meta_data=[{"key": KEYS[tag], "value": None}])


def word(shop: Any, account: int, text: str) -> None:
    """Staff write a word of their own."""
    if shop.platform == "shopify":
        tags = shop.state.accounts[account].tags
        shop.edit_customer(account, tags=tags if text in tags else [*tags, text])
    elif shop.platform == "bigcommerce":
        shop.set_attribute(account, text, text)
    else:
        shop.edit_customer(account, meta_data=[{"key": f"staff_{text}", "value": text}])


def words(shop: Any) -> Any:
    """Everything on accounts that is not ours."""
    if shop.platform == "shopify":
        return {tag for tag in tags_on(shop) if tag[1] not in OURS}
    if shop.platform == "bigcommerce":
        names = {each.id: each.name for each in shop.state.attributes.values()}
        return {
            (each.customer_id, each.value)
            for each in shop.state.values.values()
            if names[each.attribute_id] not in KEYS.values()
        }
    metas = ((each.id, meta) for each in shop.state.accounts.values() for meta in each.meta)
    return {(account, meta.key, str(meta.value)) for account, meta in metas if meta.key not in KEYS.values()}


class Staff:
    """Somebody who edits tags right before our writes are answered.

    Attributes:
        put_on: What they put on.
        taken_off: What they took off.
    """

    def __init__(self, shop: Any, rng: random.Random) -> None:
        self.put_on: list[Tag] = []
        self.taken_off: list[Tag] = []
        self._shop = shop
        self._rng = rng

    def __call__(self, call: Call) -> None:
        if not writes_tags(call):
            return
        for account in self._rng.sample(sorted(self._shop.state.accounts), 3):
            tag = self._rng.choice(sorted(OURS))
            has = (str(account), tag) in tags_on(self._shop)
            (take if has else put)(self._shop, account, tag)
            (self.taken_off if has else self.put_on).append((str(account), tag))
            word(self._shop, account, self._rng.choice(["fragile", "wholesale"]))


def test_a_second_push_writes_nothing(shop: Any, database_url: str, tmp_path: Path) -> None:
    """Each change is written once; neither a second push nor one after everything was read again writes anything."""
    watch = Watch(shop)
    with opened(tmp_path, shop, database_url) as app:
        plan = app.plan()
        apply(app, plan)
        watch.look()
        first = Counter(watch.added)

        again = apply(app)
        app.sync(sweep=True)
        third = apply(app)
        watch.look()

    assert first == Counter((change.external_id, change.tag) for change in plan.changes)
    assert max(first.values()) == 1
    assert (again.queued, third.queued, watch.idle, watch.removed) == (0, 0, 0, [])
    assert Counter(watch.added) == first


def test_the_same_plan_twice_writes_once(shop: Any, database_url: str, tmp_path: Path) -> None:
    """A plan that was applied already has nothing left to do."""
    with opened(tmp_path, shop, database_url) as app:
        plan = app.plan()
        apply(app, plan)
        watch = Watch(shop)

        again = apply(app, plan)
        watch.look()

    assert (again.queued, again.outdated) == (0, len(plan.changes))
    assert (watch.added, watch.removed, watch.idle) == ([], [], 0)


def test_edits_in_the_race_window_are_written_at_most_once(
    shop: Any, database_url: str, tmp_path: Path, rng: random.Random
) -> None:
    """While staff edit between plan and write, each change takes effect once at most, and only what is ours changes."""
    with opened(tmp_path, shop, database_url) as app:
        plan = app.plan()
        staff = Staff(shop, rng)
        watch = Watch(shop, staff)
        apply(app, plan)
        watch.look()
        shop.mutator = None
        before = words(shop)
        app.sync(sweep=True)
        rest = Watch(shop)
        apply(app)
        apply(app)
        rest.look()

    wanted = {(change.external_id, change.tag) for change in plan.changes}
    assert staff.put_on
    assert set(watch.added) <= wanted
    assert max(Counter(watch.added).values()) == 1
    assert watch.removed == []
    assert words(shop) == before
    assert max(Counter([*watch.added, *rest.added]).values()) == 1
    assert unfinished(database_url) == []


def test_what_staff_took_off_is_left(shop: Any, database_url: str, tmp_path: Path) -> None:
    """A tag of ours that somebody takes off is not put on again."""
    with opened(tmp_path, shop, database_url) as app:
        plan = app.plan()
        apply(app, plan)
        chosen = plan.changes[0]
        take(shop, int(chosen.external_id), chosen.tag)
        shop.clock.advance(2)
        app.sync(sweep=True)
        watch = Watch(shop)

        report = apply(app)
        watch.look()

    assert (report.queued, watch.added, watch.removed) == (0, [], [])
    assert (chosen.external_id, chosen.tag) not in tags_on(shop)


def test_what_staff_put_on_is_never_taken_off(shop: Any, database_url: str, tmp_path: Path) -> None:
    """A tag that somebody put on before we did is not ours: it stays when its segment has nobody left."""
    account = min(shop.state.accounts)
    put(shop, account, "Buyer")
    nobody = EVERYBODY.replace("spent > 0", "spent > 100000000")
    with opened(tmp_path / "all", shop, database_url) as app:
        apply(app)
    before = words(shop)
    watch = Watch(shop)

    with opened(tmp_path / "none", shop, database_url, nobody) as app:
        apply(app)
    watch.look()

    assert (str(account), "Buyer") in tags_on(shop)
    assert {tag for _, tag in watch.removed} <= {"Buyer"}
    assert watch.removed
    assert words(shop) == before
