"""BigCommerce's traps one by one: what is asked of the store, and what is made of its answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from syncd.connectors.base import PushOutcome
from syncd.connectors.bigcommerce.connector import BigCommerce
from syncd.connectors.bigcommerce.dialect import BigCommerceConfig, BigCommerceDialect, Quota
from syncd.connectors.exchange import Answer, Request
from syncd.errors import AmbiguousWrite, AuthFailed, CorruptAnswer, PaginationLoop, PolicyRefused, ScopeMissing
from syncd.model import Json, PlatformChange, RawRecord, Stream, TagAction, Window
from syncd.sandbox import B2B, BigShop, Fault, FaultKind, Sandbox, SandboxClock, SandboxOptions
from tests.bigcommerce import bigcommerce_to, config_of
from tests.clock import START, ManualClock
from tests.unit.connectors.server import Script, answer, serving

TOKEN = "t0ken" * 6
VIP = "syncd_tag_vip"
WHOLE = Window()
PAGE = {"pagination": {"total": 2, "count": 2, "per_page": 1, "current_page": 1, "total_pages": 1}}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One served shop for the whole module; each test works with records that it makes itself."""
    options = SandboxOptions(seed=3, scale=0.1, sites=(B2B,))
    with Sandbox(options, clock=SandboxClock(START, frozen=True)) as served:
        yield served


@pytest.fixture
def shop(sandbox: Sandbox) -> Iterator[BigShop]:
    """The shop, its faults cleared afterwards."""
    served: BigShop = sandbox.shops["b2b"]
    yield served
    served.faults.clear()


def _config(url: str | None = None, **more: Any) -> BigCommerceConfig:
    return BigCommerceConfig.model_validate({"store_hash": "abc123", "auth": {"token": TOKEN}, "base_url": url, **more})


def _scripted(url: str, clock: ManualClock | None = None) -> BigCommerce:
    return BigCommerce(_config(url), store_id="b2b", clock=clock or ManualClock(), page_sizes=(2, 1))


def _records(connector: BigCommerce, stream: Stream, window: Window = WHOLE) -> list[RawRecord]:
    return [record for page in connector.pull(stream, window) for record in page.records]


def _ids(connector: BigCommerce, stream: Stream, window: Window = WHOLE) -> list[str]:
    return [record.external_id for record in _records(connector, stream, window)]


def _payload(connector: BigCommerce, stream: Stream, number: int) -> Any:
    return _records(connector, stream, Window(ids=(str(number),)))[0].payload


def _change(number: int | str, value: str | None = "VIP", name: str = VIP) -> PlatformChange:
    action = TagAction.REMOVE if value is None else TagAction.ADD
    return PlatformChange(external_id=str(number), action=action, body={"name": name, "value": value})


def _newcomers(shop: BigShop, count: int) -> list[int]:
    start = len(shop.state.accounts)
    return [shop.add_customer(f"n{start + index}@shop.example") for index in range(count)]


def _v3(data: Json, meta: Json = None) -> Script:
    return answer(200, json.dumps({"data": data, "meta": meta or PAGE}).encode())


class TestConfig:
    """Settings that cannot work are told before anything is sent."""

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"store_hash": "https://store-abc.mybigcommerce.com"}, "store_hash"),
            ({"base_url": "http://proxy.example.com"}, "base_url must be https"),
            ({"base_url": "https://10.0.0.7"}, "private address"),
            ({"auth": {}}, "token"),
        ],
    )
    def test_faults_are_told_in_words(self, values: dict[str, Any], words: str) -> None:
        """Each fault names its place, and no message shows a token."""
        with pytest.raises(ValidationError) as caught:
            BigCommerceConfig.model_validate({"store_hash": "abc123", "auth": {"token": TOKEN}, **values})

        assert words in str(caught.value)
        assert TOKEN not in str(caught.value)

    @pytest.mark.parametrize(
        ("base_url", "api_url"),
        [
            (None, "https://api.bigcommerce.com/stores/abc123/"),
            ("http://127.0.0.1:9104/", "http://127.0.0.1:9104/stores/abc123/"),
        ],
    )
    def test_base_url_replaces_scheme_and_host_only(self, base_url: str | None, api_url: str) -> None:
        """The path stays the platform's."""
        assert _config(base_url).api_url == api_url


