"""A caller of the sandbox that signs as WooCommerce's own client library does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import requests
from woocommerce.oauth import OAuth

from syncd.sandbox import ApiKey, WooShop


@dataclass
class Client:
    """Calls one shop with one of its keys."""

    shop: WooShop
    key_name: str = "admin"
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def key(self) -> ApiKey:
        """The key it signs with."""
        return self.shop.credentials[self.key_name]

    def with_key(self, name: str) -> Client:
        """The same caller with another key."""
        return Client(self.shop, name, self.session)

    def signed(self, method: str, path: str, **params: object) -> str:
        """The signed address of a call."""
        query = "?" + urlencode(params) if params else ""
        url = f"{self.shop.url}/wp-json/wc/v3/{path}{query}"
        stamp = int(self.shop.clock.now().timestamp())
        oauth = OAuth(
            url,
            self.key.consumer_key,
            self.key.consumer_secret,
            version="wc/v3",
            method=method,
            oauth_timestamp=stamp,
        )
        signed: str = oauth.get_oauth_url()
        return signed

    def call(self, method: str, path: str, body: Any = None, **params: object) -> requests.Response:
        """Send one call."""
        return self.session.request(method, self.signed(method, path, **params), json=body, timeout=5)

    def get(self, path: str, **params: object) -> requests.Response:
        """Send a GET."""
        return self.call("GET", path, **params)

    def put(self, path: str, body: Any) -> requests.Response:
        """Send a PUT."""
        return self.call("PUT", path, body)

    def post(self, path: str, body: Any) -> requests.Response:
        """Send a POST."""
        return self.call("POST", path, body)

    def delete(self, path: str, **params: object) -> requests.Response:
        """Send a DELETE."""
        return self.call("DELETE", path, **params)

    def ids(self, path: str, **params: object) -> list[int]:
        """The ids of one page."""
        return [row["id"] for row in self.get(path, _fields="id", **params).json()]

    def walk(self, path: str, **params: object) -> list[int]:
        """The ids of all pages in turn."""
        seen: list[int] = []
        page = 1
        while rows := self.ids(path, page=page, **params):
            seen += rows
            page += 1
        return seen

    def close(self) -> None:
        """Give the connection back."""
        self.session.close()
