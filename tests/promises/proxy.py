"""A proxy between syncd and one shop that spoils some exchanges, by a seeded script; a store's `base_url` leads here.

Everything that can go wrong on the way: refusals, resets before and after the shop carried the request out, silence,
drips, cut, unreadable and foreign bodies, and pages with rows doubled, shuffled, missing or of another page. Which
exchange is spoilt and how depends on the seed alone, as long as requests come one after the other.
"""

from __future__ import annotations

import contextlib
import enum
import gzip
import http.client
import json
import random
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_HTML = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"
_PAGING = frozenset({"page", "offset", "per_page", "limit", "after", "min_id"})
_HOP = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive"})


class Spoil(enum.StrEnum):
    """What the proxy does to one exchange; the shop sees the request unless the name says otherwise.

    `emptied` leaves a page's counts as they are, `emptied_uncounted` takes them away, `emptied_counted` makes them 0.
    `repeated` is the page before, once more.
    """

    THROTTLED = "429 with Retry-After, before the shop"
    THROTTLED_UNTOLD = "429 without Retry-After, before the shop"
    ERROR_500 = "500 before the shop"
    ERROR_500_AFTER = "500 after the shop"
    ERROR_502 = "502 after the shop"
    ERROR_503 = "503 before the shop"
    ERROR_504 = "504 after the shop"
    RESET_BEFORE = "reset before the shop"
    RESET_AFTER = "reset after the shop"
    STALL_BEFORE = "silence before the shop"
    STALL_AFTER = "silence after the shop"
    DRIP_HEAD = "dripped headers"
    DRIP_BODY = "dripped body"
    CUT = "body shorter than its Content-Length"
    CUT_JSON = "invalid JSON"
    HTML = "HTML with 200"
    NULL = "null"
    NOTHING = "no body with 200"
    BAD_GZIP = "bad gzip"
    DOUBLED = "rows twice"
    SHUFFLED = "rows in another order"
    EMPTIED = "no rows, counts kept"
    EMPTIED_UNCOUNTED = "no rows, no counts"
    EMPTIED_COUNTED = "no rows, counts of 0"
    REPEATED = "the page before"


