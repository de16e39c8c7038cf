"""How Shopify wants to be addressed and signed, and what its refusals mean.

A shop is its `myshopify.com` domain; `base_url` only says where the bytes go. Every call but the one for a token is a
POST of a GraphQL document with the token in a header of Shopify's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import SecretStr, field_validator, model_validator

from syncd.connectors.config import Frozen, StoreConfig
from syncd.connectors.exchange import Answer, Request, Signed, fingerprint
from syncd.connectors.shopify.errors import explain_errors, said
from syncd.connectors.shopify.tokens import Tokens
from syncd.connectors.wire import address_fault
from syncd.errors import AuthFailed, PolicyRefused, ScopeMissing, SyncdError

GRAPHQL = "graphql.json"

_NO_LASTING = "Shopify wants tokens of this app to expire: set its client_id and client_secret instead of the token"
_SHOP = re.compile(r"[a-z0-9][a-z0-9-]*(\.myshopify\.com)?")


class ShopifyAuth(Frozen):
    """How the shop lets us in: by a token, or by an app of the shop's own organisation, which asks for tokens itself.

    Args:
        token: An Admin API access token; where it is given, it is what is used.
        client_id: The app's, from its settings in the Dev Dashboard.
    """

    token: SecretStr | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None

    @model_validator(mode="after")
    def _lets_in(self) -> ShopifyAuth:
        if not self.token and not (self.client_id and self.client_secret):
            raise ValueError("needs a token, or both client_id and client_secret")
        return self


class ShopifyConfig(StoreConfig):
    """One Shopify store's settings.

    Args:
        url: The shop's handle, its myshopify.com domain, or that domain's address.
        api_version: Version of the Admin API that is asked for.
    """

    platform: Literal["shopify"] = "shopify"
    url: str
    api_version: Literal["2026-10", "2026-07"] = "2026-10"
    auth: ShopifyAuth

    @field_validator("url")
    @classmethod
    def _names_a_shop(cls, value: str) -> str:
        text = value.strip().lower()
        host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
        if not _SHOP.fullmatch(host):
            raise ValueError("must be the shop's handle or its own domain, such as acme.myshopify.com")
        return host

    @model_validator(mode="after")
    def _leads_somewhere_safe(self) -> ShopifyConfig:
        if self.base_url:
            fault = address_fault(self.base_url, insecure=self.insecure, allow_private=self.allow_private)
            if fault:
                raise ValueError(f"base_url {fault}")
        return self

    @property
    def domain(self) -> str:
        """The shop's lasting name, such as acme.myshopify.com."""
        import shopify

        return str(shopify.Session(self.url, self.api_version).url)

    @property
    def site(self) -> str:
        """Scheme and host that bytes go to."""
        return self.base_url or f"https://{self.domain}"

    @property
    def api_root(self) -> str:
        """Where this version of the Admin API is."""
        from shopify.api_version import Release

        return str(Release(self.api_version).api_path(self.site))


class ShopifyDialect:
    """Signs requests and words refusals for one store."""

    def __init__(self, config: ShopifyConfig, tokens: Tokens) -> None:
        self._domain = config.domain
        self._graphql_url = f"{config.api_root}/{GRAPHQL}"
        self._tokens = tokens
        self._relearned: Request | None = None

    def sign(self, request: Request) -> Signed:
        """Address a document and add the token; a new token is asked for where the known one is about to end."""
        return Signed(url=self._graphql_url, headers={"X-Shopify-Access-Token": self._tokens.token()})

    def learn(self, answer: Answer) -> bool:
        """Whether a 401 may come from a token that ended early: one new token for each request."""
        is_news = answer.request is not self._relearned
        self._relearned = answer.request
        return is_news and self._tokens.renew()

    def explain(self, answer: Answer) -> SyncdError | None:
        """A refusal in Shopify's terms, those that come with status 200 included."""
        if answer.status == 200:
            return explain_errors(answer)
        if answer.status == 401:
            return self._explain_token(answer)
        return explain_closed(answer, self._domain)

    def _explain_token(self, answer: Answer) -> SyncdError:
        token, words = fingerprint(self._tokens.token()), said(answer.json)
        is_lasting = "non-expiring" in words.lower()  # nothing but the text tells it from a revoked one
        return AuthFailed(
            f"{self._domain} does not accept the token {token}: {words}",
            hint=_NO_LASTING if is_lasting else "Is the app still installed in the shop? Set the token it has now",
        )


class _Closed(NamedTuple):
    """What a status says of the shop as a whole, and what to do about it."""

    kind: type[SyncdError]
    words: str
    hint: str


_CLOSED: Mapping[int, _Closed] = {
    402: _Closed(PolicyRefused, "is frozen: its plan is unpaid", "Its owner can pay in Settings > Billing"),
    403: _Closed(ScopeMissing, "lets the token do nothing", "Is the app installed there with its scopes approved?"),
    404: _Closed(PolicyRefused, "does not exist, or not for this version of the API", "Correct the store's url"),
    423: _Closed(PolicyRefused, "is locked by Shopify", "Its owner can ask Shopify's support why"),
    430: _Closed(PolicyRefused, "takes our requests for an attack", "Ask less often, or ask Shopify's support"),
}


def explain_closed(answer: Answer, domain: str) -> SyncdError | None:
    """What a refusing status says of the shop; None where the general table says it as well."""
    row = _CLOSED.get(answer.status)
    if row is None:
        return None
    message = said(answer.json)
    return row.kind(f"{domain} {row.words}{f': {message}' if message else ''}", hint=row.hint)
