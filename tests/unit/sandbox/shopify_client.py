"""A caller of the sandbox's Shopify."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from syncd.sandbox import Sandbox, SandboxClock, SandboxOptions, ShopifyShop, ShopifySite

SITE = ShopifySite(
    store="us", handle="acme-us", title="Acme", timezone="Europe/Berlin", country="DE", currency="EUR", index_lag_s=0
)


@contextmanager
def opened(clock: SandboxClock | None = None, *, scale: float = 0.1) -> Iterator[GraphClient]:
    """A caller of a small shop of its own."""
    with Sandbox(SandboxOptions(sites=[SITE], scale=scale), clock=clock) as sandbox:
        client = GraphClient(sandbox.shops["us"])
        yield client
        client.session.close()


@dataclass
class GraphClient:
    """Calls one shop with one of its tokens."""

    shop: ShopifyShop
    token_name: str = "admin"
    version: str = "2026-10"
    session: requests.Session = field(default_factory=requests.Session)

    def post(self, query: str, /, headers: dict[str, str] | None = None, **variables: Any) -> requests.Response:
        """Send a document."""
        token = self.shop.credentials[self.token_name].access_token
        return self.session.post(
            f"{self.shop.url}/admin/api/{self.version}/graphql.json",
            json={"query": query, "variables": variables},
            headers=headers if headers is not None else {"X-Shopify-Access-Token": token},
            timeout=5,
        )

    def ask(self, query: str, /, **variables: Any) -> dict[str, Any]:
        """The data of an answer that has no errors."""
        body = self.post(query, **variables).json()
        assert "errors" not in body, body["errors"]
        data: dict[str, Any] = body["data"]
        return data

    def codes(self, query: str, /, **variables: Any) -> list[str]:
        """The codes of an answer's errors."""
        body = self.post(query, **variables).json()
        return [error["extensions"]["code"] for error in body["errors"]]

    def ids(self, field_name: str, arguments: str) -> list[str]:
        """The ids on one page of a list."""
        page = self.ask(f"{{ {field_name}({arguments}) {{ nodes {{ id }} }} }}")[field_name]
        return [node["id"] for node in page["nodes"]]

    def walk(self, field_name: str, arguments: str) -> list[str]:
        """The ids on all pages of a list in turn."""
        seen, after = [], None
        while True:
            page = self.ask(
                f"query($after: String) {{ {field_name}({arguments}, after: $after)"
                " { nodes { id } pageInfo { hasNextPage endCursor } } }",
                after=after,
            )[field_name]
            seen += [node["id"] for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return seen
