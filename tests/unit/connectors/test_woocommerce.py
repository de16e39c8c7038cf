"""WooCommerce's traps one by one: what is asked of the shop, and what is made of its answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from syncd.connectors.base import PushOutcome
from syncd.connectors.exchange import Answer, Request
from syncd.connectors.woocommerce.connector import WooCommerce
from syncd.connectors.woocommerce.dialect import WooCommerceConfig, WooCommerceDialect
from syncd.errors import (
    AmbiguousWrite,
    AuthFailed,
    ConfigInvalid,
    CorruptAnswer,
    PolicyRefused,
    ScopeMissing,
    SyncdError,
)
from syncd.model import PlatformChange, Stream, TagAction, Window
from syncd.sandbox import Fault, FaultKind, Sandbox, SandboxClock, WooShop
from tests.clock import START, ManualClock
from tests.unit.connectors.server import answer, serving

KEYS = {"consumer_key": "ck_" + "1" * 40, "consumer_secret": "cs_" + "2" * 40}
WHOLE = Window()
CORE = ("pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed")
JSON_TYPE = {"Content-Type": "application/json"}


def _config(url: str, **more: Any) -> WooCommerceConfig:
    return WooCommerceConfig.model_validate({"url": url, "auth": KEYS, **more})


def _connector(shop: WooShop, key: str = "admin", **more: Any) -> WooCommerce:
    own = shop.credentials[key]
    auth = {"consumer_key": own.consumer_key, "consumer_secret": own.consumer_secret}
    config = _config(shop.url, **{"auth": auth, **more})
    return WooCommerce(config, store_id="shop", clock=ManualClock(START), page_sizes=(20, 10))


def _ids(connector: WooCommerce, stream: Stream, window: Window = WHOLE) -> list[str]:
    return [record.external_id for page in connector.pull(stream, window) for record in page.records]


def _add(external_id: str, value: str | None = "VIP", key: str = "syncd_tag_vip") -> PlatformChange:
    action = TagAction.REMOVE if value is None else TagAction.ADD
    return PlatformChange(external_id=external_id, action=action, body={"key": key, "value": value})


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Two served shops for the whole module; each test works with records that it makes itself."""
    with Sandbox(seed=3, scale=0.15, clock=SandboxClock(START, frozen=True)) as served:
        yield served


@pytest.fixture
def shop(sandbox: Sandbox) -> Iterator[WooShop]:
    """The shop in New York, its faults cleared and its clock set back afterwards."""
    served = sandbox.shops["us-woo"]
    yield served
    served.faults.clear()
    sandbox.clock.set(START)


class TestConfig:
    """Settings that cannot work are told before anything is sent."""

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"url": "http://shop.example.com"}, "must be https"),
            ({"url": "shop.example.com"}, "must be an address"),
            ({"url": "https://10.0.0.7"}, "private address"),
            ({"url": "https://user:pass@shop.example.com"}, "without user name"),
            ({"url": "https://shop.example.com", "base_url": "http://proxy.example.com"}, "base_url must be https"),
            ({"url": "https://shop.example.com", "auth": {**KEYS, "consumer_key": "cs_1"}}, "swapped"),
        ],
    )
    def test_faults_are_told_in_words(self, values: dict[str, Any], words: str) -> None:
        """Each fault names its remedy, and no message shows a key."""
        with pytest.raises(ValidationError) as caught:
            WooCommerceConfig.model_validate({"auth": KEYS, **values})

        assert words in str(caught.value)
        assert KEYS["consumer_secret"] not in str(caught.value)

    @pytest.mark.parametrize(
        ("url", "more"),
        [
            ("http://127.0.0.1:8080", {}),
            ("http://localhost", {}),
            ("http://shop.example.com", {"insecure": True}),
            ("https://192.168.0.7", {"allow_private": True}),
        ],
    )
    def test_what_is_allowed_is_taken(self, url: str, more: dict[str, Any]) -> None:
        """Loopback needs no leave, other clear or private addresses only theirs."""
        assert _config(url, **more).wire_url == url

    def test_base_url_replaces_scheme_and_host_only(self) -> None:
        """The site's own path stays, whatever slashes were typed."""
        config = _config("https://shop.example.com/store/", base_url="http://127.0.0.1:9101/")

        assert config.wire_url == "http://127.0.0.1:9101/store"
        assert config.url == "https://shop.example.com/store"

    def test_secrets_are_not_shown(self) -> None:
        """Printing the settings masks key and secret."""
        assert not [secret for secret in KEYS.values() if secret in repr(_config("https://shop.example.com"))]


