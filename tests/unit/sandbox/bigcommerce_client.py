"""A caller of the sandbox's BigCommerce that builds its addresses by hand, colons and commas raw."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import requests

from syncd.sandbox import BigShop


@dataclass
class BigClient:
    """Calls one shop with one of its tokens."""

    shop: BigShop
    token_name: str = "admin"
    session: requests.Session = field(default_factory=requests.Session)

    def with_token(self, name: str) -> BigClient:
        """The same caller with another token."""
        return BigClient(self.shop, name, self.session)

    def call(self, method: str, path: str, body: Any = None, **params: object) -> requests.Response:
        """Send one call; in names of parameters `__` stands for a colon."""
        query = "&".join(f"{name.replace('__', ':')}={value}" for name, value in params.items())
        return self.session.request(
            method,
            f"{self.shop.url}/stores/{self.shop.store_hash}/{path}{'?' + query if query else ''}",
            headers={
                "X-Auth-Token": self.shop.credentials[self.token_name].access_token,
                "Accept": "application/json",
            },
            json=body,
            timeout=5,
        )

    def get(self, path: str, **params: object) -> requests.Response:
        """Send a GET."""
        return self.call("GET", path, **params)

    def data(self, path: str, **params: object) -> list[Any]:
        """The rows of one page of a v3 list."""
        rows: list[Any] = self.get(path, **params).json()["data"]
        return rows

    def ids(self, path: str, **params: object) -> list[int]:
        """The ids of one page of a v2 list, which is no body at all when there are none."""
        answer = self.get(path, **params)
        return [row["id"] for row in answer.json()] if answer.status_code == 200 else []

    def put_values(self, *values: tuple[int, int, str]) -> requests.Response:
        """Write attribute values, each (customer id, attribute id, text)."""
        body = [{"customer_id": whose, "attribute_id": which, "value": text} for whose, which, text in values]
        return self.call("PUT", "v3/customers/attribute-values", body)

    def close(self) -> None:
        """Give the connection back."""
        self.session.close()
