"""Writing tags as customer attribute values: ten to a call, three calls at once, each change's own result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from syncd.connectors.base import PushOutcome, PushResult
from syncd.connectors.bigcommerce.api import Api, chunks, joined, number_of
from syncd.connectors.bigcommerce.attributes import Attribute, Attributes
from syncd.connectors.exchange import Answer, Request
from syncd.connectors.idwalk import Row
from syncd.errors import AmbiguousWrite, RequestRefused, SyncdError, WriteRejected
from syncd.model import Json, PlatformChange

VALUES = "v3/customers/attribute-values"
LARGEST_BATCH = 30
LARGEST_CALL = 10
CALLS_AT_ONCE = 3  # the platform answers more with 429

_APPLIED = PushResult(outcome=PushOutcome.APPLIED)
_ALREADY_SO = PushResult(outcome=PushOutcome.ALREADY_SO)


class Target(NamedTuple):
    """What one change is about: a customer and the name of an attribute."""

    customer_id: int
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Value:
    """One attribute value to write."""

    target: Target
    attribute_id: int
    text: str


Results = dict[Target, PushResult]
Call = Callable[[], Results]


def push_changes(api: Api, attributes: Attributes, changes: Sequence[PlatformChange]) -> list[PushResult]:
    """Write at most 30 changes; exactly one result each, in their order. Of two for one target the later counts.

    Raises:
        AmbiguousWrite: An answer was lost, or something stopped the batch after a part was written.
        RequestRefused: There are more than a batch holds.
    """
    if len(changes) > LARGEST_BATCH:
        raise RequestRefused(f"{len(changes)} changes are more than the {LARGEST_BATCH} of a batch")
    wanted = {target: change.body["value"] for change in changes if (target := _target(change))}
    results = _Batch(api, attributes).write(wanted)
    return [_result(results, change) for change in changes]


class _Batch:
    """Some changes on their way, with what became of each so far."""

    def __init__(self, api: Api, attributes: Attributes) -> None:
        self._api = api
        self._attributes = attributes
        self._results: Results = {}

    def write(self, wanted: Mapping[Target, Json]) -> Results:
        """What became of each target; those without a value lose it."""
        values = self._placed({target: str(text) for target, text in wanted.items() if text is not None})
        unwanted = self._found([target for target, text in wanted.items() if text is None])
        upserts = [partial(self._upsert, part) for part in chunks(values, LARGEST_CALL)]
        self._run([*upserts, partial(self._delete, unwanted)] if unwanted else upserts)
        self._run([partial(self._upsert, [value]) for value in self._refused(values)])
        return self._results

    def _placed(self, texts: Mapping[Target, str]) -> list[Value]:
        """The values to write; where there can be no attribute for them, they are rejected."""
        names = {target.name for target in texts}
        refused = self._attributes.make(names) if names else {}
        found = self._attributes.find(names - refused.keys()) if names else {}
        faults = {name: refused.get(name) or _fault(found.get(name)) for name in names}
        self._results |= {target: _rejected(fault) for target in texts if (fault := faults[target.name])}
        return [
            Value(target=target, attribute_id=found[target.name].id, text=text)
            for target, text in texts.items()
            if target not in self._results
        ]

    def _found(self, unwanted: Sequence[Target]) -> dict[int, Target]:
        """The ids of the values to take away; what is not there is so already."""
        found = {number: target for number, target in self._values_of(unwanted) if target in unwanted}
        self._results |= dict.fromkeys(set(unwanted) - set(found.values()), _ALREADY_SO)
        return found

    def _values_of(self, targets: Sequence[Target]) -> list[tuple[int, Target]]:
        """The ids of the values that the customers have in the attributes, and perhaps of some more."""
        found = self._attributes.find({target.name for target in targets}) if targets else {}
        if not found:
            return []
        names = {attribute.id: name for name, attribute in found.items()}
        customers = {target.customer_id for target in targets}
        listed = self._api.listed(VALUES, {"customer_id:in": joined(customers), "attribute_id:in": joined(names)})
        return [(number_of(row, "id") or 0, _target_of(row, names)) for row in listed]

    def _upsert(self, values: Sequence[Value]) -> Results:
        body = [
            {"attribute_id": value.attribute_id, "customer_id": value.target.customer_id, "value": value.text}
            for value in values
        ]
        try:
            answer = self._api.send(Request(method="PUT", path=VALUES, body=body))
        except WriteRejected as error:
            return dict.fromkeys((value.target for value in values), _rejected(error.message))
        written = _written(answer)
        return {value.target: _compared(value, written) for value in values}

    def _delete(self, found: Mapping[int, Target]) -> Results:
        try:
            self._api.send(Request(method="DELETE", path=VALUES, params={"id:in": joined(found)}))
        except WriteRejected as error:
            return dict.fromkeys(found.values(), _rejected(error.message))
        return dict.fromkeys(found.values(), _APPLIED)

    def _refused(self, values: Sequence[Value]) -> list[Value]:
        """Values that were refused among others: perhaps only one of a call was wrong."""
        refused = [value for value in values if self._results[value.target].outcome is PushOutcome.REJECTED]
        if refused:
            self._attributes.forget()  # perhaps an attribute was deleted
        return refused if len(values) > 1 else []

    def _run(self, calls: Sequence[Call]) -> None:
        """Make calls, three at once.

        Raises:
            AmbiguousWrite: Some failed after others had written.
        """
        with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="push") as pool:
            made = [pool.submit(call) for call in calls]
        for future in made:
            self._results |= {} if future.exception() else future.result()
        if failures := [failure for future in made if (failure := future.exception())]:
            raise self._worst(failures)

    def _worst(self, failures: Sequence[BaseException]) -> BaseException:
        worst = next((failure for failure in failures if isinstance(failure, AmbiguousWrite)), failures[0])
        if _APPLIED not in self._results.values() or not isinstance(worst, SyncdError):
            return worst
        return AmbiguousWrite(f"the batch was written in part, then: {worst.message}", hint=worst.hint)


def _target(change: PlatformChange) -> Target | None:
    """What a change is about; None if its id cannot be a customer's."""
    is_number = change.external_id.isascii() and change.external_id.isdigit()
    return Target(int(change.external_id), str(change.body["name"])) if is_number else None


