"""Shopify's search syntax: what a `query` argument asks for, and what is said about what it cannot mean.

Terms are `field:value` with a comparison before the value; side by side they must all hold, `OR` binds weaker. A
value with a colon must be quoted: unquoted it ends at the colon, is read in the shop's own time zone, and what is
left becomes a term of its own; the query still runs. A term that cannot be understood is left out with a warning.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

_TERM = re.compile(
    r"""(?P<not>-|NOT\s+)?
        (?:(?P<field>[\w.]+)\s*:)?
        (?P<mark><=|>=|<|>)?
        (?P<value>'[^']*'|"[^"]*"|[^\s:()]+)""",
    re.VERBOSE,
)
# `>` is reported to act like `>=`, and `<` is taken at its word.
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "": operator.eq, ">=": operator.ge, ">": operator.ge, "<=": operator.le, "<": operator.lt,
}  # fmt: skip
_RANGES = {">=": "range_gte", ">": "range_gt", "<=": "range_lte", "<": "range_lt", "": "match_all"}

Value = str | int | datetime | bool | None
Reader = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A field that can be searched.

    Args:
        kind: time, number or word.
        read: A record's value of it; several words where any of them may match.
    """

    kind: str
    read: Reader


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """A query as it was understood.

    Args:
        alternatives: Sets of tests; a record is found if all of one set hold.
        parsed: How the shop says it read the query.
    """

    alternatives: tuple[tuple[Callable[[Any], bool], ...], ...]
    parsed: Mapping[str, Any]
    warnings: tuple[Mapping[str, str], ...] = ()

    def finds(self, record: Any) -> bool:
        """Whether a record is found."""
        return any(all(test(record) for test in tests) for tests in self.alternatives)


@dataclass(slots=True)
class _Reading:
    fields: Mapping[str, Field]
    zone: tzinfo
    warnings: list[Mapping[str, str]] = field(default_factory=list)

    def alternative(self, text: str) -> tuple[list[Callable[[Any], bool]], list[dict[str, Any]]]:
        tests, parsed = [], []
        for found in _TERM.finditer(text):
            if found["value"] in ("AND", "NOT") and not found["field"]:
                continue
            words, test = self._term(found)
            parsed.append(words)
            if test is not None:
                tests.append(test)
        return tests, parsed

    def _term(self, found: re.Match[str]) -> tuple[dict[str, Any], Callable[[Any], bool] | None]:
        name, mark, value = found["field"], found["mark"] or "", found["value"].strip("'\"")
        if name is None:
            return {"match_all": value}, None
        known = self.fields.get(name)
        if known is None:
            self._warn(name, "Invalid search field for this query.", "invalid_field")
            return {"field": name, _RANGES[mark]: value}, None
        wanted = self._value(known, value, is_quoted=found["value"][0] in "'\"")
        if wanted is None:
            self._warn(name, f"Input `{value}` is not an accepted value.", "invalid_value")
            return {"field": name, _RANGES[mark]: value}, None
        shown = wanted.isoformat() if isinstance(wanted, datetime) else value
        return {"field": name, _RANGES[mark]: shown}, _test(known, mark, wanted, is_negated=bool(found["not"]))

    def _value(self, known: Field, text: str, *, is_quoted: bool) -> Value:
        try:
            if known.kind == "time":
                return self._moment(text, is_quoted=is_quoted)
            return int(text) if known.kind == "number" else text.lower()
        except ValueError:
            return None

    def _moment(self, text: str, *, is_quoted: bool) -> datetime:
        """A time; what names no zone, and whatever is not quoted, is the shop's own time."""
        if not is_quoted and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d", text):
            text += ":00"
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=self.zone)

    def _warn(self, name: str, message: str, code: str) -> None:
        self.warnings.append({"field": name, "message": message, "code": code})


def read_query(text: str, fields: Mapping[str, Field], zone: tzinfo) -> Search:
    """What a query asks of one kind of record.

    Args:
        fields: What can be searched, by name.
        zone: The shop's own.
    """
    reading = _Reading(fields, zone)
    readings = [reading.alternative(part) for part in re.split(r"\s+OR\s+", text)]
    parsed = [_joined("and", terms) for _, terms in readings]
    return Search(
        alternatives=tuple(tuple(tests) for tests, _ in readings),
        parsed=_joined("or", parsed),
        warnings=tuple(reading.warnings),
    )


def _joined(word: str, parts: list[dict[str, Any]]) -> dict[str, Any]:
    return parts[0] if len(parts) == 1 else {word: parts}


def _test(known: Field, mark: str, wanted: Value, *, is_negated: bool) -> Callable[[Any], bool]:
    compare = _COMPARE[mark]

    def holds(record: Any) -> bool:
        value = known.read(record)
        values = value if isinstance(value, (list, tuple)) else [value]
        return any(each is not None and compare(_plain(each), wanted) for each in values) is not is_negated

    return holds


def _plain(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value
