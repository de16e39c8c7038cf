"""The transport against a server that misbehaves: what is retried, how long, and what the errors say."""

from __future__ import annotations

import gzip
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from syncd.connectors.config import HttpConfig, StoreConfig
from syncd.connectors.exchange import TRIES, Answer, Request, Signed, fingerprint, parse_json
from syncd.connectors.failures import FAILURES
from syncd.connectors.transport import BUDGET_S, Transport
from syncd.errors import (
    AmbiguousWrite,
    AuthFailed,
    PolicyRefused,
    RateLimited,
    Redirected,
    RequestRefused,
    RetryLater,
    ScopeMissing,
    StopStore,
    SyncdError,
    Timeout,
    Unavailable,
    WriteRejected,
)
from tests.clock import ManualClock
from tests.tally import Tally
from tests.unit.connectors.server import Script, Server, answer, drip, raw, reset, serving

SECRET = "ck_0123456789"
READ = Request(path="things", params={"signature": SECRET})
WRITE = Request(path="things", method="POST", body={"name": "Ann"})
GOOD = answer(200, b'{"ok": true}', date="Sun, 01 Mar 2026 12:00:00 GMT")


class _Plain:
    """A dialect that signs with a header and explains nothing; `learns` says whether a 401 is worth a second try."""

    def __init__(self, url: str, *, learns: bool = False) -> None:
        self._url = url
        self._learns = learns
        self.signed = 0

    def sign(self, request: Request) -> Signed:
        self.signed += 1
        query = "&".join(f"{name}={value}" for name, value in request.params.items())
        return Signed(url=f"{self._url}/{request.path}?{query}", headers={"X-Try": str(self.signed)})

    def learn(self, answer: Answer) -> bool:
        return self._learns

    def explain(self, answer: Answer) -> SyncdError | None:
        return None


class _StoppingClock(ManualClock):
    """A clock on which every wait is cut short because the process is to end."""

    def sleep(self, seconds: float) -> bool:
        super().sleep(0)
        return True


def _transport(server: Server, clock: ManualClock, **http: Any) -> Transport:
    config = StoreConfig(platform="plain", http=HttpConfig(**http))
    return Transport(config, _Plain(server.url), store_id="shop", clock=clock)


def test_every_try_is_counted_by_what_came_back() -> None:
    """The meter is told of each request that left, by status or by the table's word, and of each wish to wait."""
    tally = Tally()

    with serving(answer(500), reset, answer(429), GOOD) as server:
        dialect = _Plain(server.url)
        Transport(StoreConfig(platform="plain"), dialect, store_id="shop", clock=ManualClock(), meter=tally).send(READ)

    assert tally.codes == {("shop", code): 1 for code in ("500", "cut", "429", "200")}
    assert tally.waits == {"shop": 1}


def test_a_good_answer_is_read_whole() -> None:
    """Status, parsed body, the server's time and ours come back as values."""
    clock = ManualClock()

    with serving(GOOD) as server:
        got = _transport(server, clock).send(READ)

    assert (got.status, got.json, got.request) == (200, {"ok": True}, READ)
    assert got.server_time == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert got.asked_at == clock.now()


def test_headers_name_us_and_ask_for_compressed_json() -> None:
    """Every request says who asks, wants gzip and JSON, and carries the store's own headers."""
    with serving(GOOD) as server:
        _transport(server, ManualClock(), headers={"X-Pass": "let-me-in"}).send(READ)

    head = server.heads[0]
    assert "User-Agent: syncd/" in head
    assert "Accept: application/json" in head
    assert "gzip" in head
    assert "X-Pass: let-me-in" in head


def test_cookies_are_not_kept() -> None:
    """A cookie that a server sets is not sent back: a session would make answers personal."""
    with serving(answer(200, b"{}", set_cookie="a=b; Path=/"), GOOD) as server:
        transport = _transport(server, ManualClock())
        transport.send(READ)
        transport.send(READ)

    assert "Cookie" not in server.heads[1]


@pytest.mark.parametrize(
    "script",
    [
        answer(500),
        answer(502),
        answer(503),
        answer(520),
        answer(504),
        answer(524),
        answer(429),
        answer(200, b"<html>", kind="text/html"),
        answer(200, b""),
        answer(200, b"null"),
        answer(200, b'{"a": '),
        answer(200, b"<br />Warning: x[]"),
        answer(200, b"no gzip", content_encoding="gzip"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\nConnection: close\r\n\r\n{}"),
        reset,
    ],
)
def test_a_read_is_tried_again_and_heals(script: Script) -> None:
    """What may pass is tried again after a wait."""
    clock = ManualClock()

    with serving(script, script, GOOD) as server:
        got = _transport(server, clock).send(READ)

    assert got.json == {"ok": True}
    assert len(clock.slept) == 2
    assert all(1 <= wait <= 60 for wait in clock.slept)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(500, Unavailable), (504, Timeout), (429, RateLimited), (503, Unavailable)],
)
def test_tries_are_bounded(status: int, kind: type[RetryLater]) -> None:
    """A shop that stays sick is asked a fixed number of times, within a fixed span."""
    clock = ManualClock()

    with serving(answer(status)) as server, pytest.raises(kind):
        _transport(server, clock).send(READ)

    assert 2 <= len(server.heads) <= TRIES
    assert clock.monotonic() <= BUDGET_S


