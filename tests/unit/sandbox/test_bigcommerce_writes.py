"""BigCommerce's writes, rights and limits, and what its merchants and shoppers do."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from syncd.sandbox import B2B, Fault, FaultKind, Sandbox, SandboxClock, SandboxOptions
from tests.unit.sandbox.bigcommerce_client import BigClient

_VALUES = "v3/customers/attribute-values"


def _tag(client: BigClient, name: str = "syncd_tag_vip") -> int:
    """The id of a new attribute."""
    answer = client.call("POST", "v3/customers/attributes", [{"name": name, "type": "string"}])
    number: int = answer.json()["data"][0]["id"]
    return number


def test_a_value_is_written_read_and_removed(big: BigClient) -> None:
    """Written as `value`, read as `attribute_value`, written again it keeps its id, removed by id it is gone."""
    number = _tag(big)
    first = big.put_values((1, number, "VIP"), (2, number, "VIP")).json()["data"]
    again = big.put_values((1, number, "Very important")).json()["data"]

    read = big.data(_VALUES, attribute_id__in=number, customer_id__in="1,2")
    gone = big.call("DELETE", _VALUES, id__in=read[1]["id"])

    assert [row["attribute_value"] for row in read] == ["Very important", "VIP"]
    assert again[0]["id"] == first[0]["id"]
    assert gone.status_code == 204
    assert [row["customer_id"] for row in big.data(_VALUES, attribute_id__in=number)] == [1]
    assert big.data("v3/customers", id__in=1, include="attributes")[0]["attributes"][-1]["attribute_id"] == number


def test_a_value_does_not_move_the_customer(big: BigClient) -> None:
    """Neither attribute values nor addresses count as a change of the customer; a PUT does."""
    before = big.data("v3/customers", id__in=1)[0]["date_modified"]
    big.put_values((1, _tag(big), "VIP"))
    big.shop.add_address(1, street="1 Quay", city="Dayton")

    untouched = big.data("v3/customers", id__in=1)[0]
    big.call("PUT", "v3/customers", [{"id": 1, "first_name": "Zed"}])

    assert untouched["date_modified"] == before
    assert untouched["address_count"] == len(big.shop.state.accounts[1].addresses)
    assert big.data("v3/customers", id__in=1)[0]["date_modified"] > before


def test_a_delete_without_ids_does_nothing(big: BigClient) -> None:
    """204 and everything is still there."""
    count = len(big.shop.state.values)

    answer = big.call("DELETE", _VALUES)

    assert answer.status_code == 204
    assert len(big.shop.state.values) == count > 0


def test_a_batch_is_all_or_nothing(big: BigClient) -> None:
    """One unknown customer, one unknown attribute or one long text refuses its whole batch, named by row."""
    number = _tag(big)

    refusals = [
        big.put_values((1, number, "VIP"), wrong)
        for wrong in ((999_999, number, "VIP"), (2, 999_999, "VIP"), (2, number, "x" * 256))
    ]

    assert [answer.status_code for answer in refusals] == [422, 422, 422]
    assert [set(answer.json()["errors"]) for answer in refusals] == [{"1.customer_id"}, {"1.attribute_id"}, {"1.value"}]
    assert big.data(_VALUES, attribute_id__in=number) == []


def test_eleven_are_too_many(big: BigClient) -> None:
    """Ten items a call, for customers and for attribute values."""
    number = _tag(big)

    values = big.put_values(*((who, number, "VIP") for who in range(1, 12)))
    people = big.call("PUT", "v3/customers", [{"id": who, "notes": "x"} for who in range(1, 12)])

    assert (values.status_code, people.status_code) == (413, 413)
    assert "10" in people.json()["title"]
    assert big.put_values(*((who, number, "VIP") for who in range(1, 11))).status_code == 200


def test_a_store_has_fifty_attributes(big: BigClient) -> None:
    """The fifty-first and a second of one name are refused; deleting one takes its values along."""
    made = [_tag(big, f"tag {number}") for number in range(len(big.shop.state.attributes), 50)]
    body = [{"name": "one more", "type": "string"}]
    full = big.call("POST", "v3/customers/attributes", body)
    big.put_values((1, made[0], "VIP"))
    big.call("DELETE", "v3/customers/attributes", id__in=made[0])
    twin = big.call("POST", "v3/customers/attributes", [{"name": "tag 10", "type": "string"}])

    assert (full.status_code, twin.status_code) == (422, 422)
    assert made[0] not in {value.attribute_id for value in big.shop.state.values.values()}
    assert big.call("POST", "v3/customers/attributes", body).status_code == 200


def test_a_customer_keeps_a_mailbox_of_its_own_on_its_channel(big: BigClient) -> None:
    """Another's e-mail is refused on the same channel and fine on the other one."""
    taken = big.shop.state.accounts[1].email
    big.shop.add_customer(taken, channel_id=3)

    refused = big.call("PUT", "v3/customers", [{"id": 2, "email": taken}])

    assert refused.status_code == 422
    assert list(refused.json()["errors"]) == ["0.email"]
    with pytest.raises(ValueError, match="channel 1"):
        big.shop.add_customer(taken.upper())


