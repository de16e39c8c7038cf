"""Lists as WooCommerce pages, sorts and filters them, traps included."""

from __future__ import annotations

import math
from datetime import UTC, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from syncd.sandbox import Sandbox
from tests.unit.sandbox.client import Client


def test_a_walk_by_id_meets_every_record_once(still: Client) -> None:
    """Sorted by id nothing is lost or repeated."""
    state = still.shop.state

    customers = still.walk("customers", role="all", orderby="id", order="asc", per_page=50)
    orders = still.walk("orders", orderby="id", order="asc", per_page=100)

    assert customers == sorted(state.accounts)
    assert orders == sorted(order.id for order in state.orders.values() if order.status != "trash")


def test_a_walk_by_modified_loses_ties(client: Client) -> None:
    """Orders of one second fall otherwise on every page: some are repeated, some never seen, totals agree."""
    everything = list(client.shop.state.orders)
    client.shop.touch_many(everything)

    walked = client.walk("orders", orderby="modified", order="asc", per_page=10, status="any,trash")

    assert len(walked) > len(set(walked))
    assert walked == client.walk("orders", orderby="modified", order="asc", per_page=10, status="any,trash")


def test_a_walk_of_customers_by_name_loses_namesakes(client: Client) -> None:
    """The default order of customers is not unique either."""
    for number in range(30):
        client.shop.add_customer(f"jo{number}@example.com", first_name="Jo", last_name="Doe")

    walked = client.walk("customers", role="all", per_page=7)

    assert len(walked) > len(set(walked))


def test_an_order_modified_between_two_pages_pushes_another_out(client: Client) -> None:
    """With orderby=modified a change behind the reader makes it skip an order; the mutator is the merchant's hand."""
    stamps = sorted((order.modified_at, order.id) for order in client.shop.state.orders.values())
    first = client.ids("orders", orderby="modified", order="asc", per_page=5, status="any,trash")
    expected_next = [number for _, number in stamps[5:10]]
    client.shop.mutator = lambda call: client.shop.edit_order(first[0]) and None

    second = client.ids("orders", orderby="modified", order="asc", per_page=5, page=2, status="any,trash")

    assert expected_next[0] not in first + second


def test_past_the_end_customers_keep_their_total_and_orders_deny_it(still: Client) -> None:
    """A page past the end is an empty list; only customers still say how many there are."""
    customers = still.get("customers", role="all", per_page=100, page=99)
    orders = still.get("orders", per_page=100, page=99)

    assert customers.json() == orders.json() == []
    assert customers.headers["X-WP-Total"] == str(len(still.shop.state.accounts))
    assert orders.headers["X-WP-Total"] == orders.headers["X-WP-TotalPages"] == "0"
    assert f"page={math.ceil(len(still.shop.state.accounts) / 100)}" in customers.links["prev"]["url"]
    assert "page=0" in orders.links["prev"]["url"]


def test_customers_have_no_modified_filter(still: Client) -> None:
    """An unknown parameter is ignored without a word."""
    asked = still.get("customers", modified_after="2030-01-01T00:00:00", per_page=1)

    assert asked.headers["X-WP-Total"] == still.get("customers", per_page=1).headers["X-WP-Total"]


def test_the_default_role_hides_buyers_and_staff(still: Client) -> None:
    """Only role=all shows subscribers and staff."""
    hidden = {account.id for account in still.shop.state.accounts.values() if account.role != "customer"}

    shown = set(still.walk("customers", orderby="id", per_page=100))

    assert {1, 2} < hidden
    assert not shown & hidden


def test_any_holds_drafts_and_no_trash(still: Client) -> None:
    """status=any has checkout drafts, trash comes only when asked for by name."""
    counts = {
        asked: int(still.get("orders", status=asked, per_page=1).headers["X-WP-Total"])
        for asked in ("any", "checkout-draft", "trash", "any,trash", "trash,cancelled", "cancelled")
    }
    statuses = [order.status for order in still.shop.state.orders.values()]

    assert counts["checkout-draft"] == statuses.count("checkout-draft") > 0
    assert counts["trash"] == statuses.count("trash") > 0
    assert counts["any"] == counts["any,trash"] == len(statuses) - counts["trash"]
    assert counts["trash,cancelled"] == counts["trash"] + counts["cancelled"]


