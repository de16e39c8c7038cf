"""Documents to one Shopify store and back: paced by their cost, made smaller where they cost too much.

In comes a Question, out comes its data. Which answer is a refusal is told by the dialect, inside the transport.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

import structlog

from syncd.clock import Clock
from syncd.connectors.exchange import Answer, Request
from syncd.connectors.shopify.dialect import GRAPHQL
from syncd.connectors.shopify.errors import Cost, cost_of, costs_too_much, warned_fields, withholds_personal
from syncd.connectors.transport import Transport
from syncd.errors import Interrupted, RequestRefused
from syncd.model import Json

SMALLEST_PAGE = 10  # a server that fails is not asked for less
_RESERVE = 0.1  # of the bucket, left to whoever else uses the same app on this shop


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One document with its variables; those named `first` and `ids` say how much is asked for."""

    document: str
    variables: Mapping[str, Json]
    is_write: bool = False

    @property
    def half(self) -> Question | None:
        """The same question for half as many records; None if there is only one."""
        size, ids = self.variables.get("first"), self.variables.get("ids")
        if isinstance(ids, list) and len(ids) > 1:
            return replace(self, variables={**self.variables, "ids": ids[: len(ids) // 2]})
        if isinstance(size, int) and size > 1:
            return replace(self, variables={**self.variables, "first": size // 2})
        return None

    def request(self) -> Request:
        """The request, getting lighter where the server fails."""
        half = None if self.is_write else self.half
        is_worth_it = half is not None and _size(half.variables) >= SMALLEST_PAGE
        return Request(
            method="POST",
            path=GRAPHQL,
            body={"query": self.document, "variables": dict(self.variables)},
            is_query=not self.is_write,
            lighter=half.request() if half and is_worth_it else None,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What a question brought.

    Args:
        data: The answer's root fields.
        size: How many records were asked for in the end.
        warned: Root fields whose filter was not understood.
    """

    data: Mapping[str, Json]
    size: int
    warned: frozenset[str]
    answer: Answer


class Pacer:
    """Keeps count of the bucket that queries are paid from, so that none is sent before it would be let in.

    Args:
        leave: Share of the bucket that is left to others; a tenth always is.
    """

    def __init__(self, clock: Clock, leave: float = 0.0) -> None:
        self._clock = clock
        self._reserve = max(_RESERVE, leave)
        self._mutex = threading.Lock()
        self._costs: dict[str, float] = {}
        self._seen: Cost | None = None
        self._seen_at_s = 0.0

    def wait_s(self, document: str) -> float:
        """Seconds until the document would be let in, by what it cost last time."""
        with self._mutex:
            seen = self._seen
            if seen is None:
                return 0.0
            elapsed_s = self._clock.monotonic() - self._seen_at_s
            available = min(seen.maximum, seen.available + elapsed_s * seen.restore_rate)
            wanted = min(seen.maximum, self._costs.get(document, 0.0) + self._reserve * seen.maximum)
            return max(0.0, wanted - available) / seen.restore_rate

    def learn(self, document: str, cost: Cost | None) -> None:
        """Take note of what an answer says of costs."""
        if cost is None:
            return
        with self._mutex:
            self._costs[document] = cost.requested
            self._seen, self._seen_at_s = cost, self._clock.monotonic()


class Graph:
    """One store's GraphQL Admin API.

    Attributes:
        shows_personal: False once the shop refused names and addresses; questions then leave them out.
    """

    def __init__(self, transport: Transport, *, version: str, clock: Clock, pacer: Pacer, store_id: str) -> None:
        self.shows_personal = True
        self._transport = transport
        self._version = version
        self._clock = clock
        self._pacer = pacer
        self._told: set[str] = set()
        self._log = structlog.get_logger().bind(store=store_id)

    def ask(self, question: Question) -> Reply:
        """Ask; a question that costs too much is asked for half as many records.

        Raises:
            RequestRefused: One record alone costs too much, or the document is wrong.
            RetryLater, StopStore: As the transport says.
        """
        asked = self._with_personal(question)
        self._rest(asked.document)
        answer = self._transport.send(asked.request())
        self._pacer.learn(asked.document, cost_of(answer.json))
        self._notice(answer)
        if withholds_personal(answer):
            self.shows_personal = False
            return self.ask(question)
        if costs_too_much(answer):
            return self.ask(_halved(question))
        return _reply(answer)

    def _with_personal(self, question: Question) -> Question:
        if "$personal" not in question.document:
            return question
        return replace(question, variables={**question.variables, "personal": self.shows_personal})

    def _rest(self, document: str) -> None:
        wait_s = self._pacer.wait_s(document)
        if wait_s and self._clock.sleep(wait_s):
            raise Interrupted("stopped while waiting for the shop's bucket of query costs to fill")

    def _notice(self, answer: Answer) -> None:
        """Say once what will matter at the next version of the API."""
        answered = answered_version(answer)
        if answered and answered != self._version:
            self._tell("api_version_differs", asked=self._version, answered=answered)
        deprecated = answer.headers.get("X-Shopify-API-Deprecated-Reason")
        if deprecated:
            self._tell("api_fields_deprecated", fields=deprecated)

    def _tell(self, event: str, **facts: str) -> None:
        text = f"{event} {facts}"
        if text not in self._told:
            self._told.add(text)
            self._log.warning(event, **facts)


def answered_version(answer: Answer) -> str:
    """The version of the API that answered, where it tells."""
    return answer.headers.get("X-Shopify-API-Version", "")


def _halved(question: Question) -> Question:
    half = question.half
    if half is None:
        raise RequestRefused("a single record costs more than a query may")
    return half


def _reply(answer: Answer) -> Reply:
    body = answer.request.body
    variables = body["variables"] if isinstance(body, dict) else {}
    data = answer.json["data"] if isinstance(answer.json, dict) else {}
    return Reply(data=data, size=_size(variables), warned=frozenset(warned_fields(answer.json)), answer=answer)


def _size(variables: Mapping[str, Json]) -> int:
    """How many records variables ask for."""
    size, ids = variables.get("first"), variables.get("ids")
    return len(ids) if isinstance(ids, list) else size if isinstance(size, int) else 0