class TestDialect:
    """How requests are signed."""

    def test_basic_over_https(self) -> None:
        """Over https the key goes as a header, never in the query, where Link headers would echo it."""
        dialect = WooCommerceDialect(_config("https://shop.example.com/store"), ManualClock())

        signed = dialect.sign(Request(path="wc/v3/orders", params={"status": "pending,failed"}))

        pair = f"{KEYS['consumer_key']}:{KEYS['consumer_secret']}".encode()
        assert signed.url == "https://shop.example.com/store/wp-json/wc/v3/orders?status=pending%2Cfailed"
        assert signed.headers == {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}

    def test_oauth_over_http_is_new_each_time(self) -> None:
        """Over http each try has its own nonce and signature, and sends no secret."""
        dialect = WooCommerceDialect(_config("http://127.0.0.1:9101"), ManualClock())

        first, second = (dialect.sign(Request(path="wc/v3/orders")) for _ in range(2))

        assert first.url != second.url
        assert first.headers == {}
        assert KEYS["consumer_secret"] not in first.url

    def test_public_requests_carry_no_credentials(self) -> None:
        """The index is asked as anybody would."""
        dialect = WooCommerceDialect(_config("https://shop.example.com"), ManualClock())

        signed = dialect.sign(Request(path="", is_public=True))

        assert (signed.url, signed.headers) == ("https://shop.example.com/wp-json/", {})

    def test_timestamps_follow_the_servers_clock(self) -> None:
        """A 401 with a Date far from our clock moves the timestamps there."""
        clock = ManualClock()
        dialect = WooCommerceDialect(_config("http://127.0.0.1:9101"), clock)
        request = Request(path="wc/v3/orders")
        server_time = clock.now() + timedelta(hours=2)
        refused = Answer(
            request=request, status=401, headers={}, json=None, server_time=server_time, asked_at=clock.now()
        )

        learnt = dialect.learn(refused)

        query = parse_qs(urlsplit(dialect.sign(request).url).query)
        assert learnt
        assert int(query["oauth_timestamp"][0]) == int(server_time.timestamp())

    def test_a_wrong_secret_teaches_nothing(self) -> None:
        """Without another clock or address to try, a 401 is final."""
        dialect = WooCommerceDialect(_config("http://127.0.0.1:9101"), ManualClock())
        request = Request(path="wc/v3/orders")

        refused = Answer(request=request, status=401, headers={}, json=None, server_time=None, asked_at=START)

        assert not dialect.learn(refused)


class TestSigning:
    """The shop accepts what is signed."""

    def test_a_skewed_clock_heals(self, sandbox: Sandbox, shop: WooShop) -> None:
        """With our clock a day off the shop is still read, after one refusal."""
        connector = _connector(shop)
        connector._clock.advance(86_400)  # type: ignore[attr-defined]
        before = len(shop.history)

        assert _ids(connector, Stream.CUSTOMERS)
        assert [seen.status for seen in shop.history[before:]].count(401) == 1

    def test_a_staging_copy_under_another_address_is_read(self, shop: WooShop) -> None:
        """With `base_url` the bytes go elsewhere, and the copy's own address is signed if the shop's is not taken."""
        own = shop.credentials["admin"]
        auth = {"consumer_key": own.consumer_key, "consumer_secret": own.consumer_secret}
        config = _config("https://shop.example.com", base_url=shop.url, auth=auth)

        connector = WooCommerce(config, store_id="shop", clock=ManualClock(START))

        assert _ids(connector, Stream.CUSTOMERS)