@pytest.mark.parametrize("body", [{"id": 1}, [1], [{"notes": "x"}], [{"id": 1, "customer_group_id": "x"}]])
def test_bodies_that_are_no_list_of_customers(big: BigClient, body: object) -> None:
    """What is not a list of objects with known ids and right types is a 422."""
    assert big.call("PUT", "v3/customers", body).status_code == 422


def test_a_body_that_is_no_json(big: BigClient) -> None:
    """Broken JSON is 400, another content type 415."""
    url = f"{big.shop.url}/stores/{big.shop.store_hash}/v3/customers"
    token = {"X-Auth-Token": big.shop.credentials["admin"].access_token}

    broken = big.session.put(url, b"[{", headers={**token, "Content-Type": "application/json"}, timeout=5)
    form = big.session.put(url, {"id": 1}, headers=token, timeout=5)

    assert (broken.status_code, form.status_code) == (400, 415)


@pytest.mark.parametrize(
    ("token", "statuses"),
    [
        ("admin", [200, 200, 200, 200, 200]),
        ("read_only", [200, 200, 200, 200, 403]),
        ("customers_only", [403, 200, 403, 403, 200]),
        ("orders_only", [200, 403, 200, 200, 403]),
        ("nothing", [403, 403, 403, 403, 403]),
    ],
)
def test_each_scope_opens_its_own(big: BigClient, token: str, statuses: list[int]) -> None:
    """A missing scope is 403, for reading and for writing apart."""
    caller = big.with_token(token)

    answers = [
        caller.get("v2/store"),
        caller.get("v3/customers"),
        caller.get("v2/orders"),
        caller.get("v3/orders/payment_actions/refunds"),
        caller.call("PUT", "v3/customers", [{"id": 1, "notes": "x"}]),
    ]

    assert [answer.status_code for answer in answers] == statuses
    assert caller.get("v2/time").status_code == 200


