"""Who is asking: access tokens and what each may do."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from syncd.sandbox.bigcommerce.refusal import Refused
from syncd.sandbox.exchange import Call

READ_ONLY = "_read_only"
_FAMILIES = ("store_v2_customers", "store_v2_orders", "store_v2_transactions", "store_v2_information")
_TOKENS = {
    "admin": _FAMILIES,
    "read_only": tuple(family + READ_ONLY for family in _FAMILIES),
    "customers_only": ("store_v2_customers",),
    "orders_only": ("store_v2_orders_read_only", "store_v2_information_read_only"),
    "nothing": (),
}
TOKEN_NAMES = tuple(_TOKENS)


@dataclass(frozen=True, kw_only=True, slots=True)
class BigToken:
    """An API account's token, which never expires.

    Args:
        scopes: What it may do, such as store_v2_orders_read_only.
    """

    access_token: str
    scopes: frozenset[str]


def well_known_token(store: str, name: str) -> BigToken:
    """A sandbox shop's token, the same in every sandbox: they open nothing else.

    Args:
        store: The shop's store name.
        name: admin, read_only, customers_only, orders_only or nothing.
    """
    secret = hashlib.sha256(f"sandbox {store} {name} token".encode()).hexdigest()[:31]
    return BigToken(access_token=secret, scopes=frozenset(_TOKENS[name]))


class Gate:
    """Finds out whose token came with a request, and whether it may do what it asks for."""

    def __init__(self, tokens: Sequence[BigToken]) -> None:
        self._tokens = tokens

    def owner(self, call: Call) -> BigToken:
        """The token that came with a request.

        Raises:
            Refused: None came, or none that is known.
        """
        given = call.headers.get("x-auth-token", "")
        for token in self._tokens:
            if hmac.compare_digest(token.access_token.encode(), given.encode()):
                return token
        words = "X-Auth-Token header is invalid" if given else "X-Auth-Token header is required"
        raise Refused(401, words)


def check_scope(token: BigToken, scopes: Sequence[str], method: str) -> None:
    """Refuse what none of a token's scopes allows; an address without scopes is open to every token."""
    enough = {*scopes, *(scope + READ_ONLY for scope in scopes if method == "GET")}
    if scopes and not enough & token.scopes:
        raise Refused(403, "You don't have a required scope to access the endpoint")
