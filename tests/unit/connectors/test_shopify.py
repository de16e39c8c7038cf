"""The Shopify connector against a shop of the sandbox: what it asks, what it gives, and what it writes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncd.connectors.base import Page, PushOutcome
from syncd.errors import (
    AmbiguousWrite,
    AuthFailed,
    ConfigInvalid,
    CorruptAnswer,
    PaginationLoop,
    PolicyRefused,
    RequestRefused,
    ScopeMissing,
    StopStore,
    SyncdError,
)
from syncd.model import PlatformChange, Stream, TagAction, Window
from syncd.sandbox import Fault, FaultKind, Sandbox, SandboxOptions, ShopifyShop
from syncd.sandbox.products import PRODUCTS
from tests.clock import ManualClock
from tests.shopify import answering, asked, config_of, opened, shopify_to, site

NEW_VERSION = datetime(2026, 11, 1, tzinfo=UTC)  # a month after the version asked for came out
NO_ROWS = {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}


@pytest.fixture
def shop() -> Iterator[ShopifyShop]:
    """A small shop."""
    with opened() as served:
        yield served


def records(pages: Iterator[Page]) -> dict[str, Any]:
    """The payloads of a walk by external id."""
    return {record.external_id: record.payload for page in pages for record in page.records}


def change(number: int, tag: str, action: TagAction = TagAction.ADD) -> PlatformChange:
    """One tag change to one customer."""
    return PlatformChange(external_id=str(number), action=action, body={"tag": tag})


class TestPull:
    """Walks."""

    def test_filter_is_quoted_and_in_utc(self, shop: ShopifyShop) -> None:
        """Unquoted, the time would be read in the shop's own zone, and cut at its colons."""
        since = shop.clock.now().replace(microsecond=0) - timedelta(hours=1)

        list(shopify_to(shop).pull(Stream.CUSTOMERS, Window(since=since)))

        assert asked(shop)[0]["variables"]["query"] == f"updated_at:>='{since:%Y-%m-%dT%H:%M:%S}Z'"

    def test_equal_times_across_a_page_edge_are_all_met(self, shop: ShopifyShop) -> None:
        """Thirty orders of one second, seven a page: none is missing and none is double."""
        numbers = [shop.place_order() for _ in range(30)]
        since = shop.clock.advance(7200).replace(microsecond=0)
        shop.touch_many(numbers, since)

        pages = list(shopify_to(shop).pull(Stream.ORDERS, Window(since=since)))

        ids = [record.external_id for page in pages for record in page.records]
        assert sorted(ids) == sorted(map(str, numbers))

    def test_nested_lines_are_drained(self, shop: ShopifyShop) -> None:
        """An order of more lines than come with it has them all, in their order."""
        number = shop.place_order(items=[(product, 1) for product in PRODUCTS] * 8)
        shop.clock.advance(1)

        pages = shopify_to(shop).pull(Stream.ORDERS, Window(ids=(str(number),)))

        lines = records(pages)[str(number)]["lineItems"]
        ids = [int(line["id"].rpartition("/")[2]) for line in lines["nodes"]]
        assert ids == [line.id for line in shop.state.orders[number].lines]
        assert lines["pageInfo"]["hasNextPage"] is False

    def test_count_is_asked_for_at_the_ends_only(self, shop: ShopifyShop) -> None:
        """Counting is dear: the first page and the last tell it, those between do not ask."""
        pages = list(shopify_to(shop).pull(Stream.CUSTOMERS, Window()))

        counted = [body["variables"]["counted"] for body in asked(shop)]
        assert len(pages) > 3
        assert counted == [True] + [False] * (len(pages) - 2) + [True]

    def test_count_at_the_end_is_the_count_then(self, shop: ShopifyShop) -> None:
        """Records that vanish during a walk are not missing from it."""
        pages = shopify_to(shop).pull(Stream.CUSTOMERS, Window())
        first = next(pages)
        shop.delete_customer(max(shop.state.accounts))

        *_, last = pages

        assert first.declared == len(shop.state.accounts) + 1
        assert last.declared == len(shop.state.accounts)

    @pytest.mark.parametrize("precision", ["AT_LEAST", "NEW_WORD"])
    def test_inexact_counts_are_none(self, shop: ShopifyShop, precision: str) -> None:
        """A count that is only a bound is no total."""
        data = {"customers": NO_ROWS, "customersCount": {"count": 10000, "precision": precision}}
        answering(shop, {"data": data})

        (page,) = shopify_to(shop).pull(Stream.CUSTOMERS, Window())

        assert page.declared is None

    def test_counts_of_another_filter_are_none(self, shop: ShopifyShop) -> None:
        """A count whose filter the shop did not understand counts something else."""
        data = {"customers": NO_ROWS, "customersCount": {"count": 1351, "precision": "EXACT"}}
        search = [{"path": ["customersCount"], "warnings": [{"message": "Invalid search field for this query."}]}]
        answering(shop, {"data": data, "extensions": {"search": search}})

        (page,) = shopify_to(shop).pull(Stream.CUSTOMERS, Window(since=shop.clock.now()))

        assert page.declared is None

    def test_a_repeated_page_token_ends_the_walk(self, shop: ShopifyShop) -> None:
        """A shop that gives the same page for ever is told so, not read for ever."""
        rows = {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "same"}}
        answering(shop, {"data": {"customers": rows}}, times=None)

        with pytest.raises(PaginationLoop):
            list(shopify_to(shop).pull(Stream.CUSTOMERS, Window()))

    def test_repeated_nested_rows_end_the_walk(self, shop: ShopifyShop) -> None:
        """The same holds for the lines of an order."""
        more = {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "same"}}
        order = {"id": "gid://shopify/Order/7", "lineItems": more}
        answering(shop, {"data": {"nodes": [order]}})
        answering(shop, {"data": {"node": order}}, times=None)

        with pytest.raises(PaginationLoop):
            list(shopify_to(shop).pull(Stream.ORDERS, Window(ids=("7",))))

    @pytest.mark.parametrize(
        "body",
        [
            {"data": {}},
            {"data": {"customers": None}},
            {"data": {"customers": {"nodes": [], "pageInfo": None}}},
            {"data": {"customers": {"nodes": None, "pageInfo": {"hasNextPage": False}}}},
            {"errors": [{"message": "half"}], "data": {"customers": NO_ROWS}},
        ],
    )
    def test_answers_that_are_not_whole_give_no_page(self, shop: ShopifyShop, body: object) -> None:
        """Nothing of half an answer is stored, and no cursor moves."""
        answering(shop, body, times=None)

        with pytest.raises(CorruptAnswer):
            next(shopify_to(shop).pull(Stream.CUSTOMERS, Window()))

    def test_ids_of_other_kinds_are_left_out(self, shop: ShopifyShop) -> None:
        """Ids that are no numbers, or of records that are something else, lead nowhere."""
        known = str(min(shop.state.accounts))

        pages = shopify_to(shop).pull(Stream.CUSTOMERS, Window(ids=(known, "order:7", "x", "٣")))

        assert list(records(pages)) == [known]

    def test_many_ids_come_in_pages(self, shop: ShopifyShop) -> None:
        """More ids than a page holds are asked for in turn, and a cursor resumes among them."""
        wanted = tuple(map(str, sorted(shop.state.accounts)[:20]))
        connector = shopify_to(shop, page_size=8)

        pages = list(connector.pull(Stream.CUSTOMERS, Window(ids=wanted)))
        rest = records(connector.pull(Stream.CUSTOMERS, Window(ids=wanted), pages[0].cursor))

        assert [len(page.records) for page in pages] == [8, 8, 4]
        assert sorted(rest) == list(wanted[8:])

    def test_recent_orders_only_is_said_on_every_page(self, shop: ShopifyShop) -> None:
        """Without the scope for all orders, what is not shown must not be taken for deleted."""
        recent = shopify_to(shop, config=config_of(shop, "recent_orders"))

        hidden = {page.hides_older for page in recent.pull(Stream.ORDERS, Window())}
        others = {page.hides_older for page in recent.pull(Stream.CUSTOMERS, Window())}

        assert (hidden, others) == ({True}, {False})
        assert {page.hides_older for page in shopify_to(shop).pull(Stream.ORDERS, Window())} == {False}

    def test_a_missing_scope_is_named(self, shop: ShopifyShop) -> None:
        """The error names what to grant."""
        connector = shopify_to(shop, config=config_of(shop, "no_customers"))

        with pytest.raises(ScopeMissing, match="read_customers"):
            next(connector.pull(Stream.CUSTOMERS, Window()))

    def test_the_older_version_is_walked_as_well(self, shop: ShopifyShop) -> None:
        """Every stream reads the same records in 2026-07."""
        older = shopify_to(shop, config=config_of(shop, api_version="2026-07"))

        for stream in Stream:
            assert (
                records(older.pull(stream, Window())).keys() == records(shopify_to(shop).pull(stream, Window())).keys()
            )

    @pytest.mark.parametrize("size", [0, -1, 251])
    def test_cursors_of_other_walks_are_refused(self, shop: ShopifyShop, size: int) -> None:
        """A cursor that nobody made in this walk is an error in words."""
        with pytest.raises(StopStore):
            next(shopify_to(shop).pull(Stream.CUSTOMERS, Window(), f'{{"after": "x", "size": {size}}}'))


