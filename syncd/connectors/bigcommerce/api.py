"""One BigCommerce store as its answers come: paced, listed to the end, and refused where they are no list."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from syncd.connectors.bigcommerce.dialect import Quota
from syncd.connectors.exchange import Answer, Request
from syncd.connectors.idwalk import Row, row_id
from syncd.connectors.transport import Transport
from syncd.errors import CorruptAnswer
from syncd.model import Json

LARGEST_PAGE = 250

Item = TypeVar("Item")


class Api:
    """What the parts of the connector ask through: one transport, one quota."""

    def __init__(self, transport: Transport, quota: Quota) -> None:
        self._transport = transport
        self._quota = quota

    def send(self, request: Request) -> Answer:
        """Ask when the store's quota allows; raises as the transport does."""
        self._quota.wait()
        return self._transport.send(request)

    def listed(self, path: str, params: Mapping[str, str]) -> Iterator[Row]:
        """Every row of a v3 list, once; rows without an id as they come."""
        met: set[int | None] = set()
        for row in (row for answer in self.pages(path, params) for row in data(answer)):
            number = row_id(row)
            if number is None or number not in met:
                met.add(number)
                yield row

    def pages(self, path: str, params: Mapping[str, str]) -> Iterator[Answer]:
        """Every page of a v3 list, asked for when it is wanted."""
        for number in itertools.count(1):
            asked = Request(path=path, params={**params, "limit": str(LARGEST_PAGE), "page": str(number)})
            answer = self.send(asked)
            if not data(answer):
                answer = self.send(asked)  # anybody can answer with nothing: it must be said twice
            yield answer
            if number >= page_count(answer):
                return

    def close(self) -> None:
        """Give connections back; safe to call twice."""
        self._transport.close()


def data(answer: Answer) -> list[Row]:
    """The rows of a v3 answer.

    Raises:
        CorruptAnswer: It holds none.
    """
    return rows(answer, answer.json.get("data") if isinstance(answer.json, Mapping) else None)


def rows(answer: Answer, value: Json) -> list[Row]:
    """A list of an answer as rows; what is no object in it is kept to be set aside.

    Raises:
        CorruptAnswer: It is no list.
    """
    if not isinstance(value, list):
        raise CorruptAnswer(f"the list at {answer.request.path} is none", request_id=answer.request_id)
    return [row if isinstance(row, dict) else {"not_an_object": row} for row in value]


def total(answer: Answer) -> int | None:
    """How many rows a v3 list holds in all; None where the answer does not say."""
    return _number(_meta(answer, "pagination").get("total"))


def page_count(answer: Answer) -> int:
    """How many pages a v3 list has; 0 where the answer does not say."""
    return _number(_meta(answer, "pagination").get("total_pages")) or 0


def end_cursor(answer: Answer) -> str:
    """Where a v3 list goes on; empty where the answer does not say."""
    cursor = _meta(answer, "cursor_pagination").get("end_cursor")
    return cursor if isinstance(cursor, str) else ""


def number_of(row: Row, name: str) -> int | None:
    """A whole number in a row; None where there is none."""
    return _number(row.get(name))


def joined(numbers: Iterable[int]) -> str:
    """Numbers as an `:in` filter takes them, ascending."""
    return ",".join(map(str, sorted(numbers)))


def chunks(values: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """A sequence in parts of at most `size`."""
    return (values[start : start + size] for start in range(0, len(values), size))


def _meta(answer: Answer, name: str) -> Mapping[str, Json]:
    meta = answer.json.get("meta") if isinstance(answer.json, Mapping) else None
    part = meta.get(name) if isinstance(meta, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def _number(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