class TestDialect:
    """How requests are addressed, and what refusals mean."""

    def test_colons_and_commas_stay_raw(self) -> None:
        """BigCommerce does not take them encoded; what would break the query is encoded all the same."""
        dialect = BigCommerceDialect(_config(), Quota(ManualClock()))

        params = {"email:in": "a+b@c.example,d@e.example", "date_modified:min": "2026-01-01T00:00:00Z", "name": "x&y"}
        signed = dialect.sign(Request(path="v3/customers", params=params))

        query = "email:in=a%2Bb%40c.example,d%40e.example&date_modified:min=2026-01-01T00:00:00Z&name=x%26y"
        assert signed.url == f"https://api.bigcommerce.com/stores/abc123/v3/customers?{query}"
        assert signed.headers == {"X-Auth-Token": TOKEN}

    @pytest.mark.parametrize(
        ("token", "stream", "scope"),
        [
            ("orders_only", Stream.CUSTOMERS, "store_v2_customers_read_only"),
            ("customers_only", Stream.ORDERS, "store_v2_orders_read_only"),
            ("customers_only", Stream.CARTS, "store_v2_orders_read_only"),
        ],
    )
    def test_a_missing_scope_is_named(self, shop: BigShop, token: str, stream: Stream, scope: str) -> None:
        """A 403 says which scope to give."""
        with pytest.raises(ScopeMissing, match=scope):
            _ids(bigcommerce_to(shop, token), stream)

    def test_an_unknown_token_is_not_shown(self, shop: BigShop) -> None:
        """The refusal names the token by its fingerprint."""
        config = _config(shop.url, store_hash=shop.store_hash)

        with pytest.raises(AuthFailed, match=r"token [0-9a-f]{8}") as caught:
            BigCommerce(config, store_id="b2b", clock=ManualClock()).check()

        assert TOKEN not in str(caught.value)

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ([{"status": 400, "message": "The field is invalid"}], "The field is invalid"),
            ({"title": "Invalid", "errors": {"id:in": "not a number"}}, "Invalid; not a number"),
        ],
    )
    def test_refusals_of_both_versions_are_read(self, body: Json, words: str) -> None:
        """v2 answers a list of messages, v3 one object."""
        dialect = BigCommerceDialect(_config(), Quota(ManualClock()))
        refused = Answer(
            request=Request(path="v2/orders"), status=400, headers={}, json=body, server_time=None, asked_at=START
        )

        assert words in str(dialect.explain(refused))

    def test_a_wrong_hash_is_told(self) -> None:
        """A store that is not there is a matter of configuration."""
        with serving(answer(404)) as server, pytest.raises(PolicyRefused, match="store_hash"):
            _scripted(server.url).check()


class TestQuota:
    """The store's own numbers decide how fast it is asked."""

    def test_an_almost_empty_window_is_waited_out(self) -> None:
        """The last few requests are left to others, and the wait is as long as the store says."""
        clock = ManualClock()
        quota = Quota(clock)
        quota.note({"X-Rate-Limit-Requests-Left": "5", "X-Rate-Limit-Time-Reset-Ms": "12000"})

        for _ in range(3):
            quota.wait()

        assert clock.slept == [12.0]

    def test_the_share_that_is_left_to_others_is_not_touched(self) -> None:
        """A backfill that leaves half of the window waits while the other half is still there."""
        clock = ManualClock()
        quota = Quota(clock, leave=0.5)
        told = {"Requests-Left": "76", "Requests-Quota": "150", "Time-Reset-Ms": "9000"}
        quota.note({f"X-Rate-Limit-{name}": text for name, text in told.items()})

        for _ in range(2):
            quota.wait()

        assert clock.slept == [9.0]

    def test_a_window_that_is_over_is_not_waited_for(self) -> None:
        """Time that passed between two requests counts."""
        clock = ManualClock()
        quota = Quota(clock)
        quota.note({"X-Rate-Limit-Requests-Left": "0", "X-Rate-Limit-Time-Reset-Ms": "12000"})
        clock.advance(30)

        quota.wait()

        assert clock.slept == []

    def test_a_429_with_its_headers_is_waited_out(self) -> None:
        """The answer says how long; not less is waited."""
        clock = ManualClock()
        refused = answer(429, b"{}", x_rate_limit_time_reset_ms="7000", x_rate_limit_requests_left="35")

        with serving(refused, answer(200, b'{"statuses": []}'), answer(204)) as server:
            assert _ids(_scripted(server.url, clock), Stream.CARTS) == []

        assert 7 <= clock.slept[0] <= 8

    def test_a_429_without_headers_is_waited_out_by_our_own_schedule(self) -> None:
        """The platform's load comes without numbers."""
        clock = ManualClock()

        with serving(answer(429, b"{}"), answer(200, b'{"statuses": []}'), answer(204)) as server:
            assert _ids(_scripted(server.url, clock), Stream.CARTS) == []

        assert len(clock.slept) == 1

    def test_a_standard_plan_is_never_overrun(self, shop: BigShop) -> None:
        """A walk that needs more than the window allows waits before it is told to."""
        clock = _Both(shop)
        connector = BigCommerce(config_of(shop), store_id="b2b", clock=clock, page_sizes=(1,))
        shop.set_quota(20)
        before = len(shop.history)

        _ids(connector, Stream.CARTS)
        _ids(connector, Stream.ORDERS)

        assert len(shop.history) - before > 20
        assert {seen.status for seen in shop.history[before:]} <= {200, 204}


