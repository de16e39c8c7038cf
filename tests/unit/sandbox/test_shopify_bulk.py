"""The sandbox's bulk operations held against recorded answers: their rules, their places, their files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests

from syncd.sandbox import SandboxClock
from syncd.sandbox.shopify.bulk_rules import faults_of
from syncd.sandbox.shopify.engine import schema_of
from tests.clock import START
from tests.unit.sandbox.shopify_client import GraphClient, opened

SHOWN = "id status type errorCode createdAt completedAt objectCount rootObjectCount fileSize url partialDataUrl query"
RUN = (
    "mutation($query: String!, $grouped: Boolean!) { bulkOperationRunQuery(query: $query, groupObjects: $grouped)"
    " { bulkOperation { " + SHOWN + " } userErrors { field message code } } }"
)
LOOK = "query($id: ID!) { bulkOperation(id: $id) { " + SHOWN + " } }"
CANCEL = "mutation($id: ID!) { bulkOperationCancel(id: $id) { bulkOperation { id status } userErrors { message } } }"
ORDERS = "{ orders { edges { node { id name lineItems { edges { node { id } } } } } } }"
# recorded on types that are no part of the sandbox: the same rule is tried on orders
OURS = {
    "nodesInsteadOfEdges": "{ orders { nodes { id } } }",
    "ordersNodesInsteadOfEdges": "{ orders { nodes { id } } }",
    "topLevelNode": '{ node(id: "gid://shopify/Order/0") { id } }',
    "depthThreeNesting": (
        "{ customers { edges { node { id orders { edges { node { id lineItems { edges { node { id product { id } } } }"
        " customer { id orders { edges { node { id lineItems { edges { node { id } } } } } } } } } } } } } }"
    ),
    "nestedWithoutParentId": "{ orders { edges { node { name lineItems { edges { node { id } } } } } } }",
    "connectionWithinList": (
        "{ orders { edges { node { id refunds { id refundLineItems { edges { node { quantity } } } } } } } }"
    ),
    "invalidOperationType": 'mutation { tagsAdd(id: "gid://shopify/Order/1", tags: []) { node { id } } }',
    "sixConnections": (
        "{ customers { edges { node { id a: addressesV2 { edges { node { id } } } b: addressesV2 { edges { node { id }"
        " } } c: addressesV2 { edges { node { id } } } d: addressesV2 { edges { node { id } } } e: addressesV2 { edges"
        " { node { id } } } } } } }"
    ),
}


@pytest.fixture
def client() -> Iterator[GraphClient]:
    """A caller of a small shop of its own."""
    with opened(SandboxClock(START, frozen=True)) as made:
        yield made


@pytest.fixture
def recorded() -> dict[str, Any]:
    """Shopify's own refusals, if they are here."""
    if not os.environ.get("SYNCD_SHARED"):
        pytest.skip("SYNCD_SHARED names no folder with recorded answers")
    folder = Path(os.environ["SYNCD_SHARED"]) / "samples" / "shopify"
    found: dict[str, Any] = orjson.loads((folder / "gql_bulk_query_validation_userErrors.json").read_bytes())
    return found


def run(client: GraphClient, query: str = ORDERS, *, grouped: bool = True) -> Any:
    """Start an operation."""
    return client.ask(RUN, query=query, grouped=grouped)["bulkOperationRunQuery"]


def ended(client: GraphClient, started: Any) -> Any:
    """Look at an operation until it has ended."""
    for _ in range(10):
        shown = client.ask(LOOK, id=started["bulkOperation"]["id"])["bulkOperation"]
        if shown["status"] not in ("CREATED", "RUNNING", "CANCELING"):
            return shown
    pytest.fail("the operation does not end")


def rows(url: str) -> list[dict[str, Any]]:
    """The lines of a file."""
    return [orjson.loads(line) for line in requests.get(url, timeout=5).content.splitlines()]


@pytest.mark.parametrize("name", OURS)
def test_rules_are_refused_in_shopifys_words(recorded: dict[str, Any], name: str) -> None:
    """Each rule as it was recorded, the names of the connections aside."""
    errors = recorded[name]["response"]["data"]["bulkOperationRunQuery"]["userErrors"]
    theirs = [error["message"].replace("products", "orders") for error in errors]

    assert set(theirs) <= set(faults_of(schema_of("2026-10"), OURS[name]))


def test_a_broken_rule_is_a_user_error(client: GraphClient) -> None:
    """No operation is made."""
    refused = run(client, OURS["topLevelNode"])

    assert refused["bulkOperation"] is None
    assert [(error["field"], error["code"]) for error in refused["userErrors"]] == [(["query"], "INVALID")] * 2
    assert client.shop.bulk.operations == {}