def test_tries_of_a_request_can_be_fewer() -> None:
    """A request that is only a probe says so."""
    with serving(answer(500)) as server, pytest.raises(Unavailable):
        _transport(server, ManualClock()).send(Request(path="things", tries=2))

    assert len(server.heads) == 2


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("request_", [READ, WRITE], ids=["read", "write"])
def test_retry_after_beats_our_own_wait(status: int, request_: Request) -> None:
    """The shop's own word on how long to wait is kept, for reads and writes: nothing was done."""
    clock = ManualClock()

    with serving(answer(status, retry_after="37"), GOOD) as server:
        _transport(server, clock).send(request_)

    assert len(clock.slept) == 1
    assert 37 <= clock.slept[0] <= 38


def test_retry_after_as_a_date_counts_from_the_servers_clock() -> None:
    """A date in Retry-After is measured against the server's own Date, not our clock."""
    clock = ManualClock()
    told = answer(429, date="Sun, 01 Mar 2026 18:00:00 GMT", retry_after="Sun, 01 Mar 2026 18:00:20 GMT")

    with serving(told, GOOD) as server:
        _transport(server, clock).send(READ)

    assert 20 <= clock.slept[0] <= 21


def test_a_wait_beyond_the_budget_is_not_begun() -> None:
    """A maintenance of ten minutes ends the run at once and hands the wait on."""
    clock = ManualClock()

    with serving(answer(503, retry_after="600")) as server, pytest.raises(RateLimited) as caught:
        _transport(server, clock).send(READ)

    assert caught.value.retry_after_s == 600
    assert clock.slept == []


def test_a_stop_ends_the_wait() -> None:
    """A process that is to end does not try once more."""
    with serving(answer(500)) as server, pytest.raises(Unavailable):
        _transport(server, _StoppingClock()).send(READ)

    assert len(server.heads) == 1


@pytest.mark.parametrize(
    ("status", "read", "write"),
    [
        (400, RequestRefused, WriteRejected),
        (401, AuthFailed, AuthFailed),
        (402, PolicyRefused, PolicyRefused),
        (403, ScopeMissing, ScopeMissing),
        (404, PolicyRefused, PolicyRefused),
        (409, RequestRefused, WriteRejected),
        (413, RequestRefused, WriteRejected),
        (418, RequestRefused, RequestRefused),
        (422, RequestRefused, WriteRejected),
        (423, PolicyRefused, PolicyRefused),
        (301, Redirected, Redirected),
    ],
)
def test_refusals_are_not_retried(status: int, read: type[SyncdError], write: type[SyncdError]) -> None:
    """A refusal ends the request at once, in the class that says what the caller does; so does the unknown."""
    with serving(answer(status)) as server:
        transport = _transport(server, ManualClock())
        with pytest.raises(read):
            transport.send(READ)
        with pytest.raises(write):
            transport.send(WRITE)

    assert len(server.heads) == 2


@pytest.mark.parametrize(
    "script",
    [
        answer(500),
        answer(502),
        answer(504),
        answer(200, b"<html>", kind="text/html"),
        answer(200, b'{"cut'),
        raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\nConnection: close\r\n\r\n{}"),
        reset,
    ],
)
def test_a_write_whose_answer_is_lost_is_not_repeated(script: Script) -> None:
    """After a byte was sent, only a read-back can tell: the write goes out once."""
    with serving(script) as server, pytest.raises(AmbiguousWrite):
        _transport(server, ManualClock()).send(WRITE)

    assert len(server.heads) == 1


@pytest.mark.parametrize("request_", [READ, WRITE], ids=["read", "write"])
def test_a_refused_connection_is_retried_even_for_a_write(request_: Request) -> None:
    """Nothing was sent, so nothing can have happened twice."""
    clock = ManualClock()
    with serving(GOOD) as server:
        pass

    with pytest.raises(Unavailable) as caught:
        _transport(server, clock).send(request_)

    assert len(clock.slept) >= 2
    assert "no connection" in str(caught.value)


