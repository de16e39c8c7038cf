"""Where the access token comes from: given in the settings, or asked for a day at a time.

A token lives in memory only. Asking for one repeats nothing, so it may be tried again like any question.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Protocol

from syncd.clock import Clock
from syncd.connectors.exchange import Answer, Request, Signed
from syncd.connectors.shopify.errors import said
from syncd.connectors.transport import Transport
from syncd.errors import AuthFailed, CorruptAnswer, PolicyRefused, SyncdError
from syncd.model import Json

TOKEN_PATH = "/admin/oauth/access_token"  # noqa: S105 - where tokens are asked for, not one
RENEWED_EARLY_S = 600.0
_LIFE_S = 86_399.0  # where the answer does not say


class Tokens(Protocol):
    """Whatever knows a store's access token. Not a base class."""

    def token(self) -> str:
        """The token to use now."""
        ...

    def renew(self) -> bool:
        """Give the token up, as it was refused; True if the next one may be another."""
        ...


class GivenToken:
    """The token that the settings hold, for as long as it is good."""

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        """The token to use now."""
        return self._token

    def renew(self) -> bool:
        """There is no other."""
        return False


class ClientCredentials:
    """Tokens that an app of the shop's own organisation asks for, renewed ten minutes before they end.

    Args:
        grant: What proves who asks.
        transport: The way to where tokens are given.
    """

    def __init__(self, grant: Mapping[str, str], transport: Transport, clock: Clock) -> None:
        self._grant = {**grant, "grant_type": "client_credentials"}
        self._transport = transport
        self._clock = clock
        self._mutex = threading.Lock()
        self._token = ""
        self._renew_at_s = 0.0

    def token(self) -> str:
        """The token to use now; asks for one where none is known or it is about to end.

        Raises:
            AuthFailed: The app is not known, or the shop is of another organisation.
            RetryLater: There is no answer; nothing was done.
        """
        with self._mutex:
            if not self._token or self._clock.monotonic() >= self._renew_at_s:
                self._fetch()
            return self._token

    def renew(self) -> bool:
        """Give the token up; the next is asked for."""
        with self._mutex:
            self._token = ""
        return True

    def _fetch(self) -> None:
        asked_at_s = self._clock.monotonic()
        given = ask_for_token(self._transport, self._grant)
        life_s = given.get("expires_in")
        self._renew_at_s = asked_at_s + (life_s if isinstance(life_s, (int, float)) else _LIFE_S) - RENEWED_EARLY_S
        self._token = str(given["access_token"])


class TokenDialect:
    """Addresses the call for a token, which carries its proof in its body, and words its refusals."""

    def __init__(self, site: str, domain: str) -> None:
        self._site = site
        self._domain = domain

    def sign(self, request: Request) -> Signed:
        """The address; nothing is signed."""
        return Signed(url=self._site + request.path)

    def learn(self, answer: Answer) -> bool:
        """Nothing is learnt: what was refused is refused again."""
        return False

    def explain(self, answer: Answer) -> SyncdError | None:
        """A refusal in Shopify's terms."""
        if answer.status == 404:
            return PolicyRefused(f"there is no shop {self._domain}", hint="Correct the store's url")
        if answer.status in (400, 401, 403):
            return self._explain_grant(answer.json)
        return None

    def _explain_grant(self, body: Json) -> SyncdError:
        code = str(body.get("error")) if isinstance(body, Mapping) else ""
        if code == "shop_not_permitted":
            return AuthFailed(
                f"{self._domain} and the app belong to different organisations: its secret opens nothing there",
                hint="Let the shop approve the app: syncd auth shopify STORE",
            )
        return AuthFailed(
            f"Shopify gives the app no token for {self._domain}: {said(body) or 'it does not say why'}",
            hint="Check client_id and client_secret, and that the app is installed in the shop",
        )


def ask_for_token(transport: Transport, grant: Mapping[str, str]) -> Mapping[str, Json]:
    """What Shopify gives for a grant: `access_token`, its `scope`, and `expires_in` seconds where it ends.

    Raises:
        AuthFailed, PolicyRefused: It gives none.
        RetryLater: There is no answer, or none that can be read.
    """
    request = Request(method="POST", path=TOKEN_PATH, body=dict(grant), is_query=True, tries=1)
    body = transport.send(request).json
    if not isinstance(body, Mapping) or not body.get("access_token"):
        raise CorruptAnswer("the answer to the call for a token holds none")
    return body
