"""Scripted faults: what goes wrong with the next requests that match, and how often."""

from __future__ import annotations

import enum
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import orjson

from syncd.sandbox.exchange import HTML_TYPE, Answer, Call, json_answer

_HTML = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"
_WARNING = b"<br />\n<b>Warning</b>:  Undefined variable $x in <b>/var/www/plugin.php</b> on line <b>12</b><br />\n"
_MAINTENANCE = "Briefly unavailable for scheduled maintenance. Check back in a minute."


class FaultKind(enum.StrEnum):
    """What goes wrong.

    `answer`: a given status, headers and body. `html`: a page of HTML with status 200. `warning`: a PHP warning
    before the JSON. `cut`: half of the body, then the connection ends. `cut_json`: half of the body as if it were
    whole. `reset`: the connection is dropped. `stall`: silence. `drip`: header bytes one at a time, for ever.
    `maintenance`: 503 with Retry-After 600. `drop_row`: one row of a list is missing, totals still count it.
    `ignore_filter`: named parameters are overlooked.
    """

    ANSWER = "answer"
    HTML = "html"
    WARNING = "warning"
    CUT = "cut"
    CUT_JSON = "cut_json"
    RESET = "reset"
    STALL = "stall"
    DRIP = "drip"
    MAINTENANCE = "maintenance"
    DROP_ROW = "drop_row"
    IGNORE_FILTER = "ignore_filter"


_AFTER_APPLYING = frozenset(FaultKind) - {
    FaultKind.ANSWER,
    FaultKind.HTML,
    FaultKind.MAINTENANCE,
    FaultKind.RESET,
    FaultKind.DRIP,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One scripted fault.

    Args:
        method: HTTP method it waits for; None for any.
        path: Regular expression searched in path and query.
        times: How many matching requests it hits; None until cleared.
        skip: How many matching requests it lets pass first.
        applied: Whether the shop carries the request out before the fault shows (answer, html, maintenance, reset,
            drip); the other kinds always come after it.
        status: Status of `answer`.
        headers: Headers of `answer`.
        body: Body of `answer`.
        seconds: How long `stall` lasts before the true answer comes, or the wait between the bytes of `drip`.
        row: Which row `drop_row` takes, from 0.
        params: Which parameters `ignore_filter` overlooks.
    """

    kind: FaultKind
    method: str | None = None
    path: str = ""
    times: int | None = 1
    skip: int = 0
    applied: bool = False
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    seconds: float = 3600.0
    row: int = 0
    params: tuple[str, ...] = ()

    @property
    def reaches_shop(self) -> bool:
        """Whether the shop sees the request at all."""
        return self.applied or self.kind in _AFTER_APPLYING

    def matches(self, call: Call) -> bool:
        """Whether it waits for a request like this."""
        return self.method in (None, call.method) and re.search(self.path, call.target) is not None


class FaultScript:
    """The faults still to come, first added first used."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Script one more fault."""
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        """Forget every fault still to come."""
        with self._lock:
            self._waiting.clear()

    def pending(self) -> int:
        """How many scripted faults still wait."""
        return len(self._waiting)

    def take(self, call: Call) -> Fault | None:
        """The fault that hits this request, counted as used."""
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if fault.matches(call):
                    return self._use(place, fault)
            return None

    def _use(self, place: int, fault: Fault) -> Fault | None:
        if fault.skip:
            self._waiting[place] = replace(fault, skip=fault.skip - 1)
            return None
        if fault.times is not None:
            self._waiting[place] = replace(fault, times=fault.times - 1)
            if fault.times <= 1:
                del self._waiting[place]
        return fault


def spoil(fault: Fault, call: Call, answer: Answer) -> Answer:
    """The answer as the fault leaves it; faults of the wire itself leave it whole."""
    change = _SPOILERS.get(fault.kind)
    return answer if change is None else change(fault, call, answer)


def _scripted(fault: Fault, call: Call, answer: Answer) -> Answer:
    return Answer(status=fault.status, headers=fault.headers, body=fault.body.encode())


def _html(fault: Fault, call: Call, answer: Answer) -> Answer:
    return Answer(status=200, headers={"Content-Type": HTML_TYPE}, body=_HTML)


def _warning(fault: Fault, call: Call, answer: Answer) -> Answer:
    return replace(answer, body=_WARNING + answer.body)


def _half_json(fault: Fault, call: Call, answer: Answer) -> Answer:
    return replace(answer, body=answer.body[: len(answer.body) // 2])


def _without_row(fault: Fault, call: Call, answer: Answer) -> Answer:
    if not answer.body:
        return answer
    value = orjson.loads(answer.body)
    rows = _rows(value)
    if rows is not None:
        del rows[fault.row : fault.row + 1]
    return replace(answer, body=orjson.dumps(value))


def _rows(value: object) -> list[object] | None:
    """The list that an answer is about, however deep it lies: the first one, without those that say what is wrong."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        found = (_rows(each) for name, each in value.items() if name not in ("errors", "extensions"))
        return next((rows for rows in found if rows is not None), None)
    return None


def _maintenance(fault: Fault, call: Call, answer: Answer) -> Answer:
    headers = {"Retry-After": "600"}
    if "application/json" in call.headers.get("accept", ""):
        value = {"code": "wp_die", "message": _MAINTENANCE, "data": {"status": 503}, "additional_errors": []}
        return json_answer(503, value, headers)
    body = f"<!DOCTYPE html><html><head><title>Maintenance</title></head><body>{_MAINTENANCE}</body></html>"
    return Answer(status=503, headers={"Content-Type": HTML_TYPE, **headers}, body=body.encode())


_SPOILERS: Mapping[FaultKind, Callable[[Fault, Call, Answer], Answer]] = {
    FaultKind.ANSWER: _scripted,
    FaultKind.HTML: _html,
    FaultKind.MAINTENANCE: _maintenance,
    FaultKind.WARNING: _warning,
    FaultKind.CUT_JSON: _half_json,
    FaultKind.DROP_ROW: _without_row,
}
