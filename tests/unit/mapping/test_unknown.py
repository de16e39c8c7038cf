"""What a platform adds tomorrow: fields nobody knows change nothing, words nobody knows are kept as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from syncd.mapping import content_hash
from syncd.model import Order, OrderState, Stream
from tests.golden.test_mapping import FIXTURES, PAYLOADS, mapper, raw_record

ORDERS = [path for path in PAYLOADS if path.name == "unknown_status.json"]
NEW = {"x_new_field": {"nested": [1, None, "text"]}, "x_new_flag": True}


def with_new_fields(value: Any) -> Any:
    """The same payload with unknown fields in every object of a known shape."""
    if isinstance(value, list):
        return [with_new_fields(item) for item in value]
    if isinstance(value, dict):
        return {name: with_new_fields(item) for name, item in value.items()} | NEW
    return value


@pytest.mark.parametrize("path", PAYLOADS, ids=str)
def test_unknown_fields_change_nothing(path: Path) -> None:
    """Whatever is added to a payload, at any depth, the record reads as before and counts as unchanged."""
    stream, known = Stream(path.parts[1]), raw_record(path)
    grown = type(known)(external_id=known.external_id, payload=with_new_fields(known.payload))

    before, after = (mapper(path).to_unified(stream, raw) for raw in (known, grown))

    assert after == before
    assert content_hash(after, frozenset()) == content_hash(before, frozenset())


@pytest.mark.parametrize("path", ORDERS, ids=str)
def test_unknown_status_is_kept_and_leaves_the_order_open(path: Path) -> None:
    """A status that is new to us is kept in the platform's words, and the order is neither lost nor cancelled."""
    record = mapper(path).to_unified(Stream.ORDERS, raw_record(path))

    assert isinstance(record, Order)
    assert record.state is OrderState.OPEN
    assert record.status.lower() in (FIXTURES / path).read_text().lower()
    assert record.status != ""


def test_every_platform_has_an_unknown_status() -> None:
    """The test above speaks for all three."""
    platforms = {path.parts[0] for path in PAYLOADS}

    assert {path.parts[0] for path in ORDERS} == platforms
    assert all(orjson.loads((FIXTURES / path).read_bytes()) for path in ORDERS)
