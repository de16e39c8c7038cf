"""A call with everything a handler needs, and the pages that lists are answered in."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson

from syncd.sandbox.bigcommerce.refusal import Refused, bad_body, bad_value
from syncd.sandbox.bigcommerce.state import BigState
from syncd.sandbox.exchange import Answer, Call, json_answer

Row = TypeVar("Row")
Place = tuple[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A call that passed the gate.

    Args:
        home: The shop's own address.
        ids: The numbers in the path.
        params: The query's parameters, read.
    """

    call: Call
    state: BigState
    home: str
    ids: tuple[int, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)

    def items(self, *, limit: int) -> list[dict[str, Any]]:
        """The list of objects that was sent.

        Raises:
            Refused: It is no such list, or longer than `limit`.
        """
        if not self.call.headers.get("content-type", "").startswith("application/json"):
            raise Refused(415, "Unsupported Media Type")
        try:
            sent = orjson.loads(self.call.body)
        except ValueError:
            raise Refused(400, "Input is invalid") from None
        if not isinstance(sent, list) or not all(isinstance(item, dict) for item in sent):
            raise bad_body({".": "must be a list of objects"})
        if len(sent) > limit:
            words = f"The request payload is too large. The maximum number of items allowed in the array is {limit}."
            raise Refused(413, words)
        return sent


def page_answer(request: Request, rows: Sequence[Row], show: Callable[[Row], object]) -> Answer:
    """One page of a v3 list."""
    shown = _slice(request, rows)
    return json_answer(
        200, {"data": [show(row) for row in shown], "meta": {"pagination": _pagination(request, rows, len(shown))}}
    )


def _slice(request: Request, rows: Sequence[Row]) -> Sequence[Row]:
    page, limit = request.params["page"], request.params["limit"]
    return rows[(page - 1) * limit : page * limit]


def _pagination(request: Request, rows: Sequence[object], count: int) -> dict[str, Any]:
    page, limit = request.params["page"], request.params["limit"]
    pages = -(-len(rows) // limit)
    links = {"current": _link(request, page=page)}
    if page > 1:
        links["previous"] = _link(request, page=page - 1)
    if page < pages:
        links["next"] = _link(request, page=page + 1)
    return {
        "total": len(rows),
        "count": count,
        "per_page": limit,
        "current_page": page,
        "total_pages": pages,
        "links": links,
    }


def _link(request: Request, **turned: object) -> str:
    """The query of another page of the same list."""
    kept = [part for part in request.call.query.split("&") if part.partition("=")[0] not in _TURNING]
    limit = f"limit={request.params['limit']}"
    return "?" + "&".join(part for part in (*kept, limit, *(f"{name}={at}" for name, at in turned.items())) if part)


_TURNING = frozenset({"page", "limit", "after", "before"})


def cursor_answer(
    request: Request, rows: Sequence[Row], show: Callable[[Row], object], *, place: Callable[[Row], Place]
) -> Answer:
    """One page of a v3 list that can be walked by cursor.

    Args:
        rows: In their order, which is that of `place` or its reverse.
        place: Where a row stands: what is sorted by, and the id.
    """
    after, before = request.params["after"], request.params["before"]
    if after is None and before is None:
        page, first = request.params["page"], (request.params["page"] - 1) * request.params["limit"]
        shown = rows[first : first + request.params["limit"]]
        meta = {"pagination": _pagination(request, rows, len(shown))}
        marks = _marks(request, rows, shown, place) if page == 1 else {}
    else:
        shown = _beside(request, rows, place)
        meta = {"pagination": _pagination(request, rows, len(shown))}
        marks = _marks(request, rows, shown, place)
    counts = {"count": len(shown), "per_page": request.params["limit"]}
    meta["cursor_pagination"] = {**counts, **marks}
    return json_answer(200, {"data": [show(row) for row in shown], "meta": meta})


def _beside(request: Request, rows: Sequence[Row], place: Callable[[Row], Place]) -> Sequence[Row]:
    """The rows right behind `after` or right before `before`, wherever the row of the cursor is by now."""
    after, before, limit = (request.params[name] for name in ("after", "before", "limit"))
    if after is not None and before is not None:
        raise bad_value("before", "must not come together with after")
    is_rising = not (request.params["sort"] or "").endswith(":desc")
    mark = _decoded("after" if after is not None else "before", after if after is not None else before)
    if after is not None:
        return [row for row in rows if (place(row) > mark if is_rising else place(row) < mark)][:limit]
    return [row for row in rows if (place(row) < mark if is_rising else place(row) > mark)][-limit:]


def _marks(
    request: Request, rows: Sequence[Row], shown: Sequence[Row], place: Callable[[Row], Place]
) -> dict[str, Any]:
    if not shown:
        return {"links": {}}
    start, end = _encoded(place(shown[0])), _encoded(place(shown[-1]))
    links = {}
    if shown[0] is not rows[0]:
        links["previous"] = _link(request, before=start)
    if shown[-1] is not rows[-1]:
        links["next"] = _link(request, after=end)
    return {"start_cursor": start, "end_cursor": end, "links": links}


def _encoded(place: Place) -> str:
    key, number = place
    text = orjson.dumps({"id": number} | ({"key": key} if key else {}))
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _decoded(name: str, cursor: str) -> Place:
    try:
        mark = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return str(mark.get("key", "")), int(mark["id"])
    except (binascii.Error, ValueError, LookupError, AttributeError, TypeError):
        raise bad_value(name, "is not a cursor") from None
