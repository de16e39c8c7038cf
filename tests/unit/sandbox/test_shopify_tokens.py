"""How the sandbox's Shopify makes tokens, held against Shopify's own client library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
import shopify

from syncd.sandbox import SandboxClock
from syncd.sandbox.log import masked
from tests.clock import START
from tests.unit.sandbox.shopify_client import GraphClient, opened

BACK = "http://127.0.0.1:7777/callback"


@pytest.fixture
def client() -> Iterator[GraphClient]:
    """A caller of a fresh shop whose clock stands still."""
    with opened(SandboxClock(START, frozen=True), scale=0.02) as made:
        yield made


def token_for(client: GraphClient, **given: str) -> requests.Response:
    """Ask for a token as the shop's app."""
    app = client.shop.app
    form = {"client_id": app.client_id, "client_secret": app.client_secret, **given}
    return client.session.post(f"{client.shop.url}/admin/oauth/access_token", json=form, timeout=5)


def approve(client: GraphClient, **given: str) -> requests.Response:
    """Open the approval page as a merchant who approves."""
    asked = {"client_id": client.shop.app.client_id, "redirect_uri": BACK, "state": "s-1", "scope": "write_customers"}
    query = urlencode(asked | given)
    url = f"{client.shop.url}/admin/oauth/authorize?{query}"
    return client.session.get(url, allow_redirects=False, timeout=5)


def opens(client: GraphClient, token: str) -> bool:
    """Whether a token is accepted."""
    return client.post("{ shop { id } }", headers={"X-Shopify-Access-Token": token}).status_code == 200


def test_client_credentials_open_the_shop_for_a_day(client: GraphClient) -> None:
    """Then the token is refused, and another can be had."""
    made = token_for(client, grant_type="client_credentials").json()

    fresh = opens(client, made["access_token"])
    client.shop.clock.advance(made["expires_in"] + 1)

    assert made["expires_in"] == 86399
    assert "read_all_orders" in made["scope"].split(",")
    assert fresh
    assert not opens(client, made["access_token"])


def test_another_organisations_shop_gives_no_client_credentials(client: GraphClient) -> None:
    """It says so by its own code."""
    client.shop.gate.same_organisation = False

    answer = token_for(client, grant_type="client_credentials")

    assert answer.status_code == 400
    assert answer.json()["error"] == "shop_not_permitted"


def test_a_wrong_secret_is_refused(client: GraphClient) -> None:
    """Whatever it asks for."""
    answer = token_for(client, grant_type="client_credentials", client_secret="shpss_wrong")

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


def test_an_approval_comes_back_signed_and_its_code_works_once(
    client: GraphClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vendor's library accepts the signature; the token has the scopes that were asked for, and what they imply."""
    monkeypatch.setattr(shopify.Session, "secret", client.shop.app.client_secret)
    answer = approve(client, state="a&b=c%d")

    back = urlsplit(answer.headers["Location"])
    params: dict[str, Any] = dict(parse_qsl(back.query))
    made, again = token_for(client, code=params["code"]), token_for(client, code=params["code"])

    assert answer.status_code == 302
    assert f"{back.scheme}://{back.netloc}{back.path}" == BACK
    assert (params["state"], params["shop"]) == ("a&b=c%d", "acme-us.myshopify.com")
    assert shopify.Session.validate_hmac(params)
    assert not shopify.Session.validate_hmac(params | {"shop": "other.myshopify.com"})
    assert made.json()["scope"] == "read_customers,write_customers"
    assert opens(client, made.json()["access_token"])
    assert again.status_code == 400


@pytest.mark.parametrize(
    "given", [{"redirect_uri": "https://example.com/"}, {"client_id": "other"}, {"scope": ""}], ids=str
)
def test_an_approval_for_strangers_is_a_page_and_no_redirect(client: GraphClient, given: dict[str, str]) -> None:
    """Neither to other hosts, nor for other apps, nor for nothing."""
    answer = approve(client, **given)

    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_a_revoked_token_is_refused(client: GraphClient) -> None:
    """As if it had never been."""
    token = client.shop.credentials["admin"].access_token

    client.shop.gate.revoke(token)

    assert not opens(client, token)


def test_no_code_or_secret_reaches_the_log(client: GraphClient) -> None:
    """Neither from a body nor from the address that the browser is sent to."""
    secret = client.shop.app.client_secret

    text = masked(f'{{"client_secret": "{secret}"}} {BACK}?code=abc123&client_secret={secret}')

    assert secret not in text
    assert "abc123" not in text
