"""Scripted faults: each shows as it would in life, as often as it was told to."""

from __future__ import annotations

import time

import orjson
import pytest
import requests

from syncd.sandbox import Fault, FaultKind, Sandbox
from tests.unit.sandbox.client import Client


def _script(client: Client, kind: FaultKind, **more: object) -> None:
    client.shop.faults.add(Fault(kind=kind, path="customers", **more))  # type: ignore[arg-type]


def test_an_answer_is_given_as_often_as_told_and_only_where_it_matches(client: Client) -> None:
    """Two 429s for customers, none for orders, then all is well."""
    _script(client, FaultKind.ANSWER, times=2, status=429, headers={"Retry-After": "7"})

    statuses = [client.get(path).status_code for path in ("customers", "orders", "customers", "customers")]

    assert statuses == [429, 200, 429, 200]


def test_a_fault_may_let_some_pass_first_and_wait_for_a_method(client: Client) -> None:
    """`skip` lets the first ones through, `method` the others."""
    _script(client, FaultKind.ANSWER, skip=1, method="GET", status=500)
    number = client.shop.add_customer("ann@example.com")

    statuses = [client.put(f"customers/{number}", {}), client.get("customers"), client.get("customers")]

    assert [answer.status_code for answer in statuses] == [200, 200, 500]


def test_bodies_that_are_not_json(client: Client) -> None:
    """HTML with 200, a PHP warning before the JSON, half a body: all with status 200."""
    for kind in (FaultKind.HTML, FaultKind.WARNING, FaultKind.CUT_JSON):
        _script(client, kind)

    answers = [client.get("customers") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    for answer in answers:
        with pytest.raises(requests.JSONDecodeError):
            answer.json()
    assert "html" in answers[0].headers["Content-Type"]
    assert "json" in answers[1].headers["Content-Type"]


def test_maintenance_speaks_json_only_when_asked(client: Client) -> None:
    """503 with Retry-After 600, as HTML or as JSON."""
    _script(client, FaultKind.MAINTENANCE, times=2)

    html = client.session.get(client.signed("GET", "customers"), headers={"Accept": "*/*"}, timeout=5)
    json = client.session.get(client.signed("GET", "customers"), headers={"Accept": "application/json"}, timeout=5)

    assert (html.status_code, html.headers["Retry-After"]) == (503, "600")
    assert "html" in html.headers["Content-Type"]
    assert json.json()["code"] == "wp_die"


def test_a_cut_body_ends_the_connection(client: Client) -> None:
    """Half of the bytes, then nothing: the client knows that it is short."""
    _script(client, FaultKind.CUT)

    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        client.get("customers")

    assert client.get("customers").status_code == 200


@pytest.mark.parametrize("applied", [False, True])
def test_a_reset_before_or_after_the_write(client: Client, applied: bool) -> None:
    """The client sees the same broken connection; only the shop knows whether the write was done."""
    number = client.shop.add_customer("ann@example.com")
    _script(client, FaultKind.RESET, method="PUT", applied=applied)

    with pytest.raises(requests.ConnectionError):
        client.put(f"customers/{number}", {"first_name": "Beth"})

    assert (client.shop.state.accounts[number].first_name == "Beth") is applied
    assert [(seen.status, seen.applied) for seen in client.shop.history if seen.method == "PUT"] == [(0, applied)]


@pytest.mark.parametrize("kind", [FaultKind.STALL, FaultKind.DRIP])
def test_a_stall_ends_with_the_sandbox(kind: FaultKind) -> None:
    """Silence and dripped headers last until the client or the sandbox gives up, and do not delay its end."""
    with Sandbox(scale=0.05) as sandbox:
        caller = Client(sandbox.shops["us-woo"])
        _script(caller, kind, seconds=0.05 if kind is FaultKind.DRIP else 3600.0)

        with pytest.raises((requests.Timeout, requests.ConnectionError)):
            caller.session.get(caller.signed("GET", "customers"), timeout=0.2 if kind is FaultKind.STALL else (1, 0.01))

        began = time.monotonic()
    assert time.monotonic() - began < 1
    caller.close()


def test_a_row_can_be_missing_while_totals_count_it(client: Client) -> None:
    """The page is one short, the total is not."""
    whole = client.get("customers", per_page=5)
    _script(client, FaultKind.DROP_ROW, row=2)

    short = client.get("customers", per_page=5)

    assert [row["id"] for row in short.json()] == [row["id"] for row in whole.json() if row != whole.json()[2]]
    assert short.headers["X-WP-Total"] == whole.headers["X-WP-Total"]


def test_a_filter_can_be_ignored(client: Client) -> None:
    """The shop answers as if the parameter had not been sent; the signature still counts it."""
    client.shop.faults.add(Fault(kind=FaultKind.IGNORE_FILTER, path="orders", params=("modified_after",)))

    ignored = client.get("orders", modified_after="2099-01-01T00:00:00")
    honoured = client.get("orders", modified_after="2099-01-01T00:00:00")

    assert int(ignored.headers["X-WP-Total"]) > 0
    assert honoured.json() == []


def test_an_error_can_hide_a_write_that_was_done(client: Client) -> None:
    """500 after applying: the answer lies, the history does not."""
    number = client.shop.add_customer("ann@example.com")
    _script(client, FaultKind.ANSWER, method="PUT", applied=True, status=500)

    answer = client.put(f"customers/{number}", {"first_name": "Beth"})

    assert answer.status_code == 500
    assert client.shop.state.accounts[number].first_name == "Beth"
    assert orjson.loads(client.shop.history[-1].body) == {"first_name": "Beth"}