def _result(results: Results, change: PlatformChange) -> PushResult:
    target = _target(change)
    return results[target] if target else _rejected("not a customer id")


def _fault(attribute: Attribute | None) -> str:
    """Why an attribute cannot hold a tag; empty if it can."""
    if attribute is None:
        return "the store did not make the attribute"
    return "" if attribute.kind == "string" else f"the attribute {attribute.name} is of type {attribute.kind}"


def _key(row: Row) -> tuple[int | None, int | None]:
    return number_of(row, "customer_id"), number_of(row, "attribute_id")


def _target_of(row: Row, names: Mapping[int, str]) -> Target:
    customer_id, attribute_id = _key(row)
    return Target(customer_id or 0, names.get(attribute_id or 0, ""))


def _written(answer: Answer) -> dict[tuple[int | None, int | None], Json]:
    """The texts that a write left behind, by customer and attribute.

    Raises:
        AmbiguousWrite: The answer does not tell.
    """
    found = answer.json.get("data") if isinstance(answer.json, Mapping) else None
    if not isinstance(found, list):
        raise AmbiguousWrite("the answer to the write does not tell what was written", request_id=answer.request_id)
    return {_key(row): row.get("attribute_value") for row in found if isinstance(row, dict)}


def _compared(value: Value, written: Mapping[tuple[int | None, int | None], Json]) -> PushResult:
    """Only what the answer shows was written."""
    found = written.get((value.target.customer_id, value.attribute_id))
    if found == value.text:
        return _APPLIED
    return _rejected("the store gave no result" if found is None else "the store kept another text")


def _rejected(reason: str) -> PushResult:
    return PushResult(outcome=PushOutcome.REJECTED, reason=reason)
