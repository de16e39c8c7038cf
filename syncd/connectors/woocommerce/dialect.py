"""How WooCommerce wants to be addressed and signed, and what its refusals mean.

Over https the key goes as Basic authentication, or, where the host keeps that header from WooCommerce, as a signature.
Over http WooCommerce takes only such signatures: one-legged OAuth, over the site's own home URL. `url` is signed,
`base_url` only says where the bytes go.
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from syncd.clock import Clock
from syncd.connectors.config import Frozen, HttpConfig, StoreConfig, plain_address
from syncd.connectors.exchange import Answer, Request, Signed, fingerprint
from syncd.connectors.wire import address_fault
from syncd.connectors.woocommerce.edge import edge_refusal
from syncd.connectors.woocommerce.hours import QuietHours
from syncd.errors import AuthFailed, PolicyRefused, RequestRefused, ScopeMissing, SyncdError, WriteRejected

API = "wc/v3/"
ROLE_HINT = "The key's owner must be an administrator: WooCommerce > Settings > Advanced > REST API"
_BASIC = "basic"
_WRONG_KEY = "woocommerce_rest_authentication_error"  # the key was seen, and is not right
_SKEW = timedelta(minutes=1)  # WooCommerce refuses timestamps 15 minutes off; far less shows a wrong clock


class WooCommerceAuth(Frozen):
    """A REST API key of the shop, made by an administrator with Read/Write permission.

    Args:
        scheme: auto takes Basic over https, and OAuth over http and where Basic does not get through; basic and
            oauth insist.
    """

    consumer_key: SecretStr
    consumer_secret: SecretStr
    scheme: Literal["auto", "basic", "oauth"] = "auto"

    @model_validator(mode="after")
    def _are_not_swapped(self) -> WooCommerceAuth:
        if self.consumer_key.get_secret_value().startswith("cs_"):
            raise ValueError("the consumer key begins with cs_: key and secret are swapped")
        return self


class WooCommerceHttp(HttpConfig):
    """How requests leave for a WooCommerce store.

    Args:
        quiet_hours: Times of the shop's own day, such as 09:00-18:00, in which there is one request at a time.
    """

    quiet_hours: str | None = Field(default=None, examples=["09:00-18:00"])

    @field_validator("quiet_hours")
    @classmethod
    def _are_hours(cls, value: str | None) -> str | None:
        QuietHours.parse(value)
        return value


class WooCommerceConfig(StoreConfig):
    """One WooCommerce store's settings.

    Args:
        url: The site's address as WordPress itself says it, a sub-directory included; what is signed.
    """

    platform: Literal["woocommerce"] = "woocommerce"
    url: str
    auth: WooCommerceAuth
    http: WooCommerceHttp = WooCommerceHttp()

    @field_validator("url")
    @classmethod
    def _plain_url(cls, value: str) -> str:
        return plain_address(value)

    @model_validator(mode="after")
    def _leads_somewhere_safe(self) -> WooCommerceConfig:
        if not urlsplit(self.url).hostname:
            raise ValueError("url must be an address such as https://shop.example.com")
        fault = address_fault(self.wire_url, insecure=self.insecure, allow_private=self.allow_private)
        if fault:
            raise ValueError(f"{'base_url' if self.base_url else 'url'} {fault}")
        return self

    @property
    def wire_url(self) -> str:
        """Where bytes go: the site's path on the scheme and host of `base_url`, if there is one."""
        wire, site = urlsplit(self.base_url or self.url), urlsplit(self.url)
        return urlunsplit((wire.scheme, wire.netloc, site.path, "", ""))


