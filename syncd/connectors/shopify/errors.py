"""What a GraphQL answer says beside its data: errors, costs, and warnings about our own filters.

Shopify tells almost everything with status 200, and its `errors` may be a text, a list or an object.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from syncd.connectors.exchange import Answer
from syncd.connectors.failures import failure_of
from syncd.errors import (
    AmbiguousWrite,
    CorruptAnswer,
    PolicyRefused,
    RateLimited,
    RequestRefused,
    ScopeMissing,
    SyncdError,
)
from syncd.model import Json

_SCOPE = re.compile(r"\b(?:read|write)_[a-z_]+")
_SICK = {"INTERNAL_SERVER_ERROR": 500, "TIMEOUT": 504}
_LONGEST_MESSAGE = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphError:
    """One error of an answer; `path` names the field that it is about, as far as it tells."""

    code: str
    message: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What a query costs and what the bucket holds, in points.

    Args:
        requested: What must be in the bucket for the query to be let in.
        available: What is in the bucket now.
        maximum: What it can hold.
        restore_rate: Points that come back each second.
    """

    requested: float
    available: float
    maximum: float
    restore_rate: float

    @property
    def refill_s(self) -> float:
        """Seconds until the query would be let in."""
        return max(0.0, self.requested - self.available) / self.restore_rate


def explain_errors(answer: Answer) -> SyncdError | None:
    """The refusal that an answer with status 200 holds; None if it is good.

    Two refusals are left to the asker, who can ask otherwise: a cost above the limit, and withheld personal data.
    """
    errors = errors_of(answer.json)
    if errors:
        return None if costs_too_much(answer) or withholds_personal(answer) else _explain(errors, answer)
    if not isinstance(_object(answer.json).get("data"), Mapping):
        return CorruptAnswer("the answer holds neither data nor errors")
    return _explain_warnings(answer)


def errors_of(body: Json) -> list[GraphError]:
    """An answer's errors, whatever form they come in."""
    errors = _object(body).get("errors")
    if not errors:
        return []
    return [_error(item) for item in (errors if isinstance(errors, list) else [errors])]


def said(body: Json) -> str:
    """What a refusal says in words, cut short."""
    errors = errors_of(body)
    about = _object(body)
    return errors[0].message if errors else str(about.get("error_description") or about.get("error") or "")


def costs_too_much(answer: Answer) -> bool:
    """Whether the query was refused because its cost is above what a single query may have."""
    return any(error.code == "MAX_COST_EXCEEDED" for error in errors_of(answer.json))


def withholds_personal(answer: Answer) -> bool:
    """Whether the shop refused nothing but fields of records, in a query that asked for personal ones."""
    errors = errors_of(answer.json)
    asked = _object(_object(answer.request.body).get("variables")).get("personal") is True
    return asked and all(error.code == "ACCESS_DENIED" and len(error.path) > 1 for error in errors) and bool(errors)


def cost_of(body: Json) -> Cost | None:
    """What the answer says of costs; None if it does not."""
    cost = _object(_object(_object(body).get("extensions")).get("cost"))
    status = _object(cost.get("throttleStatus"))
    figures = [
        cost.get("requestedQueryCost"),
        status.get("currentlyAvailable"),
        status.get("maximumAvailable"),
        status.get("restoreRate"),
    ]
    requested, available, maximum, rate = (
        float(figure) if isinstance(figure, (int, float)) else None for figure in figures
    )
    if requested is None or available is None or maximum is None or not rate:
        return None
    return Cost(requested=requested, available=available, maximum=maximum, restore_rate=rate)


def warned_fields(body: Json) -> Mapping[str, str]:
    """Root fields whose filter was not understood, each with what Shopify says of it."""
    searches = _object(_object(body).get("extensions")).get("search")
    found = {}
    for search in _list(searches):
        warnings, path = _list(_object(search).get("warnings")), _list(_object(search).get("path"))
        if warnings and path:
            found[str(path[0])] = "; ".join(str(_object(warning).get("message")) for warning in warnings)
    return found


def _explain(errors: Sequence[GraphError], answer: Answer) -> SyncdError:
    by_code = {error.code: error for error in reversed(errors)}
    if "THROTTLED" in by_code:
        return _throttled(answer)
    if "ACCESS_DENIED" in by_code:
        return _denied(by_code["ACCESS_DENIED"])
    if "SHOP_INACTIVE" in by_code:
        return PolicyRefused("the shop is not active", hint="Its owner can open it again in the Shopify admin")
    sick = next((status for code, status in _SICK.items() if code in by_code), None)
    if sick:
        return failure_of(sick, answer.request, f": {errors[0].message}")
    if _object(answer.json).get("data"):
        kind = AmbiguousWrite if answer.request.is_write else CorruptAnswer
        return kind(f"the answer is only a part: {errors[0].message}")
    return RequestRefused(f"the shop calls the request wrong: {errors[0].code}: {errors[0].message}")


def _throttled(answer: Answer) -> SyncdError:
    cost = cost_of(answer.json)
    return RateLimited("the shop's bucket of query costs is empty", retry_after_s=cost.refill_s if cost else 0.0)


def _denied(error: GraphError) -> SyncdError:
    scopes = ", ".join(dict.fromkeys(_SCOPE.findall(error.message)))
    if not scopes:
        return ScopeMissing(
            f"the app may not do this: {error.message}", hint="See the app's access in the shop's admin"
        )
    return ScopeMissing(f"the app lacks the scope {scopes}", hint=f"Give the app {scopes} and install it again")


def _explain_warnings(answer: Answer) -> SyncdError | None:
    """A filter that is not understood is overlooked, so the answer holds other records than were asked for."""
    warned = {field: text for field, text in warned_fields(answer.json).items() if not field.endswith("Count")}
    if not warned:
        return None
    field, text = next(iter(warned.items()))
    return RequestRefused(f"the shop does not understand our filter of {field} ({text})")


def _error(item: Json) -> GraphError:
    if not isinstance(item, Mapping):
        return GraphError(code="", message=str(item)[:_LONGEST_MESSAGE])
    extensions = _object(item.get("extensions"))
    message = f"{item.get('message') or ''} {extensions.get('requiredAccess') or ''}".strip()
    return GraphError(
        code=str(extensions.get("code") or ""),
        message=message[:_LONGEST_MESSAGE],
        path=tuple(str(part) for part in _list(item.get("path"))),
    )


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
