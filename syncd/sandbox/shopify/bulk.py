"""Bulk operations: a query judged by the rules for them, worked on for a while, its rows served as one file.

The file is served to whoever knows its address, as from the storage that Shopify keeps such files in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

import orjson

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.exchange import Answer, Call
from syncd.sandbox.shopify.bulk_rules import connections_of, faults_of
from syncd.sandbox.shopify.shapes import Shown, gid, stamp

if TYPE_CHECKING:
    from graphql import GraphQLSchema

OUTPUTS = "/bulk-operation-outputs/"
_MOST_AT_ONCE = 5
_KEPT = timedelta(days=7)
_UNDER_WAY = ("CREATED", "RUNNING", "CANCELING")
_FIRST_ID = 8_066_670_000_000
_PAGE_INFO = " pageInfo { hasNextPage endCursor } "
_NOT_FOUND = b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>NoSuchKey</Code></Error>"
_EXPIRED = b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>ExpiredToken</Code></Error>"

Group = list[Shown]  # a root row and the rows inside it


@dataclass(kw_only=True, slots=True)
class Operation:
    """A bulk query and how far it is.

    Args:
        work: Finds the rows.
        looks_left: How often it is still looked at before it ends.
    """

    number: int
    query: str
    is_grouped: bool
    created_at: datetime
    looks_left: int
    work: Callable[[], Iterator[Group]]
    status: str = "CREATED"
    error_code: str | None = None
    completed_at: datetime | None = None
    object_count: int = 0
    root_count: int = 0
    body: bytes | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether it holds one of the places that there are."""
        return self.status in _UNDER_WAY

    @property
    def key(self) -> str:
        """What its file is known by."""
        return hashlib.sha256(f"bulk {self.number}".encode()).hexdigest()[:28]


@dataclass(kw_only=True, slots=True)
class BulkDesk:
    """The bulk operations of one shop.

    Attributes:
        looks: How often a new operation is looked at before it ends.
        failures: Operations to come that fail, each with how many root rows it finds before; none gives no file.
        lost_lines: How many lines the next file lacks, while the counts still tell them.
    """

    clock: SandboxClock
    looks: int = 2
    failures: list[int] = field(default_factory=list)
    lost_lines: int = 0
    operations: dict[int, Operation] = field(default_factory=dict)

    def resolvers(self, fields: Callable[[], Mapping[str, Any]], address: str) -> dict[str, Callable[..., Any]]:
        """The fields of the root that are about bulk operations.

        Args:
            fields: What the asker's queries are executed on.
            address: Where the shop is served.
        """

        def run(info: Any, query: str, groupObjects: bool) -> Shown:  # noqa: N803
            return self._run(info.schema, fields, query, address, is_grouped=groupObjects)

        return {
            "bulkOperation": lambda info, id: self._look(id, address),  # noqa: A006
            "bulkOperationRunQuery": run,
            "bulkOperationCancel": lambda info, id: self._cancel(id, address),  # noqa: A006
        }

    def file(self, call: Call) -> Answer:
        """What is at a file's address."""
        key = call.path.removeprefix(OUTPUTS)
        found = next((each for each in self.operations.values() if each.key == key and each.body is not None), None)
        if found is None:
            return Answer(status=404, headers={"Content-Type": "application/xml"}, body=_NOT_FOUND)
        if self._is_expired(found):
            return Answer(status=400, headers={"Content-Type": "application/xml"}, body=_EXPIRED)
        return Answer(status=200, headers={"Content-Type": "application/jsonl"}, body=found.body or b"")

    # -- operations ---------------------------------------------------------------------------------------------------

    def _run(
        self,
        schema: GraphQLSchema,
        fields: Callable[[], Mapping[str, Any]],
        query: str,
        address: str,
        *,
        is_grouped: bool,
    ) -> Shown:
        faults = faults_of(schema, query)
        if faults:
            return _refused([{"field": ["query"], "message": message, "code": "INVALID"} for message in faults])
        for each in self.operations.values():
            self._go_on(each)
        busy = [gid("BulkOperation", each.number) for each in self.operations.values() if each.is_under_way]
        if len(busy) >= _MOST_AT_ONCE:
            message = f"A bulk query operation for this app and shop is already in progress: {', '.join(busy)}."
            return _refused([{"field": None, "message": message, "code": "OPERATION_IN_PROGRESS"}])
        made = Operation(
            number=_FIRST_ID + len(self.operations) * 32_768,
            query=query,
            is_grouped=is_grouped,
            created_at=self.clock.second(),
            looks_left=self.looks,
            work=lambda: _rows(schema, query, fields()),
        )
        self.operations[made.number] = made
        return {"bulkOperation": self._shown(made, address), "userErrors": []}

    def _look(self, text: str, address: str) -> Shown | None:
        found = self._find(text)
        if found is None:
            return None
        self._go_on(found)
        return self._shown(found, address)

    def _cancel(self, text: str, address: str) -> Shown:
        found = self._find(text)
        if found is None:
            return _refused([{"field": ["id"], "message": "Bulk operation does not exist"}])
        if found.is_under_way:
            found.status = "CANCELING"
        return {"bulkOperation": self._shown(found, address), "userErrors": []}

    def _find(self, text: str) -> Operation | None:
        kind, _, number = text.rpartition("/")
        return self.operations.get(int(number)) if kind.endswith("/BulkOperation") and number.isdigit() else None

    def _go_on(self, operation: Operation) -> None:
        """Time passes by being looked at, and for all of them when another is started."""
        if operation.status == "CANCELING":
            operation.status = "CANCELED"
        elif operation.is_under_way and operation.looks_left > 0:
            operation.looks_left -= 1
            operation.status = "RUNNING"
        elif operation.is_under_way:
            self._finish(operation)

    def _finish(self, operation: Operation) -> None:
        from graphql import GraphQLError

        operation.completed_at = self.clock.second()
        try:
            groups = list(operation.work())
        except GraphQLError as error:
            operation.status, operation.error_code = "FAILED", (error.extensions or {}).get("code")
            return
        operation.status = "COMPLETED"
        if self.failures:
            groups = _cut(groups, self.failures.pop(0))
            operation.status, operation.error_code = "FAILED", "INTERNAL_SERVER_ERROR"
        lines = _lines(groups, is_grouped=operation.is_grouped)
        operation.object_count, operation.root_count = len(lines), len(groups)
        kept, self.lost_lines = len(lines) - self.lost_lines, 0
        if lines or operation.status == "COMPLETED":
            operation.body = b"".join(map(_line, lines[:kept]))

    def _is_expired(self, operation: Operation) -> bool:
        return operation.completed_at is not None and self.clock.now() >= operation.completed_at + _KEPT

    def _shown(self, operation: Operation, address: str) -> Shown:
        is_gone = operation.body is None or self._is_expired(operation)
        url = None if is_gone or not operation.object_count else f"{address}{OUTPUTS}{operation.key}?Signature=sandbox"
        is_whole = operation.status == "COMPLETED"
        return {
            "id": gid("BulkOperation", operation.number),
            "status": "EXPIRED" if is_whole and self._is_expired(operation) else operation.status,
            "type": "QUERY",
            "errorCode": operation.error_code,
            "createdAt": stamp(operation.created_at),
            "completedAt": stamp(operation.completed_at) if is_whole else None,
            "objectCount": str(operation.object_count),
            "rootObjectCount": str(operation.root_count),
            "fileSize": str(len(operation.body)) if is_whole and operation.body is not None else None,
            "url": url if is_whole else None,
            "partialDataUrl": None if is_whole else url,
            "query": operation.query,
        }


