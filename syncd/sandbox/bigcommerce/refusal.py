"""How BigCommerce says no: a list of messages in v2, a problem document in v3 and at the gateway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_HELP = "https://developer.bigcommerce.com/docs/start/about/status-codes"


class Refused(Exception):
    """A request that is answered with an error.

    Args:
        status: HTTP status.
        title: What is wrong, in BigCommerce's words.
        errors: What is wrong by field (v3 only).
        details: More to know (v2 only).
        headers: Headers of the answer.
    """

    def __init__(
        self,
        status: int,
        title: str,
        *,
        errors: Mapping[str, str] | None = None,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.headers = dict(headers or {})
        self._errors = dict(errors or {})
        self._details = dict(details or {})

    def body(self, path: str) -> object:
        """The body of the answer, as worded by the version that the path asks for."""
        if "/v2/" in path and self.status not in (401, 429):
            more = {"details": self._details} if self._details else {}
            return [{"status": self.status, "message": self.title, **more}]
        return {"status": self.status, "title": self.title, "type": _HELP, "errors": self._errors}


def bad_value(name: str, words: str) -> Refused:
    """The refusal of one parameter's value: 422 in v3, which v2 words as 400."""
    return Refused(422, f"{name}: {words}", errors={name: words})


def bad_body(errors: Mapping[str, str]) -> Refused:
    """The refusal of what was sent."""
    return Refused(422, "JSON data is missing or invalid", errors=errors)


def not_found() -> Refused:
    """Nothing is at this address."""
    return Refused(404, "The requested resource was not found.")
