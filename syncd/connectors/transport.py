"""All HTTP to one store: signed by the platform's dialect, bounded, retried, and refused in words.

In comes a Request, out comes an Answer with parsed JSON, or a leaf of the error tree. Which failure means what is
one table, `FAILURES`; what is not in it is never retried. No error carries a query, a key or a body.
"""

from __future__ import annotations

import hashlib
import json
import logging
import random
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Protocol
from urllib.parse import urlsplit

import orjson
import requests
import structlog
import tenacity
import urllib3
from requests.structures import CaseInsensitiveDict

from syncd import __version__
from syncd.clock import Clock
from syncd.connectors.config import StoreConfig
from syncd.connectors.wire import Guard, WatchedAdapter
from syncd.errors import (
    AmbiguousWrite,
    AuthFailed,
    CorruptAnswer,
    PolicyRefused,
    RateLimited,
    Redirected,
    RequestRefused,
    ScopeMissing,
    SyncdError,
    Timeout,
    TlsFailed,
    Unavailable,
    WriteRejected,
)
from syncd.model import Json

TRIES = 8
SIGNATURES = 3
BUDGET_S = 300.0  # one request may hold its stream up no longer, waits included
CONNECT_S = 10.0

_RETRIED = (RateLimited, Unavailable, Timeout, CorruptAnswer)
_BACKOFF = tenacity.wait_random_exponential(multiplier=2, min=1, max=60)
_REQUEST_IDS = ("x-request-id", "cf-ray", "x-amz-cf-id", "x-correlation-id")


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One thing to ask of a store.

    Args:
        path: Behind the platform's API root, without a leading slash.
        params: Query values, plain texts.
        body: What is sent as JSON; None sends no body.
        is_public: Ask without credentials.
        lighter: What to ask instead when the server does not manage this; its Answer names it.
        tries: How often to try at most.
    """

    path: str
    method: str = "GET"
    params: Mapping[str, str] = field(default_factory=dict)
    body: Json = None
    is_public: bool = False
    lighter: Request | None = None
    tries: int = TRIES

    @property
    def is_write(self) -> bool:
        """Whether repeating the request could do something twice."""
        return self.method not in ("GET", "HEAD", "OPTIONS")


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
        """A refusal in the platform's own terms; None leaves it to the table."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """What a failure means for a read and for a write, in words with a remedy."""

    read: type[SyncdError]
    write: type[SyncdError]
    words: str
    hint: str | None = None


_SICK = Failure(read=Unavailable, write=AmbiguousWrite, words="the shop's server failed")
_SLOW = Failure(read=Timeout, write=AmbiguousWrite, words="the shop's server took too long")
_THROTTLED = Failure(read=RateLimited, write=RateLimited, words="the shop asks us to wait")
_CLOSED = Failure(read=PolicyRefused, write=PolicyRefused, words="the shop is closed to us")
_MISTAKEN = Failure(read=RequestRefused, write=WriteRejected, words="the shop calls the request wrong")
_ELSEWHERE = Failure(
    read=Redirected, write=Redirected, words="the shop sends us elsewhere", hint="Correct the store's url"
)
_UNKNOWN = Failure(read=RequestRefused, write=RequestRefused, words="the shop gave an answer we do not know")

FAILURES: Mapping[int | str, Failure] = {
    "unreachable": Failure(
        read=Unavailable,
        write=Unavailable,
        words="no connection to the shop",
        hint="Check the store's url and whether the shop is up",
    ),
    "deadline": Failure(read=Timeout, write=AmbiguousWrite, words="no complete answer within the deadline"),
    "cut": Failure(read=Unavailable, write=AmbiguousWrite, words="the connection broke before the answer was whole"),
    "unreadable": Failure(read=CorruptAnswer, write=AmbiguousWrite, words="the answer is not what the platform sends"),
    "oversized": Failure(
        read=RequestRefused,
        write=AmbiguousWrite,
        words="the answer is larger than allowed",
        hint="Raise `http.max_body_mb` if the shop is to be trusted",
    ),
    "certificate": Failure(
        read=TlsFailed,
        write=TlsFailed,
        words="the server's certificate cannot be verified",
        hint="Name its authority in `http.ca_file`",
    ),
    **dict.fromkeys((301, 302, 303, 304, 307, 308), _ELSEWHERE),
    **dict.fromkeys((400, 409, 410, 413, 422), _MISTAKEN),
    401: Failure(read=AuthFailed, write=AuthFailed, words="the shop does not accept the key"),
    **dict.fromkeys((402, 423, 430, 451), _CLOSED),
    403: Failure(read=ScopeMissing, write=ScopeMissing, words="the key may not do this"),
    404: Failure(read=PolicyRefused, write=PolicyRefused, words="the shop has nothing at this address"),
    **dict.fromkeys((408, 504, 524), _SLOW),
    429: _THROTTLED,
    **dict.fromkeys((500, 502, 503, 520, 521, 522, 523, 525, 527, 530), _SICK),
}