class TestCheck:
    """First contact tells what is wrong in words."""

    def test_a_good_store(self, shop: WooShop) -> None:
        """Name, zone, currency, country and version come from the shop itself."""
        facts = _connector(shop).check()

        assert facts.identity == urlsplit(shop.url).netloc
        assert (facts.name, facts.timezone) == ("Acme US", "America/New_York")
        assert (facts.currency, facts.country, facts.version) == ("USD", "US", "9.9.5")

    def test_check_writes_nothing(self, shop: WooShop) -> None:
        """The write probe is an empty batch."""
        before = len(shop.history)

        _connector(shop).check()

        writes = [seen for seen in shop.history[before:] if seen.method == "POST"]
        assert [json.loads(seen.body) for seen in writes] == [{}]

    @pytest.mark.parametrize(
        ("auth", "words"),
        [
            (KEYS, "Consumer key is invalid"),
            ({"consumer_secret": "cs_wrong"}, "signature"),
        ],
        ids=["unknown key", "wrong secret"],
    )
    def test_a_wrong_key(self, shop: WooShop, auth: dict[str, str], words: str) -> None:
        """Unknown key and wrong secret are told apart."""
        own = {"consumer_key": shop.credentials["admin"].consumer_key}

        with pytest.raises(AuthFailed) as caught:
            _connector(shop, auth={**own, **auth}).check()

        assert words in str(caught.value)

    def test_an_unknown_key_over_https_names_both_causes(self) -> None:
        """There the shop does not say whether it knows no such key or never saw it."""
        dialect = WooCommerceDialect(_config("https://shop.example.com"), ManualClock())
        body = {"code": "woocommerce_rest_cannot_view", "message": "Sorry, you cannot list resources."}

        error = dialect.explain(
            Answer(request=Request(path="x"), status=401, headers={}, json=body, server_time=None, asked_at=START)
        )

        assert isinstance(error, AuthFailed)
        assert "https" in str(error)

    def test_a_read_only_key_can_pull_but_not_push(self, shop: WooShop) -> None:
        """A missing write permission is a finding: pulling works."""
        facts = _connector(shop, "read_only").check()

        assert not facts.can_push
        assert facts.can_pull
        assert "write" in facts.findings[0].message

    def test_a_write_only_key_is_refused(self, shop: WooShop) -> None:
        """Without read permission nothing works."""
        with pytest.raises(AuthFailed, match="read permissions"):
            _connector(shop, "write_only").check()

    def test_a_shop_managers_key_cannot_see_tags(self, shop: WooShop) -> None:
        """Customer meta is hidden from all but administrators: no push, and the finding says who must own the key."""
        facts = _connector(shop, "shop_manager").check()

        assert not facts.can_push
        assert [finding.level for finding in facts.findings] == ["error"]
        assert "administrator" in facts.findings[0].remedy

    def test_a_customers_key_lacks_the_role(self, shop: WooShop) -> None:
        """403 is a matter of the owner's role."""
        with pytest.raises(ScopeMissing, match="administrator"):
            _connector(shop, "customer").check()

    def test_plain_permalinks_are_named(self, shop: WooShop) -> None:
        """The remedy names the place in WordPress."""
        shop.state.plain_permalinks = True
        try:
            with pytest.raises(ConfigInvalid, match="Settings > Permalinks"):
                _connector(shop).check()
        finally:
            shop.state.plain_permalinks = False

    @pytest.mark.parametrize(
        ("script", "kind", "words"),
        [
            (answer(404, b"nothing here", kind="text/html"), ConfigInvalid, "no WordPress REST API"),
            (answer(200, b"<html>", kind="text/html"), ConfigInvalid, "no WordPress REST API"),
            (answer(200, b'{"namespaces": ["wp/v2"]}'), ConfigInvalid, "WooCommerce"),
            (answer(403, b"blocked", kind="text/html"), PolicyRefused, "Let syncd pass"),
        ],
        ids=["404", "html", "no WooCommerce", "firewall"],
    )
    def test_what_is_no_shop_is_told(self, script: Any, kind: type[SyncdError], words: str) -> None:
        """A wrong address, a site without WooCommerce and a firewall are told apart."""
        with serving(script) as server:
            connector = WooCommerce(_config(server.url), store_id="shop", clock=ManualClock())
            with pytest.raises(kind, match=words):
                connector.check()

    def test_a_wrong_clock_is_a_finding(self, shop: WooShop) -> None:
        """A clock that differs from the shop's is worth telling."""
        connector = _connector(shop)
        connector._clock.advance(7200)  # type: ignore[attr-defined]

        assert "7200 s" in connector.check().findings[0].message


