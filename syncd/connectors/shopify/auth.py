"""Approval in the browser: how a shop of another organisation lets an app of ours in.

The merchant approves the app on a page of Shopify's; Shopify sends the browser back to us on loopback with a code,
which is traded for a token that does not end. State and HMAC prove that it was Shopify and that we had asked.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from syncd.clock import Clock
from syncd.connectors.shopify.dialect import ShopifyConfig
from syncd.connectors.shopify.tokens import TokenDialect, ask_for_token
from syncd.connectors.transport import Transport
from syncd.errors import AuthFailed, ConfigInvalid, Interrupted

if TYPE_CHECKING:
    import shopify

SCOPES: Mapping[str, str] = {
    "read_customers": "customers with their addresses, consent and tags are read",
    "write_customers": "tags of segments are added to customers and removed again; nothing else is written",
    "read_orders": "orders, refunds and abandoned checkouts of the last 60 days are read",
    "read_all_orders": "orders before that are read; Shopify grants it on request, in the app's settings",
}
"""The scopes to ask a shop for, each with its reason, in the order to show them."""

PATIENCE_S = 600.0
CALLBACK_PATH = "/approved"

_THANKS = b"<!doctype html><title>syncd</title><p>The shop let syncd in. You can close this page."
_REFUSED = b"<!doctype html><title>syncd</title><p>This is not the approval that syncd waits for. See its terminal."


def authorize(
    config: ShopifyConfig, *, store_id: str, clock: Clock, open_url: Callable[[str], object], port: int = 0
) -> str:
    """A token of the shop's, after somebody approved the app in a browser.

    Args:
        open_url: Shows a page to somebody who may approve; it may return at once.
        port: Where on this machine the browser comes back to; 0 takes a free one. The app's settings must allow
            `http://127.0.0.1:PORT/approved` as a redirect.

    Raises:
        ConfigInvalid: The settings hold no app to approve, or the port is taken.
        AuthFailed: It was not approved, or what came back does not prove to be from Shopify.
    """
    approval = _Approval(config)
    until_s = clock.monotonic() + PATIENCE_S
    with _listening(port) as server:
        open_url(approval.url(server.redirect_uri))
        code = approval.code_in(_answer(server, clock, until_s))
    transport = Transport(config, TokenDialect(config.site, config.domain), store_id=store_id, clock=clock)
    try:
        return str(ask_for_token(transport, {**approval.app, "code": code})["access_token"])
    finally:
        transport.close()


class _Approval:
    """One request for approval and the proof that an answer belongs to it."""

    def __init__(self, config: ShopifyConfig) -> None:
        auth = config.auth
        if not (auth.client_id and auth.client_secret):
            raise ConfigInvalid(
                "there is no app that the shop could approve",
                hint="Set client_id and client_secret in the store's auth",
            )
        self.app = {"client_id": auth.client_id, "client_secret": auth.client_secret.get_secret_value()}
        self._config = config
        self._state = secrets.token_urlsafe(24)
        self._session = _session(config, self.app)

    def url(self, redirect_uri: str) -> str:
        """The page on which the shop's owner approves."""
        page = str(self._session.create_permission_url(list(SCOPES), redirect_uri, self._state))
        return self._config.site + page.removeprefix(f"https://{self._config.domain}")

    def code_in(self, answer: Mapping[str, str]) -> str:
        """The code that the browser brought.

        Raises:
            AuthFailed: It did not come from Shopify, is not for us, or holds no code.
        """
        if not secrets.compare_digest(answer.get("state", ""), self._state) or not self._is_signed(answer):
            raise AuthFailed(
                "what came back does not prove to be Shopify's answer to us",
                hint="Start again: syncd auth shopify STORE",
            )
        if answer.get("shop") != self._config.domain:
            raise AuthFailed(f"another shop than {self._config.domain} was approved", hint="Correct the store's url")
        if not answer.get("code"):
            raise AuthFailed("the app was not approved", hint="Start again, and install the app where Shopify asks")
        return answer["code"]

    def _is_signed(self, answer: Mapping[str, str]) -> bool:
        return answer.get("timestamp", "").isdigit() and bool(self._session.validate_params(dict(answer)))


def _session(config: ShopifyConfig, app: Mapping[str, str]) -> shopify.Session:
    """A session of a class of its own: the library keeps key and secret in the class, for the whole process."""
    import shopify

    class Own(shopify.Session):  # type: ignore[misc]
        """Knows one app only."""

        api_key = app["client_id"]
        secret = app["client_secret"]

    return Own(config.domain, config.api_version)


class _Server(HTTPServer):
    """Waits on loopback for the browser; `brought` is the query of its visit."""

    brought: Mapping[str, str] | None = None

    @property
    def redirect_uri(self) -> str:
        """Where Shopify is to send the browser."""
        return f"http://127.0.0.1:{self.server_port}{CALLBACK_PATH}"


class _Visit(BaseHTTPRequestHandler):
    """One visit of the browser; whatever is not the approval (an icon) is not found."""

    timeout = 5.0  # browsers open connections that they may never use

    def do_GET(self) -> None:
        """Keep what an approval brings."""
        parts = urlsplit(self.path)
        is_approval = parts.path == CALLBACK_PATH
        if is_approval and isinstance(self.server, _Server):
            self.server.brought = dict(parse_qsl(parts.query))
        self.send_response(200 if is_approval else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(_THANKS if is_approval else _REFUSED)

    def log_message(self, *_: object) -> None:
        """Keep silent: the path holds the code."""


def _listening(port: int) -> _Server:
    try:
        server = _Server(("127.0.0.1", port), _Visit)
    except OSError as error:
        message = f"port {port} of this machine cannot be listened on: {error.strerror}"
        raise ConfigInvalid(message, hint="Choose another one, and allow it in the app's settings") from None
    server.timeout = 1.0
    return server


def _answer(server: _Server, clock: Clock, until_s: float) -> Mapping[str, str]:
    """What the browser brought.

    Raises:
        AuthFailed: Nobody came back.
        Interrupted: We were told to end.
    """
    while server.brought is None:
        server.handle_request()
        if clock.sleep(0.0):
            raise Interrupted("stopped while waiting for the approval")
        if clock.monotonic() > until_s:
            raise AuthFailed("nobody approved the app in time", hint="Start again: syncd auth shopify STORE")
    return server.brought
