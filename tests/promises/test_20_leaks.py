"""Promise 20: secrets never leak, and personal data never reaches logs.

Every verb runs at DEBUG against shops that work, refuse, break off and send back in their error pages what they were
sent, on both databases. Then everything that left the process is searched for the keys, and everything that is no
answer to a question about people for the mailbox, phone and name of one customer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from syncd import cli
from syncd.sandbox import Fault, FaultKind, Sandbox
from syncd.store.engine import Engines
from syncd.store.tables import Merchant
from tests.promises.shops import config, sandbox_of

STORES = ("us-woo", "us-shopify", "b2b")
MAILBOX, PHONE, NAME = "canary.leak@post.example", "+4915112345678", "Canaryleakson"
ABOUT_PEOPLE = (("find", MAILBOX), ("export", "customers"))
WORK = (
    ("config", "check"),
    ("check",),
    ("backfill",),
    ("backfill", "--estimate"),
    ("sync",),
    ("plan",),
    ("apply", "--yes"),
    ("sync", "--sweep"),
    ("status",),
    ("history",),
    ("rejected", "list"),
    ("remap",),
    ("pause", "us-woo"),
    ("resume", "us-woo"),
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A shop of each platform; one knows a customer whom nobody else may hear of."""
    with sandbox_of(*STORES) as opened:
        shop = opened.shops["us-woo"]
        billing = {"phone": PHONE, "email": MAILBOX, "last_name": NAME}
        who = shop.add_customer(MAILBOX, first_name="Cana", last_name=NAME, billing=billing)
        shop.place_order(customer_id=who)
        yield opened


def _secrets(sandbox: Sandbox) -> list[str]:
    keys = [shop.credentials["admin"] for shop in sandbox.shops.values()]
    named = ("consumer_secret", "consumer_key", "access_token")
    return [secret for key in keys for name in named if (secret := getattr(key, name, None))]


def _spoiled(sandbox: Sandbox, secrets: Sequence[str]) -> Iterator[Fault]:
    """What shops send back when they are sick: our keys and somebody's mailbox in every error page."""
    words = f"{' '.join(secrets)} {MAILBOX}"
    for status in (401, 402, 403, 404, 422, 500):
        yield Fault(kind=FaultKind.ANSWER, status=status, body=f'{{"message": "{words}"}}', times=None)
    yield Fault(kind=FaultKind.ANSWER, status=200, body=f"<html>{words}</html>", times=None)
    location = {"Location": f"https://elsewhere.example/?key={secrets[0]}&who={MAILBOX}"}
    yield Fault(kind=FaultKind.ANSWER, status=302, headers=location, times=None)
    yield Fault(kind=FaultKind.CUT_JSON, times=None)


def _database_text(url: str) -> str:
    engines = Engines(url)
    try:
        with engines.read() as connection:
            tables = Merchant.metadata.sorted_tables
            return "\n".join(repr(row) for table in tables for row in connection.execute(table.select()))
    finally:
        engines.close()


def test_nothing_leaks(
    sandbox: Sandbox,
    database_url: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Well and sick shops, every verb, as text and JSON, at DEBUG: no key anywhere, nobody's data in what is said."""
    monkeypatch.setattr("syncd.connectors.transport.BUDGET_S", 0.0)  # every failure at once: what is told matters here
    secrets = _secrets(sandbox)
    path = config(tmp_path, sandbox.shops.values(), database_url)
    said: list[str] = []

    def run(*words: str) -> str:
        cli.run(["--config", str(path), "--log-level", "debug", *words])
        told = capfd.readouterr()
        said.append(told.err)
        return told.out

    for words in WORK:
        said.extend((run(*words), run(*words, "--json")))
    asked = [run(*words) for words in ABOUT_PEOPLE]
    for fault in _spoiled(sandbox, secrets):
        for shop in sandbox.shops.values():
            shop.faults.add(fault)
        for words in (("check",), ("sync",), ("sync", "--json"), ("status",), ("history",)):
            said.append(run(*words))  # noqa: PERF401 - what it says on standard error goes first
        for shop in sandbox.shops.values():
            shop.faults.clear()

    everything = "".join(said)
    assert "http_request" in everything
    assert any(MAILBOX in answer for answer in asked)
    for secret in secrets:
        assert secret not in everything
        assert all(secret not in answer for answer in asked)
        assert secret not in _database_text(database_url)
        assert all(secret.encode() not in file.read_bytes() for file in tmp_path.glob("*.db*"))
    for personal in (MAILBOX, PHONE, PHONE.lstrip("+"), NAME):
        assert personal not in everything
