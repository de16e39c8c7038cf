"""A platform that shows recent records only: what it no longer shows is neither deleted nor complete."""

from __future__ import annotations

import threading
from datetime import timedelta

from syncd.identity import FirstResolver
from syncd.mapping import mapper_for
from syncd.mapping.base import MapperOptions
from syncd.model import Stream
from syncd.store import Database
from syncd.sync import Ask, Source, Tools, run_stream
from tests.clock import ManualClock
from tests.shopify import config_of, opened, shopify_to


def test_orders_that_grow_too_old_to_be_shown_stay(sqlite_url: str) -> None:
    """Two months on, a sweep that is shown none of the stored orders marks none as deleted."""
    clock, resolver = ManualClock(), FirstResolver(blocked=(), max_names=6)
    with opened() as shop, Database.open(sqlite_url, merchant="acme", clock=clock, resolver=resolver) as database:
        connector = shopify_to(shop, config=config_of(shop, "recent_orders"), clock=clock)
        source = Source(
            store_id="us",
            connector=connector,
            mapper=mapper_for("shopify", MapperOptions()),
            region="US",
            own_tags=frozenset(),
        )
        tools = Tools(database=database, clock=clock, new_id=database.new_id, owner="test", stop=threading.Event())
        database.runs.register_store("us", "shopify", connector.check())
        first = run_stream(source, Stream.ORDERS, Ask(kind="incremental"), tools)
        shop.clock.advance(timedelta(days=70).total_seconds())
        shop.place_order()

        sweep = run_stream(source, Stream.ORDERS, Ask(kind="sweep"), tools)

        (line,) = [status for status in database.runs.status() if status.stream is Stream.ORDERS]
        assert (first.status, sweep.status, sweep.counts.new, sweep.deleted) == ("succeeded", "succeeded", 1, 0)
        assert len(list(database.exports.rows("orders"))) == first.counts.new + 1
        assert line.history_complete_since is None