@pytest.mark.parametrize(
    "start",
    [b"", b"HTTP/1.1 200 OK\r\nX-Drip: ", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n["],
    ids=["status line", "headers", "body"],
)
@pytest.mark.parametrize(("request_", "kind"), [(READ, Timeout), (WRITE, AmbiguousWrite)], ids=["read", "write"])
def test_dripping_answers_end_at_the_deadline(start: bytes, request_: Request, kind: type[SyncdError]) -> None:
    """A server that sends a byte now and then cannot hold a request beyond its deadline."""
    began = time.monotonic()

    with serving(drip(start)) as server, pytest.raises(kind):
        _transport(server, ManualClock(), deadline_s=0.3).ask(request_)

    assert time.monotonic() - began < 1.3


def test_a_body_beyond_the_limit_is_refused() -> None:
    """Neither a huge body nor a small one that unpacks to a huge one is taken in."""
    bomb = gzip.compress(b"[" + b" " * 3_000_000 + b"]")

    with serving(answer(200, bomb, content_encoding="gzip")) as server, pytest.raises(RequestRefused) as caught:
        _transport(server, ManualClock(), max_body_mb=1).send(READ)

    assert "http.max_body_mb" in str(caught.value)


def test_redirects_name_their_target_without_its_query() -> None:
    """A redirect is never followed; the error says where it led, less what may be secret."""
    away = answer(302, location=f"https://other.example/path?key={SECRET}")

    with serving(away) as server, pytest.raises(Redirected) as caught:
        _transport(server, ManualClock()).send(READ)

    assert "https://other.example/path" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("script", [answer(500), answer(401), answer(400, b'{"a":1}'), reset, drip(b""), answer(200)])
def test_errors_carry_no_query_and_no_cause(script: Script) -> None:
    """What is shown or logged of an error holds neither the query nor a vendor exception that holds it."""
    with serving(script) as server, pytest.raises(SyncdError) as caught:
        _transport(server, ManualClock(), deadline_s=0.3).ask(READ)

    error = caught.value
    assert SECRET not in f"{error} {error!r} {vars(error)}"
    assert error.__cause__ is None
    assert error.__context__ is None
    assert error.store == "shop"


def test_errors_carry_the_platforms_request_id() -> None:
    """The platform's own id of the failed request is kept for its support desk."""
    with serving(answer(403, cf_ray="8a1b2c")) as server, pytest.raises(ScopeMissing) as caught:
        _transport(server, ManualClock()).send(READ)

    assert caught.value.request_id == "8a1b2c"


@pytest.mark.parametrize(("learns", "count"), [(True, 3), (False, 1)])
def test_a_401_is_signed_again_while_something_is_learnt(learns: bool, count: int) -> None:
    """A 401 that teaches the dialect something is worth another try, a bounded number of times."""
    with serving(answer(401)) as server:
        dialect = _Plain(server.url, learns=learns)
        transport = Transport(StoreConfig(platform="plain"), dialect, store_id="shop", clock=ManualClock())
        with pytest.raises(AuthFailed):
            transport.send(READ)

    assert dialect.signed == count


def test_each_try_is_signed_anew() -> None:
    """A signature is good for one try."""
    with serving(answer(500), GOOD) as server:
        _transport(server, ManualClock()).send(READ)

    assert ["X-Try: 1" in server.heads[0], "X-Try: 2" in server.heads[1]] == [True, True]


@pytest.mark.parametrize(("script", "paths"), [(answer(504), "hlll"), (answer(500), "hhll")])
def test_a_failing_server_is_asked_for_less(script: Script, paths: str) -> None:
    """After a timeout at once, after two failures of another kind, the lighter request goes out; its answer says so."""
    light = Request(path="light")
    heavy = Request(path="heavy", lighter=light)

    with serving(script, script, script, GOOD) as server:
        got = _transport(server, ManualClock()).send(heavy)

    assert "".join(head.split("/")[1][0] for head in server.heads) == paths
    assert got.request.path == "light"


def test_private_addresses_are_refused_before_anything_is_sent() -> None:
    """A name that leads to a private address gets no credentials; the guard looks at the socket itself."""
    from syncd.connectors.wire import Guard

    class Opened:
        closed = False

        def getpeername(self) -> tuple[str, int]:
            return "10.0.0.7", 443

        def close(self) -> None:
            self.closed = True

    opened = Opened()

    with Guard(1, allow_private=False) as guard, pytest.raises(PolicyRefused):
        guard.admit(opened)  # type: ignore[arg-type]
    with Guard(1, allow_private=True) as guard:
        guard.admit(opened)  # type: ignore[arg-type]

    assert opened.closed


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'{"a": "\ud800"}', {"a": "\ud800"}),
        (b"\xef\xbb\xbf[1]", [1]),
        (b"[1e400]", [float("inf")]),
        (b"[NaN]", None),
        (b"[" * 5000, None),
        (b"\xff", None),
    ],
    ids=["surrogate", "bom", "exponent", "nan", "deep", "binary"],
)
def test_what_one_parser_refuses_the_other_may_read(body: bytes, value: object) -> None:
    """Odd but readable JSON is read, the rest is none; neither ends in a crash."""
    assert parse_json(body) == value


def test_every_failure_is_a_leaf_with_words() -> None:
    """Each row of the table names leaves of the error tree and says what happened."""
    for failure in FAILURES.values():
        assert failure.words
        assert not failure.read.__subclasses__()
        assert not failure.write.__subclasses__()
        assert issubclass(failure.read, (RetryLater, StopStore))


def test_fingerprints_tell_secrets_apart_without_showing_them() -> None:
    """A secret is shown as the first 8 hex digits of its SHA-256."""
    assert fingerprint("secret") == "2bb80d53"
