"""The ASGI face of a shop: reads a call, lets the mutator and the faults have their say, answers, remembers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from email.utils import format_datetime
from typing import Any

from syncd.sandbox import control
from syncd.sandbox.delivery import Send, Wire
from syncd.sandbox.exchange import Answer, Call, Seen
from syncd.sandbox.faults import Fault, FaultKind, spoil
from syncd.sandbox.log import ExchangeLog
from syncd.sandbox.shop import Shop

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_NOTHING = Answer(status=0)


class ShopApp:
    """Serves one shop.

    Args:
        transports: The open connections by client address; the server keeps it.
    """

    def __init__(self, shop: Shop, log: ExchangeLog, transports: dict[Any, asyncio.Transport]) -> None:
        self._shop = shop
        self._log = log
        self._transports = transports
        self.stopping = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        wire = Wire(send, self._transports[scope["client"]], self.stopping)
        call = await _read(scope, receive)
        if call.path.startswith(control.PREFIX):
            await wire.deliver(self._dated(control.answer(self._shop, call)), None)
            return
        answer, fault = self._exchange(call)
        await wire.deliver(answer, fault)

    def _exchange(self, call: Call) -> tuple[Answer, Fault | None]:
        with self._shop.lock:
            if self._shop.mutator is not None:
                self._shop.mutator(call)
            fault = self._shop.faults.take(call)
            answer = self._dated(self._answer(call, fault))
            self._remember(call, answer, fault)
        return answer, fault

    def _answer(self, call: Call, fault: Fault | None) -> Answer:
        if fault is None:
            return self._shop.answer(call)
        if fault.kind is FaultKind.IGNORE_FILTER:
            return self._shop.answer(replace(call, ignored=frozenset(fault.params)))
        answer = self._shop.answer(call) if fault.reaches_shop else _NOTHING
        return spoil(fault, call, answer)

    def _dated(self, answer: Answer) -> Answer:
        date = format_datetime(self._shop.clock.now(), usegmt=True)
        return replace(answer, headers={"Server": "nginx/1.22.1", "Date": date, **answer.headers})

    def _remember(self, call: Call, answer: Answer, fault: Fault | None) -> None:
        sent = replace(answer, status=0, body=b"") if fault and fault.kind is FaultKind.RESET else answer
        self._shop.history.append(
            Seen(
                method=call.method,
                path=call.path,
                query=call.query,
                headers=call.headers,
                body=call.body,
                status=sent.status,
                applied=fault is None or fault.reaches_shop,
                at=self._shop.clock.now(),
            )
        )
        self._log.append(self._shop.url, call, sent)


async def _read(scope: Scope, receive: Receive) -> Call:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return Call(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
        secure=scope["scheme"] == "https",
    )