def _refused(errors: list[Shown]) -> Shown:
    return {"bulkOperation": None, "userErrors": errors}


def _cut(groups: list[Group], count: int) -> list[Group]:
    """The first so many, the last of them without its last row."""
    kept = groups[:count]
    return [*kept[:-1], kept[-1][:-1] or kept[-1]] if kept else []


def _lines(groups: list[Group], *, is_grouped: bool) -> list[Shown]:
    """The rows in the file's order: together, or those inside others anywhere behind."""
    if is_grouped:
        return list(chain.from_iterable(groups))
    return [group[0] for group in groups] + list(reversed([row for group in groups for row in group[1:]]))


def _line(row: Shown) -> bytes:
    return orjson.dumps(row).replace(b"/", b"\\/") + b"\n"


def _rows(schema: GraphQLSchema, query: str, fields: Mapping[str, Any]) -> Iterator[Group]:
    """What a query finds, page by page of its root."""
    from graphql import execute_sync, parse

    after, is_more = None, True
    while is_more:
        result = execute_sync(schema, parse(_paged(schema, query, after)), root_value=fields)
        for error in result.errors or ():
            raise error
        found = next(iter((result.data or {}).values()))
        for edge in found["edges"]:
            yield list(_opened(edge["node"], None))
        after, is_more = found["pageInfo"]["endCursor"], found["pageInfo"]["hasNextPage"]


def _paged(schema: GraphQLSchema, query: str, after: str | None) -> str:
    """The query with pages in it, which the asker may leave to the shop here; `after` places that of the root."""
    from graphql import parse

    pieces: list[tuple[int, int, str]] = []
    for found in connections_of(schema, parse(query)):
        node: Any = found.node
        given = [query[each.loc.start : each.loc.end] for each in node.arguments or () if each.name.value != "first"]
        place = [f'after: "{after}"'] if after and not found.depth else []
        arguments = ", ".join([*given, "first: 250", *place])
        pieces.append((node.name.loc.end, node.selection_set.loc.start, f"({arguments})"))
        pieces.append((node.selection_set.loc.end - 1, node.selection_set.loc.end - 1, _PAGE_INFO))
    for start, end, text in sorted(pieces, reverse=True):
        query = query[:start] + text + query[end:]
    return query


def _opened(row: Shown, parent_id: str | None) -> Iterator[Shown]:
    """A row without the connections in it, then their rows."""
    inside = {name: value for name, value in row.items() if isinstance(value, dict) and "edges" in value}
    plain = {name: value for name, value in row.items() if name not in inside}
    yield plain if parent_id is None else {**plain, "__parentId": parent_id}
    for value in inside.values():
        for edge in value["edges"]:
            yield from _opened(edge["node"], row["id"])
