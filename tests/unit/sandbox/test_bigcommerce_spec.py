"""BigCommerce held against its published specifications: every answer, and every request that is meant well."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from syncd.sandbox import B2B, Sandbox, SandboxOptions
from tests.unit.sandbox.bigcommerce_client import BigClient

# The files leave out most refusals, but where they word one its body is judged.
_MEANT_BADLY = (r"--ignore=^request", r"--ignore=status 4\d\d is not among")
_LINES = {"include": "consignments.line_items", "consignment_structure": "object"}


def _read_everything(client: BigClient) -> None:
    """Every list, with every include and many filters."""
    everything = "addresses,storecredit,attributes,formfields,shopper_profile_id,segment_ids"
    since = "2020-01-01T00:00:00Z"
    client.get("v2/store")
    client.get("v2/time")
    first = client.get("v3/customers", limit=250, include=everything).json()
    client.get("v3/customers", limit=250, after=first["meta"]["cursor_pagination"]["end_cursor"])
    client.get("v3/customers", date_modified__min=since, date_created__max="2026-01-01T00:00:00Z", sort="last_name:asc")
    client.get("v3/customers", id__in="1,2,3", email__in="ann@example.com,bob@example.com", page=2)
    for path in ("addresses", "attributes", "attribute-values", "subscribers"):
        client.get(f"v3/customers/{path}", limit=250)
    client.get("v3/customers/attribute-values", attribute_id__in="1,2", customer_id__in="1,2", date_modified__min=since)
    client.get("v3/customers/subscribers", email="ann@example.com", date_modified__min=since)
    client.get("v3/orders/payment_actions/refunds", limit=250, created__min=since)


def _read_orders(client: BigClient) -> None:
    """Orders in all their shapes, by list and one by one."""
    orders = client.shop.state.orders.values()
    refunded = next(order for order in orders if order.refunds)
    client.get("v2/orders", limit=250, min_id=1, sort="id:asc", **_LINES)
    client.get("v2/orders", limit=250, include="consignments,fees", consignment_structure="object")
    client.get("v2/orders", min_date_modified="2020-01-01T00:00:00Z", sort="date_modified:desc", limit=250)
    client.get("v2/orders", status_id=0, customer_id=0, email="ann@example.com")
    client.get("v2/orders", page=99)
    client.get("v2/orders/count", min_date_modified="Thu,%2020%20Apr%202017%2011:32:00%20-0400")
    client.get(f"v2/orders/{refunded.id}", **_LINES)
    client.get(f"v2/orders/{refunded.id}/products")
    client.get(f"v3/orders/{refunded.id}/payment_actions/refunds")
    client.get("v2/orders/1")


def _write(client: BigClient) -> None:
    """Attributes, their values, customers, an order put away."""
    body = [{"name": "syncd_tag_vip", "type": "string"}]
    number = client.call("POST", "v3/customers/attributes", body).json()["data"][0]["id"]
    client.put_values(*((who, number, "VIP") for who in range(1, 11)))
    values = client.data("v3/customers/attribute-values", attribute_id__in=number)
    client.call("DELETE", "v3/customers/attribute-values", id__in=",".join(str(row["id"]) for row in values))
    client.call("DELETE", "v3/customers/attributes", id__in=number)
    client.call("PUT", "v3/customers", [{"id": 1, "first_name": "Zed"}, {"id": 2, "notes": "x"}])
    client.call("DELETE", f"v2/orders/{client.shop.place_order()}")


def _misbehave(client: BigClient) -> None:
    """One of each refusal."""
    client.with_token("nothing").get("v3/customers")
    client.with_token("nothing").get("v2/orders")
    client.get("v3/customers", min_id=1)
    client.get("v3/customers", limit=251)
    client.get("v3/customers", date_modified__min="2026-01-01")
    client.get("v2/orders", limit=251)
    client.get("v2/orders", min_date_modified="yesterday")
    client.put_values((1, 999_999, "VIP"))
    client.put_values(*((who, 1, "x") for who in range(1, 12)))
    client.call("PUT", "v3/customers", [{"id": 999_999}])
    client.call("PUT", "v3/customers", [{"id": who} for who in range(1, 12)])
    client.call("POST", "v3/customers/attributes", [{"name": "", "type": "colour"}])
    client.call("DELETE", "v3/customers/attribute-values")
    client.shop.set_quota(0)
    client.get("v3/customers")
    client.get("v2/orders")


@pytest.mark.parametrize(
    ("act", "excuses"),
    [(_read_everything, ()), (_read_orders, ()), (_write, ()), (_misbehave, _MEANT_BADLY)],
    ids=["lists", "orders", "writes", "refusals"],
)
def test_no_exchange_departs_from_the_specifications(
    act: Callable[[BigClient], None], excuses: tuple[str, ...], shared: Path, tmp_path: Path
) -> None:
    """The judge reads the sandbox's own log and finds nothing wrong."""
    pytest.importorskip("openapi_schema_validator", reason="the judge needs openapi-schema-validator")
    log = tmp_path / "log.jsonl"
    with Sandbox(SandboxOptions(sites=[B2B], scale=0.5, log=log)) as sandbox:
        caller = BigClient(sandbox.shops["b2b"])
        act(caller)
        caller.close()

    judge = [sys.executable, str(shared / "tools" / "check_openapi.py"), "--specs", str(shared / "specs/bigcommerce")]
    verdict = subprocess.run([*judge, *excuses, str(log)], capture_output=True, text=True, check=False)

    assert (verdict.returncode, verdict.stdout) == (0, ""), verdict.stderr
