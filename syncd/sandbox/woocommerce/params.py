"""Query parameters of collections: which there are, what they may be, and how a wrong one is refused.

An unknown parameter is silently ignored, as WordPress does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import parse_qsl

from syncd.sandbox.woocommerce.refusal import invalid
from syncd.sandbox.woocommerce.state import STATUSES

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}(?::?\d{2})?)?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_TRUE = frozenset({"true", "1", "TRUE", "True"})
LISTED_STATUSES = ("any", "trash", "auto-draft", *STATUSES)


@dataclass(frozen=True, kw_only=True, slots=True)
class Param:
    """One parameter.

    Args:
        kind: integer, string, boolean, date, email, integers or strings (lists).
        enum: What it, or each of its items, may be.
    """

    kind: str = "string"
    default: Any = None
    enum: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None


_PAGING = {
    "context": Param(default="view", enum=("view", "edit")),
    "page": Param(kind="integer", default=1, minimum=1),
    "per_page": Param(kind="integer", default=10, minimum=1, maximum=100),
    "search": Param(),
    "exclude": Param(kind="integers", default=()),
    "include": Param(kind="integers", default=()),
    "offset": Param(kind="integer"),
}
CUSTOMERS = {
    **_PAGING,
    "order": Param(default="asc", enum=("asc", "desc")),
    "orderby": Param(default="name", enum=("id", "include", "name", "registered_date")),
    "email": Param(kind="email"),
    "role": Param(
        default="customer",
        enum=("all", "administrator", "editor", "author", "contributor", "subscriber", "customer", "shop_manager"),
    ),
}
REFUNDS = {
    **_PAGING,
    "order": Param(default="desc", enum=("asc", "desc")),
    "orderby": Param(default="date", enum=("date", "id", "include", "title", "slug", "modified")),
    "dp": Param(kind="integer"),
}
ORDERS = {
    **REFUNDS,
    "after": Param(kind="date"),
    "before": Param(kind="date"),
    "modified_after": Param(kind="date"),
    "modified_before": Param(kind="date"),
    "dates_are_gmt": Param(kind="boolean", default=False),
    "status": Param(kind="strings", default=("any",), enum=LISTED_STATUSES),
    "customer": Param(kind="integer"),
    "product": Param(kind="integer"),
    "created_via": Param(kind="strings"),
    "include_meta": Param(kind="strings", default=()),
}
ONE = {"context": _PAGING["context"], "dp": Param(kind="integer"), "force": Param(kind="boolean", default=False)}


def php_query(query: str) -> dict[str, Any]:
    """A query as PHP reads it: the last of repeated names, `name[]` collected into a list."""
    params: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        base, bracket, _ = name.partition("[")
        if bracket:
            params[base] = [*(params[base] if isinstance(params.get(base), list) else []), value]
        else:
            params[name] = value
    return params


def checked(given: Mapping[str, Any], schema: Mapping[str, Param]) -> dict[str, Any]:
    """The parameters with their types and defaults; `_fields` passes as it is.

    Raises:
        Refused: Some are wrong; the refusal names each.
    """
    values: dict[str, Any] = {"_fields": _text(given.get("_fields", ""))}
    faults: dict[str, tuple[str, str]] = {}
    for name, param in schema.items():
        values[name] = param.default
        if name in given:
            fault, values[name] = _read(name, param, given[name])
            if fault:
                faults[name] = fault
    if faults:
        raise invalid(faults)
    return values


_Read = tuple[tuple[str, str] | None, Any]


def _text(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


def _read(name: str, param: Param, raw: Any) -> _Read:
    match param.kind:
        case "integers" | "strings":
            return _list(name, param, raw)
        case "integer":
            return _integer(name, param, _text(raw))
        case "boolean":
            return None, _text(raw) in _TRUE
        case "date":
            return (None, _text(raw)) if is_date(_text(raw)) else (("rest_invalid_date", "Invalid date."), None)
        case "email" if not _EMAIL.fullmatch(_text(raw)):
            return ("rest_invalid_email", "Invalid email address."), None
    return _enum(name, param, _text(raw)), _text(raw)


def _list(name: str, param: Param, raw: Any) -> _Read:
    items = [item.strip() for item in (raw if isinstance(raw, list) else re.split(r"[\s,]+", raw)) if item.strip()]
    for place, item in enumerate(items):
        fault = _item_fault(f"{name}[{place}]", param, item)
        if fault:
            return fault, None
    return None, tuple(int(item) for item in items) if param.kind == "integers" else tuple(items)


def _item_fault(name: str, param: Param, item: str) -> tuple[str, str] | None:
    if param.kind == "integers" and not re.fullmatch(r"-?\d+", item):
        return "rest_invalid_type", f"{name} is not of type integer."
    return _enum(name, param, item)


def _integer(name: str, param: Param, text: str) -> _Read:
    if not re.fullmatch(r"-?\d+", text):
        return ("rest_invalid_type", f"{name} is not of type integer."), None
    low, high, value = param.minimum, param.maximum, int(text)
    if low is not None and high is not None and not low <= value <= high:
        return ("rest_out_of_bounds", f"{name} must be between {low} (inclusive) and {high} (inclusive)"), None
    if low is not None and value < low:
        return ("rest_out_of_bounds", f"{name} must be greater than or equal to {low}"), None
    return None, value


def _enum(name: str, param: Param, value: str) -> tuple[str, str] | None:
    if not param.enum or value in param.enum:
        return None
    return "rest_not_in_enum", f"{name} is not one of {_spoken(param.enum)}."


def _spoken(words: Sequence[str]) -> str:
    last = f" and {words[-1]}" if len(words) == 2 else f", and {words[-1]}"
    return ", ".join(words[:-1]) + last


def is_date(text: str) -> bool:
    """Whether WordPress takes a text for a date."""
    if not _DATE.fullmatch(text):
        return False
    try:
        _parsed(text)
    except ValueError:
        return False
    return True


def is_email(text: str) -> bool:
    """Whether WordPress takes a text for a mail address."""
    return _EMAIL.fullmatch(text) is not None


def boundary(text: str, *, are_gmt: bool, zone: tzinfo) -> datetime:
    """The moment a date parameter stands for, timezone trap included.

    A naive date is UTC with `dates_are_gmt` and the site's wall time without; a date with a zone is right without
    the flag, and with it is first turned into wall time and that then taken for UTC.
    """
    moment = _parsed(text)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC if are_gmt else zone)
    return moment.astimezone(zone).replace(tzinfo=UTC) if are_gmt else moment


def _parsed(text: str) -> datetime:
    return datetime.fromisoformat(text.upper().replace(" ", "T"))
