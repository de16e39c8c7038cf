"""v3/customers/attributes and v3/customers/attribute-values: the nearest that BigCommerce has to tags."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from syncd.sandbox.bigcommerce import render
from syncd.sandbox.bigcommerce.query import is_within
from syncd.sandbox.bigcommerce.refusal import bad_body
from syncd.sandbox.bigcommerce.request import Request, page_answer
from syncd.sandbox.bigcommerce.state import Attribute, AttributeValue, BigState
from syncd.sandbox.exchange import Answer, json_answer

MOST_ATTRIBUTES = 50
LONGEST_VALUE = 255
_KINDS = ("string", "number", "date")
_AT_ONCE = 10


def listing(request: Request) -> Answer:
    """GET customers/attributes."""
    params = request.params
    asked = [
        attribute
        for attribute in request.state.attributes.values()
        if params["name"] in (None, attribute.name)
        and (params["name:like"] is None or params["name:like"].lower() in attribute.name.lower())
        and params["type"] in (None, attribute.kind)
        and is_within(attribute.created_at, params, "date_created")
        and is_within(attribute.modified_at, params, "date_modified")
    ]
    return page_answer(request, asked, render.attribute)


def create(request: Request) -> Answer:
    """POST customers/attributes: all of them or none."""
    items = request.items(limit=MOST_ATTRIBUTES)
    errors = dict(_attribute_faults(request.state, items))
    if errors:
        raise bad_body(errors)
    made = [new_attribute(request.state, item["name"], item["type"]) for item in items]
    return json_answer(200, {"data": [render.attribute(attribute) for attribute in made], "meta": {}})


def _attribute_faults(state: BigState, items: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    taken = {attribute.name for attribute in state.attributes.values()}
    if len(taken) + len(items) > MOST_ATTRIBUTES:
        yield ".", f"A store cannot have more than {MOST_ATTRIBUTES} customer attributes"
    for row, item in enumerate(items):
        name = item.get("name")
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_VALUE:
            yield f"{row}.name", "is required, of 1 to 255 characters"
        elif name in taken:
            yield f"{row}.name", f"attribute with name {name} already exists"
        else:
            taken.add(name)
        if item.get("type") not in _KINDS:
            yield f"{row}.type", f"must be one of {', '.join(_KINDS)}"


def new_attribute(state: BigState, name: str, kind: str = "string") -> Attribute:
    """Add a field to customers."""
    now = state.clock.second()
    attribute = Attribute(id=state.next_id("attribute"), name=name, kind=kind, created_at=now, modified_at=now)
    state.attributes[attribute.id] = attribute
    return attribute


def remove(request: Request) -> Answer:
    """DELETE customers/attributes: with them go their values; without ids nothing happens."""
    state = request.state
    for attribute_id in request.params["id:in"] or ():
        state.attributes.pop(attribute_id, None)
    state.values = {key: value for key, value in state.values.items() if value.attribute_id in state.attributes}
    return Answer(status=204)


def values(request: Request) -> Answer:
    """GET customers/attribute-values."""
    rows = sorted(request.state.values.values(), key=lambda value: value.id)
    asked = [value for value in rows if _is_asked(request.state, value, request.params)]
    return page_answer(request, asked, render.attribute_value)


def _is_asked(state: BigState, value: AttributeValue, params: Mapping[str, Any]) -> bool:
    return (
        (params["customer_id:in"] is None or value.customer_id in params["customer_id:in"])
        and (params["attribute_id:in"] is None or value.attribute_id in params["attribute_id:in"])
        and params["name"] in (None, state.attributes[value.attribute_id].name)
        and is_within(value.created_at, params, "date_created")
        and is_within(value.modified_at, params, "date_modified")
    )


def upsert(request: Request) -> Answer:
    """PUT customers/attribute-values: all of them or none; customers do not count as modified by it."""
    items = request.items(limit=_AT_ONCE)
    errors = {f"{row}.{name}": words for row, item in enumerate(items) for name, words in _faults(request.state, item)}
    if errors:
        raise bad_body(errors)
    written = [write(request.state, item["customer_id"], item["attribute_id"], item["value"]) for item in items]
    count = len(written)
    pagination = {"total": count, "count": count, "per_page": count, "current_page": 1, "total_pages": 1, "links": {}}
    shown = [render.attribute_value(value) for value in written]
    return json_answer(200, {"data": shown, "meta": {"pagination": pagination}})


def _faults(state: BigState, item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    attribute_id, customer_id, value = (item.get(name) for name in ("attribute_id", "customer_id", "value"))
    attribute = state.attributes.get(attribute_id) if isinstance(attribute_id, int) else None
    if attribute is None:
        yield "attribute_id", "The attribute was not found"
    if not isinstance(customer_id, int) or customer_id not in state.accounts:
        yield "customer_id", "The customer was not found"
    if not isinstance(value, str) or len(value) > LONGEST_VALUE:
        yield "value", f"is required, a text of at most {LONGEST_VALUE} characters"
    elif attribute is not None and attribute.kind == "number" and not _is_number(value):
        yield "value", "must be a number"


def _is_number(text: str) -> bool:
    with contextlib.suppress(ValueError):
        float(text)
        return True
    return False


def write(state: BigState, customer_id: int, attribute_id: int, text: str) -> AttributeValue:
    """Put a customer's value into an attribute, over the one that is there."""
    now, key = state.clock.second(), (customer_id, attribute_id)
    value = state.values.get(key)
    if value is None:
        value = state.values[key] = AttributeValue(
            id=state.next_id("value"),
            attribute_id=attribute_id,
            customer_id=customer_id,
            value=text,
            created_at=now,
            modified_at=now,
        )
    value.value, value.modified_at = text, now
    return value


def remove_values(request: Request) -> Answer:
    """DELETE customers/attribute-values; without ids nothing happens."""
    gone = set(request.params["id:in"] or ())
    kept = request.state.values.items()
    request.state.values = {key: value for key, value in kept if value.id not in gone}
    return Answer(status=204)