SLOW = frozenset({Spoil.STALL_BEFORE, Spoil.STALL_AFTER, Spoil.DRIP_HEAD, Spoil.DRIP_BODY})
EMPTY = frozenset({Spoil.EMPTIED, Spoil.EMPTIED_UNCOUNTED, Spoil.EMPTIED_COUNTED})
PAGES = EMPTY | {Spoil.DOUBLED, Spoil.SHUFFLED, Spoil.REPEATED}
_UNSEEN = frozenset(
    {Spoil.THROTTLED, Spoil.THROTTLED_UNTOLD, Spoil.ERROR_500, Spoil.ERROR_503, Spoil.RESET_BEFORE, Spoil.STALL_BEFORE}
)
_STATUS = {
    Spoil.THROTTLED: 429,
    Spoil.THROTTLED_UNTOLD: 429,
    Spoil.ERROR_500: 500,
    Spoil.ERROR_500_AFTER: 500,
    Spoil.ERROR_502: 502,
    Spoil.ERROR_503: 503,
    Spoil.ERROR_504: 504,
}


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request, and what the shop said to it; status 0 before it was asked."""

    method: str
    path: str
    request: bytes
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def route(self) -> str:
        """What is asked, whichever part of it: pages of one listing have one route."""
        return urlsplit(self.path).path + (self.request.decode()[:120] if "graphql" in self.path else "")

    @property
    def listing(self) -> str:
        """What is asked without which page of it: the page before of the same listing is one of these."""
        if "graphql" in self.path:
            asked = json.loads(self.request)
            return json.dumps([asked["query"], {**asked.get("variables", {}), "after": None, "first": 0}])
        path, _, query = self.path.partition("?")
        kept = [pair for pair in parse_qsl(query) if pair[0] not in _PAGING and "oauth" not in pair[0]]
        return path + json.dumps(kept)

    @property
    def is_first(self) -> bool:
        """Whether a listing begins here, so that no page is before."""
        if "graphql" in self.path:
            return not json.loads(self.request).get("variables", {}).get("after")
        asked = dict(parse_qsl(urlsplit(self.path).query))
        places = (asked.get("page", "1"), asked.get("min_id", "1"), asked.get("offset", "0"), asked.get("after", ""))
        return places == ("1", "1", "0", "")

    @property
    def is_write(self) -> bool:
        """Whether the shop is to change something."""
        return b"mutation" in self.request if "graphql" in self.path else self.method not in ("GET", "OPTIONS")


class Script:
    """Says which exchanges are spoilt, and how.

    Args:
        share: Of all exchanges.
        kinds: What may happen.
    """

    def __init__(self, seed: int, share: float, kinds: frozenset[Spoil] = frozenset(Spoil)) -> None:
        self.seed = seed
        self._random = random.Random(str(seed))
        self._share = share
        self._kinds = sorted(kinds)
        self._mutex = threading.Lock()

    def next(self, asked: Exchange) -> Spoil | None:
        """What happens to the next exchange."""
        with self._mutex:
            if self._random.random() >= self._share:
                return None
            kind = self._random.choice(self._kinds)
            # one in ten of those that cost a whole deadline
            is_too_slow = kind in SLOW and len(self._kinds) > len(SLOW) and self._random.random() > 0.1
            return Spoil.RESET_AFTER if is_too_slow else kind

    def shuffled(self, rows: list[Any]) -> list[Any]:
        """The rows in another order."""
        with self._mutex:
            return self._random.sample(rows, len(rows))


class Once(Script):
    """Spoils one exchange of a kind, and no other.

    Args:
        nth: Which of them, from 1.
        method: HTTP method of those that count.
        path: Regular expression searched in their path and query.
        text: Text in their bodies.
    """

    def __init__(self, kind: Spoil, nth: int, *, method: str = "GET", path: str = "", text: bytes = b"") -> None:
        super().__init__(nth, 1.0)
        self._kind, self._left = kind, nth
        self._method, self._path, self._text = method, path, text

    def next(self, asked: Exchange) -> Spoil | None:
        """What happens to the next exchange."""
        is_one = asked.method == self._method and re.search(self._path, asked.path) and self._text in asked.request
        self._left -= bool(is_one)
        return self._kind if is_one and self._left == 0 else None


class Proxy:
    """Serves one shop under another address; a context manager.

    Args:
        upstream: The shop's address.
        script: What goes wrong; None for nothing.

    Attributes:
        url: Its own address.
        script: May be changed at any time.
        done: How often each spoil came about.
    """

    def __init__(self, upstream: str, script: Script | None = None) -> None:
        self.script = script
        self.done: Counter[Spoil] = Counter()
        self.upstream = urlsplit(upstream)
        self.stopped = threading.Event()
        self._pages: dict[str, Exchange] = {}
        self._lied: set[str] = set()
        self._server = _Server(("127.0.0.1", 0), _Handler, self)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), name="proxy", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def choose(self, asked: Exchange) -> Spoil | None:
        """What happens to an exchange; a page is answered with nothing, or with another, once in its place."""
        kind = self.script.next(asked) if self.script else None
        if kind in PAGES and (asked.is_write or asked.route in self._lied):
            return None
        return kind

    def spoil_page(self, kind: Spoil, answered: Exchange) -> Exchange:
        """The answer as the spoil leaves it; whole if it is no page."""
        parsed = _parsed(answered)
        rows = _rows_of(parsed) if answered.status == 200 and not answered.is_write else None
        if not rows:
            return answered
        before = self._pages.get(answered.listing)
        if kind is Spoil.REPEATED and (before is None or answered.is_first):
            return answered
        self.done[kind] += 1
        if kind in EMPTY or kind is Spoil.REPEATED:
            self._lied.add(answered.route)
        if kind is Spoil.REPEATED:
            return before or answered
        rows[:] = {Spoil.DOUBLED: rows * 2, Spoil.SHUFFLED: self._shuffled(rows)}.get(kind, [])
        return replace(_with_counts(kind, answered, parsed), body=json.dumps(parsed).encode())

    def note(self, answered: Exchange) -> None:
        """Remember a true page, and that the route may be lied about again."""
        if answered.status == 200 and _rows_of(_parsed(answered)):
            self._pages[answered.listing] = answered
        self._lied.discard(answered.route)

    def _shuffled(self, rows: list[Any]) -> list[Any]:
        return self.script.shuffled(rows) if self.script else rows


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], proxy: Proxy) -> None:
        super().__init__(address, handler)
        self.proxy = proxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The other side has gone: that is what this is all about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, *args: object) -> None:
        """Nothing is logged."""

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_DELETE = do_OPTIONS = do_GET  # noqa: N815

    def _serve(self) -> None:
        asked = Exchange(method=self.command, path=self.path, request=self._request_body())
        proxy = self.server.proxy
        kind = proxy.choose(asked)
        answered = asked if kind in _UNSEEN else self._ask(asked)
        if kind is None or kind in PAGES:
            spoilt = answered if kind is None else proxy.spoil_page(kind, answered)
            if spoilt is answered:
                proxy.note(answered)
            self._whole(spoilt)
        else:
            proxy.done[kind] += 1
            self._spoilt(kind, answered)

    def _request_body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _ask(self, asked: Exchange) -> Exchange:
        upstream = self.server.proxy.upstream
        connection = http.client.HTTPConnection(upstream.hostname or "", upstream.port, timeout=30)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "accept-encoding"}
        with contextlib.closing(connection):
            connection.request(asked.method, asked.path, asked.request or None, headers)
            answer = connection.getresponse()
            body = answer.read()
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP}
        return replace(asked, status=answer.status, headers=kept, body=body)

    def _spoilt(self, kind: Spoil, answered: Exchange) -> None:
        match kind:
            case Spoil.RESET_BEFORE | Spoil.RESET_AFTER:
                self._reset()
            case Spoil.STALL_BEFORE | Spoil.STALL_AFTER:
                self._silence()
            case Spoil.DRIP_HEAD:
                self._drip(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Slow: ")
            case Spoil.DRIP_BODY:
                self._drip(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 90000\r\n\r\n[")
            case Spoil.CUT:
                body = answered.body or b"{}"
                self._whole(replace(answered, status=answered.status or 200, body=body[: len(body) // 2]), len(body))
                self.close_connection = True
            case _:
                self._whole(_foreign(kind, answered))

    def _whole(self, answer: Exchange, length: int | None = None) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body) if length is None else length))
        self.end_headers()
        self.wfile.write(answer.body)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def _silence(self) -> None:
        """Nothing, until the other side gives up."""
        self.connection.settimeout(0.05)
        while not self.server.proxy.stopped.is_set():
            with contextlib.suppress(TimeoutError):
                if not self.connection.recv(1):
                    break
        self.close_connection = True

    def _drip(self, head: bytes) -> None:
        self.wfile.write(head)
        while not self.server.proxy.stopped.wait(0.05):
            self.wfile.write(b"1")  # raises once the other side has gone


def _foreign(kind: Spoil, answered: Exchange) -> Exchange:
    """An answer that is not the shop's."""
    json_type = {"Content-Type": "application/json"}
    match kind:
        case Spoil.HTML:
            return replace(answered, status=200, headers={"Content-Type": "text/html"}, body=_HTML)
        case Spoil.NULL:
            return replace(answered, status=200, headers=json_type, body=b"null")
        case Spoil.NOTHING:
            return replace(answered, status=200, headers=json_type, body=b"")
        case Spoil.CUT_JSON:
            body = answered.body[: len(answered.body) // 2] or b"[{"
            return replace(answered, status=200, headers=answered.headers, body=body)
        case Spoil.BAD_GZIP:
            packed = gzip.compress(answered.body or b"[]")
            body = packed[:12] + bytes(len(packed) - 12)
            return replace(answered, status=200, headers={**json_type, "Content-Encoding": "gzip"}, body=body)
    waiting = {"Retry-After": "7"} if kind is Spoil.THROTTLED else {}
    return replace(answered, status=_STATUS[kind], headers={**json_type, **waiting}, body=b"{}")


# -- pages ------------------------------------------------------------------------------------------------------------


def _parsed(answered: Exchange) -> Any:
    try:
        return json.loads(answered.body)
    except ValueError:
        return None


def _rows_of(value: Any) -> list[Any] | None:
    """The rows that an answer is a page of, as each platform shapes it; None if it is no page."""
    if isinstance(value, list):
        return value if all(isinstance(row, dict) for row in value) else None
    data = value.get("data") if isinstance(value, dict) else None
    if isinstance(data, list):
        return data
    return next(_nodes(data), None) if isinstance(data, dict) else None


def _nodes(value: dict[str, Any]) -> Iterator[list[Any]]:
    """The rows of the outermost connection."""
    if isinstance(value.get("nodes"), list):
        yield value["nodes"]
    for inner in value.values():
        if isinstance(inner, dict):
            yield from _nodes(inner)


def _with_counts(kind: Spoil, answered: Exchange, parsed: Any) -> Exchange:
    """The page without its counts, or with counts of 0."""
    if kind not in (Spoil.EMPTIED_UNCOUNTED, Spoil.EMPTIED_COUNTED):
        return answered
    is_counted = kind is Spoil.EMPTIED_COUNTED
    headers = {name: value for name, value in answered.headers.items() if not name.lower().startswith("x-wp-total")}
    if is_counted and isinstance(parsed, list):
        headers |= {"X-WP-Total": "0", "X-WP-TotalPages": "0"}
    if isinstance(parsed, dict):
        _recount(parsed, is_counted=is_counted)
    return replace(answered, headers=headers)


_ZERO: Mapping[str, Callable[[Any], Any]] = {
    "pagination": lambda _: {"total": 0, "count": 0, "per_page": 50, "current_page": 1, "total_pages": 0, "links": {}},
    "cursor_pagination": lambda _: {"count": 0, "per_page": 50, "start_cursor": "", "end_cursor": "", "links": {}},
    "pageInfo": lambda _: {"hasNextPage": False, "endCursor": None},
}


def _recount(value: dict[str, Any], *, is_counted: bool) -> None:
    """Make every count in an answer agree with there being no rows, or take it away."""
    for name in list(value):
        if name == "pageInfo" or (name in _ZERO and is_counted):
            value[name] = _ZERO[name](value[name])
        elif name in _ZERO:
            del value[name]
        elif name.endswith("Count") and isinstance(value[name], dict):
            value[name] = {"count": 0, "precision": "EXACT"} if is_counted else None
        elif isinstance(value[name], dict) and name != "extensions":
            _recount(value[name], is_counted=is_counted)