class WooCommerceDialect:
    """Signs requests and words refusals for one store."""

    def __init__(self, config: WooCommerceConfig, clock: Clock) -> None:
        self._auth = config.auth
        self._wire_url = config.wire_url
        self._ways = deque(_ways(config))  # the one that worked last comes first
        self._clock = clock
        self._skew = timedelta()

    @property
    def uses_oauth(self) -> bool:
        """Whether requests are signed with OAuth instead of Basic."""
        return self._ways[0] != _BASIC

    @property
    def lost_basic(self) -> bool:
        """Whether requests are signed because Basic does not get through."""
        return self.uses_oauth and _BASIC in self._ways

    @property
    def key_shown(self) -> str:
        """The consumer key as it may be shown."""
        return fingerprint(self._auth.consumer_key.get_secret_value())

    def sign(self, request: Request) -> Signed:
        """Address and sign a request; an OAuth signature is good for one try only."""
        if request.is_public or not self.uses_oauth:
            query = f"?{urlencode(request.params)}" if request.params else ""
            headers = {} if request.is_public else {"Authorization": self._basic()}
            return Signed(url=_address(self._wire_url, request.path) + query, headers=headers)
        signed = self._oauth_url(request)
        return Signed(url=f"{_address(self._wire_url, request.path)}?{urlsplit(signed).query}")

    def learn(self, answer: Answer) -> bool:
        """Whether a 401 may come from a lost header, a wrong clock, or the site calling itself by another address."""
        if answer.request.is_public:
            return False
        if not self.uses_oauth:
            return said(answer.json)[0] != _WRONG_KEY and self._learn_way()
        return self._learn_clock(answer.server_time) or self._learn_way()

    def explain(self, answer: Answer) -> SyncdError | None:
        """A refusal in WooCommerce's terms, or in those of what stands before it."""
        return edge_refusal(answer) or self._explain_own(answer)

    def _explain_own(self, answer: Answer) -> SyncdError | None:
        code, message = said(answer.json)
        if answer.request.is_public:
            return _explain_closed(answer, message)
        if answer.status == 401:
            return self._explain_key(answer, code, message)
        if answer.status == 403:
            return _explain_right(answer, code)
        if answer.status == 404 and code == "rest_no_route":
            return PolicyRefused(
                f"the shop has no WooCommerce REST route {answer.request.path}", hint="Is WooCommerce active there?"
            )
        if answer.status == 400 and code:
            kind = WriteRejected if answer.request.is_write else RequestRefused
            return kind(f"the shop calls the request wrong: {code}: {message}")
        return None

    def _explain_key(self, answer: Answer, code: str, message: str) -> SyncdError:
        key = f"key {self.key_shown}"
        if answer.request.is_write:
            return AuthFailed(f"{key} may not write: {message or code}", hint="Give the key Read/Write permission")
        if code == _WRONG_KEY:
            return AuthFailed(f"the shop refuses {key}: {message}", hint="Check consumer key and secret")
        return AuthFailed(
            f"the shop does not know {key}, or never saw it",
            hint="Check the consumer key, and that the shop knows it is asked over https; "
            "where its host keeps Authorization from it, set `auth.scheme: auto`",
        )

    def _learn_clock(self, server_time: datetime | None) -> bool:
        skew = server_time - self._clock.now() if server_time else timedelta()
        is_news = abs(skew - self._skew) > _SKEW
        if is_news:
            self._skew = skew
        return is_news

    def _learn_way(self) -> bool:
        self._ways.rotate(-1)
        return len(self._ways) > 1

    def _basic(self) -> str:
        pair = f"{self._auth.consumer_key.get_secret_value()}:{self._auth.consumer_secret.get_secret_value()}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"

    def _oauth_url(self, request: Request) -> str:
        from woocommerce.oauth import OAuth

        query = f"?{urlencode(request.params)}" if request.params else ""
        signer = OAuth(
            url=_address(self._ways[0], request.path) + query,
            consumer_key=self._auth.consumer_key.get_secret_value(),
            consumer_secret=self._auth.consumer_secret.get_secret_value(),
            version="wc/v3",
            method=request.method,
            oauth_timestamp=int((self._clock.now() + self._skew).timestamp()),
        )
        signer.generate_nonce = _nonce
        return str(signer.get_oauth_url())


def _ways(config: WooCommerceConfig) -> list[str]:
    """How a request may be signed, likeliest first: Basic, or OAuth over an address the site may call its own."""
    wire = urlsplit(config.wire_url)
    # A site signs over its home url under the scheme it believes in; a staging copy calls itself by its own; behind
    # a proxy that takes TLS off, a site may believe in http.
    last = config.wire_url if config.base_url else _with_scheme(config.url, "http")
    homes = list(dict.fromkeys((_with_scheme(config.url, wire.scheme), config.url, last)))
    if config.auth.scheme == "basic":
        return [_BASIC]
    return [_BASIC, *homes] if config.auth.scheme == "auto" and wire.scheme == "https" else homes


def _nonce() -> str:
    """A number used once: the vendor's has 8 digits, and WooCommerce refuses one that it has seen."""
    return token_hex(16)


def said(body: object) -> tuple[str, str]:
    """The code and message of an error object; both empty if it is none."""
    if not isinstance(body, Mapping):
        return "", ""
    return str(body.get("code") or ""), str(body.get("message") or "")[:200]


def _explain_closed(answer: Answer, message: str) -> SyncdError | None:
    """What visitors are told, who need no key."""
    if answer.status in (401, 403):
        words = f"the shop shows its REST index to nobody{f': {message}' if message else ''}"
        return PolicyRefused(words, hint="Let syncd pass what guards /wp-json/, such as a firewall or login plugin")
    if answer.status == 404:
        return RequestRefused("the shop has no REST index")
    return None


def _explain_right(answer: Answer, code: str) -> SyncdError:
    if not code:
        return PolicyRefused(
            "something in front of the shop refuses us, such as a firewall",
            hint="Let syncd pass there, by `http.headers` if it wants one",
        )
    verb = "write" if answer.request.is_write else "read"
    return ScopeMissing(f"the key's owner may not {verb} {answer.request.path}", hint=ROLE_HINT)


def _with_scheme(url: str, scheme: str) -> str:
    return urlunsplit(urlsplit(url)._replace(scheme=scheme))


def _address(site: str, path: str) -> str:
    return f"{site}{path}" if path.startswith("/") else f"{site}/wp-json/{path}"
