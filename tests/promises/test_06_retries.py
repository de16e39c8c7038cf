"""Promise 6: what fails is tried again as its row of the error table says: bounded, spaced, never a storm.

Every row, over HTTP: what is seen, the class that is raised, what rests because of it, how often was asked and with
which waits. The other streams go on; once the shop is well the next sync is whole, without a hand.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from syncd.app import App, Selection
from syncd.errors import (
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
)
from syncd.model import Stream
from syncd.sandbox import Fault, FaultKind, Sandbox, SandboxOptions
from syncd.sandbox.server import SITES
from syncd.settings import load
from tests.promises.faulty import SharedClock
from tests.promises.shops import Beginning, Watch, config, sandbox_of, tags_on

TLS = Path(__file__).parents[1] / "unit" / "connectors" / "tls"
TRIES = 8
BUDGET_S = 300
DEADLINE = "http: {deadline_s: 0.3}"
JSON = {"Content-Type": "application/json"}
ORDERS = r"/orders\?.*processing"  # the stream of orders alone: carts are asked for in other statuses
ANSWER, STREAM, STORE = FaultKind.ANSWER, "its stream", "the store"
LISTS = r"/wc/v3/(orders|customers)\?"
BATCH = r"/customers/batch"
SLACK_S = 2.0  # of the machine, and jitter
DAY_S = 90_000  # after which what was refused is sent again
REFUSAL = '{"code": "no", "message": "No.", "data": {}}'


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the table, for a read.

    Args:
        least_s: The shortest wait between two tries.
        most_s: The longest.
        rests: What pauses.
    """

    fault: Fault
    error: type[SyncdError]
    tries: int = TRIES
    least_s: float = 1.0
    most_s: float = 60.0
    rests: str = ""  # the whole store where every list is refused alike
    says: str = ""


def _answer(status: int, body: str = "{}", **headers: str) -> Fault:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(kind=ANSWER, status=status, headers={**JSON, **named}, body=body)


def _sick(status: int) -> Row:
    return Row(fault=_answer(status), error=Timeout if status in (504, 524) else Unavailable)


def _stops(status: int, error: type[SyncdError], rests: str, says: str = "", **headers: str) -> Row:
    return Row(fault=_answer(status, REFUSAL, **headers), error=error, tries=1, rests=rests, says=says)


def _foreign(body: str, tries: int = TRIES, **headers: str) -> Row:
    return Row(fault=_answer(200, body, **headers), error=CorruptAnswer, tries=tries)


READS = {
    "reset after sending": Row(fault=Fault(kind=FaultKind.RESET), error=Unavailable),
    "timeout after sending": Row(fault=Fault(kind=FaultKind.STALL), error=Timeout),
    "headers that drip": Row(fault=Fault(kind=FaultKind.DRIP, seconds=0.05), error=Timeout),
    "end of file before the body's": Row(fault=Fault(kind=FaultKind.CUT), error=CorruptAnswer),
    "429 with Retry-After": Row(fault=_answer(429, Retry_After="20"), error=RateLimited, least_s=20, most_s=21),
    "429 without": Row(fault=_answer(429), error=RateLimited),
    "503 with Retry-After": Row(fault=_answer(503, Retry_After="20"), error=RateLimited, least_s=20, most_s=21),
    "503 for longer than a request may wait": Row(fault=Fault(kind=FaultKind.MAINTENANCE), error=RateLimited, tries=1),
    **{str(status): _sick(status) for status in (500, 502, 503, 504, 520, 522, 524)},
    "HTML with 200": Row(fault=Fault(kind=FaultKind.HTML), error=CorruptAnswer),
    "nothing with 200": _foreign(""),
    "null": _foreign("null"),
    "no list": _foreign('{"orders": []}', tries=1),
    "cut JSON": Row(fault=Fault(kind=FaultKind.CUT_JSON), error=CorruptAnswer),
    "a warning before the JSON": Row(fault=Fault(kind=FaultKind.WARNING), error=CorruptAnswer),
    "bad gzip": _foreign("[]", Content_Encoding="gzip"),
    "400": _stops(400, RequestRefused, STREAM),
    "422": _stops(422, RequestRefused, STREAM),
    "401": _stops(401, AuthFailed, STORE),
    "402": _stops(402, PolicyRefused, STORE),
    "403 on one resource": _stops(403, ScopeMissing, STREAM),
    "403 of a firewall": Row(fault=_answer(403), error=PolicyRefused, tries=1, rests=STORE),
    "404": _stops(404, PolicyRefused, STORE),
    "423": _stops(423, PolicyRefused, STORE),
    "430": _stops(430, PolicyRefused, STORE),
    "302": _stops(
        302, Redirected, STORE, "elsewhere.example/wp-json", Location="https://elsewhere.example/wp-json?k=1"
    ),
    "a status nobody knows": _stops(299 + 119, RequestRefused, STREAM),
}


