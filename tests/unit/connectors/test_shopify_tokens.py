"""Where a Shopify token comes from: asked for by the app, or approved in the browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from syncd.connectors.shopify.auth import SCOPES, authorize
from syncd.connectors.shopify.connector import Shopify
from syncd.connectors.shopify.dialect import ShopifyConfig
from syncd.errors import AuthFailed, ConfigInvalid, CorruptAnswer, Unavailable
from syncd.model import Stream, Window
from syncd.sandbox import Fault, FaultKind, ShopifyShop
from tests.clock import ManualClock
from tests.shopify import config_of, opened, shopify_to

DAY_S = 86_400.0


@pytest.fixture
def shop() -> Iterator[ShopifyShop]:
    """A small shop."""
    with opened() as served:
        yield served


def of_app(shop: ShopifyShop, **auth: Any) -> ShopifyConfig:
    """The settings of a shop that an app of its organisation opens."""
    app = {"client_id": shop.app.client_id, "client_secret": shop.app.client_secret}
    return config_of(shop, auth=app | auth)


def walked(connector: Shopify) -> int:
    """How many customers one walk brings."""
    return sum(len(page.records) for page in connector.pull(Stream.CUSTOMERS, Window()))


def askings(shop: ShopifyShop) -> int:
    """How often a token was asked for."""
    return sum(seen.path.endswith("/access_token") for seen in shop.history)


class Browser:
    """Opens the page of approval as somebody would, in another thread, and goes where it is sent.

    Args:
        answer: Turns what Shopify sends back into what arrives.
    """

    def __init__(self, **answer: str) -> None:
        self.answer = answer
        self.page = ""
        self.visited: list[int] = []

    def __call__(self, url: str) -> None:
        self.page = url
        threading.Thread(target=self._approve, daemon=True).start()

    def _approve(self) -> None:
        sent = requests.get(self.page, allow_redirects=False, timeout=5)
        back = urlsplit(sent.headers["Location"])
        query = {name: values[0] for name, values in parse_qs(back.query).items()} | self.answer
        origin = f"{back.scheme}://{back.netloc}"
        for url in (f"{origin}/favicon.ico", f"{origin}{back.path}?{urlencode(query)}"):
            self.visited.append(requests.get(url, timeout=5).status_code)


class TestClientCredentials:
    """An app of the shop's own organisation."""

    def test_one_token_serves_a_day(self, shop: ShopifyShop) -> None:
        """A token is asked for once and used until it is about to end."""
        clock = ManualClock()
        connector = shopify_to(shop, config=of_app(shop), clock=clock)

        walked(connector)
        clock.advance(DAY_S - 700)
        count = walked(connector)

        assert count == len(shop.state.accounts)
        assert askings(shop) == 1

    def test_it_is_renewed_ten_minutes_early(self, shop: ShopifyShop) -> None:
        """A token never ends in the middle of a page."""
        clock = ManualClock()
        connector = shopify_to(shop, config=of_app(shop), clock=clock)

        walked(connector)
        clock.advance(DAY_S - 600)
        walked(connector)

        assert askings(shop) == 2

    def test_a_refused_token_is_renewed_once(self, shop: ShopifyShop) -> None:
        """A token that ended early is replaced without anybody noticing."""
        connector = shopify_to(shop, config=of_app(shop))
        walked(connector)
        used = {seen.headers["x-shopify-access-token"] for seen in shop.history if seen.path.endswith("graphql.json")}

        shop.gate.revoke(used.pop())

        assert walked(connector) == len(shop.state.accounts)
        assert askings(shop) == 2

    def test_a_shop_that_refuses_every_token_is_asked_twice(self, shop: ShopifyShop) -> None:
        """One new token for each request, and no more."""
        shop.faults.add(Fault(kind=FaultKind.ANSWER, status=401, path="graphql", times=None))

        with pytest.raises(AuthFailed):
            walked(shopify_to(shop, config=of_app(shop)))

        assert askings(shop) <= 3

    def test_another_organisations_shop_has_its_own_words(self, shop: ShopifyShop) -> None:
        """The error names the way that does work there."""
        shop.gate.same_organisation = False

        with pytest.raises(AuthFailed, match="organisations") as caught:
            shopify_to(shop, config=of_app(shop)).check()

        assert "syncd auth shopify" in str(caught.value)

    def test_a_wrong_secret_is_told_without_it(self, shop: ShopifyShop) -> None:
        """The operator is told what to check, and the secret is not in it."""
        with pytest.raises(AuthFailed, match="client_secret") as caught:
            shopify_to(shop, config=of_app(shop, client_secret="shpss_wrong")).check()

        assert "shpss_wrong" not in str(caught.value)

    def test_an_answer_without_a_token_is_corrupt(self, shop: ShopifyShop) -> None:
        """Whatever else came, without a token nothing can be asked."""
        headers = {"Content-Type": "application/json"}
        shop.faults.add(
            Fault(kind=FaultKind.ANSWER, status=200, headers=headers, body="{}", path="access_token", times=None)
        )

        with pytest.raises(CorruptAnswer):
            shopify_to(shop, config=of_app(shop)).check()

    def test_a_sick_token_server_is_waited_for(self, shop: ShopifyShop) -> None:
        """Asking for a token is tried again like any question, and not twice as often."""
        shop.faults.add(Fault(kind=FaultKind.ANSWER, status=503, path="access_token", times=None))

        with pytest.raises(Unavailable):
            shopify_to(shop, config=of_app(shop)).check()

        assert askings(shop) == 8

    def test_a_given_token_wins(self, shop: ShopifyShop) -> None:
        """Where a token is given, none is asked for."""
        token = shop.credentials["admin"].access_token

        assert walked(shopify_to(shop, config=of_app(shop, token=token))) == len(shop.state.accounts)
        assert askings(shop) == 0


