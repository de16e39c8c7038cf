"""Who is told of trouble: addresses that carry their keys in themselves, so that each of them is a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated
from urllib.parse import unquote

from pydantic import AfterValidator, SecretStr

from syncd.connectors.config import Duration, Frozen
from syncd.connectors.wire import host_of, is_loopback

_SHORTEST_KEY = 16  # shorter parts of an address are words and numbers that say nothing by themselves


def _notify_url(url: SecretStr) -> SecretStr:
    if not re.match("[A-Za-z][A-Za-z0-9+.-]*://.", url.get_secret_value()):
        raise ValueError('must be an address such as "mailto://user:${PASSWORD}@example.com"')
    return url


def _heartbeat_url(url: SecretStr) -> SecretStr:
    text = url.get_secret_value()
    is_safe = text.startswith("https://") or (text.startswith("http://") and is_loopback(host_of(text)))
    if not is_safe or not host_of(text):
        raise ValueError('must be an https address such as "https://watch.example.com/${KEY}"')
    return url


NotifyUrl = Annotated[SecretStr, AfterValidator(_notify_url)]
HeartbeatUrl = Annotated[SecretStr, AfterValidator(_heartbeat_url)]


class NotifyConfig(Frozen):
    """Who is told of trouble, and when.

    Args:
        urls: Addresses as apprise writes them; `urls_file` holds one a line.
        paused_after: How long something must be paused before somebody is told.
        heartbeat_url: Called while all is well, for a watcher that misses the call otherwise.
    """

    urls: tuple[NotifyUrl, ...] = ()
    paused_after: Duration = timedelta(minutes=30)
    heartbeat_url: HeartbeatUrl | None = None


def keys_in(url: str) -> Iterator[str]:
    """The parts of an address that open something by themselves: its password, and what is long enough to be a key."""
    password = re.match("[^/]*://[^/@]*:([^/@]+)@", url)
    parts = [*re.split(r"[/:@?&=#]+", url), password[1] if password else ""]
    for part in parts:
        if len(part) >= _SHORTEST_KEY or (password and part == password[1]):
            yield from {part, unquote(part)}
