"""BigCommerce's lists: pages, cursors, filters, includes, and what they refuse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from syncd.sandbox import B2B, Sandbox, SandboxOptions
from tests.unit.sandbox.bigcommerce_client import BigClient


def _zulu(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _walk(client: BigClient, **params: object) -> Iterator[list[int]]:
    """The ids of customers, page by page, by cursor."""
    body = client.get("v3/customers", **params).json()
    while body["data"]:
        yield [row["id"] for row in body["data"]]
        body = client.get("v3/customers", after=body["meta"]["cursor_pagination"]["end_cursor"], **params).json()


def _walk_orders(client: BigClient, **params: object) -> list[int]:
    """The ids of orders by `min_id`, until there is nothing more."""
    seen: list[int] = []
    while page := client.ids("v2/orders", min_id=seen[-1] + 1 if seen else 0, sort="id:asc", **params):
        seen += page
    return seen


def test_the_same_seed_makes_the_same_shop() -> None:
    """Customers, orders and cart ids do not differ between two sandboxes of one seed."""
    first, second = (Sandbox(SandboxOptions(seed=5, scale=0.1, sites=[B2B])).shops["b2b"].state for _ in range(2))

    assert [row.email for row in first.accounts.values()] == [row.email for row in second.accounts.values()]
    assert [row.cart_id for row in first.orders.values()] == [row.cart_id for row in second.orders.values()]


def test_the_shop_is_full_of_traps(still_big: BigClient) -> None:
    """Guests, incomplete and archived orders, many addresses, one e-mail on two channels, three currencies."""
    state = still_big.shop.state
    emails = Counter(row.email.lower() for row in state.accounts.values())

    assert {row.status_id for row in state.orders.values()} >= {0, 4, 5, 10, 14}
    assert any(not row.customer_id for row in state.orders.values())
    assert any(row.is_deleted for row in state.orders.values())
    assert any(row.currency != row.shown_currency for row in state.orders.values())
    assert max(len(row.addresses) for row in state.accounts.values()) > 10
    assert max(emails.values()) == 2
    assert any(not row.billing["email"] for row in state.orders.values())


def test_a_walk_by_cursor_meets_every_customer_once(still_big: BigClient) -> None:
    """Cursors lead through all pages in order of ids."""
    walked = [number for page in _walk(still_big, limit=50) for number in page]

    assert walked == sorted(still_big.shop.state.accounts)


def test_a_cursor_outlives_its_customer(big: BigClient) -> None:
    """A customer deleted between two pages takes no other along."""
    pages = _walk(big, limit=10)
    first = next(pages)
    big.shop.delete_customer(first[-1])
    big.shop.delete_customer(first[0])

    rest = [number for page in pages for number in page]

    assert rest == sorted(set(big.shop.state.accounts) - set(first))


def test_a_walk_by_page_loses_a_customer_when_another_goes(big: BigClient) -> None:
    """Pages by number shift when somebody is deleted behind the reader."""
    expected = sorted(big.shop.state.accounts)[10]
    first = [row["id"] for row in big.data("v3/customers", limit=10)]
    big.shop.delete_customer(first[0])

    second = [row["id"] for row in big.data("v3/customers", limit=10, page=2)]

    assert expected not in first + second


def test_cursors_come_on_the_first_page_and_where_they_were_asked_for(still_big: BigClient) -> None:
    """A later page by number tells no cursor; with a cursor the number is ignored; back leads to where one was."""
    first = still_big.get("v3/customers", limit=20).json()
    second = still_big.get("v3/customers", limit=20, page=2).json()
    cursors = first["meta"]["cursor_pagination"]
    after = still_big.get("v3/customers", limit=20, after=cursors["end_cursor"], page=7).json()
    before = still_big.get("v3/customers", limit=20, before=after["meta"]["cursor_pagination"]["start_cursor"]).json()

    assert "end_cursor" not in second["meta"]["cursor_pagination"]
    assert after["data"] == second["data"]
    assert before["data"] == first["data"]
    assert first["meta"]["pagination"]["total"] == len(still_big.shop.state.accounts)
    assert "previous" not in cursors["links"]


@pytest.mark.parametrize("sort", ["date_modified:asc", "date_modified:desc", "last_name:desc", "date_created:asc"])
def test_a_sorted_walk_by_cursor_is_complete(still_big: BigClient, sort: str) -> None:
    """Cursors hold what is sorted by, so namesakes and equal times are neither lost nor repeated."""
    walked = [number for page in _walk(still_big, limit=100, sort=sort) for number in page]

    assert len(walked) == len(set(walked)) == len(still_big.shop.state.accounts)
    assert walked != sorted(walked)


def test_filters_on_customers(still_big: BigClient) -> None:
    """Ids, e-mails in any case, and times, of which the bounds belong to the window."""
    rows = list(still_big.shop.state.accounts.values())
    moment = sorted(row.modified_at for row in rows)[-20]
    twin = Counter(row.email for row in rows).most_common(1)[0][0]

    by_id = still_big.data("v3/customers", id__in=f"{rows[3].id},{rows[1].id},999999")
    by_email = still_big.data("v3/customers", email__in=twin.upper())
    since = still_big.data("v3/customers", date_modified__min=_zulu(moment), limit=250)
    until = still_big.get("v3/customers", date_modified__max=_zulu(moment), limit=1).json()

    assert [row["id"] for row in by_id] == sorted([rows[1].id, rows[3].id])
    assert {row["origin_channel_id"] for row in by_email} == {1, 2}
    assert {row["id"] for row in since} == {row.id for row in rows if row.modified_at >= moment}
    assert until["meta"]["pagination"]["total"] == sum(row.modified_at <= moment for row in rows)


def test_includes_end_after_ten(still_big: BigClient) -> None:
    """A customer has more addresses than come along; the rest is at its own address."""
    most = max(still_big.shop.state.accounts.values(), key=lambda row: len(row.addresses))

    (row,) = still_big.data("v3/customers", id__in=most.id, include="addresses,attributes,storecredit,formfields")
    every = still_big.data("v3/customers/addresses", customer_id__in=most.id, limit=250)

    assert len(row["addresses"]) == 10 < row["address_count"] == len(every)
    assert row.keys() >= {"attributes", "store_credit_amounts", "form_fields"}
    assert "addresses" not in still_big.data("v3/customers", id__in=most.id)[0]


@pytest.mark.parametrize(
    ("path", "params", "words"),
    [
        ("v3/customers", {"name": "x", "min_id": 4}, "The filter(s): name, min_id are not valid filter parameter(s)."),
        ("v3/customers", {"date_modified__min": "2026-01-01T00:00:00"}, "date_modified:min"),
        ("v3/customers", {"date_modified__min": "2026-01-01T00:00:00%2B00:00"}, "date_modified:min"),
        ("v3/customers", {"date_modified__min": "2026-01-01T00%3A00%3A00Z"}, "encoded colon"),
        ("v3/customers", {"limit": 251}, "limit"),
        ("v3/customers", {"sort": "id:asc"}, "sort"),
        ("v3/customers", {"include": "orders"}, "include"),
        ("v3/customers", {"after": "nonsense"}, "after"),
        ("v3/customers/attribute-values", {"attribute_id__in": "x"}, "attribute_id:in"),
        ("v3/orders/payment_actions/refunds", {"created__min": "2026-01-01"}, "created:min"),
    ],
)
def test_v3_refuses_what_it_does_not_understand(
    still_big: BigClient, path: str, params: dict[str, Any], words: str
) -> None:
    """Unknown filters and bad values are a 422 that names them."""
    answer = still_big.get(path, **params)

    assert answer.status_code == answer.json()["status"] == 422
    assert words in answer.json()["title"]


def test_v2_overlooks_unknown_filters_and_refuses_bad_values(still_big: BigClient) -> None:
    """An unknown filter changes nothing; a bad time is 400, a page beyond 250 is 413."""
    unknown = still_big.ids("v2/orders", date_modified__min="2030-01-01T00:00:00Z")
    bad = [
        still_big.get("v2/orders", min_date_modified=text) for text in ("2026-01-01", "x", "2026-01-01T00%3A00%3A00Z")
    ]
    large = still_big.get("v2/orders", limit=251)

    assert unknown == still_big.ids("v2/orders")
    assert [answer.status_code for answer in bad] == [400, 400, 400]
    assert large.status_code == 413
    assert large.json() == [
        {
            "status": 413,
            "message": "The specified limit exceeds the maximum allowed.",
            "details": {"max_limit": 250},
        }
    ]


def test_a_walk_by_min_id_meets_every_order_once_and_ends_without_a_body(still_big: BigClient) -> None:
    """Orders by ascending id until 204 are all there are, incomplete and archived ones too."""
    walked = _walk_orders(still_big, limit=250)
    end = still_big.get("v2/orders", min_id=walked[-1] + 1)

    assert walked == sorted(still_big.shop.state.orders)
    assert (end.status_code, end.content) == (204, b"")


def test_a_walk_of_orders_by_time_loses_ties(big: BigClient) -> None:
    """Orders of one second fall otherwise on every page."""
    big.shop.touch_many(list(big.shop.state.orders))

    walked = [
        number for page in range(1, 8) for number in big.ids("v2/orders", sort="date_modified:asc", limit=10, page=page)
    ]

    assert len(walked) > len(set(walked))


def test_times_of_orders_in_both_spellings(still_big: BigClient) -> None:
    """RFC 2822 and ISO 8601 mean the same moment, which belongs to the window."""
    orders = still_big.shop.state.orders.values()
    moment = sorted(order.modified_at for order in orders)[-30]
    wanted = sorted(order.id for order in orders if order.modified_at >= moment)

    mail = format_datetime(moment).replace(" ", "%20").replace("+", "%2B")

    assert _walk_orders(still_big, min_date_modified=mail) == wanted
    assert _walk_orders(still_big, min_date_modified=_zulu(moment)) == wanted


def test_filters_on_orders(still_big: BigClient) -> None:
    """Status, customer, e-mail; customer 0 is every guest."""
    orders = still_big.shop.state.orders
    some = next(order for order in orders.values() if order.billing["email"])

    carts = _walk_orders(still_big, status_id=0, limit=250)
    guests = _walk_orders(still_big, customer_id=0, limit=250)
    mails = _walk_orders(still_big, email=some.billing["email"].upper())

    assert carts == [order.id for order in orders.values() if order.status_id == 0]
    assert guests == [order.id for order in orders.values() if not order.customer_id]
    assert some.id in mails


def test_counts_by_status_agree_with_the_list(still_big: BigClient) -> None:
    """orders/count takes the same filters and has a number for each status."""
    orders = still_big.shop.state.orders.values()
    moment = sorted(order.modified_at for order in orders)[-100]

    body = still_big.get("v2/orders/count", min_date_modified=_zulu(moment)).json()

    counted = {row["id"]: row["count"] for row in body["statuses"] if row["count"]}
    assert counted == Counter(order.status_id for order in orders if order.modified_at >= moment)
    assert body["count"] == sum(counted.values())


def test_lines_come_only_in_the_structure_that_is_asked_for(still_big: BigClient) -> None:
    """Without consignment_structure=object the include is a link; with it the lines are those of /products."""
    number = next(order.id for order in still_big.shop.state.orders.values() if len(order.lines) > 1)
    asked = {"include": "consignments.line_items", "min_id": number, "max_id": number}

    (bare,) = still_big.get("v2/orders", **asked).json()
    (full,) = still_big.get("v2/orders", **asked, consignment_structure="object").json()
    products = still_big.get(f"v2/orders/{number}/products").json()

    parts = [*full["consignments"]["shipping"], *full["consignments"]["downloads"]]
    assert set(bare["consignments"]) == {"url", "resource"}
    assert sorted(line["id"] for part in parts for line in part["line_items"]) == [line["id"] for line in products]


def test_amounts_add_up_as_texts_of_four_decimals(still_big: BigClient) -> None:
    """Lines, shipping and coupon make the total; the refunded amount never tells."""
    rows = still_big.get(
        "v2/orders", limit=250, include="consignments.line_items", consignment_structure="object"
    ).json()

    for row in rows:
        parts = [*row["consignments"]["shipping"], *row["consignments"]["downloads"]]
        lines = sum(float(line["discounted_total_inc_tax"]) for part in parts for line in part["line_items"])
        total = float(row["subtotal_inc_tax"]) + float(row["shipping_cost_inc_tax"]) - float(row["coupon_discount"])
        assert len(row["total_inc_tax"].partition(".")[2]) == 4
        assert row["refunded_amount"] == "0.0000"
        assert float(row["total_inc_tax"]) == pytest.approx(lines + float(row["shipping_cost_inc_tax"]))
        assert float(row["total_inc_tax"]) == pytest.approx(total)


def test_refunds_are_at_their_own_address(still_big: BigClient) -> None:
    """All of them, those of one order, those since a time."""
    refunds = still_big.shop.state.refunds()
    moment = sorted(refund.created_at for refund in refunds)[-3]

    every = still_big.data("v3/orders/payment_actions/refunds", limit=250)
    of_one = still_big.data(f"v3/orders/{refunds[0].order_id}/payment_actions/refunds")
    since = still_big.data("v3/orders/payment_actions/refunds", created__min=_zulu(moment))

    assert [row["id"] for row in every] == [refund.id for refund in refunds]
    assert [round(row["total_amount"] * 100) for row in of_one] == [refunds[0].amount]
    assert len(since) == sum(refund.created_at >= moment for refund in refunds)


def test_subscribers_need_not_be_customers(still_big: BigClient) -> None:
    """Newsletter consent is listed by mailbox; date_modified alone means that very second."""
    state = still_big.shop.state
    known = {row.email.lower() for row in state.accounts.values()}
    row = next(iter(state.subscribers.values()))

    rows = still_big.data("v3/customers/subscribers", limit=250)
    by_mail = still_big.data("v3/customers/subscribers", email=row.email)
    later = _zulu(row.modified_at + timedelta(seconds=1))

    assert any(each["email"].lower() not in known for each in rows)
    assert [each["id"] for each in by_mail] == [row.id]
    assert row.id not in [each["id"] for each in still_big.data("v3/customers/subscribers", date_modified=later)]
    assert row.id in [
        each["id"] for each in still_big.data("v3/customers/subscribers", date_modified__max=later, limit=250)
    ]


def test_the_store_says_who_it_is(still_big: BigClient) -> None:
    """Identity, currency and time zone; the clock is the sandbox's."""
    store, time = still_big.get("v2/store").json(), still_big.get("v2/time").json()["time"]

    assert (store["id"], store["currency"], store["country_code"]) == (B2B.store_hash, "USD", "US")
    assert store["timezone"]["raw_offset"] == -6 * 3600
    assert abs(time - still_big.shop.clock.now().timestamp()) < 10


def test_what_is_not_there(still_big: BigClient) -> None:
    """v2 and v3 word a 404 each in their way; a wrong method is 405."""
    v2, v3 = still_big.get("v2/orders/1"), still_big.get("v3/carts")

    assert (v2.status_code, v3.status_code) == (404, 404)
    assert v2.json()[0]["message"] == v3.json()["title"]
    assert still_big.call("POST", "v2/orders", {}).status_code == 405