@pytest.mark.parametrize("store", ["us-woo", "eu-woo"])
def test_the_timezone_trap(store: str, still_sandbox: Sandbox) -> None:
    """Naive with dates_are_gmt and zoned without it are right; the other two are off by the site's offset."""
    caller = Client(still_sandbox.shops[store])
    orders = caller.shop.state.orders.values()
    zone = ZoneInfo(caller.shop.state.site.timezone)
    # The latest modification from which one side of the offset holds other orders than the other.
    stamps = sorted(order.modified_at for order in orders if order.status != "trash")
    moment = next(
        earlier
        for later, earlier in pairwise(reversed(stamps))
        if timedelta() < later - earlier < timedelta(minutes=55)
    )
    text, wall = moment.strftime("%Y-%m-%dT%H:%M:%S"), moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")
    shift = moment.astimezone(zone).utcoffset() or timedelta()

    def found(after: str, **flag: str) -> set[int]:
        return set(caller.walk("orders", modified_after=after, orderby="id", per_page=100, **flag))

    def true(since: timedelta) -> set[int]:
        return {order.id for order in orders if order.modified_at > moment + since and order.status != "trash"}

    assert found(text, dates_are_gmt="true") == true(timedelta())
    assert found(f"{text}Z") == found(f"{text}+00:00") == found(wall) == true(timedelta())
    assert found(text) == true(-shift)
    assert found(f"{text}Z", dates_are_gmt="true") == true(shift)
    assert found(text) != found(f"{text}Z")
    caller.close()


def test_modified_after_is_exclusive(client: Client) -> None:
    """An order of the very second named is not after it."""
    number = client.shop.place_order()
    moment = client.shop.state.orders[number].modified_at.astimezone(UTC)

    def found(seconds: int) -> bool:
        after = (moment + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
        return number in client.ids("orders", modified_after=after, dates_are_gmt="true", per_page=100)

    assert not found(0)
    assert found(-1)


def test_customer_zero_is_every_guest(still: Client) -> None:
    """customer=0 filters guests, and they carry no link to a customer."""
    rows = still.get("orders", customer=0, per_page=100).json()

    assert {row["customer_id"] for row in rows} == {0}
    assert not any("customer" in row["_links"] for row in rows)


def test_include_email_offset_and_nested_fields(still: Client) -> None:
    """The other parameters a client uses do what they say."""
    ids = still.ids("customers", role="all", orderby="id", per_page=6)
    email = still.get(f"customers/{ids[-1]}").json()["email"]

    assert still.ids("customers", role="all", include=f"{ids[5]},{ids[2]},999999", orderby="include") == [
        ids[5],
        ids[2],
    ]
    assert still.ids("customers", role="all", email=email.upper()) == [ids[-1]]
    assert still.ids("customers", role="all", orderby="id", offset=4, per_page=2) == ids[4:6]
    assert still.get("orders", _fields="id,billing.email", per_page=1).json()[0].keys() == {"id", "billing"}
    assert still.get("orders", _fields="id,billing.email", per_page=1).json()[0]["billing"].keys() == {"email"}


def test_several_wrong_parameters_are_all_named(still: Client) -> None:
    """A 400 names every wrong parameter with its reason."""
    body = still.get("orders", per_page=0, status="bogus", customer="x").json()

    assert body["message"] == "Invalid parameter(s): per_page, status, customer"
    assert body["data"]["params"]["customer"] == "customer is not of type integer."
    assert set(body["data"]["details"]) == {"per_page", "status", "customer"}


def test_amounts_follow_the_shops_decimals(still: Client) -> None:
    """A JPY order has two decimals like all others; dp changes that for one call."""
    orders = still.shop.state.orders.values()
    yen = next(order.id for order in orders if order.currency == "JPY" and order.status != "trash")

    assert still.get(f"orders/{yen}").json()["total"].partition(".")[2].__len__() == 2
    assert len(still.get(f"orders/{yen}", dp=4).json()["total"].partition(".")[2]) == 4
    assert isinstance(still.get(f"orders/{yen}").json()["line_items"][0]["price"], float)


def test_the_schema_of_orders_lists_the_statuses(still: Client) -> None:
    """OPTIONS tells which statuses the shop knows."""
    schema = still.call("OPTIONS", "orders").json()["schema"]

    assert {"completed", "checkout-draft", "pending"} < set(schema["properties"]["status"]["enum"])


def test_reports_count_what_there_is(still: Client) -> None:
    """Totals by status agree with the lists."""
    totals = {row["slug"]: row["total"] for row in still.get("reports/orders/totals").json()}

    assert totals["completed"] == int(still.get("orders", status="completed").headers["X-WP-Total"])