class TestRefusals:
    """Statuses that speak of the shop as a whole."""

    @pytest.mark.parametrize(
        ("status", "kind", "word"),
        [
            (401, AuthFailed, "token"),
            (402, PolicyRefused, "unpaid"),
            (403, ScopeMissing, "scopes"),
            (404, PolicyRefused, "url"),
            (423, PolicyRefused, "locked"),
            (430, PolicyRefused, "attack"),
            (422, RequestRefused, "wrong"),
        ],
    )
    def test_each_is_told_in_words(self, shop: ShopifyShop, status: int, kind: type[SyncdError], word: str) -> None:
        """The operator reads what is wrong with the shop, and what to do."""
        body, headers = '{"errors": "Said by the shop"}', {"Content-Type": "application/json"}
        shop.faults.add(Fault(kind=FaultKind.ANSWER, status=status, headers=headers, body=body, times=None))

        with pytest.raises(kind, match=word) as caught:
            next(shopify_to(shop).pull(Stream.CUSTOMERS, Window()))

        assert shop.credentials["admin"].access_token not in str(caught.value)

    def test_a_wait_in_decimals_is_kept(self, shop: ShopifyShop) -> None:
        """Shopify writes Retry-After with a decimal."""
        shop.faults.add(Fault(kind=FaultKind.ANSWER, status=429, headers={"Retry-After": "4.0"}, path="graphql"))
        clock = ManualClock()

        next(shopify_to(shop, clock=clock).pull(Stream.CUSTOMERS, Window()))

        assert 4.0 <= clock.slept[0] <= 5.0


