"""What Shopify lets a bulk query be, in its own words where it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphql import DocumentNode, FieldNode, GraphQLSchema, OperationDefinitionNode

_MOST_CONNECTIONS = 5
_DEEPEST = 2
_LONGEST_QUERY = 65_535


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """A connection in a query.

    Args:
        parent: The connection that it lies in; None at the root.
        depth: How many connections it lies in.
        parts: The fields selected in it.
        has_id: Whether its rows are asked for their ids.
    """

    node: FieldNode
    parent: Connection | None
    depth: int
    is_in_list: bool
    parts: frozenset[str]
    has_id: bool

    @property
    def name(self) -> str:
        """Its field."""
        return self.node.name.value


def faults_of(schema: GraphQLSchema, query: str) -> list[str]:
    """What is wrong with a query as one of a bulk operation; nothing where it may run."""
    from graphql import GraphQLError, OperationType, get_operation_ast, parse, validate

    if len(query.encode()) > _LONGEST_QUERY:
        return [f"Query is longer than {_LONGEST_QUERY} bytes."]
    try:
        document = parse(query)
    except GraphQLError as error:
        return [f"Invalid bulk query: {error.message}"]
    operation = get_operation_ast(document)
    if operation is None or operation.operation is not OperationType.QUERY:
        return ["Invalid operation type. Only `query` operations are supported."]
    invalid = [f"Invalid bulk query: {error.message}" for error in validate(schema, document)]
    return invalid or _broken_rules(schema, document, operation)


def connections_of(schema: GraphQLSchema, document: DocumentNode) -> list[Connection]:
    """The connections in a query, each before those inside it."""
    from graphql import get_operation_ast

    operation = get_operation_ast(document)
    selections = operation.selection_set.selections if operation else ()
    return list(_Reader(schema, document).connections("QueryRoot", selections))


def _broken_rules(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> list[str]:
    found = connections_of(schema, document)
    return [message for rule in _RULES for message in rule(found, operation)]


def _top_level_node(found: list[Connection], operation: OperationDefinitionNode) -> Iterator[str]:
    for each in operation.selection_set.selections:
        name = getattr(getattr(each, "name", None), "value", "")
        if name in ("node", "nodes"):
            yield f"Bulk queries cannot contain a top level `{name}` field."


def _how_many(found: list[Connection], operation: OperationDefinitionNode) -> Iterator[str]:
    if not found:
        yield "Bulk queries must contain at least one connection."
    if len(found) > _MOST_CONNECTIONS:
        yield f"Bulk queries cannot contain more than {_MOST_CONNECTIONS} connections."


def _how_deep(found: list[Connection], operation: OperationDefinitionNode) -> Iterator[str]:
    if any(each.depth > _DEEPEST for each in found):
        yield f"Bulk queries cannot contain connections with a nesting depth greater than {_DEEPEST}."


def _edges_only(found: list[Connection], operation: OperationDefinitionNode) -> Iterator[str]:
    wrong = [each.name for each in found if "edges" not in each.parts or "nodes" in each.parts]
    if wrong:
        yield (
            "All connection fields in a bulk query must select their contents using 'edges' > 'node', e.g: "
            f"'{wrong[0]} {{ edges {{ node {{'. Selecting via 'nodes' is not supported. Invalid connection fields: "
            f"'{', '.join(wrong)}'."
        )


def _parents_with_id(found: list[Connection], operation: OperationDefinitionNode) -> Iterator[str]:
    parents = {each.parent.name for each in found if each.parent and not each.parent.has_id}
    if parents:
        yield (
            "The parent 'node' field for a nested connection must select the 'id' field without an alias and must be "
            f"of 'ID' return type. Connection fields without 'id': {', '.join(sorted(parents))}."
        )


def _none_in_lists(found: list[Connection], operation: OperationDefinitionNode) -> Iterator[str]:
    if any(each.is_in_list for each in found):
        yield "Queries that contain a connection field within a list field are not currently supported."


_Rule = Callable[[list[Connection], "OperationDefinitionNode"], Iterator[str]]
_RULES: tuple[_Rule, ...] = (_top_level_node, _how_many, _how_deep, _edges_only, _parents_with_id, _none_in_lists)


class _Reader:
    """Finds the connections in a document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        from graphql import FragmentDefinitionNode

        self._schema = schema
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }

    def connections(
        self, owner: str, selections: Any, parent: Connection | None = None, *, is_in_list: bool = False
    ) -> Iterator[Connection]:
        """Those in some selections of one type."""
        from graphql import get_named_type, get_nullable_type, is_list_type

        for kind_of, node in self._opened(owner, selections):
            if node.selection_set is None:
                continue
            type_ = self._schema.type_map[kind_of].fields[node.name.value].type  # type: ignore[attr-defined]
            kind, inside = get_named_type(type_).name, node.selection_set.selections
            if kind.endswith("Connection"):
                found = self._connection(node, kind, parent, is_in_list=is_in_list)
                yield found
                yield from self.connections(kind, inside, found, is_in_list=is_in_list)
                continue
            is_list = is_list_type(get_nullable_type(type_)) and not kind_of.endswith("Connection")
            yield from self.connections(kind, inside, parent, is_in_list=is_in_list or is_list)

    def _connection(self, node: FieldNode, kind: str, parent: Connection | None, *, is_in_list: bool) -> Connection:
        parts = self._parts(kind, node)
        rows = [row for edge in parts.get("edges", []) for row in self._parts(kind, edge).get("node", [])]
        ids = [found for row in rows for found in self._parts(kind, row).get("id", [])]
        return Connection(
            node=node,
            parent=parent,
            depth=parent.depth + 1 if parent else 0,
            is_in_list=is_in_list,
            parts=frozenset(parts),
            has_id=any(found.alias is None for found in ids),
        )

    def _parts(self, owner: str, node: FieldNode) -> dict[str, list[FieldNode]]:
        parts: dict[str, list[FieldNode]] = {}
        for _, each in self._opened(owner, node.selection_set.selections if node.selection_set else ()):
            parts.setdefault(each.name.value, []).append(each)
        return parts

    def _opened(self, owner: str, selections: Any) -> Iterator[tuple[str, FieldNode]]:
        """The selected fields with the type that has them, fragments opened."""
        from graphql import FieldNode, FragmentSpreadNode

        for each in selections:
            if isinstance(each, FieldNode):
                yield owner, each
                continue
            opened = self._fragments[each.name.value] if isinstance(each, FragmentSpreadNode) else each
            condition = opened.type_condition
            yield from self._opened(condition.name.value if condition else owner, opened.selection_set.selections)
