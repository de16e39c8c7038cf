"""What Shopify says with status 200, and what it means for a read and for a write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from syncd.connectors.exchange import Answer, Request
from syncd.connectors.shopify.errors import cost_of, costs_too_much, explain_errors, said, withholds_personal
from syncd.errors import (
    AmbiguousWrite,
    CorruptAnswer,
    PolicyRefused,
    RateLimited,
    RequestRefused,
    ScopeMissing,
    SyncdError,
    Timeout,
    Unavailable,
)
from tests.clock import START

GOOD: dict[str, object] = {"data": {"shop": {}}}


def answer(body: object, *, is_write: bool = False, **variables: Any) -> Answer:
    """An answer with status 200 to a document with these variables."""
    request = Request(method="POST", path="graphql.json", body={"variables": variables}, is_query=not is_write)
    return Answer(request=request, status=200, headers={}, json=body, server_time=None, asked_at=START)


def failed(code: str, message: str = "words", *, path: list[Any] | None = None, **more: Any) -> dict[str, Any]:
    """A body with one error."""
    return {"errors": [{"message": message, "path": path or [], "extensions": {"code": code}}], **more}


def sample(shared: Path, name: str) -> dict[str, Any]:
    """A recorded body."""
    recorded: dict[str, dict[str, Any]] = orjson.loads((shared / "samples" / "shopify" / f"{name}.json").read_bytes())
    return recorded["body"]


@pytest.mark.parametrize(
    ("body", "is_write", "kind"),
    [
        (failed("INTERNAL_SERVER_ERROR", data=None), False, Unavailable),
        (failed("INTERNAL_SERVER_ERROR"), True, AmbiguousWrite),
        (failed("TIMEOUT"), False, Timeout),
        (failed("TIMEOUT"), True, AmbiguousWrite),
        (failed("THROTTLED"), True, RateLimited),
        (failed("SHOP_INACTIVE"), False, PolicyRefused),
        (failed("undefinedField"), False, RequestRefused),
        (failed("undefinedField"), True, RequestRefused),
        (failed("", data={"orders": {"nodes": []}}), False, CorruptAnswer),
        (failed("NEW_WORD", data={"c0": None}), True, AmbiguousWrite),
        ({"errors": "[API] Something"}, False, RequestRefused),
        ({"errors": {"query": "Required parameter missing or invalid"}}, False, RequestRefused),
        ({"data": None}, False, CorruptAnswer),
        ({}, False, CorruptAnswer),
        ([], False, CorruptAnswer),
    ],
)
def test_errors_say_what_the_catcher_does(body: object, is_write: bool, kind: type[SyncdError]) -> None:
    """Each refusal has its place in the tree, whatever form it comes in."""
    assert type(explain_errors(answer(body, is_write=is_write))) is kind


@pytest.mark.parametrize("body", [GOOD, {**GOOD, "errors": []}, {**GOOD, "extensions": {"search": []}}])
def test_a_good_answer_is_no_error(body: object) -> None:
    """Data without errors is an answer."""
    assert explain_errors(answer(body)) is None


def test_an_empty_bucket_tells_how_long_to_wait() -> None:
    """The wait is what is missing over what comes back each second."""
    status = {"maximumAvailable": 2000.0, "currentlyAvailable": 62, "restoreRate": 100.0}
    cost = {"requestedQueryCost": 362, "actualQueryCost": None, "throttleStatus": status}

    error = explain_errors(answer(failed("THROTTLED", extensions={"cost": cost})))

    assert isinstance(error, RateLimited)
    assert error.retry_after_s == pytest.approx(3.0)


def test_the_recorded_throttling_is_understood(shared: Path) -> None:
    """A real shop's refusal gives the wait that its figures say."""
    error = explain_errors(answer(sample(shared, "gql_throttled")))

    assert isinstance(error, RateLimited)
    assert error.retry_after_s == pytest.approx((862 - 572) / 200)


def test_the_recorded_cost_refusal_is_left_to_the_asker(shared: Path) -> None:
    """A cost above the limit is no error yet: less can be asked for."""
    refused = answer(sample(shared, "gql_max_cost_exceeded"))

    assert explain_errors(refused) is None
    assert costs_too_much(refused)
    assert cost_of(refused.json) is None


def test_a_missing_scope_is_named() -> None:
    """Whoever reads the error knows what to grant."""
    message = "Access denied for customers field. Required access: `read_customers` access scope."

    error = explain_errors(answer(failed("ACCESS_DENIED", message, path=["customers"], data={"customers": None})))

    assert isinstance(error, ScopeMissing)
    assert "read_customers" in str(error)


def test_withheld_fields_are_left_to_the_asker() -> None:
    """Where only fields of records are refused, the rest can be asked for without them."""
    body = failed("ACCESS_DENIED", path=["customers", "nodes", 0, "firstName"], data={"customers": {}})

    assert withholds_personal(answer(body, personal=True))
    assert explain_errors(answer(body, personal=True)) is None
    assert isinstance(explain_errors(answer(body, personal=False)), ScopeMissing)


@pytest.mark.parametrize(
    "errors", [[], [{"message": "x", "path": ["customers"], "extensions": {"code": "ACCESS_DENIED"}}]]
)
def test_a_whole_list_refused_is_not_withheld_fields(errors: list[object]) -> None:
    """A list that is refused would be refused without names as well."""
    assert not withholds_personal(answer({"errors": errors}, personal=True))


def test_a_misread_filter_is_an_error() -> None:
    """The shop overlooks what it does not understand, and would give other records than were asked for."""
    warning = {"field": "00", "message": "Invalid search field for this query.", "code": "invalid_field"}
    search = [{"path": ["orders"], "warnings": [warning]}]

    error = explain_errors(answer({**GOOD, "extensions": {"search": search}}))

    assert isinstance(error, RequestRefused)
    assert "orders" in str(error)


def test_a_misread_filter_of_a_count_is_no_error() -> None:
    """A count that cannot be trusted is left out; the list beside it is good."""
    search = [{"path": ["ordersCount"], "warnings": [{"message": "Invalid search field for this query."}]}]

    assert explain_errors(answer({**GOOD, "extensions": {"search": search}})) is None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"errors": "text"}, "text"),
        ({"errors": ["text"]}, "text"),
        ({"errors": {"a": "b"}}, ""),
        ({"errors": [{"message": "in a list"}]}, "in a list"),
        (
            {"error": "invalid_client", "error_description": "Client authentication failed."},
            "Client authentication failed.",
        ),
        ({"error": "invalid_client"}, "invalid_client"),
        (None, ""),
    ],
)
def test_words_are_found_wherever_they_stand(body: object, words: str) -> None:
    """A refusal is told in the shop's own words, if it has any."""
    assert said(body) == words
