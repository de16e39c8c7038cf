"""Pausing and waking a store from the command line, against shops that go on selling meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd import cli
from syncd.errors import ExitCode
from syncd.sandbox import Sandbox, SandboxOptions, WooShop
from tests.flow.woo import config

ALL = "segments:\n  all: {when: 'orders_count >= 0', tag: Everybody}\n"
STORE, OTHER = "us-woo", "eu-woo"


class Operator:
    """Somebody at the command line, and the shops."""

    def __init__(self, path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
        self._path = path
        self._sandbox = sandbox
        self._capsys = capsys

    def shop(self, store_id: str) -> WooShop:
        """One of the shops."""
        shop = self._sandbox.shops[store_id]
        assert isinstance(shop, WooShop)
        return shop

    def types(self, *words: str) -> tuple[int, str]:
        """One command's exit code and standard output."""
        self._capsys.readouterr()
        code = cli.run(["--config", str(self._path), *words])
        return code, self._capsys.readouterr().out

    def asks(self, *words: str) -> Any:
        """One command's document."""
        code, text = self.types(*words, "--json")
        assert code == ExitCode.OK
        return json.loads(text)

    def orders(self) -> dict[str, int]:
        """How many orders are stored of each store."""
        streams = self.asks("status")["streams"]
        return {line["store"]: line["stored"] for line in streams if line["stream"] == "orders"}


@pytest.fixture
def operator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Operator]:
    """At two small shops that were read whole."""
    with Sandbox(SandboxOptions(seed=3, scale=0.02)) as sandbox:
        path = config(
            tmp_path,
            sandbox,
            f"sqlite:///{tmp_path}/syncd.db",
            options=", push: {brake: {max_percent: 100}}",
            segments=ALL,
        )
        operator = Operator(path, sandbox, capsys)
        operator.asks("backfill")
        yield operator


def test_a_paused_store_is_left_alone_and_misses_nothing(operator: Operator) -> None:
    """The other store is pulled meanwhile; woken, the store is read from where it was."""
    before = operator.orders()
    operator.asks("pause", STORE, "--reason", "stocktaking")
    for store_id in (STORE, OTHER):
        operator.shop(store_id).place_order()
    asked = len(operator.shop(STORE).history)

    paused = operator.asks("sync")
    during, asked_during = operator.orders(), len(operator.shop(STORE).history)
    operator.asks("resume", STORE)
    operator.asks("sync")

    reasons = {line["reason"] for line in paused["streams"] if line["store"] == STORE}
    assert reasons == {f"stocktaking. `syncd resume {STORE}` ends it"}
    assert asked_during == asked
    assert during == {STORE: before[STORE], OTHER: before[OTHER] + 1}
    assert operator.orders() == {STORE: before[STORE] + 1, OTHER: before[OTHER] + 1}


def test_tags_of_a_paused_store_wait(operator: Operator) -> None:
    """Only that store's; what waited is written once it is woken."""
    operator.asks("pause", STORE, "--push")

    held = json.loads(operator.types("apply", "--yes", "--json")[1])
    operator.asks("resume", STORE, "--push")
    written = operator.asks("apply", "--yes")

    confirmed = [{line["store"]: line["confirmed"] for line in report["stores"]} for report in (held, written)]
    assert confirmed[0].get(STORE, 0) == 0
    assert confirmed[0][OTHER] > 0
    assert confirmed[1][STORE] > 0


def test_a_dry_run_changes_nothing(operator: Operator) -> None:
    """Neither of a pause nor of its end; both say what they would do."""
    _, words = operator.types("pause", STORE, "--stream", "orders", "--dry-run")
    untouched = operator.asks("status")["is_well"]
    operator.asks("pause", STORE, "--stream", "orders")
    document = operator.asks("resume", STORE, "--dry-run")

    assert words.startswith(f"{STORE}/orders: pulling would be paused by hand.")
    assert untouched
    assert [(pause["stream"], pause["by_hand"]) for pause in document["lifted"]] == [("orders", True)]
    assert not operator.asks("status")["is_well"]


def test_what_still_rests_is_told(operator: Operator) -> None:
    """Each with the command that ends it."""
    operator.asks("pause", STORE)
    operator.asks("pause", STORE, "--push", "--reason", "audit")

    _, words = operator.types("resume", STORE, "--stream", "orders")

    assert f"{STORE}/orders: pulling was not paused; nothing was done." in words
    assert f"Still paused: {STORE}, pulling: paused by hand\n  `syncd resume {STORE}` ends it." in words
    assert f"Still paused: {STORE}, writing tags: audit\n  `syncd resume {STORE} --push` ends it." in words


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("pause", "us-wo"), ExitCode.CONFIGURATION),
        (("resume", "us-wo"), ExitCode.CONFIGURATION),
        (("pause", STORE, "--push", "--stream", "orders"), ExitCode.USAGE),
        (("pause", STORE, "--stream", "baskets"), ExitCode.USAGE),
    ],
)
def test_what_cannot_be_paused_is_refused(operator: Operator, words: tuple[str, ...], code: ExitCode) -> None:
    """A store that the config does not have, tags of a single stream, a stream that there is not."""
    assert operator.types(*words)[0] == code
    assert operator.asks("status")["is_well"]
