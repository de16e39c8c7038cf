"""What a document costs, as Shopify counts: fitted to the costs that its answers name.

A scalar is free, an object costs 1, a count or a mutation 10; the rows of a connection cost as much as one of them
times the number of rows to the power of 0.45. A query is admitted by the price of the rows it asks for, and pays for
those that came.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syncd.sandbox.shopify.state import RESTORE_RATES, ShopifyState

if TYPE_CHECKING:
    from graphql import (
        DocumentNode,
        FieldNode,
        FragmentDefinitionNode,
        GraphQLSchema,
        OperationDefinitionNode,
        SelectionNode,
    )

MAX_COST = 1000
_SECONDS_IN_BUCKET = 20
_POWER = 0.45
_MUTATION = 10.0
_FLAT = {"Count": 10.0, "CustomerEmailAddress": 0.0, "CustomerPhoneNumber": 0.0}


class Bucket:
    """The points that may still be spent; they come back by the sandbox's clock or the machine's, whichever is ahead.

    Attributes:
        available: Points left when last looked at; tests may set it.
    """

    def __init__(self, state: ShopifyState) -> None:
        self._state = state
        self.available = float(self.size)
        self._seen = (state.clock.now(), time.monotonic())

    @property
    def rate(self) -> int:
        """Points a second."""
        return RESTORE_RATES[self._state.plan]

    @property
    def size(self) -> int:
        """Points at most."""
        return self.rate * _SECONDS_IN_BUCKET

    def admits(self, points: int) -> bool:
        """Whether so many points are there now."""
        self._restore()
        return self.available >= points

    def pay(self, points: int) -> None:
        """Take points out."""
        self._restore()
        self.available -= points

    def status(self) -> dict[str, float]:
        """What answers say of it."""
        left = int(self.available)
        return {"maximumAvailable": float(self.size), "currentlyAvailable": left, "restoreRate": float(self.rate)}

    def _restore(self) -> None:
        now, tick = self._state.clock.now(), time.monotonic()
        passed = max((now - self._seen[0]).total_seconds(), tick - self._seen[1])
        self._seen = (now, tick)
        self.available = min(float(self.size), self.available + passed * self.rate)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """A field with everything selected in it, and the type that it gives."""

    node: FieldNode
    kind: str
    inside: tuple[SelectionNode, ...]


class Pricing:
    """Prices one operation of a document.

    Args:
        variables: As they were sent.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> None:
        from graphql import FragmentDefinitionNode, value_from_ast_untyped

        self._schema = schema
        self._operation = operation
        self._fragments: dict[str, FragmentDefinitionNode] = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        defaults = {
            each.variable.name.value: value_from_ast_untyped(each.default_value)
            for each in operation.variable_definitions or ()
            if each.default_value is not None
        }
        self._variables = {**defaults, **variables}

    def requested(self) -> int:
        """The price of all that may come."""
        return self._total(None)

    def actual(self, data: Mapping[str, Any]) -> int:
        """The price of what came."""
        return self._total([data])

    def deprecated(self) -> list[str]:
        """The deprecated fields that are asked for, as Type.field."""
        return sorted(set(self._deprecated(self._root, self._operation.selection_set.selections)))

    @property
    def _root(self) -> str:
        return "Mutation" if self._operation.operation.value == "mutation" else "QueryRoot"

    def _total(self, rows: list[Mapping[str, Any]] | None) -> int:
        selections = self._operation.selection_set.selections
        if self._root == "Mutation":
            return round(_MUTATION * len(self._fields(self._root, selections)))
        return round(self._inside(self._root, selections, rows))

    def _inside(self, parent: str, selections: Any, rows: list[Mapping[str, Any]] | None) -> float:
        """What one object costs beside itself; with rows, the mean of theirs."""
        return sum(
            self._field(asked, None if rows is None else [row[key] for row in rows if key in row])
            for key, asked in self._fields(parent, selections).items()
        )

    def _field(self, asked: _Asked, values: list[Any] | None) -> float:
        if not asked.inside:
            return 0.0
        if asked.kind in _FLAT:
            return _FLAT[asked.kind]
        if asked.kind.endswith("Connection"):
            return self._connection(asked, values)
        rows = None if values is None else list(_objects(values))
        return _factor(len(self._argument(asked.node, "ids") or "1")) * (
            1 + self._inside(asked.kind, asked.inside, rows)
        )

    def _connection(self, asked: _Asked, values: list[Any] | None) -> float:
        parts = self._fields(asked.kind, asked.inside)
        info = 1.0 if "pageInfo" in parts else 0.0
        pages = None if values is None else [_page(value) for value in values if value]
        if pages is None:
            factor, rows = _factor(self._argument(asked.node, "first") or 1), None
        else:
            factor = sum(_factor(len(page)) for page in pages) / len(pages) if pages else 1.0
            rows = [row for page in pages for row in page]
        return info + factor * max(
            (self._row(part, rows) for key, part in parts.items() if key != "pageInfo"), default=0
        )

    def _row(self, part: _Asked, rows: list[Mapping[str, Any]] | None) -> float:
        """One row's price, whether it is asked for as a node or in an edge."""
        if part.kind.endswith("Edge"):
            node = self._fields(part.kind, part.inside).get("node")
            return 1 + self._inside(node.kind, node.inside, rows) if node else 1.0
        return 1 + self._inside(part.kind, part.inside, rows)

    def _fields(self, parent: str, selections: Any) -> dict[str, _Asked]:
        """What is selected in a type by the name it is answered under, fragments opened."""
        found: dict[str, _Asked] = {}
        for owner, node in self._opened(parent, selections):
            key = (node.alias or node.name).value
            inside = node.selection_set.selections if node.selection_set else ()
            known = found[key].inside if key in found else ()
            found[key] = _Asked(node=node, kind=self._kind(owner, node.name.value), inside=(*known, *inside))
        return found

    def _opened(self, parent: str, selections: Any) -> Iterator[tuple[str, FieldNode]]:
        from graphql import FieldNode, FragmentSpreadNode

        for each in selections:
            if not self._is_included(each):
                continue
            if isinstance(each, FieldNode):
                yield parent, each
                continue
            opened = self._fragments[each.name.value] if isinstance(each, FragmentSpreadNode) else each
            condition = opened.type_condition
            yield from self._opened(condition.name.value if condition else parent, opened.selection_set.selections)

    def _is_included(self, selection: SelectionNode) -> bool:
        wanted = {"include": True, "skip": False}
        return all(
            bool(self._argument(directive, "if")) is wanted[directive.name.value]
            for directive in selection.directives or ()
            if directive.name.value in wanted
        )

    def _argument(self, node: Any, name: str) -> Any:
        from graphql import value_from_ast_untyped

        for argument in node.arguments or ():
            if argument.name.value == name:
                return value_from_ast_untyped(argument.value, self._variables)
        return None

    def _kind(self, owner: str, name: str) -> str:
        from graphql import get_named_type

        if name == "__typename":
            return "String"
        kind: str = get_named_type(self._schema.type_map[owner].fields[name].type).name  # type: ignore[attr-defined]
        return kind

    def _deprecated(self, parent: str, selections: Any) -> Iterator[str]:
        for owner, node in self._opened(parent, selections):
            known = getattr(self._schema.type_map[owner], "fields", {}).get(node.name.value)
            if known is not None and known.deprecation_reason:
                yield f"{owner}.{node.name.value}"
            if node.selection_set:
                yield from self._deprecated(self._kind(owner, node.name.value), node.selection_set.selections)


def _factor(rows: int) -> float:
    return float(max(1, rows) ** _POWER)


def _objects(values: list[Any]) -> Iterator[Mapping[str, Any]]:
    for value in values:
        yield from (each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict))


def _page(connection: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rows of an answered connection, whatever they are called."""
    for value in connection.values():
        if isinstance(value, list):
            return [row.get("node", row) for row in value]
    return []
