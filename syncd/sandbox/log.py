"""The exchange log: one JSON object per exchange, secrets replaced by the start of their SHA-256."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

import orjson

from syncd.sandbox.exchange import Answer, Call

_SECRET_PARAMS = re.compile(
    r"\b(oauth_consumer_key|oauth_signature|consumer_key|consumer_secret|client_secret|code)=([^&>;,\s\"]*)"
)
_SECRET_SHAPES = re.compile(r"\bc[ks]_[0-9a-f]{40}\b|\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b")
_SECRET_FIELDS = re.compile(r"(\"(?:consumer_key|consumer_secret|access_token|client_secret)\"\s*:\s*\")([^\"]*)(\")")
_SECRET_HEADERS = frozenset({"authorization", "x-shopify-access-token", "x-auth-token", "cookie", "set-cookie"})


def fingerprint(secret: str) -> str:
    """What stands for a secret in the log: the first 8 hex digits of its SHA-256."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


def masked(text: str) -> str:
    """The text with every secret in it replaced by its fingerprint."""
    text = _SECRET_PARAMS.sub(lambda found: f"{found[1]}={fingerprint(unquote(found[2]))}", text)
    text = _SECRET_FIELDS.sub(lambda found: f"{found[1]}{fingerprint(found[2])}{found[3]}", text)
    return _SECRET_SHAPES.sub(lambda found: fingerprint(found[0]), text)


class ExchangeLog:
    """Appends exchanges to a file as they happen; without a file it does nothing.

    Args:
        path: Where to append; None for no log.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._file = path.open("ab") if path else None
        self._lock = threading.Lock()

    def append(self, origin: str, call: Call, answer: Answer) -> None:
        """Write one exchange; `status` is 0 where the connection was cut instead of answered."""
        if self._file is None:
            return
        line = orjson.dumps(_entry(origin, call, answer)) + b"\n"
        with self._lock:
            self._file.write(line)
            self._file.flush()

    def close(self) -> None:
        """Give the file back; safe to call twice."""
        if self._file is not None:
            self._file.close()


def _entry(origin: str, call: Call, answer: Answer) -> dict[str, object]:
    return {
        "method": call.method,
        "url": masked(origin + call.target),
        "headers": _headers(call.headers),
        "body": masked(call.body.decode("utf-8", "replace")) if call.body else None,
        "status": answer.status,
        "response_headers": _headers(answer.headers),
        "response_body": masked(answer.body.decode("utf-8", "replace")),
    }


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: fingerprint(value) if name.lower() in _SECRET_HEADERS else masked(value)
        for name, value in headers.items()
    }