# statuses that stand in one row with one that every run tries
_ALIKE = {"502", "503", "520", "522", "524", "423", "430", "409", "410"}


def _on_engines(rows: Mapping[str, object], on_both: set[str]) -> list[Any]:
    """Every row on SQLite, one of each kind on PostgreSQL; the soak tries all that are alike, on both."""
    soak = pytest.mark.soak
    return [
        pytest.param(engine, name, marks=soak if is_alike or (engine != "sqlite" and name not in on_both) else ())
        for name in rows
        for is_alike in [name.partition(" ")[0] in _ALIKE and "Retry" not in name and "longer" not in name]
        for engine in ("sqlite", "postgres")
    ]


@dataclass
class World:
    """One shop and the app over it, on one clock."""

    shop: Any
    app: App
    clock: SharedClock

    def asked(self, path: str, method: str = "GET") -> list[Any]:
        """The requests of a kind so far."""
        history = [seen for seen in self.shop.history if seen.method == method]
        return [seen for seen in history if re.search(path, f"{seen.path}?{seen.query}")]

    def rests(self) -> set[str]:
        """What is paused."""
        found = self.app.database.pauses.all()
        return {"push" if pause.is_push else STREAM if pause.stream else STORE for pause in found}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One shop of each platform."""
    with sandbox_of("us-woo", "us-shopify", "b2b") as opened:
        yield opened


@pytest.fixture
def worlds(sandbox: Sandbox, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Opens one of the shops; they are as they were at first again afterwards."""
    beginnings = [Beginning(shop) for shop in sandbox.shops.values()]
    opened: list[App] = []

    def open_one(engine: str, store: str = "us-woo", base_url: str = "") -> World:
        shop = sandbox.shops[store]
        database_url = request.getfixturevalue(f"{engine}_url")
        more = f"base_url: {base_url!r}, " if base_url else ""
        path = config(tmp_path, [shop], database_url, push="auto")
        path.write_text(path.read_text().replace("push: {mode", f"{more}{DEADLINE}, push: {{mode"))
        clock = SharedClock(shop.clock)
        opened.append(App(load(path), clock=clock))
        return World(shop=shop, app=opened[-1], clock=clock)

    yield open_one
    for app in opened:
        app.close()
    for beginning in beginnings:
        beginning.restore()


@pytest.mark.parametrize(("engine", "name"), _on_engines(READS, {"500", "400", "402", "429 with Retry-After"}))
def test_a_read_is_tried_as_its_row_says(engine: str, name: str, worlds: Any) -> None:
    """The class, the pause, the number of tries and their spacing; the other streams go on, and all is well after."""
    row, world = READS[name], worlds(engine)
    world.app.sync(Selection(streams=(Stream.CARTS,)))  # so that the check of the store is done
    path = LISTS if row.rests == STORE else ORDERS
    world.shop.faults.add(replace(row.fault, method="GET", path=path, times=None))

    outcomes = {outcome.report.stream: outcome for outcome in world.app.sync().outcomes}

    asked = world.asked(ORDERS)
    gaps = [(later.at - earlier.at).total_seconds() for earlier, later in itertools.pairwise(asked)]
    assert type(outcomes[Stream.ORDERS].error) is row.error
    assert row.says in str(outcomes[Stream.ORDERS].error)
    assert len(asked) == row.tries
    assert all(row.least_s - 0.001 <= gap <= row.most_s + SLACK_S for gap in gaps)
    assert sum(gaps) <= BUDGET_S + SLACK_S
    assert world.rests() == ({row.rests} if row.rests else set())
    assert list(world.app.database.exports.rows("orders")) == []
    others = {outcomes[stream].report.status for stream in (Stream.CUSTOMERS, Stream.CARTS)}
    assert others == {"failed" if row.rests == STORE else "succeeded"}

    world.shop.faults.clear()
    world.clock.advance(3600)
    mended = world.app.sync()

    assert {outcome.report.status for outcome in mended.outcomes} == {"succeeded"}
    assert world.rests() == set()
    assert len(list(world.app.database.exports.rows("orders"))) > 0


def test_nobody_there_is_no_reason_to_rest(worlds: Any) -> None:
    """A shop that cannot be reached at all is unavailable: that is tried again, told in words, and nothing pauses."""
    world = worlds("sqlite", base_url="http://127.0.0.1:9")

    (outcome, *_) = world.app.sync().outcomes

    waits = world.clock.slept
    assert type(outcome.error) is Unavailable
    assert "127.0.0.1:9: nothing listens there" in str(outcome.error)
    assert world.rests() == set()
    assert (len(world.shop.history), len(waits)) == (0, 1)  # the first question of a check is asked twice