def test_a_wrong_token_or_store_is_nobody(big: BigClient) -> None:
    """401, and it says nothing of the store's quota."""
    url = f"{big.shop.url}/stores/{big.shop.store_hash}/v3/customers"
    right = {"X-Auth-Token": big.shop.credentials["admin"].access_token}

    answers = [
        big.session.get(url, timeout=5),
        big.session.get(url, headers={"X-Auth-Token": "x"}, timeout=5),
        big.session.get(url.replace(big.shop.store_hash, "another"), headers=right, timeout=5),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert answers[0].json()["title"] == "X-Auth-Token header is required"
    assert "X-Rate-Limit-Requests-Left" not in answers[1].headers


def test_the_quota_is_told_used_up_and_renewed() -> None:
    """150 requests in 30 seconds; then 429 until the window is over, told in every answer."""
    clock = SandboxClock(frozen=True)
    with Sandbox(SandboxOptions(sites=[B2B], scale=0.05), clock=clock) as sandbox:
        caller = BigClient(sandbox.shops["b2b"])
        clock.advance(10)
        answers = [caller.get("v2/time") for _ in range(151)]
        clock.advance(20)
        renewed = caller.get("v2/time")
        caller.close()

    headers = answers[-1].headers
    assert [answer.status_code for answer in answers] == [200] * 150 + [429]
    assert answers[0].headers["X-Rate-Limit-Requests-Left"] == "149"
    assert headers["X-Rate-Limit-Requests-Quota"] == "150"
    assert headers["X-Rate-Limit-Time-Window-Ms"] == "30000"
    assert headers["X-Rate-Limit-Time-Reset-Ms"] == "20000"
    assert renewed.status_code == 200


def test_a_429_may_come_without_a_word(big: BigClient) -> None:
    """Under platform load the refusal has no quota headers."""
    big.shop.set_quota(1, is_silent=True)
    good, bad = big.get("v2/time"), big.get("v2/time")

    assert (good.status_code, bad.status_code) == (200, 429)
    assert not [name for name in bad.headers if name.lower().startswith("x-rate-limit")]


def test_only_three_writes_at_once(big: BigClient) -> None:
    """The fourth write under way is 429; one after the other they all pass."""
    number = _tag(big)
    big.shop.slots.seconds = 0.5
    start, statuses = threading.Barrier(5), []

    def write(who: int) -> None:
        caller = BigClient(big.shop)
        start.wait()
        statuses.append(caller.put_values((who, number, "VIP")).status_code)
        caller.close()

    threads = [threading.Thread(target=write, args=(who,)) for who in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    big.shop.slots.seconds = 0.0
    after = [big.put_values((who, number, "VIP")).status_code for who in range(1, 6)]

    assert sorted(statuses) == [200, 200, 200, 429, 429]
    assert after == [200] * 5


def test_an_edit_moves_the_order_and_a_refund_its_status(big: BigClient) -> None:
    """A part given back makes it Partially Refunded, the rest Refunded; its amounts stay as they were."""
    number = big.shop.place_order(items=[(77, 2)], billing={"email": "ann@example.com"})
    total = big.get(f"v2/orders/{number}").json()["total_inc_tax"]
    placed = big.get(f"v2/orders/{number}").json()["date_modified"]
    big.shop.clock.advance(60)

    big.shop.refund(number, 500)
    part = big.get(f"v2/orders/{number}").json()
    big.shop.refund(number)
    whole = big.get(f"v2/orders/{number}").json()

    refunds = big.data(f"v3/orders/{number}/payment_actions/refunds")
    assert (part["status_id"], whole["status"]) == (14, "Refunded")
    assert part["date_modified"] != placed
    assert whole["total_inc_tax"] == part["total_inc_tax"] == total
    assert sum(row["total_amount"] for row in refunds) == pytest.approx(float(total))
    assert refunds[0]["items"][0]["item_type"] == "ORDER"


def test_an_archived_order_is_marked_and_may_be_left_out_of_lists(big: BigClient) -> None:
    """DELETE archives: it is still there by its id, and in lists only where the store lists such."""
    number = big.shop.place_order()

    status = big.call("DELETE", f"v2/orders/{number}").status_code
    listed = big.get("v2/orders", min_id=number).json()
    big.shop.state.lists_archived = False

    assert status == 204
    assert listed[0]["is_deleted"]
    assert big.get("v2/orders", min_id=number).status_code == 204
    assert big.get(f"v2/orders/{number}").json()["is_deleted"]


def test_an_incomplete_order_vanishes_or_becomes_the_order(big: BigClient) -> None:
    """Paid it keeps its id, begun again it is gone; an order does not vanish so."""
    kept, gone = big.shop.open_incomplete(), big.shop.open_incomplete()

    big.shop.complete_incomplete(kept)
    big.shop.drop_incomplete(gone)

    assert big.get(f"v2/orders/{kept}").json()["status_id"] == 11
    assert big.get(f"v2/orders/{gone}").status_code == 404
    with pytest.raises(ValueError, match="incomplete"):
        big.shop.drop_incomplete(kept)


def test_a_deleted_customer_leaves_guest_orders(big: BigClient) -> None:
    """The account and its values are gone, its orders stay and count as modified."""
    who = big.shop.add_customer("ann@example.com")
    number = big.shop.place_order(customer_id=who)
    big.shop.set_attribute(who, "Company size", "1-9")
    big.shop.clock.advance(60)

    big.shop.delete_customer(who)

    order = big.shop.state.orders[number]
    assert order.customer_id == 0
    assert order.modified_at - order.created_at >= timedelta(seconds=60)
    assert not big.data("v3/customers", id__in=who)
    assert not big.data(_VALUES, customer_id__in=who)


def test_who_subscribes_and_who_leaves(big: BigClient) -> None:
    """Subscribing again changes the one there is; leaving takes it away."""
    first = big.shop.subscribe("ann@example.com", consents=["abandoned_cart"])
    again = big.shop.subscribe("ANN@example.com", consents=["marketing_newsletter"])
    consents = big.data("v3/customers/subscribers", email="ann@example.com")[0]["consents"]

    big.shop.unsubscribe("Ann@example.com")

    assert first == again
    assert consents == ["marketing_newsletter"]
    assert not big.data("v3/customers/subscribers", email="ann@example.com")


def test_the_truth_holds_accounts_guest_orders_and_guest_carts(big: BigClient) -> None:
    """Who is who by record id; an account's orders are its own and not named."""
    who = big.shop.add_customer("ann@example.com", person_id="P1")
    owned, guest = big.shop.place_order(customer_id=who), big.shop.place_order(person_id="P1")
    cart = big.shop.open_incomplete(person_id="P2")

    rows = dict(big.shop.truth())

    assert rows[f"b2b:account:{who}"] == rows[f"b2b:order:{guest}"] == "P1"
    assert rows[f"b2b:cart:order:{cart}"] == "P2"
    assert not {f"b2b:order:{owned}", f"b2b:order:{cart}"} & rows.keys()


def test_scripted_faults_work_here_too(big: BigClient) -> None:
    """A row taken out of a v3 list, a filter overlooked in v2, a change between two pages."""
    big.shop.faults.add(Fault(kind=FaultKind.DROP_ROW, path="v3/customers", row=0))
    big.shop.faults.add(Fault(kind=FaultKind.IGNORE_FILTER, path="v2/orders", params=("min_id",)))

    short = big.get("v3/customers", limit=5).json()
    overlooked = big.ids("v2/orders", min_id=10**6)

    assert len(short["data"]) == 4
    assert short["meta"]["pagination"]["count"] == 5
    assert overlooked


def test_a_second_terminal_acts_as_the_merchant(big: BigClient) -> None:
    """Every action is a POST to the sandbox's own endpoint."""
    base = f"{big.shop.url}/_sandbox"
    number = big.session.post(f"{base}/place_order", json={"status_id": 7}, timeout=5).json()["result"]

    wrong = big.session.post(f"{base}/edit_order", json={"order_id": number, "billing": {"shoe": "42"}}, timeout=5)

    assert big.shop.state.orders[number].status_id == 7
    assert "shoe" in wrong.json()["error"]
    assert big.session.get(base, timeout=5).json()["subscribers"] == len(big.shop.state.subscribers)
