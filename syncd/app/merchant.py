"""One merchant's settings, database and segments, and what all work is done with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TypeVar

from syncd import process
from syncd.app.values import Selection
from syncd.clock import Clock
from syncd.identity import FirstResolver
from syncd.meter import Meter
from syncd.model import Stream
from syncd.segments import Segment, load_segments
from syncd.settings import Settings
from syncd.store import Database
from syncd.sync import Listener, Tools

_MAX_STORES_AT_ONCE = 8

Result = TypeVar("Result")


class Merchant:
    """What the app's rooms share; nothing is opened before it is used."""

    def __init__(
        self, settings: Settings, *, clock: Clock, stop: threading.Event, listener: Listener | None, meter: Meter
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.stop = stop
        self.listener = listener
        self.meter = meter

    @cached_property
    def database(self) -> Database:
        """The merchant's profile database, created at head if it is empty."""
        identity = self.settings.identity
        resolver = FirstResolver(blocked=identity.block, max_names=identity.max_names_per_identifier)
        return Database.open(
            self.settings.database.url, merchant=self.settings.merchant, clock=self.clock, resolver=resolver
        )

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """The segments of the segments file, each checked."""
        return load_segments(self.settings.segments, tuple(self.settings.stores))

    def close(self) -> None:
        """Give the database back; safe to call twice."""
        if "database" in self.__dict__:
            self.database.close()
            del self.__dict__["database"]

    def tools(self) -> Tools:
        """What a pull works with besides its source."""
        return Tools(
            database=self.database,
            clock=self.clock,
            new_id=self.database.new_id,
            owner=process.own_name(),
            stop=self.stop,
            listener=self.listener,
            meter=self.meter,
        )

    def stores(self, selection: Selection) -> Sequence[str]:
        """The chosen stores.

        Raises:
            ConfigInvalid: One of them is not configured.
        """
        for store_id in selection.stores:
            self.settings.store(store_id)
        return selection.stores or tuple(self.settings.stores)

    def streams(self, store_id: str, selection: Selection) -> list[Stream]:
        """The chosen streams of a store."""
        configured = self.settings.store(store_id).streams
        return [stream for stream in Stream if stream in configured and stream in (selection.streams or Stream)]

    def places(self, selection: Selection) -> Iterator[tuple[str, Stream]]:
        """The chosen streams of the chosen stores, in the configuration's order."""
        for store_id in self.stores(selection):
            yield from ((store_id, stream) for stream in self.streams(store_id, selection))

    def each_store(self, selection: Selection, work: Callable[[str], Result]) -> list[Result]:
        """Work the chosen stores side by side, results in the configuration's order."""
        store_ids = self.stores(selection)
        with ThreadPoolExecutor(max_workers=_MAX_STORES_AT_ONCE, thread_name_prefix="store") as pool:
            return list(pool.map(work, store_ids))