def test_a_certificate_that_cannot_be_verified_pauses_the_store(tmp_path: Path, sqlite_url: str) -> None:
    """One try, nothing sent, and the remedy in the reason; verification is never given up."""
    options = SandboxOptions(scale=0.02, sites=SITES[:1], tls=(TLS / "cert.pem", TLS / "key.pem"))
    with Sandbox(options) as sandbox, App(load(config(tmp_path, sandbox.shops.values(), sqlite_url))) as app:
        outcomes = app.sync().outcomes
        (pause,) = app.database.pauses.all()
        history = list(sandbox.shops["us-woo"].history)

    assert {type(outcome.error) for outcome in outcomes} == {TlsFailed}
    assert (pause.stream, pause.is_push, "http.ca_file" in pause.reason) == (None, False, True)
    assert history == []


# -- what GraphQL and quotas say ---------------------------------------------------------------------------------------

_COST = {"requestedQueryCost": 60, "actualQueryCost": None}
_BUCKET = {"maximumAvailable": 100.0, "currentlyAvailable": 10, "restoreRate": 2.0}  # full enough in 25 s


def _errors(code: str, message: str = "No.", **more: Any) -> Fault:
    body = {"errors": [{"message": message, "extensions": {"code": code}}], **more}
    return _answer(200, json.dumps(body))


