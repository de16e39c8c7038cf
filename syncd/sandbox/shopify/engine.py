"""One GraphQL request from its text to its answer: read, judged, priced, admitted, carried out, charged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncd.sandbox.shopify.cost import MAX_COST, Bucket, Pricing
from syncd.sandbox.shopify.resolvers import Root

if TYPE_CHECKING:
    from graphql import DocumentNode, GraphQLError, GraphQLSchema

Body = dict[str, Any]
_LIMITS = "https://shopify.dev/api/usage/rate-limits"
_TOO_DEAR = """Query cost is {cost}, which exceeds the single query max cost limit ({most}).

See https://shopify.dev/docs/api/usage/rate-limits for more information on how the
cost of a query is calculated.

To query larger amounts of data with fewer limits, bulk operations should be used instead.
See https://shopify.dev/docs/api/usage/bulk-operations/queries for usage details.
"""
_UNKNOWN_FIELD = re.compile(r"Cannot query field '(\w+)' on type '(\w+)'")


@lru_cache(maxsize=8)
def schema_of(version: str) -> GraphQLSchema:
    """What is served as one version of the API."""
    from graphql import build_schema, extend_schema, parse

    here = Path(__file__)
    schema = build_schema(here.with_name("schema.graphql").read_text(encoding="utf-8"))
    more = here.with_name(f"schema_{version}.graphql")
    return extend_schema(schema, parse(more.read_text(encoding="utf-8"))) if more.exists() else schema


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A document with its variables, and the version it is read as."""

    query: str
    version: str
    variables: Mapping[str, Any]
    operation_name: str | None = None


def run(root: Root, bucket: Bucket, request: Request) -> tuple[Body, list[str]]:
    """The answer's body, and the deprecated fields that were asked for."""
    from graphql import GraphQLError, get_operation_ast

    try:
        document = _parsed(request.query)
    except GraphQLError as error:
        return {"errors": [_syntax_fault(error)]}, []
    faults = _faults(request.query, request.version)
    if faults:
        return {"errors": list(faults)}, []
    operation = get_operation_ast(document, request.operation_name)
    if operation is None:
        return {"errors": [{"message": "An operation name is required"}]}, []
    pricing = Pricing(schema_of(request.version), document, operation, request.variables)
    return _admit(root, bucket, request, pricing), pricing.deprecated()


def _admit(root: Root, bucket: Bucket, request: Request, pricing: Pricing) -> Body:
    cost = pricing.requested()
    if cost > MAX_COST:
        extensions = {"code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": MAX_COST, "documentation": _LIMITS}
        return {"errors": [{"message": _TOO_DEAR.format(cost=cost, most=MAX_COST), "extensions": extensions}]}
    if not bucket.admits(cost):
        throttled = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": _LIMITS}}
        return {"errors": [throttled], "extensions": {"cost": _cost(cost, None, bucket)}}
    return _executed(root, bucket, request, pricing)


def _executed(root: Root, bucket: Bucket, request: Request, pricing: Pricing) -> Body:
    from graphql import execute_sync

    result = execute_sync(
        schema_of(request.version),
        _parsed(request.query),
        root_value=root.fields(),
        variable_values=dict(request.variables),
        operation_name=request.operation_name,
    )
    errors = {"errors": [_execution_fault(each) for each in result.errors]} if result.errors else {}
    if result.data is None and any(each.path is None for each in result.errors or ()):
        return errors
    requested = pricing.requested()
    actual = min(requested, pricing.actual(result.data or {}))
    bucket.pay(actual)
    search = {"search": root.warnings} if root.warnings else {}
    return {"data": result.data, **errors, "extensions": {"cost": _cost(requested, actual, bucket), **search}}


def _cost(requested: int, actual: int | None, bucket: Bucket) -> Body:
    return {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": bucket.status()}


@lru_cache(maxsize=256)
def _parsed(text: str) -> DocumentNode:
    from graphql import parse

    return parse(text)


@lru_cache(maxsize=256)
def _faults(text: str, version: str) -> tuple[Body, ...]:
    """What is wrong with a document by the schema alone."""
    from graphql import validate

    return tuple(_document_fault(each) for each in validate(schema_of(version), _parsed(text)))


def _syntax_fault(error: GraphQLError) -> Body:
    where = error.locations[0] if error.locations else None
    line, column = (where.line, where.column) if where else (1, 1)
    said = error.message.removeprefix("Syntax Error: ").rstrip(".")
    return {
        "message": f"syntax error, {said} at [{line}, {column}]",
        "locations": [{"line": line, "column": column}],
        "extensions": {"code": "PARSE_ERROR"},
    }


def _document_fault(error: GraphQLError) -> Body:
    shown = _located(error)
    unknown = _UNKNOWN_FIELD.match(error.message)
    if unknown is None:
        return shown | {"extensions": {"code": "invalidDocument"}}
    name, kind = unknown.groups()
    return shown | {
        "message": f"Field '{name}' doesn't exist on type '{kind}'",
        "extensions": {"code": "undefinedField", "typeName": kind, "fieldName": name},
    }


def _execution_fault(error: GraphQLError) -> Body:
    if error.path is None:
        return _located(error) | {"extensions": {"code": "INVALID_VARIABLE"}}
    return _located(error) | {"extensions": error.extensions or {}, "path": error.path}


def _located(error: GraphQLError) -> Body:
    places = [{"line": each.line, "column": each.column} for each in error.locations or ()]
    return {"message": error.message, "locations": places}
