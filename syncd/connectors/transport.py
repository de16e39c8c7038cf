"""All HTTP to one store: signed by the platform's dialect, bounded, retried, and refused in words.

In comes a Request, out comes an Answer with parsed JSON, or a leaf of the error tree. This is the only retry layer:
what leaves it as a RetryLater waits for the next run.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.cookiejar import DefaultCookiePolicy

import orjson
import requests
import structlog
import tenacity
import urllib3
from requests.structures import CaseInsensitiveDict

from syncd import __version__
from syncd.clock import Clock
from syncd.connectors.config import StoreConfig
from syncd.connectors.exchange import Answer, Dialect, Request, Signed, parse_json, server_time
from syncd.connectors.failures import failure_of, refusal_of, seen, unreachable_words
from syncd.connectors.wire import Guard, WatchedAdapter
from syncd.errors import CorruptAnswer, RateLimited, SyncdError, Timeout, Unavailable
from syncd.logs import scrub
from syncd.meter import SILENT, Meter
from syncd.model import Json

SIGNATURES = 3
BUDGET_S = 300.0  # one request may hold its stream up no longer, waits included
CONNECT_S = 10.0

_RETRIED = (RateLimited, Unavailable, Timeout, CorruptAnswer)
_BACKOFF = tenacity.wait_random_exponential(multiplier=2, min=1, max=60)


class Transport:
    """One store's way out: pooled, compressed, without redirects, proxies or cookies of the environment."""

    def __init__(
        self, config: StoreConfig, dialect: Dialect, *, store_id: str, clock: Clock, meter: Meter = SILENT
    ) -> None:
        # urllib3 writes whole query strings at DEBUG, signatures among them
        logging.getLogger("urllib3").setLevel(logging.INFO)
        self._config = config
        self._dialect = dialect
        self._store_id = store_id
        self._clock = clock
        self._meter = meter
        self._session = _session(config)
        self._guards: set[Guard] = set()
        self._is_closed = False
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
        refusal = self._refusal(answer)
        if isinstance(refusal, RateLimited):
            self._meter.throttled(self._store_id)
        if refusal:
            raise refusal
        return answer

    def close(self) -> None:
        """Break off what is under way, ask nothing any more, and give the connections back; safe to call twice."""
        self._is_closed = True
        for guard in tuple(self._guards):
            guard.expire()
        self._session.close()

    def _exchange(self, request: Request) -> Answer:
        asked_at, started_s = self._clock.now(), self._clock.monotonic()
        received = self._receive(request)
        self._meter.exchanged(self._store_id, received.seen or str(received.status))
        self._log.debug(
            "http_request",
            method=request.method,
            path=request.path,
            status=received.status,
            duration_ms=round((self._clock.monotonic() - started_s) * 1000),
        )
        if received.seen:
            raise failure_of(received.seen, request, received.detail).place(store=self._store_id)
        return Answer(
            request=request,
            status=received.status,
            headers=received.headers,
            json=received.json,
            server_time=server_time(received.headers),
            asked_at=asked_at,
        )

    def _receive(self, request: Request) -> _Received:
        signed = self._dialect.sign(request)
        http = self._config.http
        with self._guarded() as guard:
            try:
                with self._open(request, signed) as response:
                    body = _body(response, http.max_body_mb * 1_000_000)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                cause = seen(error, guard)
                return _Received(
                    seen=cause, detail=unreachable_words(error, signed.url) if cause == "unreachable" else ""
                )
        if guard.expired:  # a shut socket can look like the end of a body
            return _Received(seen="deadline")
        return _received(response, body)

    @contextmanager
    def _guarded(self) -> Iterator[Guard]:
        with Guard(self._config.http.deadline_s, allow_private=self._config.allow_private) as guard:
            self._guards.add(guard)
            if self._is_closed:
                guard.expire()
            try:
                yield guard
            finally:
                self._guards.discard(guard)

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

    def _refusal(self, answer: Answer) -> SyncdError | None:
        error = self._dialect.explain(answer)
        if error is None and 200 <= answer.status < 300:
            return None
        error = error or refusal_of(answer, self._clock.now())
        error.message = scrub(error.message)  # a shop's own words may repeat our keys, or somebody's mailbox
        error.request_id = answer.request_id
        return error.place(store=self._store_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Received:
    """What came back: `seen` names the row of `FAILURES` where it is not a whole answer, `detail` says more."""

    seen: str = ""
    detail: str = ""
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
