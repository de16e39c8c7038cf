"""A memory shop with a database behind it: one call pulls, the rest looks at what is stored."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from syncd.identity import FirstResolver
from syncd.meter import SILENT, Meter
from syncd.model import Stream, Window
from syncd.store import Database
from syncd.store.types import RunReport, StreamStatus
from syncd.sync import Ask, Listener, Source, Tools, run_stream
from tests.clock import ManualClock
from tests.contracts.memory import MemoryConnector, MemoryMapper, MemoryShop

STORE = "shop"


@dataclass(kw_only=True)
class Flow:
    """One store's way into one database."""

    shop: MemoryShop
    database: Database
    clock: ManualClock
    owner: str = "worker"
    listener: Listener | None = None
    meter: Meter = SILENT

    @property
    def connector(self) -> MemoryConnector:
        """A fresh connector to the shop."""
        return MemoryConnector(shop=self.shop)

    def tools(self) -> Tools:
        """What a run works with."""
        return Tools(
            database=self.database,
            clock=self.clock,
            new_id=self.database.new_id,
            owner=self.owner,
            stop=threading.Event(),
            listener=self.listener,
            meter=self.meter,
        )

    def source(self) -> Source:
        """The store as a source, its tag VIP ours."""
        return Source(
            store_id=STORE,
            connector=self.connector,
            mapper=MemoryMapper(),
            region="DE",
            own_tags=frozenset({"VIP"}),
        )

    def pull(self, stream: Stream, kind: str = "incremental", window: Window | None = None) -> RunReport:
        """One run of one stream."""
        return run_stream(self.source(), stream, Ask(kind=kind, window=window or Window()), self.tools())

    def rows(self, kind: str) -> list[tuple[object, ...]]:
        """An export's rows."""
        return list(self.database.exports.rows(kind))

    def ids(self, kind: str) -> list[object]:
        """An export's external ids."""
        return [row[1] for row in self.rows(kind)]

    def status(self, stream: Stream) -> StreamStatus:
        """The stream's line in `status`."""
        return next(item for item in self.database.runs.status() if item.stream is stream)


@contextmanager
def flowing(url: str, clock: ManualClock) -> Iterator[Flow]:
    """A flow over an empty shop and an empty database, the store registered."""
    resolver = FirstResolver(blocked=(), max_names=6)
    with Database.open(url, merchant="acme", clock=clock, resolver=resolver) as database:
        flow = Flow(shop=MemoryShop(clock=clock), database=database, clock=clock)
        database.runs.register_store(STORE, "memory", flow.connector.check())
        yield flow
