"""Who is asking: the one header that opens the API, what each token may do, and the app that makes new ones."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.sandbox.clock import SandboxClock

SCOPES = ("read_all_orders", "read_customers", "read_orders", "write_customers")
TOKEN_LIFE_S = 86399
_TOKENS = {
    "admin": SCOPES,
    "recent_orders": ("read_customers", "read_orders", "write_customers"),
    "read_only": ("read_all_orders", "read_customers", "read_orders"),
    "no_customers": ("read_all_orders", "read_orders"),
}
TOKEN_NAMES = tuple(_TOKENS)


@dataclass(frozen=True, kw_only=True, slots=True)
class ShopifyToken:
    """An access token.

    Args:
        expires_at: None for one that never does.
    """

    access_token: str
    scopes: tuple[str, ...]
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ShopifyApp:
    """The app that asks for tokens on a merchant's behalf."""

    client_id: str
    client_secret: str


def well_known_access_token(store: str, name: str = "admin") -> ShopifyToken:
    """A sandbox shop's token, the same in every sandbox: they open nothing else.

    Args:
        name: admin, recent_orders (only 60 days of them), read_only or no_customers.
    """
    return ShopifyToken(access_token="shpat_" + _hex(f"{store} {name} token"), scopes=_TOKENS[name])


def well_known_app(store: str) -> ShopifyApp:
    """A sandbox shop's app, the same in every sandbox."""
    return ShopifyApp(client_id=_hex(f"{store} app"), client_secret="shpss_" + _hex(f"{store} app secret"))


def _hex(text: str) -> str:
    return hashlib.sha256(f"sandbox {text}".encode()).hexdigest()[:32]


class Gate:
    """The tokens that open a shop, and the making of new ones.

    Attributes:
        same_organisation: Whether the app's owner also owns the shop; else there are no client credentials.
    """

    def __init__(self, store: str, clock: SandboxClock) -> None:
        self.app = well_known_app(store)
        self.same_organisation = True
        self._store = store
        self._clock = clock
        self._tokens = {
            token.access_token: token for token in (well_known_access_token(store, name) for name in TOKEN_NAMES)
        }
        self._codes: dict[str, tuple[str, ...]] = {}

    def find(self, access_token: str) -> ShopifyToken | None:
        """The token behind a header's text; None if it is unknown or has expired."""
        token = self._tokens.get(access_token)
        if token is None or (token.expires_at and token.expires_at <= self._clock.now()):
            return None
        return token

    def make_token(self, scopes: tuple[str, ...], *, lasts: bool) -> ShopifyToken:
        """A new token; one that does not last expires in 24 hours."""
        expires_at = None if lasts else self._clock.now() + timedelta(seconds=TOKEN_LIFE_S)
        text = "shpat_" + _hex(f"{self._store} token {len(self._tokens)}")
        self._tokens[text] = ShopifyToken(access_token=text, scopes=with_implied(scopes), expires_at=expires_at)
        return self._tokens[text]

    def revoke(self, access_token: str) -> None:
        """Make a token unknown."""
        self._tokens.pop(access_token, None)

    def make_code(self, scopes: tuple[str, ...]) -> str:
        """An authorization code that can be traded once for a token with these scopes."""
        code = _hex(f"{self._store} code {len(self._codes)}")
        self._codes[code] = scopes
        return code

    def trade(self, code: str) -> ShopifyToken | None:
        """The token for a code; None if it is unknown or was used."""
        scopes = self._codes.get(code)
        if not scopes:
            return None
        self._codes[code] = ()
        return self.make_token(scopes, lasts=True)


def with_implied(scopes: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes with the reading that every writing one brings."""
    implied = {scope.replace("write_", "read_") for scope in scopes if scope.startswith("write_")}
    return tuple(sorted({*scopes, *implied}))
