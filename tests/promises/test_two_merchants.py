"""Two merchants served by one process never meet: what both know of a person stays with each of them.

The same mailbox is a customer of both, under another name with each. Both are pulled, derived, pushed to and told of
trouble by one service. Then the bytes are searched: neither name is with the other merchant, in the database, its
write-ahead log or any export; the mailbox, which both may know, is in no log, no metric and no message.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.app import App
from syncd.sandbox import Fault, FaultKind, Sandbox
from syncd.settings import load
from syncd.store.exports import KINDS
from tests.promises.service import Service, until
from tests.promises.shops import config, sandbox_of, tags_on
from tests.unit.notify.kit import Ears, listening

MAILBOX = "canary.both@post.example"
NAMES = {"alpha": "Alphacanary", "beta": "Betacanary"}
STORES = {"alpha": ("us-woo", "b2b"), "beta": ("eu-woo", "us-shopify")}
OFTEN = "from datetime import timedelta; import syncd.daemon.works as w; w._CARE_EVERY = timedelta(seconds=1)"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Both merchants' shops; one of each fails, with the mailbox in its words."""
    with sandbox_of(*(name for stores in STORES.values() for name in stores)) as opened:
        for merchant, (well, failing) in STORES.items():
            shop = opened.shops[well]
            who = shop.add_customer(MAILBOX, first_name="Cana", last_name=NAMES[merchant])
            shop.place_order(customer_id=who)
            words = f'{{"message": "{MAILBOX} of {NAMES[merchant]} may not"}}'
            opened.shops[failing].faults.add(Fault(kind=FaultKind.ANSWER, status=402, body=words, times=None))
        yield opened


def _configs(folder: Path, sandbox: Sandbox, ears: dict[str, Ears]) -> dict[str, Path]:
    paths = {}
    for merchant, stores in STORES.items():
        shops = [sandbox.shops[name] for name in stores]
        notify = f"notify: {{urls: ['{ears[merchant].url}'], paused_after: 1s}}\n"
        url = f"sqlite:///{folder / merchant / 'profiles.db'}"
        segments = f"segments:\n  all: {{when: 'orders_count >= 0', tag: Everybody, stores: [{stores[0]}]}}\n"
        how = {"merchant": merchant, "push": "auto", "segments": segments, "more": notify}
        paths[merchant] = config(folder / merchant, shops, url, **how)
    return paths


def _database_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("profiles.db*")))


def _exported(path: Path) -> str:
    with App(load(path)) as app:
        return "\n".join(repr(row) for kind in KINDS for row in app.database.exports.rows(kind))


def _tell(service: Service, ears: dict[str, Ears], shops: dict[str, Any]) -> None:
    """Let both merchants be worked until tags are written and the trouble of each is told."""
    for well, _ in STORES.values():
        until(lambda well=well: bool(tags_on(shops[well])))  # type: ignore[misc]
    for merchant in NAMES:
        until(lambda merchant=merchant: ears[merchant].heard != [])  # type: ignore[misc]


def test_one_process_never_crosses_its_merchants(sandbox: Sandbox, tmp_path: Path) -> None:
    """Databases, exports, logs, metrics and messages, searched for what is another's and for the mailbox."""
    with listening() as alphas, listening() as betas:
        ears = {"alpha": alphas, "beta": betas}
        paths = _configs(tmp_path / "merchants", sandbox, ears)
        how = ("--log-level", "debug", "run", "--config-dir", tmp_path / "merchants", "--listen", "127.0.0.1:0")
        with Service(*how, preamble=OFTEN) as service:
            _tell(service, ears, sandbox.shops)
            metrics = service.get("/metrics").text
            ready = service.get("/readyz").text
            stored = {merchant: _database_bytes(tmp_path / "merchants" / merchant) for merchant in NAMES}
            code, _ = service.end()
        heard = {merchant: repr(ears[merchant].heard) for merchant in NAMES}

    exports = {merchant: _exported(path) for merchant, path in paths.items()}
    assert code == 0
    for own, other in (("alpha", "beta"), ("beta", "alpha")):
        assert NAMES[own].encode() in stored[own]
        assert NAMES[own] in exports[own]
        assert MAILBOX in exports[own]
        assert NAMES[other].encode() not in stored[own]
        assert NAMES[other] not in exports[own]
        assert own in heard[own]
        assert not any(word in heard[own] for word in (other, *STORES[other]))
    for words in ("".join(service.output), metrics, ready, *heard.values()):
        assert MAILBOX not in words
        assert not any(name in words for name in NAMES.values())
    assert all(f'merchant="{merchant}"' in metrics for merchant in NAMES)


def test_one_database_for_two_merchants_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    """Two configurations that name one database are both refused, in words, before anything is opened."""
    url = f"sqlite:///{tmp_path / 'one.db'}"
    for merchant, stores in STORES.items():
        shops = [sandbox.shops[name] for name in stores]
        config(tmp_path / "merchants" / merchant, shops, url, merchant=merchant)

    with Service("run", "--config-dir", tmp_path / "merchants", "--listen", "off") as service:
        code = service.process.wait(60)

    assert code == 4
    assert not (tmp_path / "one.db").exists()
