"""Who is asking: OAuth 1.0a over http, Basic or query keys over https, and what each key's owner may do."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.exchange import Call
from syncd.sandbox.woocommerce.refusal import Refused

ADMIN_ID, MANAGER_ID = 1, 2
_WINDOW_S = 15 * 60
_FEWEST_NONCES = 1000  # kept before old ones are looked for
_OAUTH = ("oauth_consumer_key", "oauth_timestamp", "oauth_nonce", "oauth_signature", "oauth_signature_method")
_CODE = "woocommerce_rest_authentication_error"
_HASHES = {"HMAC-SHA1": hashlib.sha1, "HMAC-SHA256": hashlib.sha256}


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """A REST key.

    Args:
        permissions: read, write or read_write.
        role: The role of the user it belongs to.
    """

    consumer_key: str
    consumer_secret: str
    permissions: str = "read_write"
    role: str = "administrator"
    user_id: int = ADMIN_ID


def well_known_key(store: str, name: str) -> ApiKey:
    """A sandbox shop's key, the same in every sandbox: they open nothing else.

    Args:
        store: The shop's store name.
        name: admin, read_only, write_only, shop_manager or customer.
    """
    permissions, role, user_id = {
        "admin": ("read_write", "administrator", ADMIN_ID),
        "read_only": ("read", "administrator", ADMIN_ID),
        "write_only": ("write", "administrator", ADMIN_ID),
        "shop_manager": ("read_write", "shop_manager", MANAGER_ID),
        "customer": ("read_write", "customer", 0),
    }[name]
    return ApiKey(
        consumer_key="ck_" + _forty(f"{store} {name} key"),
        consumer_secret="cs_" + _forty(f"{store} {name} secret"),
        permissions=permissions,
        role=role,
        user_id=user_id,
    )


def _forty(text: str) -> str:
    return hashlib.sha256(f"sandbox {text}".encode()).hexdigest()[:40]


KEY_NAMES = ("admin", "read_only", "write_only", "shop_manager", "customer")


class Gate:
    """Finds out whose key signed a request.

    Args:
        keys: The shop's keys.
    """

    def __init__(self, keys: Sequence[ApiKey], clock: SandboxClock) -> None:
        self._keys = {key.consumer_key: key for key in keys}
        self._clock = clock
        self._nonces: dict[str, int] = {}
        self._nonces_bound = _FEWEST_NONCES

    def owner(self, call: Call, home: str) -> ApiKey | None:
        """The key that signed a request; None if it carries no credentials that count.

        Raises:
            Refused: Credentials were given and are wrong.
        """
        return (self._basic(call) if call.secure else None) or self._oauth(call, home)

    def _basic(self, call: Call) -> ApiKey | None:
        name, secret = _basic_pair(call)
        key = self._keys.get(name)
        if key is None:
            return None
        if not hmac.compare_digest(key.consumer_secret.encode(), secret.encode()):
            raise Refused(401, _CODE, "Consumer secret is invalid.")
        return key

    def _oauth(self, call: Call, home: str) -> ApiKey | None:
        params = _numbered(call.query) | _oauth_header(call)
        if not any(name in params for name in _OAUTH):
            return None
        missing = [name for name in _OAUTH if not params.get(name)]
        if missing:
            words = f"Missing OAuth parameter{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
            raise Refused(401, "woocommerce_rest_authentication_missing_parameter", words)
        key = self._keys.get(params["oauth_consumer_key"])
        if key is None:
            raise Refused(401, _CODE, "Consumer key is invalid.")
        self._check_signature(key, call, home, params)
        self._check_freshness(params)
        return key

    def _check_signature(self, key: ApiKey, call: Call, home: str, params: Mapping[str, str]) -> None:
        digest = _HASHES.get(params["oauth_signature_method"])
        if digest is None:
            raise Refused(401, _CODE, "Invalid signature - signature method is invalid.")
        text = "&".join((call.method, quote(home + call.path, safe="~"), _normalised(params)))
        right = hmac.new(f"{key.consumer_secret}&".encode(), text.encode(), digest).digest()
        given = unquote(params["oauth_signature"].replace(" ", "+"))
        if not hmac.compare_digest(base64.b64encode(right), given.encode()):
            raise Refused(401, _CODE, "Invalid signature - provided signature does not match.")

    def _check_freshness(self, params: Mapping[str, str]) -> None:
        now = int(self._clock.now().timestamp())
        stamp = int(params["oauth_timestamp"]) if params["oauth_timestamp"].isdigit() else 0
        if abs(now - stamp) > _WINDOW_S:
            raise Refused(401, _CODE, "Invalid timestamp.")
        if params["oauth_nonce"] in self._nonces:
            raise Refused(401, _CODE, "Invalid nonce - nonce has already been used.")
        self._nonces[params["oauth_nonce"]] = stamp
        if len(self._nonces) > self._nonces_bound:
            self._nonces = {nonce: at for nonce, at in self._nonces.items() if at >= now - _WINDOW_S}
            self._nonces_bound = _FEWEST_NONCES + 2 * len(self._nonces)


def _basic_pair(call: Call) -> tuple[str, str]:
    params = call.params
    if params.get("consumer_key") and params.get("consumer_secret"):
        return params["consumer_key"], params["consumer_secret"]
    scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, secret


def _oauth_header(call: Call) -> dict[str, str]:
    scheme, _, rest = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "oauth":
        return {}
    pairs = (pair.strip().partition("=") for pair in rest.split(","))
    return {name: unquote(value.strip('"')) for name, _, value in pairs if name in _OAUTH}


def _numbered(query: str) -> dict[str, str]:
    """Parameters as PHP counts them: `status[]` twice is `status[0]` and `status[1]`, and is signed as such."""
    params: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        place = sum(each.startswith(name[:-1]) for each in params)
        params[f"{name[:-2]}[{place}]" if name.endswith("[]") else name] = value
    return params


def _normalised(params: Mapping[str, str]) -> str:
    """Parameters as they are signed: sorted, encoded twice, and (as WooCommerce does) decoded once too often."""
    pairs = sorted((name, value) for name, value in params.items() if name != "oauth_signature")
    return "%26".join(f"{_twice(name)}%3D{_twice(value)}" for name, value in pairs)


def _twice(text: str) -> str:
    return quote(unquote(text), safe="~").replace("%", "%25")
