"""Writing customer tags: one mutation with a field for each change, each field's own result read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syncd.connectors.base import PushOutcome, PushResult
from syncd.connectors.shopify.documents import tag_document
from syncd.connectors.shopify.graph import Graph, Question
from syncd.errors import RequestRefused
from syncd.model import Json, PlatformChange, TagAction

LARGEST_BATCH = 50  # at ten points each, half of what a single query may cost

_FIELDS = {TagAction.ADD: "tagsAdd", TagAction.REMOVE: "tagsRemove"}


def push_changes(graph: Graph, changes: Sequence[PlatformChange]) -> list[PushResult]:
    """Write at most 50 changes; exactly one result each, in their order.

    Raises:
        AmbiguousWrite: The answer was lost or is not whole; any of the changes may have been applied.
        RequestRefused: There are more than a batch holds.
    """
    if len(changes) > LARGEST_BATCH:
        raise RequestRefused(f"{len(changes)} changes are more than the {LARGEST_BATCH} of a batch")
    faults = [_fault(change) for change in changes]
    written = iter(_write(graph, [change for change, fault in zip(changes, faults, strict=True) if not fault]))
    return [_rejected(fault) if fault else next(written) for fault in faults]


def _fault(change: PlatformChange) -> str:
    """Why a change is not even sent; empty if nothing speaks against it."""
    if not (change.external_id.isascii() and change.external_id.isdigit()):
        return "not a customer id"
    if "," in _tag(change):
        return "a comma would part the tag into two: leave it out in the segments file"
    return "" if _tag(change).strip() else "the tag is empty"


def _write(graph: Graph, changes: Sequence[PlatformChange]) -> list[PushResult]:
    if not changes:
        return []
    variables: dict[str, Json] = {}
    for number, change in enumerate(changes):
        variables[f"id{number}"] = f"gid://shopify/Customer/{change.external_id}"
        variables[f"tags{number}"] = [_tag(change)]
    document = tag_document(tuple(_FIELDS[change.action] for change in changes))
    data = graph.ask(Question(document=document, variables=variables, is_write=True)).data
    return [_result(change, data.get(f"c{number}")) for number, change in enumerate(changes)]


def _result(change: PlatformChange, payload: Json) -> PushResult:
    errors, node = _object(payload).get("userErrors"), _object(payload).get("node")
    if isinstance(errors, list) and errors:
        return _rejected(_words([str(_object(error).get("message")) for error in errors]))
    if not isinstance(node, Mapping):
        return _rejected("the shop gave no result")
    return _compared(change, node.get("tags"))


def _words(messages: Sequence[str]) -> str:
    if any("does not exist" in message for message in messages):
        return "account no longer exists"
    return "; ".join(messages)


def _compared(change: PlatformChange, tags: Json) -> PushResult:
    """Shopify keeps the first spelling of a tag, whatever its case: only what the answer shows was written."""
    kept = [str(tag) for tag in tags] if isinstance(tags, list) else []
    alike = [tag for tag in kept if tag.lower() == _tag(change).lower()]
    if change.action is TagAction.REMOVE:
        return _rejected("the shop kept the tag without saying why") if alike else _applied()
    if _tag(change) in kept:
        return _applied()
    if alike:
        return _rejected(f"the account has the tag as {alike[0]!r}, which Shopify takes for the same")
    return _rejected("the shop dropped the tag without saying why")


def _tag(change: PlatformChange) -> str:
    return str(change.body["tag"])


def _applied() -> PushResult:
    return PushResult(outcome=PushOutcome.APPLIED)


def _rejected(reason: str) -> PushResult:
    return PushResult(outcome=PushOutcome.REJECTED, reason=reason)


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}
