"""The sandbox's own endpoint on every shop's port: merchant actions, faults and clock moves from another terminal.

`GET /_sandbox/` says what the shop holds and can do, `GET /_sandbox/truth` who is who; `POST /_sandbox/<action>`
with a JSON object of arguments acts as the merchant, `POST /_sandbox/faults` scripts a fault, `DELETE
/_sandbox/faults` forgets them, `POST /_sandbox/clock` with `advance_s` or `now` moves the clock.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from syncd.sandbox.exchange import Answer, Call, json_answer
from syncd.sandbox.faults import Fault, FaultKind
from syncd.sandbox.shop import Shop

PREFIX = "/_sandbox"


def answer(shop: Shop, call: Call) -> Answer:
    """Carry out one control request; a bad one is answered 400 with the reason in words."""
    name = call.path.removeprefix(PREFIX).strip("/")
    try:
        arguments = orjson.loads(call.body or b"{}")
        with shop.lock:
            return json_answer(200, _act(shop, call.method, name, arguments))
    except (LookupError, TypeError, ValueError) as error:
        return json_answer(400, {"error": f"{name}: {error}"})


def _act(shop: Shop, method: str, name: str, arguments: dict[str, Any]) -> object:
    match method, name:
        case "GET", "":
            return {"store": shop.name, "now": shop.clock.now(), "actions": sorted(shop.actions), **shop.summary()}
        case "GET", "truth":
            return dict(shop.truth())
        case "POST", "faults":
            shop.faults.add(_fault(arguments))
            return {"pending": shop.faults.pending()}
        case "DELETE", "faults":
            shop.faults.clear()
            return {"pending": 0}
        case "POST", "clock":
            return {"now": _move_clock(shop, arguments)}
        case "POST", action if action in shop.actions:
            return {"result": getattr(shop, action)(**arguments)}
    raise LookupError("no such sandbox action; GET /_sandbox/ lists them")


def _fault(arguments: dict[str, Any]) -> Fault:
    return Fault(
        **{
            **arguments,
            "kind": FaultKind(arguments["kind"]),
            "params": tuple(arguments.get("params", ())),
        }
    )


def _move_clock(shop: Shop, arguments: dict[str, Any]) -> datetime:
    if "now" in arguments:
        moment = datetime.fromisoformat(arguments["now"])
        if moment.tzinfo is None:
            raise ValueError("now needs a zone, such as 2026-01-31T12:00:00Z")
        return shop.clock.set(moment)
    return shop.clock.advance(float(arguments["advance_s"]))
