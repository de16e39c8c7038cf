"""What a walk costs a WooCommerce shop: `python bench/walk.py [--scale 22] [--latency-ms 200] [--workers 1 2 4]`.

Serves a practice shop in a process of its own that takes its time over every answer, and walks each stream with so
many requests at once. Prints records, requests against the fewest there could be, seconds against the fewest, and
peak memory.
"""

from __future__ import annotations

import argparse
import logging
import math
import multiprocessing
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from syncd.clock import SystemClock
from syncd.connectors.woocommerce.connector import PAGE_SIZES, WooCommerce
from syncd.connectors.woocommerce.dialect import WooCommerceConfig
from syncd.model import Stream, Window
from syncd.sandbox import Fault, FaultKind, Sandbox, SandboxOptions
from syncd.sandbox.server import SITES


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=22.0)
    parser.add_argument("--latency-ms", type=float, default=200.0)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    chosen = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with _served(chosen.scale, chosen.latency_ms / 1000) as (address, ask_count):
        for workers in chosen.workers:
            for stream in Stream:
                print(
                    f"workers {workers}  {stream:<10}", _walked(address, ask_count, workers, stream, chosen.latency_ms)
                )
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000} MB")


def _walked(address: dict[str, Any], ask_count: Any, workers: int, stream: Stream, latency_ms: float) -> str:
    config = WooCommerceConfig.model_validate({**address, "http": {"concurrency": workers}})
    connector = WooCommerce(config, store_id="shop", clock=SystemClock())
    before, started_s = ask_count(), time.monotonic()
    records = sum(len(page.records) for page in connector.pull(stream, Window()))
    seconds, requests = time.monotonic() - started_s, ask_count() - before
    connector.close()
    fewest = math.ceil(records / PAGE_SIZES[0])
    least_s = math.ceil(fewest / workers) * latency_ms / 1000
    return (
        f"records {records:,}  requests {requests} of {fewest} ({requests / fewest:.3f})  "
        f"seconds {seconds:.1f} of {least_s:.1f} ({seconds / max(least_s, 0.001):.2f})"
    )


@contextmanager
def _served(scale: float, latency_s: float) -> Iterator[tuple[dict[str, Any], Any]]:
    mine, theirs = multiprocessing.Pipe()
    shop = multiprocessing.Process(target=_serve, args=(scale, latency_s, theirs), daemon=True)
    shop.start()

    def ask_count() -> int:
        mine.send("count")
        return int(mine.recv())

    yield mine.recv(), ask_count
    mine.send("stop")
    shop.join()


def _serve(scale: float, latency_s: float, pipe: Any) -> None:
    with Sandbox(SandboxOptions(scale=scale, sites=SITES[:1])) as sandbox:
        shop = sandbox.shops["us-woo"]
        shop.faults.add(Fault(kind=FaultKind.STALL, seconds=latency_s, times=None))
        key = shop.credentials["admin"]
        auth = {"consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret}
        pipe.send({"url": shop.url, "auth": auth})
        while pipe.recv() == "count":
            pipe.send(len(shop.history))


if __name__ == "__main__":
    main()