class _Both(ManualClock):
    """A clock whose waits let time pass in the shop too."""

    def __init__(self, shop: BigShop) -> None:
        super().__init__(shop.clock.now())
        self._shop = shop

    def sleep(self, seconds: float) -> bool:
        self._shop.clock.advance(seconds)
        return super().sleep(seconds)


class TestCheck:
    """First contact."""

    def test_the_store_says_who_it_is(self, shop: BigShop) -> None:
        """The hash is the identity: names and domains change."""
        facts = bigcommerce_to(shop).check()

        assert (facts.identity, facts.currency, facts.country) == (shop.store_hash, "USD", "US")
        assert [finding.level for finding in facts.findings] == ["ok", "ok"]

    @pytest.mark.parametrize(
        ("token", "can_pull", "can_push"),
        [
            ("read_only", frozenset(Stream), False),
            ("customers_only", frozenset({Stream.CUSTOMERS}), True),
            ("orders_only", frozenset({Stream.ORDERS, Stream.CARTS}), False),
            ("nothing", frozenset(), False),
        ],
    )
    def test_what_a_token_may_not_do_is_a_finding(
        self, shop: BigShop, token: str, can_pull: frozenset[Stream], can_push: bool
    ) -> None:
        """Missing scopes close their streams, each with the scope to give."""
        facts = bigcommerce_to(shop, token).check()

        assert (facts.can_pull, facts.can_push) == (can_pull, can_push)
        assert any("store_v2_" in finding.remedy for finding in facts.findings)

    def test_few_attributes_left_is_a_warning(self, shop: BigShop) -> None:
        """Every tag takes one of fifty."""
        account = _newcomers(shop, 1)[0]
        for number in range(46 - len(shop.state.attributes)):
            shop.set_attribute(account, f"field {number}", "x")

        findings = bigcommerce_to(shop).check().findings

        shop.state.attributes.clear()
        shop.state.values.clear()
        assert [finding.message for finding in findings if finding.level == "warning"] == [
            "46 of 50 customer attributes are used"
        ]


