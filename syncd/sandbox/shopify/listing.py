"""Connections: rows in order, a page of them behind an opaque cursor, and what is said about the page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

_LARGEST_PAGE = 250

Key = tuple[Any, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """What a connection lists.

    Args:
        records: Anything with an id.
        value: What they are sorted by before their ids.
        show: A record as it is answered.
    """

    records: Iterable[Any]
    value: Callable[[Any], Any]
    show: Callable[[Any], Any]


def connection(rows: Rows, args: Mapping[str, Any]) -> dict[str, Any]:
    """The page that `first`, `after` and `reverse` ask for.

    Raises:
        GraphQLError: There is no such page.
    """
    first = _page_size(args)
    keyed = sorted(((_key(rows, record), record) for record in rows.records), key=lambda pair: pair[0])
    if args.get("reverse"):
        keyed.reverse()
    behind = _behind(keyed, args)
    page = behind[:first]
    edges = [{"cursor": _cursor(key), "node": rows.show(record)} for key, record in page]
    return {
        "edges": edges,
        "nodes": [edge["node"] for edge in edges],
        "pageInfo": {
            "hasNextPage": len(behind) > len(page),
            "hasPreviousPage": len(behind) < len(keyed),
            "startCursor": edges[0]["cursor"] if edges else None,
            "endCursor": edges[-1]["cursor"] if edges else None,
        },
    }


def _page_size(args: Mapping[str, Any]) -> int:
    first = args.get("first")
    if first is None:
        raise refusal("you must provide one of first or last", "BAD_REQUEST")
    if first > _LARGEST_PAGE:
        raise refusal(f"first cannot exceed {_LARGEST_PAGE}", "BAD_REQUEST")
    if first < 0:
        raise refusal("first must be a positive integer", "BAD_REQUEST")
    return int(first)


def _key(rows: Rows, record: Any) -> Key:
    value = rows.value(record)
    return (int(value.timestamp() * 1000) if isinstance(value, datetime) else value, record.id)


def _behind(keyed: Sequence[tuple[Key, Any]], args: Mapping[str, Any]) -> Sequence[tuple[Key, Any]]:
    if args.get("after") is None:
        return keyed
    last = _read_cursor(args["after"])
    try:
        if args.get("reverse"):
            return [pair for pair in keyed if pair[0] < last]
        return [pair for pair in keyed if pair[0] > last]
    except TypeError:
        raise refusal("Invalid cursor for current pagination sort.", "BAD_REQUEST") from None


def _cursor(key: Key) -> str:
    return base64.b64encode(orjson.dumps({"last_id": key[1], "last_value": key[0]})).decode()


def _read_cursor(text: str) -> Key:
    try:
        read = orjson.loads(base64.b64decode(text, validate=True))
        return read["last_value"], int(read["last_id"])
    except (binascii.Error, ValueError, TypeError, LookupError):
        raise refusal("Invalid cursor for current pagination sort.", "BAD_REQUEST") from None


def refusal(message: str, code: str, **more: Any) -> Exception:
    """An error of one field, for a resolver to raise."""
    from graphql import GraphQLError

    return GraphQLError(message, extensions={"code": code, **more})