class TestPull:
    """Walks and filters."""

    def test_orders_are_asked_with_every_status_but_drafts_and_trash(self, shop: WooShop) -> None:
        """The shop's own list of statuses is asked for each complete walk; the default would hold drafts."""
        connector = _connector(shop)
        before = len(shop.history)

        _ids(connector, Stream.ORDERS)
        _ids(connector, Stream.ORDERS, Window(since=START))

        seen = shop.history[before:]
        asked = {frozenset(request.params["status"].split(",")) for request in seen if request.method == "GET"}
        assert [request.method for request in seen].count("OPTIONS") == 1
        assert asked == {frozenset(CORE)}

    def test_a_plugins_status_is_read_once_the_plugin_is_there(self, shop: WooShop) -> None:
        """A complete walk asks for the statuses anew: it must not take orders of a new one for deleted."""
        fewer = {"endpoints": [{"methods": ["GET"], "args": {"status": {"items": {"enum": CORE[:-1]}}}}]}
        shop.faults.add(
            Fault(kind=FaultKind.ANSWER, method="OPTIONS", status=200, headers=JSON_TYPE, body=json.dumps(fewer))
        )
        connector = _connector(shop)

        _ids(connector, Stream.ORDERS)
        before = shop.history[-1].params["status"]
        _ids(connector, Stream.ORDERS)

        assert CORE[-1] not in before.split(",")
        assert CORE[-1] in shop.history[-1].params["status"].split(",")

    def test_without_options_the_report_tells_the_statuses(self, shop: WooShop) -> None:
        """A firewall that keeps OPTIONS away hides no order: the shop counts its orders by status."""
        shop.faults.add(Fault(kind=FaultKind.ANSWER, method="OPTIONS", status=405, times=None))
        connector = _connector(shop)

        pages = list(connector.pull(Stream.ORDERS, WHOLE))

        assert frozenset(shop.history[-1].params["status"].split(",")) == frozenset(CORE)
        assert not pages[-1].hides_older

    def test_a_shop_that_does_not_tell_loses_no_order_by_it(
        self, shop: WooShop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where the statuses are a guess, check says so and pages say that orders may be hidden."""
        order = next(order for order in shop.state.orders.values() if order.status == "completed")
        monkeypatch.setattr(order, "status", "awaiting-pickup")
        shop.faults.add(Fault(kind=FaultKind.ANSWER, method="OPTIONS", status=405, times=None))
        shop.faults.add(Fault(kind=FaultKind.ANSWER, path="reports/orders", status=404, times=None))
        connector = _connector(shop)

        findings = connector.check().findings
        pages = list(connector.pull(Stream.ORDERS, WHOLE))

        assert "OPTIONS" in findings[0].remedy
        assert pages[-1].hides_older

    def test_a_shop_whose_orders_are_all_in_the_core_statuses_hides_none(self, shop: WooShop) -> None:
        """Where neither list is told, as many orders in the core's statuses as in any are all of them."""
        shop.faults.add(Fault(kind=FaultKind.ANSWER, method="OPTIONS", status=405, times=None))
        shop.faults.add(Fault(kind=FaultKind.ANSWER, path="reports/orders", status=404, times=None))

        pages = list(_connector(shop).pull(Stream.ORDERS, WHOLE))

        assert not pages[-1].hides_older

    @pytest.mark.parametrize("script", [answer(404), answer(405), answer(200, b"{}")])
    def test_without_the_list_the_core_statuses_are_asked(self, script: Any) -> None:
        """A shop that tells its statuses nowhere is read all the same."""
        with serving(script) as server:
            connector = WooCommerce(_config(server.url), store_id="shop", clock=ManualClock())

            assert connector._statuses.names() == CORE
            assert connector._statuses.is_guess

    def test_statuses_that_cannot_be_read_are_not_guessed(self) -> None:
        """A page of HTML says nothing of the shop's statuses: the walk waits for the next run."""
        with serving(answer(200, b"<html>", kind="text/html")) as server:
            connector = WooCommerce(_config(server.url), store_id="shop", clock=ManualClock())
            with pytest.raises(CorruptAnswer):
                connector._statuses.names()

    def test_modified_after_is_naive_utc_and_a_second_early(self, shop: WooShop) -> None:
        """The filter is exclusive, and a zone suffix beside the flag would shift it by the site's offset."""
        connector = _connector(shop)

        _ids(connector, Stream.ORDERS, Window(since=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)))

        asked = shop.history[-1].params
        assert asked["modified_after"] == "2026-01-02T03:04:04"
        assert asked["dates_are_gmt"] == "true"
        assert "modified_before" not in asked

    def test_trashed_orders_are_not_orders_and_drafts_are_carts(self, shop: WooShop) -> None:
        """A draft is a cart only, a pending order is both, a trashed one is neither."""
        draft, pending, trashed = shop.open_draft(), shop.place_order(status="pending"), shop.place_order()
        shop.trash_order(trashed)
        connector = _connector(shop)

        orders, carts = set(_ids(connector, Stream.ORDERS)), set(_ids(connector, Stream.CARTS))

        assert (str(draft) in orders, f"order:{draft}" in carts) == (False, True)
        assert (str(pending) in orders, f"order:{pending}" in carts) == (True, True)
        assert (str(trashed) in orders, f"order:{trashed}" in carts) == (False, False)

    def test_three_hundred_orders_of_one_second_are_all_found(self, shop: WooShop) -> None:
        """Rows that share a modification second are neither lost nor doubled."""
        made = [shop.place_order() for _ in range(60)]
        shop.touch_many(made)

        ids = _ids(_connector(shop), Stream.ORDERS, Window(since=START - timedelta(days=1)))

        assert len(ids) == len(set(ids))
        assert {str(number) for number in made} <= set(ids)

    def test_customers_behind_orders_and_new_ones_are_found(self, shop: WooShop) -> None:
        """An incremental pull of customers finds buyers of any age and accounts without orders, once each."""
        old = min(shop.state.accounts)
        shop.clock.advance(86_400)
        since = shop.clock.now()
        shop.place_order(customer_id=old)
        new = shop.add_customer("new@shop.example", role="subscriber")
        shop.place_order(customer_id=new)

        ids = _ids(_connector(shop), Stream.CUSTOMERS, Window(since=since))

        assert ids == sorted({str(old), str(new)}, key=int)

    def test_incremental_customers_cost_few_requests(self, shop: WooShop) -> None:
        """Nothing new costs one look at the orders and one at the accounts, and the end is dated by the first."""
        connector = _connector(shop)
        connector._statuses.names()
        before = len(shop.history)

        pages = list(connector.pull(Stream.CUSTOMERS, Window(since=shop.clock.now() + timedelta(days=9))))

        assert len(shop.history) - before == 2
        assert pages[0].server_time == shop.clock.now()

    def test_a_server_that_knows_only_page_numbers_is_walked(self, shop: WooShop) -> None:
        """Where `offset` is overlooked, the walk goes by page numbers and is as complete."""
        whole = _ids(_connector(shop), Stream.ORDERS)
        shop.faults.add(Fault(kind=FaultKind.IGNORE_FILTER, params=("offset",), times=None))

        assert _ids(_connector(shop), Stream.ORDERS) == whole

    @pytest.mark.parametrize("status", [500, 524])
    def test_a_failing_server_is_asked_for_smaller_pages(self, shop: WooShop, status: int) -> None:
        """The walk keeps its place and goes on with the size that worked."""
        whole = _ids(_connector(shop), Stream.ORDERS)
        shop.faults.add(Fault(kind=FaultKind.ANSWER, path="per_page=20", status=status, times=None))
        before = len(shop.history)

        assert _ids(_connector(shop), Stream.ORDERS) == whole
        assert sum(request.status == status for request in shop.history[before:][:15]) <= 2  # later it is tried again

    @pytest.mark.parametrize(
        "kind", [FaultKind.WARNING, FaultKind.HTML, FaultKind.CUT, FaultKind.CUT_JSON, FaultKind.RESET]
    )
    def test_spoilt_answers_are_asked_again(self, shop: WooShop, kind: FaultKind) -> None:
        """No row of a spoilt page is stored, and none is lost."""
        whole = _ids(_connector(shop), Stream.ORDERS)
        shop.faults.add(Fault(kind=kind, path="offset=19"))

        assert _ids(_connector(shop), Stream.ORDERS) == whole

    def test_a_missing_row_shows_in_the_count(self, shop: WooShop) -> None:
        """A server that leaves a row out cannot make the walk look complete."""
        shop.faults.add(Fault(kind=FaultKind.DROP_ROW, path="orders", row=3, method="GET"))

        pages = list(_connector(shop).pull(Stream.ORDERS, Window()))

        read = len({record.external_id for page in pages for record in page.records})
        assert min(page.declared or 0 for page in pages) == read + 1

    def test_an_object_where_a_list_belongs_is_corrupt(self) -> None:
        """An answer of another shape is no empty page."""
        with serving(answer(200, b'{"code": "odd"}')) as server:
            connector = WooCommerce(_config(server.url), store_id="shop", clock=ManualClock())
            with pytest.raises(CorruptAnswer):
                next(iter(connector.pull(Stream.CUSTOMERS, Window())))

    def test_rows_without_an_id_are_handed_on(self) -> None:
        """What cannot be named is yielded all the same, so that it can be set aside and counted."""
        body = b'[{"id": 1}, {"name": "?"}, 7]'

        with serving(answer(200, body, x_wp_total="3")) as server:
            connector = WooCommerce(_config(server.url), store_id="shop", clock=ManualClock())
            page = next(iter(connector.pull(Stream.CUSTOMERS, Window())))

        assert [record.external_id for record in page.records] == ["1", "?1", "?2"]


