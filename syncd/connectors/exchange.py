"""What goes to a store and what comes back, as values; nothing here opens a connection."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

import orjson

from syncd.errors import SyncdError
from syncd.model import Json

TRIES = 8

_REQUEST_IDS = ("x-request-id", "cf-ray", "x-amz-cf-id", "x-correlation-id")


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One thing to ask of a store.

    Args:
        path: Behind the platform's API root, without a leading slash.
        params: Query values, plain texts.
        body: What is sent as JSON; None sends no body.
        is_public: Ask without credentials.
        is_query: Whether it only asks, even by POST, so that repeating it does nothing twice.
        lighter: What to ask instead when the server does not manage this; its Answer names it.
        tries: How often to try at most.
    """

    path: str
    method: str = "GET"
    params: Mapping[str, str] = field(default_factory=dict)
    body: Json = None
    is_public: bool = False
    is_query: bool = False
    lighter: Request | None = None
    tries: int = TRIES

    @property
    def is_write(self) -> bool:
        """Whether repeating the request could do something twice."""
        return self.method not in ("GET", "HEAD", "OPTIONS") and not self.is_query


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a store said.

    Args:
        request: What was answered: the request sent, or a lighter one.
        json: The parsed body; None where there is none to parse.
        server_time: The server's Date; None if it sent none.
        asked_at: Our clock when the request left.
    """

    request: Request
    status: int
    headers: Mapping[str, str]
    json: Json
    server_time: datetime | None
    asked_at: datetime

    @property
    def request_id(self) -> str | None:
        """The platform's own id of the exchange, for its support desk."""
        return next((self.headers[name] for name in _REQUEST_IDS if name in self.headers), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """Where a request goes and which headers prove who asks."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Dialect(Protocol):
    """What one platform adds to HTTP. Not a base class."""

    def sign(self, request: Request) -> Signed:
        """Address and sign a request; called anew for each try."""
        ...

    def learn(self, answer: Answer) -> bool:
        """Look at a 401; True if the next signature will differ for a reason, so that another try is worth it."""
        ...

    def explain(self, answer: Answer) -> SyncdError | None:
        """A refusal in the platform's own terms, be it told with status 200; None leaves it to the table."""
        ...


def fingerprint(secret: str) -> str:
    """A secret as it may be shown: the first 8 hex digits of its SHA-256."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """The server's own clock, where it tells."""
    return http_date(headers.get("Date", ""))


def http_date(text: str) -> datetime | None:
    """A date as HTTP writes it, in aware UTC; None if it is none."""
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)


def parse_json(body: bytes) -> Json:
    """A JSON text as values, None if it is none; what one parser refuses and the other reads is read."""
    try:
        parsed: Json = orjson.loads(body)
    except orjson.JSONDecodeError:  # lone surrogates and huge exponents come from real shops
        return _parse_leniently(body)
    return parsed


def _parse_leniently(body: bytes) -> Json:
    try:
        parsed: Json = json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return parsed


def _no_constant(name: str) -> Json:
    raise ValueError(name)