class TestCheck:
    """First contact."""

    def test_facts_are_the_shops_own(self, shop: ShopifyShop) -> None:
        """Name, zone, currency, country and lasting identity come from the shop."""
        shop.clock.set(NEW_VERSION)

        facts = shopify_to(shop).check()

        assert facts.identity == "us-shop.myshopify.com"
        assert (facts.name, facts.timezone, facts.currency) == ("us", "America/Los_Angeles", "USD")
        assert (facts.country, facts.version, facts.findings) == ("US", "2026-10", ())

    def test_recent_orders_only_is_a_finding(self, shop: ShopifyShop) -> None:
        """The 60 days are told before anybody misses an order."""
        shop.clock.set(NEW_VERSION)

        facts = shopify_to(shop, config=config_of(shop, "recent_orders")).check()

        assert [finding.level for finding in facts.findings] == ["warning"]
        assert "60 days" in facts.findings[0].message

    def test_a_reading_token_pulls_and_does_not_push(self, shop: ShopifyShop) -> None:
        """Without the right to write nothing is pushed; reading goes on."""
        facts = shopify_to(shop, config=config_of(shop, "read_only")).check()

        assert (facts.can_pull, facts.can_push) == (frozenset(Stream), False)
        assert "write_customers" in facts.findings[0].message

    def test_a_stream_without_its_scope_is_not_pulled(self, shop: ShopifyShop) -> None:
        """What the token may not read is named."""
        facts = shopify_to(shop, config=config_of(shop, "no_customers")).check()

        assert facts.can_pull == {Stream.ORDERS, Stream.CARTS}
        assert "read_customers" in facts.findings[0].message

    def test_withheld_personal_data_is_a_finding(self) -> None:
        """A plan that hides names is told at first contact."""
        with opened(plan="Basic") as shop:
            shop.clock.set(NEW_VERSION)
            findings = shopify_to(shop).check().findings

        assert ["withholds" in finding.message for finding in findings] == [True]

    def test_another_shop_under_the_name_is_refused(self, shop: ShopifyShop) -> None:
        """A domain that another shop answers to is a wrong setting, told with the right one."""
        with pytest.raises(ConfigInvalid, match=r"us-shop\.myshopify\.com"):
            shopify_to(shop, config=config_of(shop, url="old-name")).check()

    def test_a_version_fallen_forward_is_a_finding(self, shop: ShopifyShop) -> None:
        """What was asked for and what answered are both named."""
        shop_facts = {"myshopifyDomain": "us-shop.myshopify.com"}
        scopes = [{"handle": handle} for handle in ("read_all_orders", "write_customers", "read_orders")]
        body = {"data": {"shop": shop_facts, "currentAppInstallation": {"accessScopes": scopes}}}
        answering(shop, body, version="2027-01")
        shop.clock.set(NEW_VERSION)

        (finding,) = shopify_to(shop).check().findings

        assert "2027-01" in finding.message
        assert "2026-10" in finding.message

    @pytest.mark.parametrize(("days", "is_told"), [(-61, False), (-59, True), (10, True)])
    def test_a_version_that_comes_to_its_end_is_a_finding(self, shop: ShopifyShop, days: int, is_told: bool) -> None:
        """Two months before Shopify stops supporting the version that is asked for, the day is named."""
        shop.clock.set(datetime(2027, 7, 1, tzinfo=UTC) + timedelta(days=days))

        facts = shopify_to(shop, config=config_of(shop, api_version="2026-07")).check()

        told = [finding.message for finding in facts.findings if "2027-07-01" in finding.message]
        assert bool(told) is is_told
        assert all(finding.level == "warning" and finding.remedy for finding in facts.findings)


