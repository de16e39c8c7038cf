"""What stands in the query string: v3 refuses what it does not know, v2 overlooks it; both refuse bad values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote_plus

from syncd.sandbox.bigcommerce.refusal import Refused, bad_value
from syncd.sandbox.exchange import Call

LARGEST_PAGE = 250
_ZULU = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Param:
    """A parameter of an address.

    Args:
        kind: Which of the readers below it goes through.
        options: The values that choice and choices allow.
    """

    kind: str
    options: tuple[str, ...] = ()
    default: Any = None


Schema = Mapping[str, Param]


def _count(text: str, _: Param) -> int:
    number = int(text)
    if number < 1:
        raise ValueError("must be at least 1")
    return number


def _zulu(text: str, _: Param) -> datetime:
    if not _ZULU.fullmatch(text):
        raise ValueError("must be a time such as 2026-01-31T12:00:00Z")
    return datetime.fromisoformat(text).astimezone(UTC)


def _mail_time(text: str, param: Param) -> datetime:
    if _ZULU.fullmatch(text):
        return _zulu(text, param)
    moment = parsedate_to_datetime(text)
    if moment.tzinfo is None:
        raise ValueError("must name its zone")
    return moment.astimezone(UTC)


def _choice(text: str, param: Param) -> str:
    if text not in param.options:
        raise ValueError(f"must be one of {', '.join(param.options)}")
    return text


def _each(read: Callable[[str, Param], Any]) -> Callable[[str, Param], tuple[Any, ...]]:
    return lambda text, param: tuple(read(part.strip(), param) for part in text.split(",") if part.strip())


_READERS: Mapping[str, Callable[[str, Param], Any]] = {
    "integer": lambda text, _: int(text),
    "integers": _each(lambda text, _: int(text)),
    "number": lambda text, _: float(text),
    "text": lambda text, _: text,
    "texts": _each(lambda text, _: text),
    "time": _zulu,
    "mail_time": _mail_time,
    "choice": _choice,
    "choices": _each(_choice),
    "page": _count,
    "limit": _count,
}


def read_params(call: Call, schema: Schema) -> dict[str, Any]:
    """The parameters of a call by name, defaults filled in.

    Raises:
        Refused: One is not known (v3), or has a value that will not do.
    """
    given = dict(_pairs(call.query))
    is_v2 = "/v2/" in call.path
    unknown = [name for name in given if name not in schema]
    if unknown and not is_v2:
        raise Refused(422, f"The filter(s): {', '.join(unknown)} are not valid filter parameter(s).")
    found = {
        name: _read(name, text, schema[name], is_v2)
        for name, text in given.items()
        if name in schema and name not in call.ignored
    }
    return {name: param.default for name, param in schema.items()} | found


def _pairs(query: str) -> list[tuple[str, str]]:
    parts = [part.partition("=") for part in query.split("&") if part]
    return [(unquote_plus(name), text) for name, _, text in parts]


def _read(name: str, raw: str, param: Param, is_v2: bool) -> Any:
    try:
        if "%3a" in raw.lower():
            raise ValueError("must not hold an encoded colon")
        value = _READERS[param.kind](unquote_plus(raw), param)
    except (ValueError, TypeError) as error:
        refusal = bad_value(name, str(error))
        raise Refused(400, f"The field '{name}' is invalid: {error}.") if is_v2 else refusal from None
    if param.kind == "limit" and value > LARGEST_PAGE:
        raise _too_large(name, is_v2)
    return value


def _too_large(name: str, is_v2: bool) -> Refused:
    if is_v2:
        details = {"max_limit": LARGEST_PAGE}
        return Refused(413, "The specified limit exceeds the maximum allowed.", details=details)
    return bad_value(name, f"must not be over {LARGEST_PAGE}")


def bounds(name: str, kind: str = "time") -> dict[str, Param]:
    """The three filters that v3 has on a time: equal, at least, at most."""
    return {f"{name}{suffix}": Param(kind=kind) for suffix in ("", ":min", ":max")}


def is_within(moment: datetime, params: Mapping[str, Any], name: str) -> bool:
    """Whether a time passes the three filters of a name."""
    low, high = params[f"{name}:min"], params[f"{name}:max"]
    return params[name] in (None, moment) and (low is None or moment >= low) and (high is None or moment <= high)


PAGES: Schema = {"page": Param(kind="page", default=1), "limit": Param(kind="limit", default=50)}
_TIMES: Schema = bounds("date_created") | bounds("date_modified")
INCLUDES = ("addresses", "storecredit", "attributes", "formfields", "shopper_profile_id", "segment_ids")
_CUSTOMER_SORTS = tuple(
    f"{name}:{order}" for name in ("date_created", "last_name", "date_modified") for order in ("asc", "desc")
)

CUSTOMERS: Schema = {
    **PAGES,
    **_TIMES,
    "id:in": Param(kind="integers"),
    "email:in": Param(kind="texts"),
    "name:in": Param(kind="texts"),
    "name:like": Param(kind="texts"),
    "phone:in": Param(kind="texts"),
    "company:in": Param(kind="texts"),
    "customer_group_id:in": Param(kind="integers"),
    "registration_ip_address:in": Param(kind="texts"),
    "include": Param(kind="choices", options=INCLUDES, default=()),
    "sort": Param(kind="choice", options=_CUSTOMER_SORTS),
    "after": Param(kind="text"),
    "before": Param(kind="text"),
}
ADDRESSES: Schema = {
    **PAGES,
    "id:in": Param(kind="integers"),
    "customer_id:in": Param(kind="integers"),
    "name:in": Param(kind="texts"),
    "company:in": Param(kind="texts"),
    "include": Param(kind="choices", options=("formfields",), default=()),
}
ATTRIBUTES: Schema = {
    **PAGES,
    **_TIMES,
    "name": Param(kind="text"),
    "name:like": Param(kind="text"),
    "type": Param(kind="text"),
}
ATTRIBUTE_VALUES: Schema = {
    **PAGES,
    **_TIMES,
    "customer_id:in": Param(kind="integers"),
    "attribute_id:in": Param(kind="integers"),
    "name": Param(kind="text"),
}
SUBSCRIBERS: Schema = {
    **PAGES,
    **_TIMES,
    "email": Param(kind="text"),
    "first_name": Param(kind="text"),
    "last_name": Param(kind="text"),
    "source": Param(kind="text"),
    "order_id": Param(kind="integer"),
    "id": Param(kind="integer"),
    "id:in": Param(kind="integers"),
}
BY_IDS: Schema = {"id:in": Param(kind="integers")}
_ORDER_SORTS = ("id", "customer_id", "date_created", "date_modified", "status_id", "channel_id", "external_id")
ORDER: Schema = {
    "include": Param(kind="choices", options=("consignments", "consignments.line_items", "fees"), default=()),
    "consignment_structure": Param(kind="choice", options=("object",)),
}
ORDER_FILTERS: Schema = {
    "min_id": Param(kind="integer"),
    "max_id": Param(kind="integer"),
    "min_total": Param(kind="number"),
    "max_total": Param(kind="number"),
    "min_date_created": Param(kind="mail_time"),
    "max_date_created": Param(kind="mail_time"),
    "min_date_modified": Param(kind="mail_time"),
    "max_date_modified": Param(kind="mail_time"),
    "customer_id": Param(kind="integer"),
    "status_id": Param(kind="integer"),
    "channel_id": Param(kind="integer"),
    "email": Param(kind="text"),
    "cart_id": Param(kind="text"),
    "payment_method": Param(kind="text"),
    "external_order_id": Param(kind="text"),
}
ORDERS: Schema = {
    **PAGES,
    **ORDER,
    **ORDER_FILTERS,
    "sort": Param(
        kind="choice",
        options=(*_ORDER_SORTS, *(f"{name}:{order}" for name in _ORDER_SORTS for order in ("asc", "desc"))),
        default="id:asc",
    ),
}
REFUNDS: Schema = {
    **PAGES,
    "order_id:in": Param(kind="integers"),
    "id:in": Param(kind="integers"),
    "created:min": Param(kind="time"),
    "created:max": Param(kind="time"),
    "transaction_id": Param(kind="text"),
}
ORDER_REFUNDS: Schema = {"transaction_id": Param(kind="text")}
NONE: Schema = {}
