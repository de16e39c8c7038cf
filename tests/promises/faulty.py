"""A shop behind a faulty way, worked as users work it, and what must hold once the way is well again.

A trial backfills and syncs, tags written automatically, while the proxy spoils exchanges and the shop lives on. Then
the faults stop; what an undisturbed run finds in the same shop must stand in the database two cycles later.
"""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from syncd.app import App, SyncReport
from syncd.connectors.shopify.connector import Sizes
from syncd.sandbox import SandboxClock
from syncd.settings import load
from tests.clock import ManualClock
from tests.promises.proxy import Proxy
from tests.property.served import ServedStage
from tests.unit.store.kit import groups

STORE = "shop"
TAG = "Known"
SEGMENTS = f"segments:\n  known: {{when: 'orders_count >= 1', tag: {TAG}}}\n"
DEADLINE_S = 1.5
CYCLE_S = 2400  # longer than any change waits to be sent again
DAY_S = 90_000  # a little more than a day: sweeps are due

EXPORTS = ("customers", "orders", "carts")
# What only a sweep finds, on each platform.
UNSEEN = {
    "woocommerce": {"rename", "delete_customer", "trash", "delete", "complete_draft", "fail_draft"},
    "shopify": {"delete_customer", "delete", "drop_checkout", "complete_checkout", "merge"},
    "bigcommerce": {"delete_customer", "move", "delete", "archive", "drop_incomplete", "complete_incomplete"},
}


class SharedClock(ManualClock):
    """Our clock and the shop's as one: a wait passes for both, and takes no time."""

    def __init__(self, shop: SandboxClock) -> None:
        super().__init__(shop.now())
        self._shop = shop

    def advance(self, seconds: float) -> None:
        """Let time pass, for us and for the shop."""
        super().advance(seconds)
        self._shop.advance(max(0.0, seconds))


@dataclass(kw_only=True)
class Trial:
    """One shop, one database, one faulty way between."""

    stage: ServedStage
    proxy: Proxy
    config: Path
    clock: SharedClock
    rng: random.Random
    bulk_from: int = 10_000
    _app: App | None = field(default=None, init=False)

    def live(self, count: int, *, hidden: bool) -> None:
        """Some things happen in the shop.

        Args:
            hidden: Whether things may be among them that only a sweep finds.
        """
        platform = self.stage.shop.platform
        names = sorted(name for name in self.stage.deeds if hidden or name not in UNSEEN[platform])
        for _ in range(count):
            self.stage.deeds[self.rng.choice(names)](self.rng.randrange(1000))
            self.clock.advance(self.rng.choice((0, 1, 30)))

    def fill(self) -> None:
        """The shop has customers, orders and carts enough for several pages."""
        for number in range(14):
            self.stage.deeds["register"](number)
            self.stage.deeds["order_of_account"](number * 3)
        self.live(30, hidden=True)
        self.clock.advance(600)

    @contextmanager
    def app(self) -> Iterator[App]:
        """The app of a cycle: a new one, as a command has, or the same again, as a service has."""
        if self._app is None or self.rng.random() < 0.5:
            self.close()
            self._app = opened(self.config, self.clock, self.bulk_from)
        yield self._app

    def sync(self) -> SyncReport:
        """One sync, by the app that is open or a new one."""
        with self.app() as app:
            return app.sync()

    def close(self) -> None:
        """End the app, if one is open."""
        if self._app is not None:
            self._app.close()
            self._app = None

    def cycle(self, after_s: float = CYCLE_S) -> None:
        """Time passes, then everything is synced."""
        self.clock.advance(after_s)
        self.sync()


@contextmanager
def on_trial(stage: ServedStage, database: str, folder: Path, seed: int = 1) -> Iterator[Trial]:
    """A filled shop, a proxy that does nothing yet, and an empty database."""
    stage.reset()
    with Proxy(stage.shop.url) as proxy:
        config = written(folder / "faulty", stage, proxy.url, database)
        clock = SharedClock(stage.clock)
        rng = random.Random(f"{seed} {stage.shop.platform}")
        trial = Trial(stage=stage, proxy=proxy, config=config, clock=clock, rng=rng)
        trial.fill()
        yield trial
        trial.close()


