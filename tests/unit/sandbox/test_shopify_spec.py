"""The sandbox's Shopify held against the published schema and recorded answers; and what is sent to it against both."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from graphql import DocumentNode, build_schema, extend_schema, parse, print_ast, validate

from syncd.connectors.shopify.documents import VERSIONS, all_documents
from syncd.sandbox import SandboxClock
from syncd.sandbox.shopify import engine
from tests.clock import START
from tests.unit.sandbox.shopify_client import GraphClient, opened

_HERE = Path(engine.__file__)
# What a recording shows beside the fields that are part of the sandbox.
_BEYOND = frozenset({"fulfillments", "fulfillmentOrders", "transactions", "returns", "shippingLines"})


@pytest.fixture
def shared() -> Path:
    """Where schemas and recordings are, if they are here."""
    if not os.environ.get("SYNCD_SHARED"):
        pytest.skip("SYNCD_SHARED names no folder with published schemas and recorded answers")
    return Path(os.environ["SYNCD_SHARED"])


@pytest.fixture(scope="module")
def client() -> Iterator[GraphClient]:
    """A caller of a shop that no test changes much."""
    with opened(SandboxClock(START, frozen=True)) as made:
        yield made


def _ours(version: str) -> list[DocumentNode]:
    """What is served as one version."""
    more = _HERE.with_name(f"schema_{version}.graphql")
    return [parse(path.read_text()) for path in (_HERE.with_name("schema.graphql"), more) if path.exists()]


def _claims(document: DocumentNode) -> Iterator[str]:
    """Every type, interface, field, argument, enum value and reference in a schema, one text each."""
    for each in document.definitions:
        name = getattr(each, "name", None)
        if name is None:
            continue
        kind = type(each).__name__.replace("Extension", "Definition").replace("TypeDefinitionNode", "")
        yield f"{kind} {name.value}"
        yield from (f"{name.value} is {other.name.value}" for other in getattr(each, "interfaces", None) or ())
        yield from (f"{name.value} has {value.name.value}" for value in getattr(each, "values", None) or ())
        for field in getattr(each, "fields", None) or ():
            place = f"{name.value}.{field.name.value}"
            yield f"{place}: {print_ast(field.type)}"
            yield from (
                f"{place}({one.name.value}: {print_ast(one.type)})" for one in getattr(field, "arguments", None) or ()
            )


def _published(shared: Path, version: str) -> str:
    return (shared / "specs" / "shopify" / f"admin_schema_pruned_{version}.graphql").read_text()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_schema_is_a_part_of_the_published_one(shared: Path, version: str) -> None:
    """What both versions are served from is in both; what only one has is in that one."""
    theirs = set(_claims(parse(_published(shared, version))))

    ours = {claim for document in _ours(version) for claim in _claims(document)}

    assert len(ours) > 300
    assert not ours - theirs


@pytest.mark.parametrize("version", VERSIONS)
def test_a_schema_that_says_more_is_found_out(shared: Path, version: str) -> None:
    """The check above can fail: for a type, a field, an argument, a reference and a value."""
    theirs = set(_claims(parse(_published(shared, version))))
    wrong = parse(
        "type Shoe { id: ID! } type Shop { size: Int name: String } enum CountPrecision { ROUGH }"
        " type QueryRoot { shop(size: Int): Shop! }"
    )

    assert {claim for claim in _claims(wrong) if claim not in theirs} == {
        "Object Shoe", "Shoe.id: ID!", "Shop.size: Int", "Shop.name: String", "CountPrecision has ROUGH",
        "QueryRoot.shop(size: Int)",
    }  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
def test_every_document_that_is_sent_is_valid_here(version: str) -> None:
    """By the schema that the sandbox serves as that version."""
    documents = all_documents(version)

    assert documents
    assert {name: validate(engine.schema_of(version), parse(text)) for name, text in documents.items()} == {
        name: [] for name in documents
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_the_schema_is_whole(version: str) -> None:
    """It builds, and every field of its root is answered by somebody."""
    first, *more = _ours(version)
    schema = build_schema(print_ast(first))
    for document in more:
        schema = extend_schema(schema, document)

    assert schema.query_type is not None
    assert schema.query_type.fields.keys() == engine.schema_of(version).query_type.fields.keys()  # type: ignore[union-attr]


# -- recorded answers ---------------------------------------------------------------------------------------------


def _sample(shared: Path, name: str) -> Any:
    return orjson.loads((shared / "samples" / "shopify" / f"gql_{name}.json").read_bytes())


def _shape(value: Any) -> Any:
    """The JSON types of a value; a list is what its first row is."""
    if isinstance(value, dict):
        return {name: _shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_shape(value[0])] if value else []
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def _misfits(ours: Any, theirs: Any, place: str = "") -> Iterator[str]:
    """Where two shapes differ; null and empty lists fit anything."""
    if "NoneType" in (ours, theirs) or [] in (ours, theirs):
        return
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in (ours.keys() | theirs.keys()) - _BEYOND:
            if name not in ours or name not in theirs:
                yield f"{place}.{name} is on one side only"
            else:
                yield from _misfits(ours[name], theirs[name], f"{place}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list):
        yield from _misfits(ours[0], theirs[0], f"{place}[]")
    elif ours != theirs:
        yield f"{place}: {ours} is not {theirs}"


def _compare(ours: Any, theirs: Any) -> list[str]:
    return sorted(_misfits(_shape(ours), _shape(theirs)))


def _selection(value: Any) -> str:
    """The selection that gives an answer of this shape."""
    if isinstance(value, list):
        return _selection(value[0]) if value else ""
    if not isinstance(value, dict):
        return ""
    arguments = {"lineItems": "(first: 5)", "refundLineItems": "(first: 5)"}
    fields = (
        f"{name}{arguments.get(name, '')} {_selection(each)}" for name, each in value.items() if name not in _BEYOND
    )
    return "{ " + " ".join(fields) + " }"


def test_a_recorded_page_of_customers(shared: Path, client: GraphClient) -> None:
    """The very request is answered in the same shape, its cost included."""
    sample = _sample(shared, "customers_page_updated_at_desc")

    answer = client.post(sample["request"]["query"], **sample["request"]["variables"]).json()

    assert _compare(answer, sample["response"]) == []
    assert answer["extensions"]["cost"]["requestedQueryCost"] == 4


def test_a_recorded_summary_of_a_customers_orders(shared: Path, client: GraphClient) -> None:
    """The very request costs the same; the mistaken search is answered with the same warning."""
    sample = _sample(shared, "customer_order_summary")["beforeSet"]
    number = client.shop.add_customer("summary@example.com")

    answer = client.post(
        sample["query"], id=f"gid://shopify/Customer/{number}", emailQuery="email:summary@example.com"
    ).json()

    assert answer["data"]["customer"]["numberOfOrders"] == "0"
    assert answer["data"]["customer"]["amountSpent"]["amount"] == "0.0"
    assert _compare(answer["data"], sample["response"]["data"]) == []
    assert answer["extensions"]["cost"]["requestedQueryCost"] == 28


def test_a_recorded_order_in_full(shared: Path, client: GraphClient) -> None:
    """Every field of it that is part of the sandbox has the same type."""
    sample = _sample(shared, "order_detail_full")["response"]["data"]["order"]
    sample["lineItems"]["nodes"] = sample["lineItems"]["nodes"][:1]
    place = {"first_name": "Ada", "last_name": "Lovelace", "address1": "1 High St", "city": "Ulm", "country": "DE"}
    number = client.shop.place_order(email="ada@example.com", billing=place, shipping=place)
    client.shop.refund(number)

    seen = client.ask(f'{{ order(id: "gid://shopify/Order/{number}") {_selection(sample)} }}')["order"]

    assert _compare(seen, sample) == []


def test_recorded_tag_changes(shared: Path, client: GraphClient) -> None:
    """What worked and what did not are answered alike."""
    mutation = (
        "mutation($id: ID!, $tags: [String!]!) { tagsAdd(id: $id, tags: $tags)"
        " { node { ... on Customer { __typename id email displayName tags } } userErrors { field message } } }"
    )
    done, missed = _sample(shared, "tagsAdd_customer_ok"), _sample(shared, "tagsAdd_not_found_userErrors")
    number = client.shop.add_customer("tags@example.com", first_name="Ann")

    good = client.post(mutation, id=f"gid://shopify/Customer/{number}", tags=["b", "a"]).json()
    bad = client.post(mutation, id="gid://shopify/Customer/999999999999999", tags=["vip"]).json()

    assert _compare(good, done["response"]) == []
    assert bad["data"] == missed["cases"]["customerAdd"]["response"]["payload"]["data"]


@pytest.mark.parametrize("name", ["throttled", "max_cost_exceeded"])
def test_recorded_refusals_for_their_cost(shared: Path, name: str) -> None:
    """The same keys and types, codes and words."""
    sample = _sample(shared, name)
    lines = "lineItems(first: 250) { nodes { originalUnitPriceSet { shopMoney { amount } } } }"
    pages = " ".join(f"p{number}: orders(first: 250) {{ nodes {{ {lines} }} }}" for number in range(3))
    with opened(SandboxClock(START, frozen=True), scale=0.02) as client:
        client.shop.bucket.available = 0.0

        answer = client.post("{ orders(first: 250) { nodes { id } } }" if name == "throttled" else f"{{ {pages} }}")

    assert answer.status_code == sample["http_status"]
    assert _compare(answer.json(), sample["body"]) == []
    assert answer.json()["errors"][0]["extensions"]["code"] == sample["body"]["errors"][0]["extensions"]["code"]


def test_the_recorded_warning_about_an_unquoted_time(shared: Path, client: GraphClient) -> None:
    """Word for word, the shop being an hour east of Greenwich as the recorded one was."""
    sample = _sample(shared, "search_warning_unquoted_timestamp")

    answer = client.post(
        "query($query: String) { orders(first: 1, query: $query) { nodes { id } } }", query=sample["query"]
    )

    assert answer.json()["extensions"]["search"] == sample["extensions.search"]


@pytest.mark.parametrize("case", ["unknownQueryRoot", "unknownOrderField"])
def test_recorded_mistakes_in_documents(shared: Path, client: GraphClient, case: str) -> None:
    """The same message, place and code."""
    sample = _sample(shared, "top_level_errors")[case]

    (ours,) = client.post(sample["request"]).json()["errors"]
    (theirs,) = sample["response"]["payload"]["errors"]

    assert {name: ours[name] for name in ("message", "locations", "extensions")} == {
        name: theirs[name] for name in ("message", "locations", "extensions")
    }
