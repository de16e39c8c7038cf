"""What memory a bulk backfill takes: `python bench/shopify_bulk.py [--orders 20000 200000]`.

Serves a file of so many orders from a process of its own, walks it in another, orders mapped as a backfill maps them,
and prints records, seconds and peak memory; last, how much more memory the last walk took than the first.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import resource
import tempfile
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copyfileobj
from typing import Any

import orjson
import structlog

from syncd.clock import SystemClock
from syncd.connectors.shopify.connector import Shopify
from syncd.connectors.shopify.dialect import ShopifyConfig
from syncd.mapping import content_hash, mapper_for
from syncd.mapping.base import MapperOptions
from syncd.model import Stream, Window

LINES = 3  # of each order
OPERATION = "gid://shopify/BulkOperation/1"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, nargs="+", default=[20_000, 200_000])
    peaks = [_measured(count) for count in parser.parse_args().orders]
    print(f"last against first: {peaks[-1] / peaks[0] - 1:+.1%}")


def _measured(count: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "orders.jsonl"
        _write(file, count)
        spawn = multiprocessing.get_context("spawn")
        mine, theirs = spawn.Pipe()
        shop = spawn.Process(target=_serve, args=(file, count, theirs), daemon=True)
        shop.start()
        walker = spawn.Process(target=_walk, args=(mine.recv(), theirs))
        walker.start()
        records, seconds, peak_mb = mine.recv()
        walker.join()
        shop.terminate()
    print(f"{records:,} orders in {seconds:.1f} s, {records / seconds:,.0f} a second, {peak_mb:.1f} MB")
    return float(peak_mb)


def _walk(url: str, pipe: Any) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    config = ShopifyConfig.model_validate({"url": "bench", "base_url": url, "auth": {"token": "shpat_bench"}})
    connector, mapper = Shopify(config, store_id="bench", clock=SystemClock()), mapper_for("shopify", MapperOptions())
    started_s, records = time.monotonic(), 0
    for page in connector.pull(Stream.ORDERS, Window()):
        for record in page.records:
            content_hash(mapper.to_unified(Stream.ORDERS, record), frozenset())
        records += len(page.records)
    connector.close()
    pipe.send((records, time.monotonic() - started_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def _write(file: Path, count: int) -> None:
    with file.open("wb") as written:
        for number in range(1, count + 1):
            for row in _rows(number):
                written.write(orjson.dumps(row).replace(b"/", b"\\/") + b"\n")


def _rows(number: int) -> list[dict[str, Any]]:
    bag = {"shopMoney": {"amount": "19.9", "currencyCode": "USD"}}
    order_id, at = f"gid://shopify/Order/{number}", "2026-03-01T12:00:00Z"
    address = {"id": f"gid://shopify/MailingAddress/{number}", "firstName": "Ann", "lastName": "Lee", "city": "Ulm"}
    amounts = ("totalPriceSet", "totalTaxSet", "totalShippingPriceSet", "totalDiscountsSet", "totalRefundedSet")
    order = {
        "id": order_id,
        "name": f"#{number}",
        **dict.fromkeys(("createdAt", "updatedAt", "processedAt"), at),
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "FULFILLED",
        "currencyCode": "USD",
        "email": f"ann{number}@example.com",
        "customer": {"id": f"gid://shopify/Customer/{number % 5000 + 1}", "firstName": "Ann", "lastName": "Lee"},
        "billingAddress": address,
        "shippingAddress": address,
        **dict.fromkeys(amounts, bag),
        "refunds": [],
        "discountCodes": [],
    }
    prices = {"originalTotalSet": bag, "discountedTotalSet": bag, "taxLines": [{"priceSet": bag}]}
    lines = [
        {"id": f"gid://shopify/LineItem/{number * LINES + line}", "name": "Mug", "quantity": 1, **prices}
        for line in range(LINES)
    ]
    return [order, *({**line, "__parentId": order_id} for line in lines)]


def _serve(file: Path, count: int, pipe: Any) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Shop, file, count))
    pipe.send(f"http://127.0.0.1:{server.server_port}")
    server.serve_forever()


class _Shop(BaseHTTPRequestHandler):
    """Answers what a bulk backfill asks for."""

    protocol_version = "HTTP/1.1"

    def __init__(self, file: Path, count: int, *arguments: Any) -> None:
        self._file = file
        self._count = count
        super().__init__(*arguments)

    def do_POST(self) -> None:
        """Answer a document."""
        query = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))["query"]
        body = orjson.dumps({"data": self._data(query)})
        self._begin(len(body), "application/json")
        self.wfile.write(body)

    def do_GET(self) -> None:
        """Serve the file."""
        self._begin(self._file.stat().st_size, "application/jsonl")
        with self._file.open("rb") as read:
            copyfileobj(read, self.wfile)

    def _begin(self, size: int, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        self.end_headers()

    def _data(self, query: str) -> dict[str, Any]:
        shown = {
            "id": OPERATION,
            "status": "COMPLETED",
            "createdAt": "2026-03-01T12:00:00Z",
            "objectCount": str(self._count * (LINES + 1)),
            "rootObjectCount": str(self._count),
            "url": f"http://{self.headers['Host']}/orders.jsonl",
        }
        if "bulkOperationRunQuery" in query:
            return {"bulkOperationRunQuery": {"bulkOperation": shown, "userErrors": []}}
        if "bulkOperation(" in query:
            return {"bulkOperation": shown}
        if "accessScopes" in query:
            return {"currentAppInstallation": {"accessScopes": [{"handle": "read_all_orders"}]}}
        page = {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "x"}}
        return {"orders": page, "ordersCount": {"count": self._count, "precision": "EXACT"}}

    def log_message(self, *_: object) -> None:
        """Keep silent."""


if __name__ == "__main__":
    main()
