"""Writing customer meta keys: one batch for all changes, each customer's own result read back from the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syncd.connectors.base import PushOutcome, PushResult
from syncd.connectors.exchange import Answer, Request
from syncd.connectors.transport import Transport
from syncd.connectors.woocommerce.dialect import API, said
from syncd.errors import (
    AmbiguousWrite,
    AuthFailed,
    PolicyRefused,
    RateLimited,
    RequestRefused,
    ScopeMissing,
    Timeout,
    Unavailable,
    WriteRejected,
)
from syncd.model import Json, PlatformChange

LARGEST_BATCH = 100

Meta = dict[str, Json]  # one customer's keys and the value each is to have; None deletes it


def push_changes(transport: Transport, changes: Sequence[PlatformChange]) -> list[PushResult]:
    """Write at most 100 changes; exactly one result each, in their order.

    Raises:
        AmbiguousWrite: The answer was lost; any of the changes may have been applied.
        RequestRefused: There are more than a batch holds.
    """
    if len(changes) > LARGEST_BATCH:
        raise RequestRefused(f"{len(changes)} changes are more than the {LARGEST_BATCH} of a batch")
    answers = _send(transport, _wanted(changes))
    return [_result(change, answers.get(change.external_id)) for change in changes]


def _wanted(changes: Sequence[PlatformChange]) -> dict[str, Meta]:
    """What each customer's keys are to be, by id; of two changes to one key the later counts."""
    wanted: dict[str, Meta] = {}
    for change in changes:
        if _is_number(change.external_id):
            wanted.setdefault(change.external_id, {})[str(change.body["key"])] = change.body["value"]
    return wanted


def _send(transport: Transport, wanted: Mapping[str, Meta]) -> dict[str, Json]:
    """Each customer's item of the answer, by id; a batch refused as a whole is sent in halves."""
    if not wanted:
        return {}
    try:
        answer = transport.send(_request(wanted))
    except WriteRejected as error:
        if len(wanted) == 1:
            return {external_id: {"error": {"message": error.message}} for external_id in wanted}
    else:
        return _items(answer, list(wanted))
    ids = list(wanted)
    half = len(ids) // 2
    first = _send(transport, {external_id: wanted[external_id] for external_id in ids[:half]})
    return first | _send_rest(transport, {external_id: wanted[external_id] for external_id in ids[half:]})


def _send_rest(transport: Transport, wanted: Mapping[str, Meta]) -> dict[str, Json]:
    """The second half: whatever stops it, the first half is written already."""
    try:
        return _send(transport, wanted)
    except (AuthFailed, PolicyRefused, RateLimited, ScopeMissing, Timeout, Unavailable) as error:
        stopped = f"the batch was written in part, then: {error.message}"
    raise AmbiguousWrite(stopped)


def _request(wanted: Mapping[str, Meta]) -> Request:
    # nothing but id and meta_data: WooCommerce does not check batch items and would blank what it does not like
    update = [
        {"id": int(external_id), "meta_data": [{"key": key, "value": value} for key, value in meta.items()]}
        for external_id, meta in wanted.items()
    ]
    return Request(method="POST", path=API + "customers/batch", body={"update": update})


def _items(answer: Answer, ids: Sequence[str]) -> dict[str, Json]:
    """Each customer's item by id; items that name none are taken in the order of the request."""
    items = answer.json.get("update") if isinstance(answer.json, dict) else None
    if not isinstance(items, list) or len(items) != len(ids):
        raise AmbiguousWrite("the answer to the batch does not hold one result each", request_id=answer.request_id)
    named = [
        str(item.get("id") or known) if isinstance(item, dict) else known
        for item, known in zip(items, ids, strict=True)
    ]
    if sorted(named) != sorted(ids):
        raise AmbiguousWrite("the answer to the batch is about other customers", request_id=answer.request_id)
    return dict(zip(named, items, strict=True))


def _id_of(item: Json) -> str:
    return str(item.get("id") or "") if isinstance(item, dict) else ""


def _result(change: PlatformChange, item: Json) -> PushResult:
    if not isinstance(item, dict):
        return _rejected("not a customer id" if not _is_number(change.external_id) else "the shop gave no result")
    if "error" in item:
        return _rejected(_refusal(item["error"]))
    if "meta_data" not in item:
        return _rejected("the shop hides customer meta: the key's owner must be an administrator")
    return _compared(change, item["meta_data"])


def _refusal(error: Json) -> str:
    code, message = said(error)
    if code == "woocommerce_rest_invalid_id":
        return "account no longer exists"
    return ": ".join(part for part in (code, message) if part)


def _compared(change: PlatformChange, meta: Json) -> PushResult:
    """WooCommerce drops some keys and answers 200: only what the answer shows was written."""
    entries = meta if isinstance(meta, list) else []
    values = [
        entry.get("value") for entry in entries if isinstance(entry, dict) and entry.get("key") == change.body["key"]
    ]
    value = change.body["value"]
    if values == ([] if value is None else [value]):
        return PushResult(outcome=PushOutcome.APPLIED)
    if value is None:
        return _rejected("the shop kept the key without saying why")
    return _rejected("the shop stored another text" if values else "the shop dropped the key without saying why")


def _rejected(reason: str) -> PushResult:
    return PushResult(outcome=PushOutcome.REJECTED, reason=reason)


def _is_number(external_id: str) -> bool:
    return external_id.isascii() and external_id.isdigit()
