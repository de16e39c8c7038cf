"""Who gets in: OAuth really verified, Basic ignored over http, what each key may do."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import requests

from syncd.sandbox import Sandbox, SandboxOptions, well_known_key
from tests.unit.sandbox.client import Client

_AUTHENTICATION = "woocommerce_rest_authentication_error"


def _refusal(answer: requests.Response) -> tuple[int, str, str]:
    body: dict[str, Any] = answer.json()
    return answer.status_code, body["code"], body["message"]


def _get(client: Client, url: str, **more: Any) -> requests.Response:
    return client.session.get(url, timeout=5, **more)


def test_a_signature_is_verified(still: Client) -> None:
    """A changed parameter breaks the signature, as following an OAuth next link does."""
    followed = still.get("customers", per_page=3).links["next"]["url"]

    answer = _get(still, followed)

    assert _refusal(answer) == (401, _AUTHENTICATION, "Invalid signature - provided signature does not match.")


def test_a_nonce_is_good_once(still: Client) -> None:
    """The same signed request twice is refused the second time."""
    url = still.signed("GET", "customers", per_page=1)

    first, second = _get(still, url), _get(still, url)

    assert first.status_code == 200
    assert _refusal(second) == (401, _AUTHENTICATION, "Invalid nonce - nonce has already been used.")


@pytest.mark.parametrize(("skew_s", "status"), [(-899, 200), (-901, 401), (901, 401)])
def test_a_timestamp_may_be_off_by_a_quarter_of_an_hour(skew_s: int, status: int, client: Client) -> None:
    """Requests signed more than 15 minutes before or after the shop's time are refused."""
    url = client.signed("GET", "customers")
    client.shop.clock.advance(-skew_s)

    answer = _get(client, url)

    assert answer.status_code == status
    assert status == 200 or _refusal(answer) == (401, _AUTHENTICATION, "Invalid timestamp.")


def test_an_unknown_key_and_a_wrong_secret_are_told_apart(still: Client) -> None:
    """Both are 401 with their own words."""
    wrong = still.signed("GET", "customers").replace(still.key.consumer_key, "ck_" + "0" * 40)
    other = Client(still.shop, "admin", still.session)
    unsigned = other.signed("GET", "customers").replace("oauth_signature=", "oauth_signature=x")

    answers = _get(still, wrong), _get(still, unsigned)

    assert _refusal(answers[0])[2] == "Consumer key is invalid."
    assert _refusal(answers[1])[2] == "Invalid signature - provided signature does not match."


def test_basic_over_http_is_ignored(still: Client) -> None:
    """A right key and secret by Basic over http count as no credentials at all."""
    auth = (still.key.consumer_key, still.key.consumer_secret)

    with_basic = _get(still, f"{still.shop.url}/wp-json/wc/v3/customers", auth=auth)
    without = _get(still, f"{still.shop.url}/wp-json/wc/v3/customers")

    assert _refusal(with_basic) == _refusal(without)
    assert _refusal(without) == (401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")


def test_keys_are_told_by_their_permissions(still: Client) -> None:
    """A read-only key writes nothing, a write-only key reads nothing: 401, not 403."""
    put = still.with_key("read_only").put("customers/3", {})
    get = still.with_key("write_only").get("customers")

    assert _refusal(put) == (401, _AUTHENTICATION, "The API key provided does not have write permissions.")
    assert _refusal(get) == (401, _AUTHENTICATION, "The API key provided does not have read permissions.")


def test_a_customers_key_is_known_and_forbidden(still: Client) -> None:
    """A valid key whose owner is only a customer gets 403."""
    answer = still.with_key("customer").get("customers")

    assert _refusal(answer) == (403, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")


def test_a_shop_managers_key_sees_no_meta_data_and_edits_customers_only(client: Client) -> None:
    """A shop manager reads customers without meta_data, writes it all the same, but not to staff nor in batches."""
    manager = client.with_key("shop_manager")
    number = client.shop.add_customer("ann@example.com")

    seen = manager.get(f"customers/{number}")
    written = manager.put(f"customers/{number}", {"meta_data": [{"key": "k", "value": "v"}]})
    staff = manager.put("customers/1", {"first_name": "Root"})
    batch = manager.post("customers/batch", {"update": [{"id": number}]})

    assert "meta_data" not in seen.json()
    assert seen.headers["Allow"] == "GET, POST, PUT, PATCH"
    assert written.status_code == 200
    assert [row["key"] for row in client.get(f"customers/{number}").json()["meta_data"]] == ["k"]
    assert (staff.status_code, batch.status_code) == (403, 403)


def test_rest_route_never_authenticates(still: Client) -> None:
    """The plain-permalink style finds the API, but no key counts there."""
    answer = _get(still, f"{still.shop.url}/?rest_route=/wc/v3/customers")
    index = _get(still, f"{still.shop.url}/?rest_route=/")

    assert _refusal(answer)[:2] == (401, "woocommerce_rest_cannot_view")
    assert "wc/v3" in index.json()["namespaces"]


def test_plain_permalinks_hide_the_api(client: Client) -> None:
    """A shop with plain permalinks answers pretty addresses with an HTML 404."""
    client.shop.state.plain_permalinks = True

    answer = client.get("customers")

    assert answer.status_code == 404
    assert "html" in answer.headers["Content-Type"]


def test_the_well_known_keys_stay_what_they_are() -> None:
    """The example configuration holds these keys; they have the vendor's shape."""
    key = well_known_key("us-woo", "admin")

    assert key.consumer_key == "ck_" + hashlib.sha256(b"sandbox us-woo admin key").hexdigest()[:40]
    assert key.consumer_key == "ck_0eb83628a36f82fb6c359107997ee1357b8b1e43"
    assert len(key.consumer_secret) == 43


def test_a_signature_with_an_array_parameter_counts_its_places(still: Client) -> None:
    """`status[]` is signed as `status[0]`, so a client that signs the name it sends is refused."""
    answer = still.call("GET", "orders?status[]=pending")

    assert _refusal(answer)[:2] == (401, _AUTHENTICATION)


def test_two_sandboxes_of_one_seed_are_equal() -> None:
    """The same seed and time make the same shops."""
    from datetime import UTC, datetime

    from syncd.sandbox import SandboxClock

    start = datetime(2026, 3, 1, tzinfo=UTC)
    made = [
        Sandbox(SandboxOptions(seed=7, scale=0.1), clock=SandboxClock(start, frozen=True)).shops["eu-woo"].state
        for _ in range(2)
    ]

    assert made[0].accounts == made[1].accounts
    assert made[0].orders == made[1].orders