TOLD = {
    "THROTTLED": Row(
        fault=_errors("THROTTLED", extensions={"cost": _COST | {"throttleStatus": _BUCKET}}),
        error=RateLimited,
        least_s=25,
        most_s=26,
    ),
    "INTERNAL_SERVER_ERROR": Row(fault=_errors("INTERNAL_SERVER_ERROR"), error=Unavailable),
    "TIMEOUT": Row(fault=_errors("TIMEOUT"), error=Timeout),
    "errors beside data": Row(fault=_errors("ODD", data={"orders": {"nodes": []}}), error=CorruptAnswer),
    "neither data nor errors": Row(fault=_answer(200, "{}"), error=CorruptAnswer),
    "ACCESS_DENIED": Row(
        fault=_errors("ACCESS_DENIED", "Required access: `read_orders` access scope."),
        error=ScopeMissing,
        tries=1,
        rests=STREAM,
        says="read_orders",
    ),
    "SHOP_INACTIVE": Row(fault=_errors("SHOP_INACTIVE"), error=PolicyRefused, tries=1, rests=STORE),
    "a document that is wrong": Row(fault=_errors("undefinedField"), error=RequestRefused, tries=1, rests=STREAM),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_graphql_tells_with_200_is_tried_as_its_row_says(name: str, worlds: Any) -> None:
    """A document's errors are rows of the table like any status."""
    row, world = TOLD[name], worlds("sqlite", "us-shopify")
    only = Selection(streams=(Stream.ORDERS,))
    world.app.sync(Selection(streams=(Stream.CARTS,)))
    before = len(world.shop.history)
    world.shop.faults.add(replace(row.fault, path="graphql", times=None))

    (outcome,) = world.app.sync(only).outcomes

    asked = world.shop.history[before:]
    gaps = [(later.at - earlier.at).total_seconds() for earlier, later in itertools.pairwise(asked)]
    assert type(outcome.error) is row.error
    assert row.says in str(outcome.error)
    assert len(asked) == row.tries
    assert all(row.least_s - 0.001 <= gap <= row.most_s + SLACK_S for gap in gaps)
    assert world.rests() == ({row.rests} if row.rests else set())
    assert list(world.app.database.exports.rows("orders")) == []

    world.shop.faults.clear()
    world.clock.advance(3600)

    assert {outcome.report.status for outcome in world.app.sync(only).outcomes} == {"succeeded"}
    assert world.rests() == set()


def test_a_query_that_costs_too_much_is_asked_for_half(worlds: Any) -> None:
    """MAX_COST_EXCEEDED is no failure: the same page is asked for in a smaller size, at once."""
    world = worlds("sqlite", "us-shopify")
    world.app.sync(Selection(streams=(Stream.CARTS,)))
    before = len(world.shop.history)
    world.shop.faults.add(replace(_errors("MAX_COST_EXCEEDED"), path="graphql", skip=1))  # behind that for the scopes

    (outcome,) = world.app.sync(Selection(streams=(Stream.ORDERS,))).outcomes

    sizes = [json.loads(seen.body)["variables"].get("first") for seen in world.shop.history[before:]]
    assert outcome.report.status == "succeeded"
    assert sizes[1:3] == [250, 125]


def test_the_platforms_own_clock_of_a_quota_is_waited_for(worlds: Any) -> None:
    """A 429 that tells when the quota is renewed is waited for as long, every time."""
    world = worlds("sqlite", "b2b")
    world.app.sync(Selection(streams=(Stream.CUSTOMERS,)))
    told = {"X_Rate_Limit_Time_Reset_Ms": "12000", "X_Rate_Limit_Requests_Left": "9"}
    world.shop.faults.add(replace(_answer(429, **told), path="/v2/orders", times=None))

    (outcome,) = world.app.sync(Selection(streams=(Stream.ORDERS,))).outcomes

    asked = world.asked("/v2/orders/count")
    gaps = [(later.at - earlier.at).total_seconds() for earlier, later in itertools.pairwise(asked)]
    assert type(outcome.error) is RateLimited
    assert len(asked) == TRIES
    assert all(12 <= gap <= 13 + SLACK_S for gap in gaps)
    assert world.rests() == set()


# -- writes -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Write:
    """One row of the table, for a write.

    Args:
        sent: How often the batch is sent; None where it is cut into halves down to single changes.
        ends: What becomes of the changes: confirmed, rejected or waiting.
        read_back: Whether the accounts are looked at in between.
    """

    fault: Fault
    ends: str
    sent: int | None = 1
    rests: str = ""
    read_back: bool = False
    times: int | None = 1


def _lost(kind: FaultKind, **more: Any) -> Write:
    applied = more.get("applied", False) or kind in (FaultKind.CUT, FaultKind.STALL, FaultKind.CUT_JSON)
    return Write(fault=Fault(kind=kind, **more), ends="confirmed", sent=1 if applied else 2, read_back=True)


def _lost_answer(status: int, *, applied: bool) -> Write:
    return _lost(ANSWER, status=status, headers=JSON, body="{}", applied=applied)


def _refused(status: int) -> Write:
    return Write(fault=_answer(status, REFUSAL), ends="rejected", sent=None, times=None)


def _barred(status: int) -> Write:
    return Write(fault=_answer(status, REFUSAL), ends="waiting", rests="push", times=None)


WRITES = {
    "reset before the shop": _lost(FaultKind.RESET),
    "reset after the shop": _lost(FaultKind.RESET, applied=True),
    "timeout after the shop": _lost(FaultKind.STALL),
    "end of file within the answer": _lost(FaultKind.CUT),
    "cut JSON": _lost(FaultKind.CUT_JSON),
    "HTML before the shop": _lost(FaultKind.HTML),
    "HTML after the shop": _lost(FaultKind.HTML, applied=True),
    **{f"{status} before the shop": _lost_answer(status, applied=False) for status in (500, 502, 503, 504, 520)},
    **{f"{status} after the shop": _lost_answer(status, applied=True) for status in (500, 502, 503, 504, 520)},
    "429 with Retry-After": Write(fault=_answer(429, Retry_After="20"), ends="confirmed", sent=2),
    "429 for ever": Write(fault=_answer(429), ends="waiting", sent=TRIES, times=None),
    **{str(status): _refused(status) for status in (400, 409, 410, 413, 422)},
    **{str(status): _barred(status) for status in (401, 402, 403, 423, 430, 302)},
}


@pytest.mark.parametrize(("engine", "name"), _on_engines(WRITES, {"500 after the shop", "400", "401", "429 for ever"}))
def test_a_write_is_tried_as_its_row_says(engine: str, name: str, worlds: Any) -> None:
    """What was lost is read back and sent once more if need be; what is refused is rejected; who is barred pauses."""
    row, world = WRITES[name], worlds(engine)
    world.app.backfill()
    watch, read_before = Watch(world.shop), len(world.asked("include="))
    world.shop.faults.add(replace(row.fault, method="POST", path=BATCH, times=row.times))

    report = world.app.apply_automatic()

    watch.look()
    (store,) = report.stores
    count = {"confirmed": store.confirmed, "rejected": len(store.rejected), "waiting": store.waiting}
    assert count == {"confirmed": 0, "rejected": 0, "waiting": 0} | {row.ends: report.queued}
    assert report.queued > 1
    assert len(watch.added) == len(set(watch.added)) == store.confirmed
    assert world.rests() == ({row.rests} if row.rests else set())
    assert (len(world.asked("include=")) > read_before) is row.read_back
    sent = [seen for seen in world.asked(BATCH, "POST") if seen.body != b"{}"]
    assert len(sent) == (
        2 * len({change.external_id for change, _ in store.rejected}) - 1 if row.sent is None else row.sent
    )

    world.shop.faults.clear()
    world.clock.advance(DAY_S)
    world.app.sync()
    world.app.sync()

    watch.look()
    assert world.rests() == set()
    assert sorted(watch.added) == sorted(set(watch.added)) == sorted(tags_on(world.shop))
    assert len(watch.added) == report.queued