def test_an_operation_takes_its_time(client: GraphClient) -> None:
    """It is created, runs, and completes with counts as texts and a file."""
    started = run(client)
    first = client.ask(LOOK, id=started["bulkOperation"]["id"])["bulkOperation"]
    shown = ended(client, started)

    assert (started["bulkOperation"]["status"], first["status"], shown["status"]) == ("CREATED", "RUNNING", "COMPLETED")
    assert first["url"] is None
    assert shown["rootObjectCount"] == str(len(client.shop.state.orders))
    assert shown["objectCount"] == str(len(rows(shown["url"])))
    assert shown["fileSize"] == str(len(requests.get(shown["url"], timeout=5).content))
    assert b"gid:\\/\\/shopify\\/Order\\/" in requests.get(shown["url"], timeout=5).content


@pytest.mark.parametrize("grouped", [True, False])
def test_rows_inside_name_their_parents(client: GraphClient, grouped: bool) -> None:
    """Grouped they come right behind them, else anywhere."""
    found = rows(ended(client, run(client, grouped=grouped))["url"])

    parent, is_together = "", True
    for row in found:
        is_together = is_together and row.get("__parentId", row["id"]) == (parent if "__parentId" in row else row["id"])
        parent = parent if "__parentId" in row else row["id"]
    lines = sum(len(order.lines) for order in client.shop.state.orders.values())
    assert len([row for row in found if "__parentId" in row]) == lines
    assert is_together is grouped


def test_more_than_a_page_comes(client: GraphClient) -> None:
    """An operation knows no pages."""
    for _ in range(300):
        client.shop.place_order()

    shown = ended(client, run(client, '{ orders(sortKey: ID, query: "id:>1") { edges { node { id } } } }'))

    found = [row["id"] for row in rows(shown["url"])]
    assert len(found) == len(client.shop.state.orders) > 250
    assert found == sorted(found)


def test_the_sixth_is_refused(client: GraphClient) -> None:
    """Five have their places; those that are being cancelled keep theirs until they are."""
    client.shop.bulk.looks = 100
    five = [run(client)["bulkOperation"]["id"] for _ in range(5)]
    client.ask(CANCEL, id=five[0])
    client.shop.bulk.operations[int(five[0].rpartition("/")[2])].status = "RUNNING"

    sixth = run(client)

    assert sixth["bulkOperation"] is None
    (error,) = sixth["userErrors"]
    assert error["code"] == "OPERATION_IN_PROGRESS"
    assert error["message"] == (
        f"A bulk query operation for this app and shop is already in progress: {', '.join(five)}."
    )


def test_cancelled_operations_give_no_file(client: GraphClient) -> None:
    """It takes a look until they are."""
    started = run(client)

    cancelled = client.ask(CANCEL, id=started["bulkOperation"]["id"])["bulkOperationCancel"]

    assert cancelled["bulkOperation"]["status"] == "CANCELING"
    assert (ended(client, started)["status"], ended(client, started)["url"]) == ("CANCELED", None)


def test_failures_leave_a_part(client: GraphClient) -> None:
    """As many root rows as were found, the last one's own rows perhaps not all."""
    client.shop.bulk.failures = [3, 0]

    part, nothing = ended(client, run(client)), ended(client, run(client))

    assert (part["status"], part["errorCode"], part["url"]) == ("FAILED", "INTERNAL_SERVER_ERROR", None)
    assert len([row for row in rows(part["partialDataUrl"]) if "__parentId" not in row]) == 3
    assert (nothing["status"], nothing["partialDataUrl"]) == ("FAILED", None)


def test_files_last_a_week(client: GraphClient) -> None:
    """Then the address is refused and the operation calls itself expired."""
    started = run(client)
    url = ended(client, started)["url"]
    client.shop.clock.advance(timedelta(days=7).total_seconds())

    assert requests.get(url, timeout=5).status_code == 400
    assert ended(client, started)["status"] == "EXPIRED"
    assert requests.get(url.replace("outputs/", "outputs/x"), timeout=5).status_code == 404


def test_what_the_token_may_not_see_fails(client: GraphClient) -> None:
    """A missing scope shows when the operation ends."""
    client.token_name = "no_customers"

    shown = ended(client, run(client, "{ customers { edges { node { id } } } }"))

    assert (shown["status"], shown["errorCode"]) == ("FAILED", "ACCESS_DENIED")
