"""v3/customers/subscribers: who agreed to what, customers or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncd.sandbox.bigcommerce import render
from syncd.sandbox.bigcommerce.query import is_within
from syncd.sandbox.bigcommerce.request import Request, page_answer
from syncd.sandbox.bigcommerce.state import BigState, Subscriber
from syncd.sandbox.exchange import Answer


def listing(request: Request) -> Answer:
    """GET customers/subscribers."""
    rows = request.state.subscribers.values()
    return page_answer(request, [row for row in rows if _is_asked(row, request.params)], render.subscriber)


def _is_asked(row: Subscriber, params: Mapping[str, Any]) -> bool:
    return (
        (params["email"] is None or row.email.lower() == params["email"].lower())
        and all(params[name] in (None, getattr(row, name)) for name in ("first_name", "last_name", "source", "id"))
        and params["order_id"] in (None, row.order_id)
        and (params["id:in"] is None or row.id in params["id:in"])
        and is_within(row.created_at, params, "date_created")
        and is_within(row.modified_at, params, "date_modified")
    )


def subscribe(state: BigState, email: str, **fields: Any) -> Subscriber:
    """Let a mailbox agree now; one that did so before is only changed."""
    now = state.clock.second()
    row = next((each for each in state.subscribers.values() if each.email.lower() == email.lower()), None)
    if row is None:
        row = Subscriber(id=state.next_id("subscriber"), email=email, created_at=now, modified_at=now)
        state.subscribers[row.id] = row
    for name, value in fields.items():
        if name not in Subscriber.__slots__:
            raise TypeError(f"there is no field {name}")
        setattr(row, name, tuple(value) if name == "consents" else value)
    state.touch(row)
    return row