class TestPull:
    """Walks, filters, and what is laid together."""

    def test_incomplete_orders_are_carts_only(self, shop: BigShop) -> None:
        """One that is paid for becomes an order, under the same number."""
        cart, paid = shop.open_incomplete(), shop.open_incomplete()
        shop.complete_incomplete(paid)
        connector = bigcommerce_to(shop)

        orders, carts = set(_ids(connector, Stream.ORDERS)), set(_ids(connector, Stream.CARTS))

        assert (str(cart) in orders, f"order:{cart}" in carts) == (False, True)
        assert (str(paid) in orders, f"order:{paid}" in carts) == (True, False)

    def test_orders_are_walked_by_id(self, shop: BigShop) -> None:
        """Each page begins behind the last id, and times end in Z."""
        connector = bigcommerce_to(shop)
        before = len(shop.history)

        _ids(connector, Stream.ORDERS, Window(since=START - timedelta(days=3650)))

        asked = [seen.query for seen in shop.history[before:] if seen.path.endswith("/v2/orders")]
        assert all("sort=id:asc" in query and "page=" not in query for query in asked)
        assert all("min_date_modified=2016-03-03T12:00:00Z" in query for query in asked)

    def test_the_end_without_content_is_the_end(self) -> None:
        """v2 answers an empty list with 204 and no body."""
        with serving(answer(200, b'{"statuses": []}'), answer(204)) as server:
            pages = list(_scripted(server.url).pull(Stream.ORDERS, Window()))

        assert [(page.records, page.is_last, page.declared) for page in pages] == [((), True, 0)]

    def test_refunds_come_with_their_order(self, shop: BigShop) -> None:
        """The order itself says 0 for ever; one request a page asks for them all."""
        number = shop.place_order()
        shop.refund(number, 100)
        connector = bigcommerce_to(shop)
        before = len(shop.history)

        payload = _payload(connector, Stream.ORDERS, number)

        assert [refund["total_amount"] for refund in payload["refunds"]] == [1.0]
        assert len(shop.history) - before == 2

    def test_more_than_ten_addresses_are_all_there(self, shop: BigShop) -> None:
        """A customer comes with ten; the rest is asked for."""
        account = _newcomers(shop, 1)[0]
        for number in range(13):
            shop.add_address(account, street=f"{number} Elm Street")

        assert len(_payload(bigcommerce_to(shop), Stream.CUSTOMERS, account)["addresses"]) == 13

    def test_more_than_ten_attributes_are_all_there_by_name(self, shop: BigShop) -> None:
        """A tag among many attributes is not lost, and each value tells its attribute's name."""
        account = _newcomers(shop, 1)[0]
        for number in range(11):
            shop.set_attribute(account, f"field {number}", "x")
        shop.set_attribute(account, VIP, "VIP")

        values = _payload(bigcommerce_to(shop), Stream.CUSTOMERS, account)["attributes"]

        assert len(values) == 12
        assert [value["attribute_value"] for value in values if value["name"] == VIP] == ["VIP"]

    def test_an_attribute_made_meanwhile_is_known_by_name(self, shop: BigShop) -> None:
        """The list of attributes is read again when a value of another one turns up."""
        account = _newcomers(shop, 1)[0]
        connector = bigcommerce_to(shop)
        shop.set_attribute(account, "before", "x")
        _payload(connector, Stream.CUSTOMERS, account)

        shop.set_attribute(account, "after", "y")

        values = _payload(connector, Stream.CUSTOMERS, account)["attributes"]
        assert [value["name"] for value in values] == ["before", "after"]

    @pytest.mark.parametrize("count", [1, 8])
    def test_subscriptions_are_found_however_many_customers(self, shop: BigShop, count: int) -> None:
        """One customer is asked for by mailbox, many by the whole list; case does not matter."""
        accounts = _newcomers(shop, count)
        for account in accounts:
            shop.subscribe(shop.state.accounts[account].email.upper())

        found = _records(bigcommerce_to(shop), Stream.CUSTOMERS, Window(ids=tuple(map(str, accounts))))

        assert [len(record.payload["subscribers"]) for record in found] == [1] * count  # type: ignore[arg-type]

    def test_a_long_list_of_subscriptions_is_not_read_for_two(self) -> None:
        """Where the list has more pages than there are customers, each is asked for."""
        customers = [{"id": 1, "email": "a@b.example"}, {"id": 2, "email": "c@d.example"}]
        long = {"pagination": {**PAGE["pagination"], "total_pages": 900}}

        with serving(_v3(customers), _v3([{"id": 4}], long), _v3([{"id": 5}]), _v3([]), _v3([])) as server:
            found = _records(_scripted(server.url), Stream.CUSTOMERS)

        assert [record.payload["subscribers"] for record in found] == [[{"id": 5}], []]
        assert "email=c%40d.example" in server.heads[-1]

    def test_who_subscribed_is_found_though_the_account_did_not_change(self, shop: BigShop) -> None:
        """Incremental pulls add the customers behind changed subscriptions, once each."""
        quiet, both, edited = _newcomers(shop, 3)
        shop.clock.advance(86_400)
        since = shop.clock.now()
        shop.subscribe(shop.state.accounts[quiet].email)
        shop.subscribe(shop.state.accounts[both].email)
        shop.edit_customer(both)
        shop.edit_customer(edited)

        pages = list(bigcommerce_to(shop).pull(Stream.CUSTOMERS, Window(since=since)))

        assert [[int(record.external_id) for record in page.records] for page in pages] == [[both, edited], [quiet]]
        assert [page.is_last for page in pages] == [False, True]

    def test_a_walk_cut_off_behind_the_list_goes_on_there(self, shop: BigShop) -> None:
        """The cursor of the list's last page leads to the customers that are still to be added."""
        quiet = _newcomers(shop, 1)[0]
        shop.clock.advance(86_400)
        window = Window(since=shop.clock.now())
        shop.subscribe(shop.state.accounts[quiet].email)
        connector = bigcommerce_to(shop)
        *_, last = connector.pull(Stream.CUSTOMERS, window)

        again = list(connector.pull(Stream.CUSTOMERS, window, last.cursor))

        assert [record.external_id for record in last.records] == [str(quiet)]
        assert [(page.records, page.is_last) for page in again] == [((), True)]

    def test_a_cursor_that_does_not_move_is_a_loop(self) -> None:
        """A store that gives one page for ever cannot keep us for ever."""
        meta = {**PAGE, "cursor_pagination": {"end_cursor": "abc"}}
        customers = [{"id": 1}, {"id": 2}]

        with serving(_v3(customers, meta)) as server, pytest.raises(PaginationLoop):
            _ids(_scripted(server.url), Stream.CUSTOMERS)

    def test_orders_that_do_not_move_on_are_a_loop(self) -> None:
        """A store that overlooks min_id gives its first page for ever."""
        orders = json.dumps([{"id": 1, "status_id": 0}, {"id": 2, "status_id": 0}]).encode()

        with (
            serving(answer(200, b'{"statuses": []}'), answer(200, orders)) as server,
            pytest.raises(PaginationLoop),
        ):
            _ids(_scripted(server.url), Stream.CARTS)

    def test_rows_without_an_id_are_handed_on(self) -> None:
        """What cannot be named is yielded all the same, so that it can be set aside and counted."""
        with serving(_v3([{"id": 1}, "odd"])) as server:
            records = _records(_scripted(server.url), Stream.CUSTOMERS)

        assert len({record.external_id for record in records}) == 2
        assert records[1].payload["not_an_object"] == "odd"

    def test_an_object_where_a_list_belongs_is_corrupt(self) -> None:
        """An answer of another shape is no empty page."""
        with (
            serving(answer(200, b'{"statuses": []}'), answer(200, b'{"odd": 1}')) as server,
            pytest.raises(CorruptAnswer),
        ):
            _ids(_scripted(server.url), Stream.ORDERS)

    @pytest.mark.parametrize("stream", list(Stream))
    def test_a_failing_server_is_asked_for_smaller_pages(self, shop: BigShop, stream: Stream) -> None:
        """The walk keeps its place and goes on with the size that worked."""
        for _ in range(11):
            shop.open_incomplete()
        whole = _ids(bigcommerce_to(shop), stream)
        shop.faults.add(Fault(kind=FaultKind.ANSWER, path="limit=10$", status=524, times=None))

        assert _ids(bigcommerce_to(shop), stream) == whole

    @pytest.mark.parametrize(("stream", "path"), [(Stream.CUSTOMERS, "/customers\\?"), (Stream.ORDERS, "/orders\\?")])
    def test_a_missing_row_shows_in_the_count(self, shop: BigShop, stream: Stream, path: str) -> None:
        """A server that leaves a row out cannot make the walk look complete."""
        shop.faults.add(Fault(kind=FaultKind.DROP_ROW, path=path, row=3, method="GET"))

        pages = list(bigcommerce_to(shop).pull(stream, Window()))

        read = len({record.external_id for page in pages for record in page.records})
        assert min(page.declared or 0 for page in pages) > read

    def test_ids_that_lie_close_are_asked_together(self, shop: BigShop) -> None:
        """There is no filter by ids: near ones are one span, far ones are two."""
        first, second, third = (shop.place_order() for _ in range(3))
        connector = bigcommerce_to(shop)
        before = len(shop.history)

        ids = _ids(connector, Stream.ORDERS, Window(ids=(str(third), str(first), "1", "order:2", "odd")))

        asked = [seen.query for seen in shop.history[before:] if seen.path.endswith("/v2/orders")]
        assert ids == [str(first), str(third)]
        assert second not in map(int, ids)
        assert len(asked) == 2


