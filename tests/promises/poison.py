"""Spoils single fields of single records in a sandbox shop's answers, as plugins and imports of real shops do."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from syncd.sandbox.exchange import Answer, Call

HUGE = "x" * 1_000_000
_MISSING = object()
_HUGE_NUMBER = "@@1e400@@"  # which no serialiser writes
KINDS: Mapping[str, object] = {
    "null": None,
    "missing": _MISSING,
    "another type": {"a": 1},
    "a number": -7.5,
    "a list": [["x"]],
    "1 MB": HUGE,
    "NUL": "a\x00b",
    "lone surrogate": "a\ud800b",
    "1e400": _HUGE_NUMBER,
    "zero date": "0000-00-00T00:00:00",
    "negative money": "-5.00",
}

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Dose:
    """What is done to one field of a record."""

    path: Path
    kind: str

    def __str__(self) -> str:
        return f"{self.kind} at {'.'.join(map(str, self.path))}"


class Poison:
    """Stands between a shop and its visitors; gives `doses` to the records that are named there, by id.

    Args:
        lists: Method and address, a regular expression, of the requests that are answered with records.

    Attributes:
        seen: The records of the latest answers as the shop gave them, by id.
    """

    def __init__(self, shop: Any, lists: tuple[str, str]) -> None:
        self.doses: dict[str, Dose] = {}
        self.seen: dict[str, dict[str, Any]] = {}
        self._lists = lists
        self._answer: Callable[[Call], Answer] = shop.answer
        shop.answer = self

    def __call__(self, call: Call) -> Answer:
        """The shop's answer, spoiled."""
        answer = self._answer(call)
        method, path = self._lists
        if answer.status != 200 or call.method != method or not re.search(path, call.target):
            return answer
        value = json.loads(answer.body)
        for row in _records(value):
            key = str(row["id"]).rpartition("/")[2]
            self.seen[key] = copy.deepcopy(row)
            if key in self.doses:
                _give(row, self.doses[key])
        return replace(answer, body=json.dumps(value).replace(f'"{_HUGE_NUMBER}"', "1e400").encode())


def paths_of(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where every field of a record stands, of lists those of the first item.

    Not the record's own id, without which there is nothing to set aside, nor what GraphQL's types promise: that a list
    inside a record comes in pages.
    """
    steps: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(value, dict):
        steps = iter(value.items())
    elif isinstance(value, list) and value:
        steps = iter([(0, value[0])])
    for step, item in steps:
        if (*path, step) == ("id",) or step == "pageInfo":
            continue
        if not _is_connection(item) and not _is_connection(value):
            yield (*path, step)
        yield from paths_of(item, (*path, step))


def _is_connection(value: Any) -> bool:
    return isinstance(value, dict) and "pageInfo" in value


def _records(value: Any) -> list[dict[str, Any]]:
    """The records of an answer: the outermost list of objects that have an id."""
    if isinstance(value, list):
        return [row for row in value if isinstance(row, dict) and "id" in row]
    if isinstance(value, dict):
        return next((rows for item in value.values() if (rows := _records(item))), [])
    return []


def _give(record: dict[str, Any], dose: Dose) -> None:
    holder: Any = record
    for step in dose.path[:-1]:
        holder = holder[step]
    if KINDS[dose.kind] is not _MISSING:
        holder[dose.path[-1]] = copy.deepcopy(KINDS[dose.kind])
    elif isinstance(holder, dict):
        del holder[dose.path[-1]]
