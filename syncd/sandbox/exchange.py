"""One HTTP exchange as values: the call a shop sees, the answer it gives, and what is remembered of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl

import orjson

JSON_TYPE = "application/json; charset=UTF-8"
HTML_TYPE = "text/html; charset=UTF-8"


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A request as it arrived.

    Args:
        query: The query string, undecoded.
        headers: By lower-case name.
        secure: Whether it came over TLS.
        ignored: Parameters that a scripted fault makes the shop overlook.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    secure: bool = False
    ignored: frozenset[str] = frozenset()

    @property
    def target(self) -> str:
        """Path and query as on the request line."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def params(self) -> dict[str, str]:
        """The query's parameters by name, the last of repeated ones."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A response before it is put on the wire; status 0 means that nothing is sent.

    Args:
        delay_s: How long the shop works on it before it answers.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay_s: float = 0.0


def json_answer(status: int, value: object, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer with a JSON body."""
    return Answer(status=status, headers={"Content-Type": JSON_TYPE, **(headers or {})}, body=orjson.dumps(value))


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What the sandbox remembers of a request: the oracle of tests.

    Args:
        status: The status sent; 0 if the connection was cut instead.
        applied: Whether the shop carried the request out.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    status: int
    applied: bool
    at: datetime

    @property
    def params(self) -> dict[str, str]:
        """The query's parameters by name, the last of repeated ones."""
        return dict(parse_qsl(self.query, keep_blank_values=True))