class TestPush:
    """Attributes and their values."""

    def test_ten_a_call_and_three_at_once(self, shop: BigShop) -> None:
        """A full batch is three calls that no cap refuses, after the attribute was made once."""
        accounts = _newcomers(shop, 30)
        connector = bigcommerce_to(shop)
        before = len(shop.history)

        results = connector.push([_change(account, name="syncd_tag_thirty") for account in accounts])

        seen = shop.history[before:]
        writes = [json.loads(request.body) for request in seen if request.method == "PUT"]
        assert [len(items) for items in writes] == [10, 10, 10]
        assert [request.method for request in seen].count("POST") == 1
        assert {request.status for request in seen} == {200}
        assert {result.outcome for result in results} == {PushOutcome.APPLIED}

    def test_one_that_is_gone_does_not_spoil_its_call(self, shop: BigShop) -> None:
        """A call is refused whole; its items are then tried one by one."""
        accounts = _newcomers(shop, 3)

        results = bigcommerce_to(shop).push([_change(accounts[0]), _change(999_999), *map(_change, accounts[1:])])

        assert [result.outcome is PushOutcome.APPLIED for result in results] == [True, False, True, True]
        assert "customer was not found" in results[1].reason

    def test_what_is_no_number_is_rejected_unsent(self, shop: BigShop) -> None:
        """No customer has such an id."""
        assert bigcommerce_to(shop).push([_change("guest")])[0].reason == "not a customer id"

    def test_the_fifty_first_attribute_is_refused_in_words(self, shop: BigShop) -> None:
        """A tag without room is rejected with the remedy, one with an attribute is written all the same."""
        account = _newcomers(shop, 1)[0]
        shop.set_attribute(account, VIP, "VIP")
        for number in range(50 - len(shop.state.attributes)):
            shop.set_attribute(account, f"full {number}", "x")

        results = bigcommerce_to(shop).push([_change(account, "New", "syncd_tag_new"), _change(account)])

        shop.state.attributes.clear()
        shop.state.values.clear()
        assert [result.outcome for result in results] == [PushOutcome.REJECTED, PushOutcome.APPLIED]
        assert "50 customer attributes" in results[0].reason

    def test_an_attribute_of_another_type_holds_no_tag(self) -> None:
        """Somebody made a number of that name; it stays theirs."""
        with serving(_v3([{"id": 3, "name": VIP, "type": "number"}])) as server:
            results = _scripted(server.url).push([_change(7)])

        assert results[0].reason == f"the attribute {VIP} is of type number"

    def test_removing_deletes_the_value_and_nothing_else(self, shop: BigShop) -> None:
        """The value's own id is looked up, the attribute stays, and so do its other values."""
        first, second = _newcomers(shop, 2)
        connector = bigcommerce_to(shop)
        connector.push([_change(first), _change(second), _change(first, "Old", "syncd_tag_old")])

        results = connector.push([_change(first, None), _change(second, None, "syncd_tag_old")])

        left = {value.value for value in shop.state.values_of(first) + shop.state.values_of(second)}
        assert [result.outcome for result in results] == [PushOutcome.APPLIED, PushOutcome.ALREADY_SO]
        assert left == {"Old", "VIP"}

    def test_removing_makes_no_attribute(self, shop: BigShop) -> None:
        """A tag that nobody ever had is gone already, and nothing is written."""
        connector = bigcommerce_to(shop)
        before = len(shop.history)

        results = connector.push([_change(min(shop.state.accounts), None, "syncd_tag_never")])

        assert results[0].outcome is PushOutcome.ALREADY_SO
        assert {seen.method for seen in shop.history[before:]} == {"GET"}

    def test_an_attribute_deleted_meanwhile_is_made_again_next_time(self, shop: BigShop) -> None:
        """A refusal makes us look again, so that the next push is not refused for the same reason."""
        account = _newcomers(shop, 1)[0]
        connector = bigcommerce_to(shop)
        connector.push([_change(account, "Gone", "syncd_tag_gone")])
        number = next(each.id for each in shop.state.attributes.values() if each.name == "syncd_tag_gone")
        del shop.state.attributes[number]

        outcomes = [connector.push([_change(account, "Gone", "syncd_tag_gone")])[0].outcome for _ in range(2)]

        assert outcomes == [PushOutcome.REJECTED, PushOutcome.APPLIED]

    def test_a_token_that_may_not_write_names_the_scope(self, shop: BigShop) -> None:
        """The whole batch stops, with the scope to give."""
        account = _newcomers(shop, 1)[0]
        shop.set_attribute(account, VIP, "VIP")

        with pytest.raises(ScopeMissing, match=r"modify \(store_v2_customers\)"):
            bigcommerce_to(shop, "read_only").push([_change(account)])

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(kind=FaultKind.RESET, method="PUT", applied=True),
            Fault(kind=FaultKind.ANSWER, method="PUT", status=500, applied=True),
            Fault(kind=FaultKind.CUT_JSON, method="PUT"),
            Fault(kind=FaultKind.ANSWER, method="PUT", status=200, body='{"data": null}', applied=True),
        ],
        ids=["reset", "500", "cut", "no data"],
    )
    def test_a_lost_answer_is_ambiguous_and_not_repeated(self, shop: BigShop, fault: Fault) -> None:
        """The write went out once; whether it was applied only a read-back can tell."""
        account = _newcomers(shop, 1)[0]
        shop.faults.add(fault)
        before = len(shop.history)

        with pytest.raises(AmbiguousWrite):
            bigcommerce_to(shop).push([_change(account)])

        assert [seen.method for seen in shop.history[before:]].count("PUT") == 1

    def test_a_batch_written_in_part_is_ambiguous(self, shop: BigShop) -> None:
        """When one call is refused for good after another wrote, all must be read back."""
        accounts = _newcomers(shop, 11)
        shop.faults.add(Fault(kind=FaultKind.ANSWER, method="PUT", status=403, skip=1, times=1))

        with pytest.raises(AmbiguousWrite, match="in part"):
            bigcommerce_to(shop).push([_change(account) for account in accounts])