class TestPush:
    """Tags."""

    def test_one_document_for_a_whole_batch(self, shop: ShopifyShop) -> None:
        """Fifty changes are one request."""
        changes = [change(number, "VIP") for number in sorted(shop.state.accounts)[:40]]

        results = shopify_to(shop).push(changes)

        assert {result.outcome for result in results} == {PushOutcome.APPLIED}
        assert len(asked(shop)) == 1

    def test_tags_of_the_merchant_stay(self, shop: ShopifyShop) -> None:
        """A tag that staff add between our read and our write is still there after it."""
        number = shop.add_customer("a@shop.example", tags=["wholesale"])

        shopify_to(shop).push([change(number, "VIP"), change(number, "Lapsed", TagAction.REMOVE)])

        assert shop.state.accounts[number].tags == ["VIP", "wholesale"]

    def test_a_tag_with_a_comma_is_rejected_in_words(self, shop: ShopifyShop) -> None:
        """Shopify would make two tags of it; the others of the batch are written."""
        one, two = sorted(shop.state.accounts)[:2]

        rejected, applied = shopify_to(shop).push([change(one, "VIP, gold"), change(two, "VIP")])

        assert (rejected.outcome, applied.outcome) == (PushOutcome.REJECTED, PushOutcome.APPLIED)
        assert "comma" in rejected.reason
        assert "gold" not in str(shop.state.accounts[one].tags)

    def test_another_casing_is_told_apart(self, shop: ShopifyShop) -> None:
        """Shopify keeps the casing it has: a change that was not made is not called applied."""
        number = shop.add_customer("a@shop.example", tags=["vip"])

        (result,) = shopify_to(shop).push([change(number, "VIP")])

        assert result.outcome is PushOutcome.REJECTED
        assert "'vip'" in result.reason

    def test_shops_own_limits_are_told(self, shop: ShopifyShop) -> None:
        """A customer with as many tags as one can have is rejected with the shop's words."""
        number = shop.add_customer("a@shop.example", tags=[f"tag {count}" for count in range(250)])

        (result,) = shopify_to(shop).push([change(number, "VIP")])

        assert (result.outcome, result.reason) == (PushOutcome.REJECTED, "Tags cannot be more than 250")

    @pytest.mark.parametrize("external_id", ["", "x", "order:7", "7/8"])
    def test_what_is_no_id_is_rejected_unsent(self, shop: ShopifyShop, external_id: str) -> None:
        """Nothing is asked of the shop for an id that cannot be one."""
        (result,) = shopify_to(shop).push(
            [PlatformChange(external_id=external_id, action=TagAction.ADD, body={"tag": "VIP"})]
        )

        assert result.outcome is PushOutcome.REJECTED
        assert not asked(shop)

    def test_the_right_to_write_is_named_where_it_is_missing(self, shop: ShopifyShop) -> None:
        """A reading token stops the push, and says what to grant."""
        connector = shopify_to(shop, config=config_of(shop, "read_only"))

        with pytest.raises(ScopeMissing, match="write_customers"):
            connector.push([change(min(shop.state.accounts), "VIP")])

    def test_half_an_answer_is_ambiguous(self, shop: ShopifyShop) -> None:
        """Where some results are missing, what was written is read back before it is written again."""
        answering(shop, {"data": {"c0": None}, "errors": [{"message": "Internal error"}]})

        with pytest.raises(AmbiguousWrite):
            shopify_to(shop).push([change(min(shop.state.accounts), "VIP")])

    def test_a_lost_answer_is_ambiguous(self, shop: ShopifyShop) -> None:
        """A connection that breaks after sending may have written."""
        shop.faults.add(Fault(kind=FaultKind.RESET, applied=True, path="graphql"))
        number = min(shop.state.accounts)

        with pytest.raises(AmbiguousWrite):
            shopify_to(shop).push([change(number, "VIP")])

        assert "VIP" in shop.state.accounts[number].tags

    def test_throttled_writes_are_tried_again(self, shop: ShopifyShop) -> None:
        """A write that was not let in was not made, so it is sent again."""
        answering(shop, {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]})

        (result,) = shopify_to(shop).push([change(min(shop.state.accounts), "VIP")])

        assert result.outcome is PushOutcome.APPLIED


