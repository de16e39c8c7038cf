"""What stands between us and a shop: hosts that keep a header, CDNs that remember, firewalls that want a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.connectors.exchange import Answer, Request
from syncd.connectors.woocommerce.connector import WooCommerce
from syncd.connectors.woocommerce.dialect import WooCommerceConfig
from syncd.connectors.woocommerce.edge import edge_refusal
from syncd.errors import AuthFailed, PolicyRefused
from syncd.model import PlatformChange, Stream, TagAction, Window
from syncd.sandbox import Sandbox, SandboxClock, SandboxOptions, WooShop
from syncd.sandbox.server import SITES
from tests.clock import START, ManualClock

TLS = Path(__file__).parent / "tls"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One shop served over https."""
    options = SandboxOptions(scale=0.1, sites=SITES[:1], tls=(TLS / "cert.pem", TLS / "key.pem"))
    with Sandbox(options, clock=SandboxClock(START, frozen=True)) as served:
        yield served


@pytest.fixture
def shop(sandbox: Sandbox) -> Iterator[WooShop]:
    """The shop, with nothing before it afterwards."""
    served = sandbox.shops["us-woo"]
    yield served
    served.put_before()
    sandbox.clock.set(START)


def _connector(shop: WooShop, **auth: str) -> WooCommerce:
    key = shop.credentials["admin"]
    own = {"consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret, **auth}
    values = {"url": shop.url, "auth": own, "http": {"ca_file": TLS / "cert.pem"}}
    return WooCommerce(WooCommerceConfig.model_validate(values), store_id="shop", clock=ManualClock(START))


def _read(connector: WooCommerce, stream: Stream = Stream.CUSTOMERS) -> int:
    return sum(len(page.records) for page in connector.pull(stream, Window()))


class TestHeader:
    """A host that keeps the Authorization header from WooCommerce."""

    def test_the_key_is_signed_with_instead_and_that_is_remembered(self, shop: WooShop) -> None:
        """One refusal teaches it: from then on every request is signed, and no secret is in an address."""
        shop.put_before(passes_authorization=False)
        connector = _connector(shop)
        before = len(shop.history)

        facts = connector.check()
        read = _read(connector)

        seen = [request for request in shop.history[before:] if "/wc/" in request.path]
        assert read == len(shop.state.accounts)
        assert [request.status for request in seen].count(401) == 1
        assert all("oauth_signature" in request.params for request in seen[1:])
        assert not any("consumer_secret" in request.query for request in seen)
        assert facts.can_push
        assert ["OAuth" in finding.message for finding in facts.findings] == [True]

    def test_tags_are_written_by_signature_too(self, shop: WooShop) -> None:
        """Writing needs no other way in."""
        shop.put_before(passes_authorization=False)
        account = min(shop.state.accounts)
        body = {"key": "syncd_tag_vip", "value": "VIP"}

        _connector(shop).push([PlatformChange(external_id=str(account), action=TagAction.ADD, body=body)])

        assert "syncd_tag_vip" in {meta.key for meta in shop.state.accounts[account].meta}

    def test_a_site_that_believes_in_http_is_signed_to(self, shop: WooShop) -> None:
        """Behind a proxy that takes TLS off, the site signs over its http address and looks at no Basic."""
        shop.put_before(passes_authorization=False)
        https, shop.url = shop.url, shop.url.replace("https:", "http:")
        key = shop.credentials["admin"]
        auth = {"consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret}
        config = WooCommerceConfig.model_validate({"url": https, "auth": auth, "http": {"ca_file": TLS / "cert.pem"}})

        try:
            read = _read(WooCommerce(config, store_id="shop", clock=ManualClock(START)))
        finally:
            shop.url = https

        assert read == len(shop.state.accounts)

    def test_basic_where_it_is_insisted_on_fails_in_words(self, shop: WooShop) -> None:
        """`scheme: basic` tries nothing else, and the error names the setting."""
        shop.put_before(passes_authorization=False)

        with pytest.raises(AuthFailed, match=r"auth\.scheme: auto"):
            _connector(shop, scheme="basic").check()

    @pytest.mark.parametrize(
        ("auth", "words", "tries"),
        [
            ({"consumer_secret": "cs_wrong"}, "Consumer secret is invalid", 1),
            ({"consumer_key": "ck_" + "0" * 40}, "Consumer key is invalid", 3),
        ],
    )
    def test_a_wrong_key_is_told_from_a_lost_header(
        self, shop: WooShop, auth: dict[str, str], words: str, tries: int
    ) -> None:
        """A wrong secret is said at once; an unknown key only a signature brings to light."""
        before = len(shop.history)

        with pytest.raises(AuthFailed, match=words):
            _connector(shop, **auth).check()

        assert [request.status for request in shop.history[before:]].count(401) == tries


class TestCache:
    """A CDN that gives old answers again."""

    def test_check_names_the_rule_to_add(self, shop: WooShop) -> None:
        """What was asked twice and answered from memory is an error with its remedy; facts come fresh all the same."""
        shop.put_before(cache_s=3600)

        facts = _connector(shop).check()

        assert [finding.level for finding in facts.findings] == ["error"]
        assert "Cache Rules" in facts.findings[0].remedy
        assert (facts.currency, facts.country) == ("USD", "US")
        assert not facts.can_push

    def test_without_a_cache_check_finds_nothing(self, shop: WooShop) -> None:
        """Asking twice is no finding where every answer is the shop's own."""
        assert _connector(shop).check().findings == ()

    def test_a_cached_page_is_never_handed_out(self, shop: WooShop) -> None:
        """The walk stops in words at the first page from memory, before any of its records is given."""
        shop.put_before(cache_s=3600)
        connector = _connector(shop)
        _read(connector)
        shop.clock.advance(60)

        with pytest.raises(PolicyRefused, match="Cloudflare"):
            next(iter(connector.pull(Stream.CUSTOMERS, Window())))

    def test_a_challenge_names_the_rule_to_add(self, shop: WooShop) -> None:
        """A firewall that wants a browser is told from a shop that refuses the key."""
        shop.put_before(challenges=True)

        with pytest.raises(PolicyRefused, match="Custom rules"):
            _connector(shop).check()


def _answer(**headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(
        request=Request(path="wc/v3/orders"), status=200, headers=named, json=[], server_time=None, asked_at=START
    )


@pytest.mark.parametrize(
    ("headers", "owner"),
    [
        ({"CF_Cache_Status": "HIT"}, "Cloudflare"),
        ({"CF_Cache_Status": "STALE"}, "Cloudflare"),
        ({"CF_Cache_Status": "DYNAMIC", "Age": "7"}, "Cloudflare"),
        ({"X_Cache": "MISS, HIT"}, "CDN"),
        ({"X_Cache": "Hit from cloudfront"}, "CDN"),
        ({"X_LiteSpeed_Cache": "hit,private"}, "LiteSpeed"),
        ({"Age": "1"}, "1 s old"),
    ],
)
def test_answers_from_memory_are_recognised(headers: dict[str, Any], owner: str) -> None:
    """Whatever a cache writes on what it gives again, it is named."""
    refusal = edge_refusal(_answer(**headers))

    assert refusal is not None
    assert owner in refusal.message
    assert "purge" in (refusal.hint or "")


@pytest.mark.parametrize(
    "headers", [{}, {"CF_Cache_Status": "DYNAMIC"}, {"X_Cache": "MISS"}, {"Age": "0"}, {"CF_Cache_Status": "MISS"}]
)
def test_fresh_answers_are_taken(headers: dict[str, Any]) -> None:
    """A CDN that asked the shop is no hindrance."""
    assert edge_refusal(_answer(**headers)) is None
