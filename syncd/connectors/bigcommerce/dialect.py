"""How BigCommerce wants to be addressed, how fast it may be asked, and what its refusals mean."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Literal
from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr, model_validator

from syncd.clock import Clock
from syncd.connectors.config import Frozen, StoreConfig
from syncd.connectors.exchange import Answer, Request, Signed, fingerprint
from syncd.connectors.wire import address_fault
from syncd.errors import AuthFailed, PolicyRefused, RateLimited, RequestRefused, ScopeMissing, SyncdError, WriteRejected
from syncd.model import Json

HOME = "https://api.bigcommerce.com"

_RESERVE = 3  # requests of a window left to whoever else asks this store
_LONGEST_WAIT_S = 60.0  # windows are 30 s; a longer answer is no reason to stand still
_SCOPES = {
    "v3/customers": ("Customers", "store_v2_customers"),
    "v2/orders": ("Orders", "store_v2_orders"),
    "v3/orders": ("Orders", "store_v2_orders"),
    "v2/store": ("Information & settings", "store_v2_information"),
}


class BigCommerceAuth(Frozen):
    """The access token of an API account of the store, made under Settings > Store-level API accounts."""

    token: SecretStr


class BigCommerceConfig(StoreConfig):
    """One BigCommerce store's settings.

    Args:
        store_hash: The part behind `stores/` in the API path that the API account shows.
    """

    platform: Literal["bigcommerce"] = "bigcommerce"
    store_hash: str = Field(pattern="^[A-Za-z0-9]+$")
    auth: BigCommerceAuth

    @model_validator(mode="after")
    def _leads_somewhere_safe(self) -> BigCommerceConfig:
        fault = address_fault(self.wire_url, insecure=self.insecure, allow_private=self.allow_private)
        if fault:
            raise ValueError(f"base_url {fault}")
        return self

    @property
    def wire_url(self) -> str:
        """Where bytes go: the platform's own host, or the scheme and host of `base_url`."""
        return self.base_url or HOME

    @property
    def api_url(self) -> str:
        """What every path stands behind, with a trailing slash."""
        wire = urlsplit(self.wire_url)
        return f"{wire.scheme}://{wire.netloc}/stores/{self.store_hash}/"


class Quota:
    """How many requests the store has left in its window, as its own answers tell; safe between threads.

    Args:
        leave: Share of each window's requests that is left to others; a few always are.
    """

    def __init__(self, clock: Clock, leave: float = 0.0) -> None:
        self._clock = clock
        self._leave = leave
        self._reserve = _RESERVE
        self._mutex = threading.Lock()
        self._left: int | None = None
        self._resets_at_s = 0.0

    def note(self, headers: Mapping[str, str]) -> None:
        """Learn from an answer."""
        left = headers.get("X-Rate-Limit-Requests-Left", "")
        if left.isdigit():
            with self._mutex:
                self._left = int(left)
                self._reserve = max(_RESERVE, int(self._leave * _number(headers, "X-Rate-Limit-Requests-Quota")))
                self._resets_at_s = self._clock.monotonic() + reset_s(headers)

    def wait(self) -> None:
        """Stand still until the window is renewed, if almost nothing of it is left.

        Raises:
            RateLimited: The process is to stop meanwhile.
        """
        wait_s = self._take()
        if wait_s > 0 and self._clock.sleep(min(wait_s, _LONGEST_WAIT_S)):
            raise RateLimited("stopped while the shop's quota was used up", retry_after_s=wait_s)

    def _take(self) -> float:
        """Count one request, and say how long it is to wait."""
        with self._mutex:
            if self._left is None:
                return 0.0
            self._left -= 1
            if self._left >= self._reserve:
                return 0.0
            self._left = None
            return self._resets_at_s - self._clock.monotonic()


def _number(headers: Mapping[str, str], name: str) -> int:
    text = headers.get(name, "")
    return int(text) if text.isdigit() else 0


class BigCommerceDialect:
    """Addresses requests and words refusals for one store."""

    def __init__(self, config: BigCommerceConfig, quota: Quota) -> None:
        self._api_url = config.api_url
        self._token = config.auth.token
        self._quota = quota

    def sign(self, request: Request) -> Signed:
        """Address a request; the query keeps `:` and `,` raw, which BigCommerce does not take encoded."""
        query = "&".join(f"{name}={quote(value, safe=':,')}" for name, value in request.params.items())
        url = f"{self._api_url}{request.path}" + (f"?{query}" if query else "")
        return Signed(url=url, headers={"X-Auth-Token": self._token.get_secret_value()})

    def learn(self, answer: Answer) -> bool:
        """No other signature would be better: a token is a token."""
        return False

    def explain(self, answer: Answer) -> SyncdError | None:
        """A refusal in BigCommerce's terms; every answer tells something of the quota."""
        self._quota.note(answer.headers)
        if answer.status == 401:
            return self._explain_token()
        if answer.status == 403:
            return _explain_scope(answer.request)
        if answer.status == 404 and answer.request.path == "v2/store":
            return PolicyRefused("there is no BigCommerce store of this hash", hint="Correct the store's store_hash")
        if answer.status == 429:
            return _explain_pace(answer)
        return _explain_mistake(answer) if answer.status in (400, 409, 413, 422) else None

    def _explain_token(self) -> SyncdError:
        shown = fingerprint(self._token.get_secret_value())
        return AuthFailed(
            f"the store does not accept token {shown}", hint="Check store_hash and the API account's access token"
        )


def reset_s(headers: Mapping[str, str]) -> float:
    """Seconds until the store's window is renewed; 0 where the answer does not say."""
    text = headers.get("X-Rate-Limit-Time-Reset-Ms", "")
    return int(text) / 1000 if text.isdigit() else 0.0


def said(body: Json) -> str:
    """What an error answer says, in one line: v3 sends an object with a title, v2 a list of messages."""
    if isinstance(body, list):
        return "; ".join(filter(None, map(said, body)))[:300]
    if not isinstance(body, Mapping):
        return ""
    errors = body.get("errors")
    details = [str(text) for text in errors.values()] if isinstance(errors, Mapping) else []
    title = str(body.get("title") or body.get("message") or "")
    return "; ".join(dict.fromkeys(filter(None, (title, *details))))[:300]


def _explain_scope(request: Request) -> SyncdError:
    area, scope = next((names for path, names in _SCOPES.items() if request.path.startswith(path)), ("", ""))
    verb, right = ("write", "modify") if request.is_write else ("read", "read-only")
    name = scope if request.is_write else f"{scope}_read_only"
    hint = f"Give its API account the OAuth scope {area}: {right} ({name})" if scope else None
    return ScopeMissing(f"the token may not {verb} {request.path}", hint=hint)


def _explain_pace(answer: Answer) -> SyncdError | None:
    """A 429 with its own headers says how long; one without them is the platform's load, left to our own waits."""
    wait_s = reset_s(answer.headers)
    return RateLimited("the shop asks us to wait", retry_after_s=wait_s) if wait_s else None


def _explain_mistake(answer: Answer) -> SyncdError | None:
    words = said(answer.json)
    kind = WriteRejected if answer.request.is_write else RequestRefused
    return kind(f"the shop calls the request wrong: {words}") if words else None
