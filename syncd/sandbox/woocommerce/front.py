"""What may stand between the world and the shop: a server that keeps a header to itself, a CDN that remembers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from syncd.sandbox.exchange import HTML_TYPE, Answer, Call

_CHALLENGE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    answer: Answer
    at: datetime


@dataclass(kw_only=True)
class Front:
    """Passes calls on to the shop; out of the way unless it is told otherwise.

    Args:
        passes_authorization: Whether the shop sees the Authorization header.
        cache_s: For how many seconds the CDN gives an answer again to the same address; 0 for no cache.
        challenges: Whether the CDN wants a browser.
    """

    passes_authorization: bool = True
    cache_s: float = 0.0
    challenges: bool = False
    _kept: dict[str, _Kept] = field(default_factory=dict, init=False)

    def answer(self, call: Call, now: datetime, ask: Callable[[Call], Answer]) -> Answer:
        """The shop's answer, or one in its place."""
        if self.challenges:
            return Answer(status=403, headers={"Content-Type": HTML_TYPE, "cf-mitigated": "challenge"}, body=_CHALLENGE)
        if not self.passes_authorization:
            headers = {name: value for name, value in call.headers.items() if name != "authorization"}
            call = replace(call, headers=headers)
        return self._remembered(call, now, ask) if self.cache_s else ask(call)

    def _remembered(self, call: Call, now: datetime, ask: Callable[[Call], Answer]) -> Answer:
        """The answer as Cloudflare gives it when told to cache everything: keys and headers do not matter to it."""
        if call.method != "GET":
            return _marked(ask(call), "DYNAMIC")
        kept = self._kept.get(call.target)
        age_s = (now - kept.at).total_seconds() if kept else 0.0
        if kept is not None and age_s < self.cache_s:
            return _marked(kept.answer, "HIT", Age=str(int(age_s)))
        answer = ask(call)
        if answer.status == 200:
            self._kept[call.target] = _Kept(answer=answer, at=now)
        return _marked(answer, "EXPIRED" if kept else "MISS")


def _marked(answer: Answer, status: str, **more: str) -> Answer:
    return replace(answer, headers={**answer.headers, "CF-Cache-Status": status, **more})
