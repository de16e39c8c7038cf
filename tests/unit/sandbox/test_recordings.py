"""The WooCommerce half held against answers recorded from a real server: same statuses, keys, types, totals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.unit.sandbox.client import Client

# Values of these are the merchant's own, of any type, or maps whose keys are data.
_OPAQUE = frozenset({"options", "meta_data[].value", "taxonomies", "enabled_features[]"})

_READS = (
    "cust_01_list_default", "cust_02_list_role_all_by_id", "cust_03_per_page_100", "cust_04_page_beyond_last",
    "cust_05_registered_desc", "cust_06_modified_after_ignored", "cust_10_fields",
    "cust_20_customer_downloads_v3_context_edit",
    "ord_01_list_default", "ord_02_status_any_total", "ord_03_checkout_draft", "ord_04_status_list",
    "ord_05_modified_asc", "ord_12_guest", "ord_17_all_refunds", "ord_19_fields", "ord_20_page_beyond",
    "ord_21_coupon_order", "ord_22_dp", "ord_24_jpy", "ord_33_list_trash", "ord_34_status_any_and_trash",
    "ord_34b_status_list_with_trash", "disc_02_system_status", "disc_03_currency_setting",
    "err_13_customer_unknown_id", "err_14_order_unknown_id", "err_16_unknown_route", "err_17_per_page_101",
    "err_18_per_page_0", "err_19_bad_orderby", "err_20_bad_order_status", "err_21_bad_date",
    "err_27_method_not_allowed",
)  # fmt: skip
_CUSTOMER_WRITES = (
    "push_01_put_meta_new", "push_04_put_same_value_again", "push_05_put_underscore_key_ignored",
    "push_09_meta_missing_key", "push_10_ampersand_names", "push_27_put_readonly_ignored",
    "err_15_put_customer_unknown_id",
    "err_22_malformed_json", "err_23_wrong_type", "err_24_bad_email", "err_28_delete_without_force",
    "cust_22_delete_force",
)  # fmt: skip
_BATCHES = (
    "push_12_batch_update_ok", "push_13_batch_partial_failure", "push_14_batch_101",
    "push_16_batch_mixed_create_delete",
    "push_17_batch_invalid_types", "push_18_batch_update_missing_id", "push_19_batch_empty",
)  # fmt: skip
_UNKNOWN = 99999999


def _load(shared: Path, name: str) -> dict[str, Any]:
    recording: dict[str, Any] = orjson.loads((shared / "recorded" / "woocommerce" / f"{name}.json").read_bytes())
    return recording


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, JSON type) of everything in a value; list places are `[]`, ids in paths do not occur."""
    if any(path.endswith(f".{end}") or path == end for end in _OPAQUE):
        yield path, "opaque"
    elif isinstance(value, dict):
        yield path, "object"
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        yield path, "list"
        for inner in value:
            yield from _leaves(inner, f"{path}[]")
    else:
        yield path, {str: "text", bool: "truth", int: "number", float: "number", type(None): "null"}[type(value)]


