"""Putting an answer on the wire, or failing to in a scripted way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from syncd.sandbox.exchange import Answer
from syncd.sandbox.faults import Fault, FaultKind

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_DRIP_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Slow: "


class Wire:
    """One connection's way back to the caller.

    Args:
        send: The ASGI send.
        transport: The connection itself, to cut it or to write raw bytes.
        stopping: Set when the sandbox ends, so that no stall outlives it.
    """

    def __init__(self, send: Send, transport: asyncio.Transport, stopping: asyncio.Event) -> None:
        self._send = send
        self._transport = transport
        self._stopping = stopping

    async def deliver(self, answer: Answer, fault: Fault | None) -> None:
        """Send the answer as the fault, if any, allows."""
        if answer.delay_s and not await self._wait(answer.delay_s):
            return
        kind = fault.kind if fault else None
        if fault is None or kind not in (FaultKind.RESET, FaultKind.CUT, FaultKind.DRIP, FaultKind.STALL):
            await self._whole(answer)
        elif kind is FaultKind.RESET:
            self._transport.abort()
        elif kind is FaultKind.CUT:
            await self._half(answer)
        elif kind is FaultKind.DRIP:
            await self._drip(fault.seconds)
        elif await self._wait(fault.seconds):
            await self._whole(answer)

    async def _whole(self, answer: Answer) -> None:
        await self._start(answer)
        await self._send({"type": "http.response.body", "body": answer.body})

    async def _start(self, answer: Answer) -> None:
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
        await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})

    async def _half(self, answer: Answer) -> None:
        await self._start(answer)
        half = answer.body[: max(1, len(answer.body) // 2)]
        await self._send({"type": "http.response.body", "body": half, "more_body": True})
        self._transport.close()

    async def _drip(self, pause_s: float) -> None:
        self._transport.write(_DRIP_HEAD)
        while not self._transport.is_closing() and await self._wait(pause_s):
            self._transport.write(b"x")

    async def _wait(self, seconds: float) -> bool:
        """Wait; False if the sandbox ended first."""
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return True
        return False