class TestPush:
    """Batches and what is read back from them."""

    def test_changes_of_one_customer_travel_together(self, shop: WooShop) -> None:
        """One batch, one item a customer, nothing in it but id and meta."""
        first, second = sorted(shop.state.accounts)[1:3]
        changes = [_add(str(first)), _add(str(second)), _add(str(first), "New", "syncd_tag_new")]

        results = _connector(shop).push(changes)

        body = json.loads(shop.history[-1].body)
        assert [result.outcome for result in results] == [PushOutcome.APPLIED] * 3
        assert [(item["id"], len(item["meta_data"])) for item in body["update"]] == [(first, 2), (second, 1)]
        assert {name for item in body["update"] for name in item} == {"id", "meta_data"}

    @pytest.mark.parametrize("others", [False, True])
    def test_results_go_by_the_customers_they_name(self, shop: WooShop, others: bool) -> None:
        """An answer in another order is read by its ids; one about other customers tells nothing."""
        first, second = sorted(shop.state.accounts)[1:3]
        good = {"id": first, "meta_data": [{"key": "syncd_tag_vip", "value": "VIP"}]}
        bad = {"id": 999 if others else second, "error": {"code": "nope", "message": "no"}}
        headers = {"Content-Type": "application/json"}
        body = json.dumps({"update": [bad, good]})
        shop.faults.add(Fault(kind=FaultKind.ANSWER, method="POST", status=200, headers=headers, body=body))
        changes = [_add(str(first)), _add(str(second))]

        if others:
            with pytest.raises(AmbiguousWrite):
                _connector(shop).push(changes)
            return
        results = _connector(shop).push(changes)

        assert [result.outcome for result in results] == [PushOutcome.APPLIED, PushOutcome.REJECTED]

    def test_a_key_dropped_in_silence_is_rejected(self, shop: WooShop) -> None:
        """WooCommerce answers 200 and forgets keys that begin with an underscore."""
        account = str(min(shop.state.accounts))

        results = _connector(shop).push([_add(account, key="_hidden")])

        assert results[0].outcome is PushOutcome.REJECTED
        assert "dropped" in results[0].reason

    def test_an_account_that_is_gone_is_rejected_in_words(self, shop: WooShop) -> None:
        """The reason is ours, not a code."""
        results = _connector(shop).push([_add("99999999"), _add("guest")])

        assert [result.reason for result in results] == ["account no longer exists", "not a customer id"]

    def test_an_answer_without_meta_confirms_nothing(self) -> None:
        """Only administrators see customer meta; what cannot be read back is not called written."""
        with serving(answer(200, b'{"update": [{"id": 7, "email": "a@b.example"}]}')) as server:
            connector = WooCommerce(_config(server.url), store_id="shop", clock=ManualClock())
            results = connector.push([_add("7")])

        assert results[0].outcome is PushOutcome.REJECTED
        assert "administrator" in results[0].reason

    def test_fewer_results_than_customers_are_ambiguous(self) -> None:
        """An answer that does not hold one result each says nothing of any."""
        with serving(answer(200, b'{"update": [{"id": 7}]}')) as server:
            connector = WooCommerce(_config(server.url), store_id="shop", clock=ManualClock())
            with pytest.raises(AmbiguousWrite):
                connector.push([_add("7"), _add("8")])

    def test_a_read_only_key_stops_the_lane(self, shop: WooShop) -> None:
        """A 401 on a write says that the key may not write, not that it is wrong."""
        with pytest.raises(AuthFailed, match="may not write"):
            _connector(shop, "read_only").push([_add("1")])

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(kind=FaultKind.RESET, method="POST", applied=True),
            Fault(kind=FaultKind.ANSWER, method="POST", status=500, applied=True),
            Fault(kind=FaultKind.CUT_JSON, method="POST"),
        ],
        ids=["reset", "500", "cut"],
    )
    def test_a_lost_answer_is_ambiguous_and_not_repeated(self, shop: WooShop, fault: Fault) -> None:
        """The write went out once; whether it was applied only a read-back can tell."""
        shop.faults.add(fault)
        before = len(shop.history)

        with pytest.raises(AmbiguousWrite):
            _connector(shop).push([_add(str(min(shop.state.accounts)))])

        assert len(shop.history) - before == 1

    def test_a_batch_that_is_too_large_is_halved(self, shop: WooShop) -> None:
        """A host with a smaller limit still gets everything, in the order asked."""
        accounts = [str(number) for number in sorted(shop.state.accounts)[1:5]]
        too_large = '{"code":"woocommerce_rest_request_entity_too_large","message":"Too many."}'
        shop.faults.add(
            Fault(kind=FaultKind.ANSWER, method="POST", status=413, headers=JSON_TYPE, body=too_large, times=2)
        )

        results = _connector(shop).push([_add(account) for account in accounts])

        assert [result.outcome for result in results] == [PushOutcome.APPLIED] * 4

    def test_a_batch_stopped_halfway_is_ambiguous(self, shop: WooShop) -> None:
        """When the second half meets a refusal the first is written already: all of it must be read back."""
        accounts = [str(number) for number in sorted(shop.state.accounts)[1:5]]
        shop.faults.add(Fault(kind=FaultKind.ANSWER, method="POST", status=413, times=1))
        shop.faults.add(Fault(kind=FaultKind.ANSWER, method="POST", status=403, skip=1, times=1))

        with pytest.raises(AmbiguousWrite, match="in part"):
            _connector(shop).push([_add(account) for account in accounts])

    def test_the_later_of_two_changes_to_one_tag_counts(self, shop: WooShop) -> None:
        """Added and removed in one batch, the tag is gone."""
        account = min(shop.state.accounts)

        _connector(shop).push([_add(str(account)), _add(str(account), None)])

        assert "syncd_tag_vip" not in {meta.key for meta in shop.state.accounts[account].meta}
