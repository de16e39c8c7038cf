"""Promise 18: unknown fields are kept, missing and null ones tolerated, retyped ones refused; a sunset is one warning.

Field by field, on what every platform really sends. That a retyped field sets aside its record and no other, over
HTTP, is promise 5's.
"""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from syncd.errors import MappingFailed
from syncd.model import RawRecord, Stream, Window
from syncd.sandbox import Fault, FaultKind, ShopifyShop
from syncd.sandbox.exchange import Answer, Call
from syncd.store.deletion import raw_records
from syncd.store.rows import unpack
from tests.clock import ManualClock
from tests.promises.faulty import differences, on_trial, outcome_of, undisturbed
from tests.promises.poison import paths_of
from tests.property.served import ServedStage
from tests.shopify import config_of, opened, shopify_to
from tests.unit.store.kit import rows

STRANGER, STRANGE = "x_added_by_an_upgrade", {"deep": [1, None, {"more": "Käthe"}]}
# Without these nobody knows what was paid: a record that lacks one is set aside, never read as if it were 0.
MONEY = {
    "woocommerce": {"currency", "total"},
    "shopify": {"currencyCode", "amount", "shopMoney", "totalPriceSet", "discountedTotalSet"}
    | {"discountedTotalPriceWithCodeDiscount"},
    "bigcommerce": {"total_inc_tax", "total_ex_tax", "total_amount"},
}
_GONE = object()


@dataclass(frozen=True)
class Records:
    """Some records of one stream as a platform sends them."""

    stream: Stream
    raw: tuple[RawRecord, ...]


@pytest.fixture(scope="module", params=Stream)
def records(request: pytest.FixtureRequest, stage: ServedStage) -> Records:
    """Records of every kind that a shop can have, of each stream in turn."""
    stage.reset()
    births = [deed for deed in stage.deeds if deed.startswith(("open", "order", "register"))]
    for number, deed in itertools.product(range(6), births):
        stage.deeds[deed](number)
    for number in range(5):
        stage.deeds["refund"](number)
    stage.clock.advance(600)
    with closing(stage.connect(ManualClock(stage.clock.now()))) as connector:
        pages = list(connector.pull(request.param, Window()))
    return Records(request.param, tuple(raw for page in pages for raw in page.records))


def test_missing_and_null_fields_are_tolerated(stage: ServedStage, records: Records) -> None:
    """A record is read without any of its fields, or with null there; only what was paid is never guessed."""
    refused = {
        _name(path)
        for raw in records.raw
        for path in paths_of(raw.payload)
        if not isinstance(path[-1], int)
        for value in (None, _GONE)
        if _refusal(stage, records.stream, _with(raw, path, value)) is not None
    }

    assert refused <= MONEY[stage.shop.platform]


def test_a_retyped_field_is_refused_in_words_or_not_looked_at(stage: ServedStage, records: Records) -> None:
    """An object where there was a text or a number never becomes a value; the reason does not repeat it."""
    canary = {"k": "canary"}
    drifted = [_with(raw, path, canary) for raw in records.raw for path in paths_of(raw.payload)]

    reasons = [_refusal(stage, records.stream, raw) for raw in drifted]
    read = [raw for raw, reason in zip(drifted, reasons, strict=True) if reason is None]

    assert len(read) < len(drifted)
    assert not [reason for reason in reasons if reason is not None and (not reason or "canary" in reason)]
    assert not [raw for raw in read if "canary" in repr(stage.mapper.to_unified(records.stream, raw))]


def test_unknown_fields_change_nothing(stage: ServedStage, records: Records) -> None:
    """A field that nobody knows, in every object of a record, leaves what is read of it as it was."""
    for raw in records.raw:
        drifted = replace(raw, payload=_with_strangers(raw.payload))

        assert stage.mapper.to_unified(records.stream, drifted) == stage.mapper.to_unified(records.stream, raw)