class TestApproval:
    """A shop of another organisation, whose owner approves in the browser."""

    def test_an_approved_app_gets_a_token_that_works(self, shop: ShopifyShop) -> None:
        """From the page of approval to a token, and the page that thanks."""
        browser = Browser()

        token = authorize(of_app(shop), store_id="us", clock=ManualClock(), open_url=browser)

        assert walked(shopify_to(shop, config=config_of(shop, auth={"token": token}))) == len(shop.state.accounts)
        assert browser.visited == [404, 200]

    def test_exactly_our_scopes_are_asked_for(self, shop: ShopifyShop) -> None:
        """What is asked for is what is listed with its reason."""
        browser = Browser()

        authorize(of_app(shop), store_id="us", clock=ManualClock(), open_url=browser)

        assert parse_qs(urlsplit(browser.page).query)["scope"] == [",".join(SCOPES)]
        assert all(SCOPES.values())

    @pytest.mark.parametrize(
        "forged",
        [{"state": "another"}, {"hmac": "00"}, {"shop": "evil.myshopify.com"}, {"code": "x"}, {"timestamp": "y"}],
    )
    def test_what_shopify_did_not_sign_is_refused(self, shop: ShopifyShop, forged: dict[str, str]) -> None:
        """Nothing is traded for a code that anybody else may have sent."""
        with pytest.raises(AuthFailed, match="does not prove"):
            authorize(of_app(shop), store_id="us", clock=ManualClock(), open_url=Browser(**forged))

        assert askings(shop) == 0

    def test_nobody_coming_back_ends_the_wait(self, shop: ShopifyShop) -> None:
        """Somebody who closes the page does not leave us listening for ever."""
        clock = ManualClock()

        with pytest.raises(AuthFailed, match="in time"):
            authorize(of_app(shop), store_id="us", clock=clock, open_url=lambda _url: clock.advance(DAY_S))

    def test_without_an_app_there_is_nothing_to_approve(self, shop: ShopifyShop) -> None:
        """A token alone cannot be approved."""
        with pytest.raises(ConfigInvalid, match="no app"):
            authorize(config_of(shop), store_id="us", clock=ManualClock(), open_url=Browser())

    def test_a_taken_port_is_told(self, shop: ShopifyShop) -> None:
        """The port stands in the app's settings, so another one is never taken in silence."""
        with pytest.raises(ConfigInvalid, match=str(shop.port)):
            authorize(of_app(shop), store_id="us", clock=ManualClock(), open_url=Browser(), port=shop.port)

    def test_approving_one_app_leaves_no_trace_in_the_process(self, shop: ShopifyShop) -> None:
        """The library's class keeps neither key nor secret, so that shops cannot mix."""
        import shopify

        authorize(of_app(shop), store_id="us", clock=ManualClock(), open_url=Browser())

        assert (shopify.Session.api_key, shopify.Session.secret) == (None, None)
