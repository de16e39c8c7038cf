"""Addresses for notices: where they may come from, and that nothing of their keys is shown."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.configs import CANARY, ENVIRON, GOOD, Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty folder for a config file."""
    return Folder(tmp_path)


def test_addresses_come_from_the_environment_or_a_file(folder: Folder) -> None:
    """Parts of them, all of them, or one a line of a file, where blank lines and comments say nothing."""
    folder.write("urls", f"# on call\nslack://{CANARY}/b/c\n\n  ntfy://{CANARY}  \n")
    written = GOOD + "notify:\n  urls: ['slack://${SECRET}/b', 'json://localhost/hook']\n"
    read = GOOD + "notify: {urls_file: urls, paused_after: 1h}\n"
    environ = {**ENVIRON, "SYNCD_NOTIFY__URLS": f'["ntfy://{CANARY}"]'}

    texts = [
        [url.get_secret_value() for url in settings.notify.urls]
        for settings in (folder.load(written), folder.load(read), folder.load(GOOD, environ))
    ]

    assert texts == [
        [f"slack://cs_{CANARY}/b", "json://localhost/hook"],
        [f"slack://{CANARY}/b/c", f"ntfy://{CANARY}"],
        [f"ntfy://{CANARY}"],
    ]
    assert folder.load(read).notify.paused_after == timedelta(hours=1)


def test_a_file_of_addresses_keeps_to_the_rules_of_secrets(folder: Folder) -> None:
    """One that others can read, or that has no address in it, is refused."""
    file = folder.write("urls", f"slack://{CANARY}", 0o644)
    open_to_all = folder.refusal(GOOD + "notify: {urls_file: urls}\n")
    file.write_text("# nobody yet\n")
    file.chmod(0o600)
    empty = folder.refusal(GOOD + "notify: {urls_file: urls}\n")

    assert f"notify.urls_file: {file} is open to other users (mode 0644)" in open_to_all
    assert f"notify.urls_file: {file} must hold a secret in every line" in empty
    assert CANARY not in open_to_all


def test_nothing_of_an_address_is_shown(folder: Folder) -> None:
    """Neither the whole nor its password nor a part long enough to be a key is in what is printed or logged."""
    password, key = "pa:ss%21", "0123456789abcdef"
    text = GOOD + "notify: {urls: ['mailto://me:${PASS}@mail.example.org', 'json://h/${PUSH_KEY}?x=1']}\n"
    text += "housekeeping: {keep_runs: 30d}\n"

    settings = folder.load(text, {**ENVIRON, "PASS": password.replace(":", "%3A"), "PUSH_KEY": key})

    shown = f"{settings.describe()} {settings!r} {settings.model_dump_json()}"
    assert "mail.example.org" not in shown
    assert key not in shown
    assert {key, "pa:ss!", "mailto://me:pa%3Ass%21@mail.example.org"} <= set(settings.secrets())


@pytest.mark.parametrize("url", ["https://watch.example.com/${KEY}", "http://127.0.0.1:9/x"])
def test_a_heartbeat_goes_by_https_or_stays_here(folder: Folder, url: str) -> None:
    """The watcher's address is a secret as any other."""
    settings = folder.load(GOOD + f"notify: {{heartbeat_url: '{url}'}}\n")

    assert settings.notify.heartbeat_url is not None
    assert settings.notify.heartbeat_url.get_secret_value() == url.replace("${KEY}", ENVIRON["KEY"])