def test_two_shops_at_once_never_mix_their_tokens() -> None:
    """Threads that work two shops together send each shop its own token only."""
    with Sandbox(SandboxOptions(scale=0.1, sites=(site("one"), site("two")))) as sandbox:
        shops = list(sandbox.shops.values())

        def work(shop: ShopifyShop) -> None:
            connector = shopify_to(shop, page_size=5)
            connector.check()
            for stream in Stream:
                list(connector.pull(stream, Window()))
            connector.push([change(min(shop.state.accounts), "VIP")])

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(work, shops))

        for shop in shops:
            tokens = {seen.headers["x-shopify-access-token"] for seen in shop.history}
            assert tokens == {shop.credentials["admin"].access_token}


def test_a_token_that_may_not_last_is_told_from_a_revoked_one(shop: ShopifyShop) -> None:
    """The remedy is the app's own credentials, not another such token."""
    body = '{"errors": "[API] Non-expiring access tokens are no longer accepted for the Admin API."}'
    headers = {"Content-Type": "application/json"}
    shop.faults.add(Fault(kind=FaultKind.ANSWER, status=401, headers=headers, body=body, path="graphql"))

    with pytest.raises(AuthFailed) as caught:
        next(shopify_to(shop).pull(Stream.CUSTOMERS, Window()))

    assert "Non-expiring" in caught.value.message
    assert "client_id" in (caught.value.hint or "")