def _exercise(connector: BigCommerce, shop: BigShop) -> None:
    """Everything the connector ever asks, once."""
    account, other = _newcomers(shop, 2)
    for number in range(11):
        shop.add_address(account, street=f"{number} Elm Street")
        shop.set_attribute(account, f"field {number}", "x")
    connector.check()
    connector.push([_change(account), _change(other), _change(999_999)])
    connector.push([_change(account, None)])
    shop.clock.advance(3600)
    windows: Sequence[Window] = (Window(), Window(since=shop.clock.now()), Window(ids=(str(account), "order:101")))
    shop.subscribe(shop.state.accounts[other].email)
    shop.edit_customer(account)
    for window in windows:
        for stream in Stream:
            _ids(connector, stream, window)


def test_every_request_is_what_the_published_files_allow(shared: Path, tmp_path: Path) -> None:
    """The judge of the published descriptions reads a log of everything we send, and finds no fault."""
    pytest.importorskip("openapi_schema_validator", reason="the judge needs openapi-schema-validator")
    log = tmp_path / "log.jsonl"
    options = SandboxOptions(sites=(B2B,), scale=0.1, log=log)
    with Sandbox(options, clock=SandboxClock(START, frozen=True)) as sandbox:
        connector = bigcommerce_to(sandbox.shops["b2b"])
        _exercise(connector, sandbox.shops["b2b"])
        connector.close()

    judge = [sys.executable, str(shared / "tools" / "check_openapi.py"), "--specs", str(shared / "specs/bigcommerce")]
    verdict = subprocess.run([*judge, "--coverage", str(log)], capture_output=True, text=True, check=False)

    assert verdict.returncode == 0, verdict.stdout
    assert verdict.stdout.count("covered") == 12