def fingerprint(secret: str) -> str:
    """A secret as it may be shown: the first 8 hex digits of its SHA-256."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


class Transport:
    """One store's way out: pooled, compressed, without redirects, proxies or cookies of the environment."""

    def __init__(self, config: StoreConfig, dialect: Dialect, *, store_id: str, clock: Clock) -> None:
        # urllib3 writes whole query strings at DEBUG, signatures among them
        logging.getLogger("urllib3").setLevel(logging.INFO)
        self._config = config
        self._dialect = dialect
        self._store_id = store_id
        self._clock = clock
        self._session = _session(config)
        self._log = structlog.get_logger().bind(store=store_id)

    def send(self, request: Request) -> Answer:
        """Ask until there is an answer or the policy says to stop.

        Raises:
            RateLimited, Unavailable, Timeout, CorruptAnswer: Every try failed, or the wait would be too long.
            AmbiguousWrite: A write left and its answer did not come back whole.
            StopStore, WriteRejected: The answer is a refusal.
        """
        call = _Call(self._clock, self.ask, request)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_RETRIED),
            wait=_wait_s,
            stop=call.is_spent,
            before_sleep=call.rest,
            sleep=_rested,
            reraise=True,
        )
        return retrying(call.attempt)

    def ask(self, request: Request) -> Answer:
        """Ask once, and again where a 401 taught the dialect to sign better.

        Raises:
            SyncdError: Whatever the dialect or `FAILURES` says of what came back.
        """
        answer = self._exchange(request)
        for _ in range(SIGNATURES - 1):
            if answer.status == 401 and self._dialect.learn(answer):
                answer = self._exchange(request)
        if not 200 <= answer.status < 300:
            raise self._refusal(answer)
        return answer

    def close(self) -> None:
        """Give the pooled connections back; safe to call twice."""
        self._session.close()

    def _exchange(self, request: Request) -> Answer:
        asked_at, started_s = self._clock.now(), self._clock.monotonic()
        received = self._receive(request)
        self._log.debug(
            "http_request",
            method=request.method,
            path=request.path,
            status=received.status,
            duration_ms=round((self._clock.monotonic() - started_s) * 1000),
        )
        if received.seen:
            raise _failure(received.seen, request, "").place(store=self._store_id)
        return Answer(
            request=request,
            status=received.status,
            headers=received.headers,
            json=received.json,
            server_time=_server_time(received.headers),
            asked_at=asked_at,
        )

    def _receive(self, request: Request) -> _Received:
        signed = self._dialect.sign(request)
        http = self._config.http
        with Guard(http.deadline_s, allow_private=self._config.allow_private) as guard:
            try:
                with self._open(request, signed) as response:
                    body = _body(response, http.max_body_mb * 1_000_000)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                return _Received(seen=_seen(error, guard))
        if guard.expired:  # a shut socket can look like the end of a body
            return _Received(seen="deadline")
        return _received(response, body)

    def _open(self, request: Request, signed: Signed) -> requests.Response:
        deadline_s = self._config.http.deadline_s
        return self._session.request(
            request.method,
            signed.url,
            data=None if request.body is None else orjson.dumps(request.body),
            headers={**signed.headers, **({} if request.body is None else {"Content-Type": "application/json"})},
            timeout=(min(CONNECT_S, deadline_s), deadline_s),
            allow_redirects=False,
            stream=True,
        )

    def _refusal(self, answer: Answer) -> SyncdError:
        error = self._dialect.explain(answer) or _table_error(answer, self._clock)
        error.request_id = answer.request_id
        return error.place(store=self._store_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Received:
    """What came back: `seen` names the row of `FAILURES` where it is not a whole answer."""

    seen: str = ""
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Json = None


class _Call:
    """One request on its way through its tries; the request may get lighter between them."""

    def __init__(self, clock: Clock, ask: Callable[[Request], Answer], request: Request) -> None:
        self._clock = clock
        self._ask = ask
        self._request = request
        self._started_s = clock.monotonic()
        self._failures = 0

    def attempt(self) -> Answer:
        return self._ask(self._request)

    def is_spent(self, state: tenacity.RetryCallState) -> bool:
        waited_s = self._clock.monotonic() - self._started_s + state.upcoming_sleep
        return state.attempt_number >= self._request.tries or waited_s > BUDGET_S

    def rest(self, state: tenacity.RetryCallState) -> None:
        error = _error_of(state)
        if self._clock.sleep(state.upcoming_sleep):
            raise error
        self._lighten(error)

    def _lighten(self, error: BaseException) -> None:
        """A slow server is asked for less at once, a failing one after it failed twice on the same."""
        self._failures += 1
        failed_twice = isinstance(error, Unavailable) and self._failures > 1
        if self._request.lighter and (isinstance(error, Timeout) or failed_twice):
            self._request = replace(self._request.lighter, tries=self._request.tries)
            self._failures = 0


def _session(config: StoreConfig) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers = CaseInsensitiveDict(
        {
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "Connection": "keep-alive",
            **config.http.headers,
            "User-Agent": f"syncd/{__version__}",
        }
    )
    session.verify = str(config.http.ca_file) if config.http.ca_file else True
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = WatchedAdapter(pool_connections=1, pool_maxsize=config.http.concurrency + 1)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _body(response: requests.Response, limit: int) -> bytes | None:
    """The whole body, decompressed; None if it is larger than the limit."""
    body = bytearray()
    for part in response.iter_content(65536):
        body += part
        if len(body) > limit:
            return None
    return bytes(body)


def _received(response: requests.Response, body: bytes | None) -> _Received:
    if body is None:
        return _Received(seen="oversized", status=response.status_code)
    is_json = "json" in response.headers.get("Content-Type", "json")
    parsed = parse_json(body) if is_json and body else None
    if parsed is None and response.status_code in (200, 201):
        return _Received(seen="unreadable", status=response.status_code)
    return _Received(status=response.status_code, headers=response.headers, json=parsed)


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


def _seen(error: Exception, guard: Guard) -> str:
    if _has_cause(error, ssl.SSLCertVerificationError):
        return "certificate"
    if not guard.was_sent:
        return "unreachable"
    if guard.expired or isinstance(error, requests.Timeout):
        return "deadline"
    if isinstance(error, (requests.exceptions.ContentDecodingError, requests.exceptions.ChunkedEncodingError)):
        return "unreadable"
    return "cut"


def _has_cause(error: object, kind: type[BaseException]) -> bool:
    """Whether an error is, or was wrapped around, another: vendors keep it in `args` or `reason`."""
    while isinstance(error, BaseException) and not isinstance(error, kind):
        error = getattr(error, "reason", None) or next(iter(error.args), None)
    return isinstance(error, kind)


def _failure(seen: int | str, request: Request, detail: str) -> SyncdError:
    row = FAILURES.get(seen, _UNKNOWN)
    kind = row.write if request.is_write else row.read
    return kind(f"{row.words} ({request.method} {request.path}{detail})", hint=row.hint)


def _table_error(answer: Answer, clock: Clock) -> SyncdError:
    wait_s = _retry_after_s(answer, clock)
    seen = 429 if answer.status == 503 and wait_s else answer.status
    error = _failure(seen, answer.request, f" answered {answer.status}{_target(answer)}")
    if isinstance(error, RateLimited):
        error.retry_after_s = wait_s
    return error


def _target(answer: Answer) -> str:
    """Where a redirect leads, without its query: it may repeat our keys."""
    target = urlsplit(answer.headers.get("Location", ""))
    return f" to {target.scheme}://{target.hostname}{target.path}" if target.hostname else ""


def _retry_after_s(answer: Answer, clock: Clock) -> float:
    text = answer.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    at = _http_date(text)
    return max(0.0, (at - (answer.server_time or clock.now())).total_seconds()) if at else 0.0


def _server_time(headers: Mapping[str, str]) -> datetime | None:
    return _http_date(headers.get("Date", ""))


def _http_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)


def _wait_s(state: tenacity.RetryCallState) -> float:
    error = _error_of(state)
    if isinstance(error, RateLimited) and error.retry_after_s:
        return error.retry_after_s + random.uniform(0, 1)
    return _BACKOFF(state)


def _error_of(state: tenacity.RetryCallState) -> BaseException:
    error = state.outcome.exception() if state.outcome else None
    return error or RuntimeError("a retry without a failure")


def _rested(_seconds: float) -> None:
    """The wait was done before this: on the clock that was passed in."""
