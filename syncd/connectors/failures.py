"""Every way in which a request can fail, in one table, and the errors made of it.

What is not in the table is never retried. No error carries a query, a key or a body.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import requests
import urllib3

from syncd.connectors.exchange import Answer, Request, http_date
from syncd.connectors.wire import Guard
from syncd.errors import (
    AmbiguousWrite,
    AuthFailed,
    CorruptAnswer,
    PolicyRefused,
    RateLimited,
    Redirected,
    RequestRefused,
    ScopeMissing,
    SyncdError,
    Timeout,
    TlsFailed,
    Unavailable,
    WriteRejected,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """What a failure means for a read and for a write, in words with a remedy."""

    read: type[SyncdError]
    write: type[SyncdError]
    words: str
    hint: str | None = None


_SICK = Failure(read=Unavailable, write=AmbiguousWrite, words="the shop's server failed")
_SLOW = Failure(read=Timeout, write=AmbiguousWrite, words="the shop's server took too long")
_THROTTLED = Failure(read=RateLimited, write=RateLimited, words="the shop asks us to wait")
_CLOSED = Failure(read=PolicyRefused, write=PolicyRefused, words="the shop is closed to us")
_MISTAKEN = Failure(read=RequestRefused, write=WriteRejected, words="the shop calls the request wrong")
_ELSEWHERE = Failure(
    read=Redirected, write=Redirected, words="the shop sends us elsewhere", hint="Correct the store's url"
)
_UNKNOWN = Failure(read=RequestRefused, write=RequestRefused, words="the shop gave an answer we do not know")

FAILURES: Mapping[int | str, Failure] = {
    "unreachable": Failure(
        read=Unavailable,
        write=Unavailable,
        words="no connection to the shop",
        hint="Check the store's url and whether the shop is up",
    ),
    "deadline": Failure(read=Timeout, write=AmbiguousWrite, words="no complete answer within the deadline"),
    "cut": Failure(read=Unavailable, write=AmbiguousWrite, words="the connection broke before the answer was whole"),
    "unreadable": Failure(read=CorruptAnswer, write=AmbiguousWrite, words="the answer is not what the platform sends"),
    "oversized": Failure(
        read=RequestRefused,
        write=AmbiguousWrite,
        words="the answer is larger than allowed",
        hint="Raise `http.max_body_mb` if the shop is to be trusted",
    ),
    "certificate": Failure(
        read=TlsFailed,
        write=TlsFailed,
        words="the server's certificate cannot be verified",
        hint="Name its authority in `http.ca_file`",
    ),
    **dict.fromkeys((301, 302, 303, 304, 307, 308), _ELSEWHERE),
    **dict.fromkeys((400, 409, 410, 413, 422), _MISTAKEN),
    401: Failure(read=AuthFailed, write=AuthFailed, words="the shop does not accept the key"),
    **dict.fromkeys((402, 423, 430, 451), _CLOSED),
    403: Failure(read=ScopeMissing, write=ScopeMissing, words="the key may not do this"),
    404: Failure(read=PolicyRefused, write=PolicyRefused, words="the shop has nothing at this address"),
    **dict.fromkeys((408, 504, 524), _SLOW),
    429: _THROTTLED,
    **dict.fromkeys((500, 502, 503, 520, 521, 522, 523, 525, 527, 530), _SICK),
}


def seen(error: Exception, guard: Guard) -> str:
    """Which row of the table a broken exchange belongs to."""
    if _has_cause(error, ssl.SSLCertVerificationError):
        return "certificate"
    if not guard.was_sent:
        return "unreachable"
    if guard.expired or isinstance(error, requests.Timeout):
        return "deadline"
    if isinstance(error, (requests.exceptions.ContentDecodingError, requests.exceptions.ChunkedEncodingError)):
        return "unreadable"
    return "cut"


def unreachable_words(error: Exception, url: str) -> str:
    """Which host could not be reached, and why where that is known; ends the words of an unreachable shop."""
    reasons = (
        (socket.gaierror, "nobody knows that name"),
        (ConnectionRefusedError, "nothing listens there"),
        (urllib3.exceptions.ConnectTimeoutError, "it does not answer"),
    )
    why = next((f": {words}" for kind, words in reasons if _has_cause(error, kind)), "")
    return f" at {urlsplit(url).netloc}{why}"


def _has_cause(error: object, kind: type[BaseException]) -> bool:
    """Whether an error is, or was wrapped around, another: vendors keep it in `args`, `reason` or `__cause__`."""
    while isinstance(error, BaseException) and not isinstance(error, kind):
        wrapped = getattr(error, "reason", None) or next(iter(error.args), None)
        error = wrapped if isinstance(wrapped, BaseException) else error.__cause__
    return isinstance(error, kind)


def failure_of(row_key: int | str, request: Request, detail: str = "") -> SyncdError:
    """The error that a row of the table stands for; `detail` ends its words."""
    row = FAILURES.get(row_key, _UNKNOWN)
    kind = row.write if request.is_write else row.read
    return kind(f"{row.words} ({request.method} {request.path or '/'}{detail})", hint=row.hint)


def refusal_of(answer: Answer, now: datetime) -> SyncdError:
    """The error that an answer with a refusing status stands for.

    Args:
        now: Our clock, for a Retry-After date where the server tells no Date.
    """
    wait_s = _retry_after_s(answer, now)
    row_key = 429 if answer.status == 503 and wait_s else answer.status
    error = failure_of(row_key, answer.request, f" answered {answer.status}{_target(answer)}")
    if isinstance(error, RateLimited):
        error.retry_after_s = wait_s
    return error


def _target(answer: Answer) -> str:
    """Where a redirect leads, without its query: it may repeat our keys."""
    target = urlsplit(answer.headers.get("Location", ""))
    return f" to {target.scheme}://{target.hostname}{target.path}" if target.hostname else ""


def _retry_after_s(answer: Answer, now: datetime) -> float:
    text = answer.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return float(text)
    at = http_date(text)
    return max(0.0, (at - (answer.server_time or now)).total_seconds()) if at else 0.0