def _records(bodies: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for body in bodies:
        yield from body if isinstance(body, list) else [body]


def _keys(body: Any) -> Any:
    """The keys of a body's records, one level deep, and of billing; None for an empty list."""
    record = body[0] if isinstance(body, list) and body else body
    return set(record) if isinstance(record, dict) else None


def _headers(headers: Any) -> set[str]:
    ignored = {"connection", "content-length", "expires", "cache-control", "vary"}
    return {name.lower() for name in headers} - ignored


def _send(client: Client, recording: dict[str, Any], path: str | None = None) -> Any:
    request = recording["request"]
    path = path or request["url"].split("/wp-json/wc/v3/")[1]
    if isinstance(request["body"], str):
        url = client.signed(request["method"], path, **request["params"])
        headers = {"Content-Type": "application/json"}
        return client.session.request(request["method"], url, data=request["body"].encode(), headers=headers, timeout=5)
    return client.call(request["method"], path, request["body"], **request["params"])


@pytest.mark.parametrize("name", _READS)
def test_the_same_read_gets_the_same_status_headers_and_keys(name: str, shared: Path, still: Client) -> None:
    """A read is answered with the recorded status, header names, Allow and keys."""
    recording = _load(shared, name)
    if name == "cust_03_per_page_100":
        recording["request"]["params"]["page"] = 2  # the recorded shop had 21 pages, this one has 3

    answer = _send(still, recording)

    assert answer.status_code == recording["status"]
    assert _headers(answer.headers) == _headers(recording["headers"])
    assert answer.headers.get("Allow") == recording["headers"].get("Allow")
    assert _keys(answer.json()) == _keys(recording["body"])
    if recording["status"] >= 400:
        assert answer.json() == recording["body"]


def test_the_index_says_who_the_site_is(shared: Path, still: Client) -> None:
    """disc_01: anybody may ask the index, which has the recorded keys and types."""
    recording = _load(shared, "disc_01_wp_json_index")
    fields = recording["request"]["params"]["_fields"]

    answer = still.session.get(f"{still.shop.url}/wp-json/?_fields={fields}", timeout=5)

    assert answer.status_code == 200
    assert set(_leaves(answer.json())) == set(_leaves(recording["body"]))
    assert answer.json()["timezone_string"] == recording["body"]["timezone_string"]


@pytest.mark.parametrize("name", ["disc_02_system_status", "disc_03_currency_setting"])
def test_settings_have_the_recorded_keys_and_types(name: str, shared: Path, still: Client) -> None:
    """What the shop says about itself has the recorded keys and types all the way down."""
    recording = _load(shared, name)

    answer = _send(still, recording)

    assert set(_leaves(answer.json())) == set(_leaves(recording["body"]))
    assert set(answer.json().get("options", {})) == set(recording["body"].get("options", {}))


def test_all_customers_have_the_recorded_shape(shared: Path, still: Client) -> None:
    """Every key and type in any recorded customer occurs in the sandbox's, and no other."""
    folder = shared / "recorded" / "woocommerce"
    bodies = [_load(shared, path.stem)["body"] for path in sorted(folder.glob("cust_0[1-7]_*.json"))]
    recorded = [*_records(bodies), _load(shared, "cust_18_admin_no_modified")["body"]]

    ours = [row for page in (1, 2, 3) for row in still.get("customers", role="all", per_page=100, page=page).json()]

    assert len(ours) > 250
    assert _shape(ours) == _shape(recorded) | _meta_shape()


def _shape(records: Iterable[dict[str, Any]]) -> set[tuple[str, str]]:
    return {leaf for record in records for leaf in _leaves(record)}


def _meta_shape() -> set[tuple[str, str]]:
    """Meta data of customers, which only the recordings of one customer show (cust_12)."""
    return set(_leaves({"meta_data": [{"id": 1, "key": "k", "value": "v"}]})) - {("", "object")}


def test_all_orders_have_the_recorded_shape(shared: Path, still: Client) -> None:
    """Every key and type in any recorded order occurs in the sandbox's, and no other."""
    names = ("ord_01_list_default", "ord_03_checkout_draft", "ord_05_modified_asc", "ord_12_guest",
             "ord_14_by_customer", "ord_15_refunded_order", "ord_26_modified_window")  # fmt: skip
    recorded = list(_records(_load(shared, name)["body"] for name in names))

    ours = [row for page in range(1, 10) for row in still.get("orders", per_page=100, page=page).json()]

    assert len(ours) > 800
    assert _shape(ours) == _shape(recorded)


def test_refunds_have_the_recorded_shape(shared: Path, still: Client) -> None:
    """ord_16, ord_17: refunds of one order and of all have the recorded keys and types."""
    of_one, of_all = _load(shared, "ord_16_order_refunds")["body"], _load(shared, "ord_17_all_refunds")["body"]
    refunded = still.ids("orders", status="refunded", per_page=1)[0]

    ours_of_one, ours_of_all = still.get(f"orders/{refunded}/refunds").json(), still.get("refunds", per_page=3).json()

    assert _shape(ours_of_one) == _shape(of_one)
    assert _shape(ours_of_all) == _shape(of_all)


@pytest.mark.parametrize("name", _CUSTOMER_WRITES)
def test_the_same_write_gets_the_same_answer(name: str, shared: Path, client: Client) -> None:
    """A write to a customer is answered with the recorded status, Allow, keys and types."""
    recording = _load(shared, name)
    customer = client.shop.add_customer("ann@example.com", first_name="Ann", role="customer")
    path = recording["request"]["url"].split("/wc/v3/")[1]
    path = path if str(_UNKNOWN) in path else f"customers/{customer}"

    answer = _send(client, recording, path)

    assert answer.status_code == recording["status"]
    assert answer.headers["Allow"] == recording["headers"]["Allow"]
    if recording["status"] >= 400:
        assert answer.json() == recording["body"]
    else:
        assert _shape([answer.json()]) | _meta_shape() == _shape([recording["body"]]) | _meta_shape()


@pytest.mark.parametrize("name", _BATCHES)
def test_the_same_batch_gets_the_same_answer(name: str, shared: Path, client: Client) -> None:
    """A batch is answered with the recorded status, order of results, keys, types and item errors."""
    recording = _load(shared, name)
    ours = {number: client.shop.add_customer(f"c{number}@example.com") for number in (24, 25, 26)}
    client.shop.add_customer("admin@example.test")
    recording["request"]["body"] = _with_ids(recording["request"]["body"], ours)

    answer = _send(client, recording)

    assert answer.status_code == recording["status"]
    assert answer.headers["Allow"] == recording["headers"]["Allow"]
    assert _outline(answer.json(), ours) == _outline(recording["body"], {})


def _with_ids(body: dict[str, Any], ours: dict[int, int]) -> dict[str, Any]:
    """The recorded batch with the sandbox's ids."""
    if "update" not in body:
        return body
    updates = [item | ({"id": ours.get(item["id"], item["id"])} if "id" in item else {}) for item in body["update"]]
    return body | {"update": updates}


def _outline(body: Any, ours: dict[int, int]) -> Any:
    """Results by verb: errors as they are, records by their keys."""
    theirs = {ours_id: number for number, ours_id in ours.items()}
    if not isinstance(body, dict) or "code" in body:
        return body
    return {
        verb: [{**item, "id": theirs.get(item["id"], item["id"])} if "error" in item else set(item) for item in items]
        for verb, items in body.items()
    }


@pytest.mark.parametrize(
    "name",
    ["ord_31_delete_to_trash", "ord_36_delete_force", "push_20_order_meta_underscore", "cart_06_put_draft_order"],
)
def test_the_same_order_write_gets_the_same_answer(name: str, shared: Path, client: Client) -> None:
    """A write to an order is answered with the recorded status, Allow and keys."""
    recording = _load(shared, name)
    order = client.shop.place_order(status="cancelled")

    answer = _send(client, recording, f"orders/{order}")

    assert answer.status_code == recording["status"]
    assert answer.headers["Allow"] == recording["headers"]["Allow"]
    assert set(answer.json()) == set(recording["body"])


@pytest.mark.parametrize(
    ("name", "path"), [("ord_28_create_refund", "orders/<id>/refunds"), ("ord_38_create_order", "orders")]
)
def test_what_is_created_has_the_recorded_shape(name: str, path: str, shared: Path, client: Client) -> None:
    """A created order or refund is answered 201 with a Location and the recorded keys and types."""
    recording = _load(shared, name)
    order = client.shop.place_order(status="completed")

    answer = _send(client, recording, path.replace("<id>", str(order)))

    assert answer.status_code == recording["status"]
    assert "Location" in answer.headers
    links = {leaf for leaf in _shape([recording["body"]]) if "customer[]" not in leaf[0]}
    assert {leaf for leaf in _shape([answer.json()]) if "customer[]" not in leaf[0]} == links


def test_trashed_and_deleted_orders_answer_as_recorded(shared: Path, client: Client) -> None:
    """ord_32, ord_35, ord_37: a trashed order can be read, deleted again it is 410, deleted for good 404."""
    order = client.shop.place_order()
    client.delete(f"orders/{order}")

    trashed, again = client.get(f"orders/{order}"), client.delete(f"orders/{order}")
    client.delete(f"orders/{order}", force="true")
    gone = client.get(f"orders/{order}")

    assert trashed.json()["status"] == _load(shared, "ord_32_get_trashed")["body"]["status"]
    assert again.json() == _load(shared, "ord_35_delete_again")["body"]
    assert gone.json() == _load(shared, "ord_37_get_deleted")["body"]