def test_unknown_fields_are_kept(stage: ServedStage, database_url: str, tmp_path: Path) -> None:
    """A shop that was upgraded syncs as before, and what is new in its answers is in the raw payloads."""
    with on_trial(stage, database_url, tmp_path) as trial:
        with _drifting(stage.shop), trial.app() as app:
            app.sync()
            found = outcome_of(app)
        kept = [json.loads(unpack(row["payload"])) for row in rows(database_url, raw_records)]  # type: ignore[arg-type]

        assert differences(found, undisturbed(tmp_path / "fresh", stage, trial.clock)) == []
    assert len(kept) > 20
    assert all(payload[STRANGER] == STRANGE for payload in kept)


def _refusal(stage: ServedStage, stream: Stream, raw: RawRecord) -> str | None:
    """Why a record cannot be read; None if it can."""
    try:
        stage.mapper.to_unified(stream, raw)
    except MappingFailed as error:
        return str(error)
    return None


def _name(path: tuple[str | int, ...]) -> str:
    return str(path[-1])


def _with(raw: RawRecord, path: tuple[str | int, ...], value: object) -> RawRecord:
    """The record with another value in one place, or with none."""
    payload: Any = copy.deepcopy(raw.payload)
    holder = payload
    for step in path[:-1]:
        holder = holder[step]
    if value is _GONE:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return replace(raw, payload=payload)


def _with_strangers(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {**{name: _with_strangers(item) for name, item in value.items()}, STRANGER: STRANGE}
    return [_with_strangers(item) for item in value] if isinstance(value, list) else value


@contextmanager
def _drifting(shop: Any) -> Iterator[None]:
    """The shop's answers have a new field in every object."""
    answer: Callable[[Call], Answer] = shop.answer

    def drifted(call: Call) -> Answer:
        given = answer(call)
        is_list = given.status == 200 and given.body and call.method in ("GET", "POST")
        return replace(given, body=json.dumps(_with_strangers(json.loads(given.body))).encode()) if is_list else given

    shop.answer = drifted
    try:
        yield
    finally:
        shop.answer = answer


# -- versions ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def us() -> Iterator[ShopifyShop]:
    """The platform whose versions end."""
    with opened() as shop:
        yield shop


def _tells(shop: ShopifyShop, header: str, value: str) -> None:
    body = '{"data": {"customers": {"nodes": [], "pageInfo": {"hasNextPage": false, "endCursor": null}}}}'
    headers = {"Content-Type": "application/json", header: value}
    shop.faults.clear()
    shop.faults.add(Fault(kind=FaultKind.ANSWER, status=200, headers=headers, body=body, path="graphql", times=None))


def test_deprecated_fields_are_told_once(us: ShopifyShop) -> None:
    """A field that will go is one warning, however often it is asked for."""
    connector = shopify_to(us, config=config_of(us, api_version="2026-07"))
    _tells(us, "X-Shopify-API-Deprecated-Reason", "https://deprecated.example")

    with capture_logs() as logs:
        list(connector.pull(Stream.CUSTOMERS, Window()))
        list(connector.pull(Stream.CUSTOMERS, Window()))

    told = [entry["fields"] for entry in logs if entry["event"] == "api_fields_deprecated"]
    assert told == ["https://deprecated.example"]


def test_another_version_than_asked_is_told_once(us: ShopifyShop) -> None:
    """A version that the platform no longer has is answered by another one; the log says so."""
    connector = shopify_to(us)
    _tells(us, "X-Shopify-API-Version", "2027-01")

    with capture_logs() as logs:
        list(connector.pull(Stream.CUSTOMERS, Window()))
        list(connector.pull(Stream.CUSTOMERS, Window()))

    told = [entry for entry in logs if entry["event"] == "api_version_differs"]
    assert [(entry["asked"], entry["answered"]) for entry in told] == [("2026-10", "2027-01")]
