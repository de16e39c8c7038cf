"""Questions to a Shopify store: paced by cost, made smaller, and told once about what will change."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from syncd.connectors.shopify.errors import Cost
from syncd.connectors.shopify.graph import Pacer, Question
from syncd.errors import Interrupted, RateLimited, RequestRefused
from syncd.model import Stream, Window
from syncd.sandbox import Call, Fault, FaultKind, ShopifyShop
from tests.clock import ManualClock
from tests.shopify import answering, asked, opened, shopify_to

THROTTLED = {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]}
TOO_DEAR = {"errors": [{"message": "Query cost is 1293", "extensions": {"code": "MAX_COST_EXCEEDED", "cost": 1293}}]}


@pytest.fixture
def shop() -> Iterator[ShopifyShop]:
    """A small shop."""
    with opened() as served:
        yield served


def sizes(shop: ShopifyShop) -> list[int]:
    """How many records each page was asked for."""
    return [body["variables"]["first"] for body in asked(shop) if "first" in body["variables"]]


def cost(**figures: float) -> Cost:
    """A cost of a shop on the standard plan."""
    return dataclasses.replace(Cost(requested=100, available=2000, maximum=2000, restore_rate=100), **figures)


def test_throttling_is_waited_out(shop: ShopifyShop) -> None:
    """An empty bucket is no failure: the walk waits as long as the shop says and goes on."""
    status = {"maximumAvailable": 2000, "currentlyAvailable": 100, "restoreRate": 100}
    told = {"cost": {"requestedQueryCost": 700, "actualQueryCost": None, "throttleStatus": status}}
    answering(shop, {**THROTTLED, "extensions": told})
    clock = ManualClock()

    pages = list(shopify_to(shop, clock=clock, page_size=100).pull(Stream.CUSTOMERS, Window()))

    assert len(pages) == 1
    assert 6.0 <= clock.slept[0] <= 7.0


def test_throttling_without_end_is_left_to_the_next_run(shop: ShopifyShop) -> None:
    """A bucket that never fills ends the run with an error that asks for patience."""
    answering(shop, THROTTLED, times=None)

    with pytest.raises(RateLimited):
        list(shopify_to(shop).pull(Stream.CUSTOMERS, Window()))


def test_too_dear_a_page_is_halved_and_stays_so(shop: ShopifyShop) -> None:
    """The size that was let in is the one that the rest of the walk uses, and a resumed one too."""
    answering(shop, TOO_DEAR, times=2)
    pages = shopify_to(shop, page_size=40).pull(Stream.CUSTOMERS, Window())

    first, second = next(pages), next(pages)
    list(shopify_to(shop, page_size=40).pull(Stream.CUSTOMERS, Window(), first.cursor))

    assert sizes(shop)[:5] == [40, 20, 10, 10, 10]
    assert len(first.records) == len(second.records) == 10


def test_one_record_too_dear_is_an_error(shop: ShopifyShop) -> None:
    """Where even a single record costs too much, nothing smaller can be asked for."""
    answering(shop, TOO_DEAR, times=None)

    with pytest.raises(RequestRefused, match="single record"):
        next(shopify_to(shop).pull(Stream.ORDERS, Window()))


def test_a_failing_server_is_asked_for_less(shop: ShopifyShop) -> None:
    """After two failures on the same page, half of it is asked for."""
    shop.faults.add(Fault(kind=FaultKind.ANSWER, status=502, path="graphql", times=2))

    page = next(shopify_to(shop, page_size=40).pull(Stream.CUSTOMERS, Window()))

    assert len(page.records) == 20


def test_the_pacer_waits_for_what_a_document_cost_and_a_reserve() -> None:
    """With 150 points there, one that costs 100 waits until 200 more are left for others."""
    clock = ManualClock()
    pacer = Pacer(clock)
    pacer.learn("document", cost(available=150.0))

    assert pacer.wait_s("document") == pytest.approx(1.5)
    clock.advance(1.0)
    assert pacer.wait_s("document") == pytest.approx(0.5)
    clock.advance(60.0)
    assert pacer.wait_s("document") == 0.0


def test_the_pacer_leaves_others_the_share_that_it_is_told() -> None:
    """With half of 2,000 points left to others, one that costs 100 waits for 1,100."""
    pacer = Pacer(ManualClock(), leave=0.5)
    pacer.learn("document", cost(available=1000.0))

    assert pacer.wait_s("document") == pytest.approx(1.0)


def test_the_pacer_lets_an_unknown_shop_be_asked_at_once() -> None:
    """Nothing is known before the first answer."""
    pacer = Pacer(ManualClock())

    pacer.learn("document", None)

    assert pacer.wait_s("document") == 0.0


def test_the_pacer_never_waits_for_more_than_the_bucket_holds() -> None:
    """A document nearly as dear as the bucket is large is sent once the bucket is full."""
    pacer = Pacer(ManualClock())
    pacer.learn("document", cost(requested=1950.0, available=1990.0))

    assert pacer.wait_s("document") == pytest.approx(0.1)


def test_a_walk_is_never_throttled_when_it_paces_itself(shop: ShopifyShop) -> None:
    """Over a bucket that is nearly empty, every document is let in the first time."""
    clock = ManualClock(shop.clock.now())
    shop.bucket.available = 0.0

    def keep_pace(_call: Call) -> None:
        shop.clock.set(max(shop.clock.now(), clock.now()))

    shop.mutator = keep_pace
    connector = shopify_to(shop, clock=clock)

    pages = [page for stream in Stream for page in connector.pull(stream, Window())]

    scopes, first = 1, 1  # the question for scopes, and the very first one, sent before anything was known
    assert len(asked(shop)) <= len(pages) + scopes + first
    assert clock.slept


def test_waiting_ends_when_we_are_told_to(shop: ShopifyShop) -> None:
    """A process that is to end does not sit a wait out."""

    class Stopping(ManualClock):
        def sleep(self, seconds: float) -> bool:
            return True

    connector = shopify_to(shop, clock=Stopping())
    shop.bucket.available = 300.0
    pages = connector.pull(Stream.CUSTOMERS, Window())
    next(pages)
    shop.bucket.available = 0.0

    with pytest.raises((Interrupted, RateLimited)):
        list(pages)


def test_halves_end_at_one_record() -> None:
    """What asks for one record, or for none by number, cannot be halved."""
    assert Question(document="", variables={"first": 1}).half is None
    assert Question(document="", variables={"ids": ["a"]}).half is None
    assert Question(document="", variables={}).half is None


def test_a_write_is_never_made_lighter() -> None:
    """Half of a batch would leave the other half without a result."""
    variables: dict[str, Any] = {"first": 40}

    assert Question(document="", variables=variables, is_write=True).request().lighter is None
    assert Question(document="", variables=variables).request().lighter is not None


def test_graph_shows_personal_data_until_told_otherwise(shop: ShopifyShop) -> None:
    """The first refusal of a personal field turns all later questions."""
    denied = {"message": "not approved", "path": ["customers", "nodes", 0, "firstName"]}
    denied["extensions"] = {"code": "ACCESS_DENIED"}  # type: ignore[assignment]
    answering(shop, {"errors": [denied], "data": {"customers": None}})
    connector = shopify_to(shop)

    (first, *_) = connector.pull(Stream.CUSTOMERS, Window())

    assert "firstName" not in first.records[0].payload
    assert [body["variables"]["personal"] for body in asked(shop)[:3]] == [True, False, False]
