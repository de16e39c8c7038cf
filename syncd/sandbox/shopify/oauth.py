"""How tokens are made: client credentials for the organisation's own shops, an approval in the browser for others."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson

from syncd.sandbox.exchange import HTML_TYPE, Answer, Call, json_answer
from syncd.sandbox.shopify.access import SCOPES, TOKEN_LIFE_S, Gate
from syncd.sandbox.shopify.state import ShopifyState

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def token_answer(gate: Gate, call: Call) -> Answer:
    """POST /admin/oauth/access_token."""
    form = _form(call)
    app = gate.app
    if (form.get("client_id"), form.get("client_secret")) != (app.client_id, app.client_secret):
        return _no("invalid_client", "Client authentication failed.")
    if form.get("grant_type") == "client_credentials":
        return _client_credentials(gate)
    token = gate.trade(form.get("code", ""))
    if token is None:
        return _no("invalid_request", "The authorization code was not found or was already used")
    return json_answer(200, {"access_token": token.access_token, "scope": ",".join(token.scopes)})


def _client_credentials(gate: Gate) -> Answer:
    if not gate.same_organisation:
        return _no("shop_not_permitted", "Client credentials cannot be performed on this shop.")
    token = gate.make_token(SCOPES, lasts=False)
    made = {"access_token": token.access_token, "scope": ",".join(token.scopes), "expires_in": TOKEN_LIFE_S}
    return json_answer(200, made)


def _form(call: Call) -> dict[str, str]:
    if "json" in call.headers.get("content-type", ""):
        try:
            read = orjson.loads(call.body)
        except orjson.JSONDecodeError:
            return {}
        return {name: str(value) for name, value in read.items()} if isinstance(read, dict) else {}
    return dict(parse_qsl(call.body.decode("utf-8", "replace"))) or call.params


def _no(code: str, words: str) -> Answer:
    return json_answer(400, {"error": code, "error_description": words})


def approval(gate: Gate, state: ShopifyState, call: Call) -> Answer:
    """GET /admin/oauth/authorize: the merchant approves at once, and the browser is sent back with a signed code."""
    asked = call.params
    back = asked.get("redirect_uri", "")
    scopes = tuple(filter(None, asked.get("scope", "").replace(" ", ",").split(",")))
    if asked.get("client_id") != gate.app.client_id or not scopes:
        return _page(400, "Oauth error invalid_request: the app or its scopes are unknown")
    if urlsplit(back).hostname not in _LOOPBACK:
        return _page(400, "Oauth error invalid_request: The redirect_uri is not whitelisted")
    answer = {
        "code": gate.make_code(scopes),
        "shop": state.site.domain,
        "state": asked.get("state", ""),
        "timestamp": str(int(state.clock.now().timestamp())),
    }
    signed = {**answer, "hmac": signature(answer, gate.app.client_secret)}
    mark = "&" if urlsplit(back).query else "?"
    return Answer(status=302, headers={"Location": f"{back}{mark}{urlencode(signed)}", "Content-Type": HTML_TYPE})


def signature(params: Mapping[str, str], client_secret: str) -> str:
    """The hmac over a callback's other parameters."""
    pairs = (f"{_escaped(name).replace('=', '%3D')}={_escaped(value)}" for name, value in params.items())
    return hmac.new(client_secret.encode(), "&".join(sorted(pairs)).encode(), hashlib.sha256).hexdigest()


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("&", "%26")


def _page(status: int, words: str) -> Answer:
    body = f"<!DOCTYPE html><html><body>{words}</body></html>".encode()
    return Answer(status=status, headers={"Content-Type": HTML_TYPE}, body=body)