def opened(config: Path, clock: ManualClock, bulk_from: int = 10_000) -> App:
    """The app of a config, asking its store for little at a time."""
    app = App(load(config), clock=clock)
    connector: Any = app.connector(STORE)
    if connector.platform == "shopify":
        connector._sizes = Sizes(page=5, bulk_from=bulk_from)
    else:
        connector._page_sizes = (10, 5)
    return app


def written(folder: Path, stage: ServedStage, base_url: str, database: str, http: str = "concurrency: 1") -> Path:
    """A config of one shop behind an address, tags written automatically."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "segments.yaml").write_text(SEGMENTS)
    address = _ADDRESS[stage.shop.platform](stage.shop)
    http = f"http: {{deadline_s: {DEADLINE_S}, {http}}}"
    path = folder / "syncd.yaml"
    path.write_text(
        f"merchant: acme\ncurrency: EUR\nrates: {{USD: '0.9'}}\ndatabase: {{url: {database!r}}}\n"
        f"stores:\n  {STORE}: {{{address}, base_url: {base_url!r}, country: DE, {_PUSH}, {http}}}\n"
        "log: {level: error}\n"
    )
    return path


_PUSH = "push: {mode: auto, brake: {max_customers: 100000, max_percent: 100}}"
_ADDRESS: Mapping[str, Callable[[Any], str]] = {
    "woocommerce": lambda shop: (
        f"platform: woocommerce, url: {shop.url!r}, auth: {{consumer_key: {shop.credentials['admin'].consumer_key}, "
        f"consumer_secret: {shop.credentials['admin'].consumer_secret}}}"
    ),
    "shopify": lambda shop: (
        f"platform: shopify, url: {shop.state.site.handle}, auth: {{token: {shop.credentials['admin'].access_token}}}"
    ),
    "bigcommerce": lambda shop: (
        f"platform: bigcommerce, store_hash: {shop.store_hash}, "
        f"auth: {{token: {shop.credentials['admin'].access_token!r}}}"
    ),
}


# -- what must hold ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a database says of a shop, without what is the database's own: ids of profiles, times of ours."""

    exports: Mapping[str, Sequence[tuple[object, ...]]]
    people: frozenset[frozenset[str]]
    members: frozenset[frozenset[str]]


def outcome_of(app: App) -> Outcome:
    """What the app's database says now."""
    database = app.database
    people = groups(database)
    profiles = {profile_id for profile_id, *_ in _members(app)}
    parted: dict[str, set[str]] = defaultdict(set)
    for key, profile_id in database.people.partition():
        parted[profile_id].add(f"{key.kind} {key.external_id}")
    return Outcome(
        exports={kind: list(_rows(app, kind)) for kind in EXPORTS},
        people=frozenset(people),
        members=frozenset(frozenset(parted[profile_id]) for profile_id in profiles),
    )


def _rows(app: App, kind: str) -> Iterator[tuple[object, ...]]:
    """An export, without when customers were changed: our own tags move that time, and only a sweep sees it."""
    place = app.database.exports.columns(kind).index("updated_at") if kind == "customers" else None
    for row in app.database.exports.rows(kind):
        yield tuple(value for number, value in enumerate(row) if number != place)


def differences(ended: Outcome, expected: Outcome) -> list[str]:
    """Where two outcomes differ, in words short enough to read."""
    found = []
    for kind, rows in expected.exports.items():
        here, there = ({row[1]: row for row in side} for side in (ended.exports[kind], rows))
        for key in sorted({*here, *there}, key=str):
            if here.get(key) != there.get(key):
                what = "missing" if key not in here else "not in the shop" if key not in there else "different"
                found.append(f"{kind} {key} is {what}")
    known = frozenset().union(*expected.people)  # a deleted order tells who somebody was for ever
    for name in ("people", "members"):
        groups_here = {group & known for group in getattr(ended, name)} - {frozenset()}
        found += [f"{name}: {set(group)}" for group in groups_here ^ getattr(expected, name)]
    return found


