"""`syncd auth`: a shop's approval in the browser, down to the token's file."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
import requests

from syncd import cli
from syncd.sandbox import Sandbox, SandboxOptions


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config of the sandbox's Shopify shop, let in by its app; the shop's address is filled in by the test."""
    (tmp_path / "segments.yaml").write_text("segments: {}\n")
    return tmp_path / "syncd.yaml"


def _write(config: Path, sandbox: Sandbox) -> None:
    shop = sandbox.shops["us-shopify"]
    auth = f"{{client_id: {shop.app.client_id}, client_secret: {shop.app.client_secret}}}"
    store = f"{{platform: shopify, url: acme-us, base_url: {shop.url!r}, auth: {auth}}}"
    config.write_text(f"merchant: acme\nstores:\n  us-shopify: {store}\nlog: {{level: error}}\n")


def test_the_approved_token_is_in_a_file_that_only_its_owner_reads(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The browser's approval ends in a 0600 file with a token that the shop accepts, and in nothing printed."""
    with Sandbox(SandboxOptions(scale=0.05)) as sandbox:
        _write(config, sandbox)
        monkeypatch.setattr(
            "webbrowser.open",
            lambda url: threading.Thread(target=requests.get, args=(url,), kwargs={"timeout": 10}).start(),
        )

        code = cli.run(["--config", str(config), "auth", "shopify", "us-shopify", "--port", "0"])

        token = config.with_name("us-shopify.token").read_text().strip()
        shop = sandbox.shops["us-shopify"]
        answer = requests.post(
            f"{shop.url}/admin/api/2026-10/graphql.json",
            json={"query": "{ shop { name } }"},
            headers={"X-Shopify-Access-Token": token},
            timeout=10,
        )

    assert code == 0
    assert stat.S_IMODE(config.with_name("us-shopify.token").stat().st_mode) == 0o600
    assert answer.json()["data"]["shop"]["name"]
    assert token not in "".join(capsys.readouterr())


def test_scopes_are_listed_with_their_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    """`--print-scopes` needs no config."""
    code = cli.run(["auth", "shopify", "--print-scopes"])

    assert code == 0
    assert "read_all_orders" in capsys.readouterr().out