def _members(app: App) -> Iterator[tuple[str, ...]]:
    place = app.database.exports.columns("members").index("profile_id")
    return ((str(row[place]),) for row in app.database.exports.rows("members"))


def undisturbed(folder: Path, stage: ServedStage, clock: ManualClock) -> Outcome:
    """What a new database finds in the shop as it is now, with nothing in between; nothing is written."""
    config = written(folder, stage, stage.shop.url, f"sqlite:///{folder}/fresh.db")
    config.write_text(config.read_text().replace("mode: auto", "mode: off"))
    with opened(config, clock) as app:
        app.sync()
        return outcome_of(app)


def tagged(shop: Any) -> set[str]:
    """The accounts that carry our tag, in the shop's own state."""
    return {str(account.id) for account in shop.state.accounts.values() if _HAS[shop.platform](shop.state, account)}


def wanted(outcome: Outcome, shop: Any) -> set[str]:
    """The accounts that should carry it."""
    contacts = {contact for member in outcome.members for contact in member if contact.startswith("account ")}
    return {contact.partition(" ")[2] for contact in contacts} & {str(number) for number in shop.state.accounts}


Write = tuple[str, str, bool]  # account, tag, whether it is added


class Witness:
    """Sees every request that reaches a shop, and knows whose values they are about; the shop's mutator."""

    def __init__(self, shop: Any) -> None:
        self.writes: list[Write] = []
        self._shop = shop
        shop.mutator = self

    def __call__(self, call: Any) -> None:
        """Note the tag changes that a request asks for."""
        self.writes += _WRITES[self._shop.platform](self._shop.state, call)

    @property
    def doubled(self) -> list[Write]:
        """Changes that say what the change before them to the same tag of the same account said already."""
        last: dict[tuple[str, str], bool] = {}
        found = []
        for account, tag, is_added in self.writes:
            if last.get((account, tag), False) is is_added:
                found.append((account, tag, is_added))
            last[account, tag] = is_added
        return found


def _woo_writes(state: Any, call: Any) -> Iterator[Write]:
    if call.method == "POST" and call.path.endswith("customers/batch"):
        for item in json.loads(call.body or b"{}").get("update", []):
            for meta in item["meta_data"]:
                yield str(item["id"]), meta["key"], meta["value"] is not None


def _shopify_writes(state: Any, call: Any) -> Iterator[Write]:
    body: Any = json.loads(call.body) if call.path.endswith("graphql.json") else {"query": ""}
    for number, name in re.findall(r"c(\d+): ?(tagsAdd|tagsRemove)", body["query"]):
        account = body["variables"][f"id{number}"].rpartition("/")[2]
        yield account, body["variables"][f"tags{number}"][0], name == "tagsAdd"


def _big_writes(state: Any, call: Any) -> Iterator[Write]:
    if not call.path.endswith("/customers/attribute-values"):
        return
    if call.method == "PUT":
        yield from ((str(item["customer_id"]), str(item["attribute_id"]), True) for item in json.loads(call.body))
    if call.method == "DELETE":
        owners = {str(value.id): value for value in state.values.values()}
        for number in call.params["id:in"].split(","):
            value = owners.get(number)
            yield (str(value.customer_id), str(value.attribute_id), False) if value else (number, "gone already", False)


_WRITES: Mapping[str, Callable[[Any, Any], Iterator[Write]]] = {
    "woocommerce": _woo_writes,
    "shopify": _shopify_writes,
    "bigcommerce": _big_writes,
}
_HAS: Mapping[str, Callable[[Any, Any], bool]] = {
    "woocommerce": lambda state, account: any(meta.key == "syncd_tag_known" for meta in account.meta),
    "shopify": lambda state, account: TAG in account.tags,
    "bigcommerce": lambda state, account: any(key[0] == account.id for key in state.values),
}
