"""The merchant's stores as the app works them: connected, checked, paused and resumed."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from syncd.app.merchant import Merchant
from syncd.app.values import EVERYTHING, Selection, StoreCheck
from syncd.connectors import connect
from syncd.connectors.base import Connector
from syncd.errors import ConfigInvalid, RetryLater, StopStore
from syncd.logs import get_logger
from syncd.mapping import mapper_for
from syncd.mapping.base import Mapper, MapperOptions
from syncd.model import StoreFacts, Stream
from syncd.notify import note_findings
from syncd.sync import Source

_CHECK_EVERY_S = 86_400.0  # scopes and versions run out

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Checked:
    """A store as it was found, and when."""

    source: Source
    at_s: float


class Stores:
    """One connector for each store, made at first use.

    Attributes:
        left_quota: Share of every platform's rate limit that connectors made from now on leave to others.
    """

    def __init__(self, merchant: Merchant) -> None:
        self._merchant = merchant
        self.left_quota = 0.0
        self._connectors: dict[str, Connector] = {}
        self._sources: dict[str, _Checked] = {}
        self._guard = threading.Lock()

    def check(self, selection: Selection = EVERYTHING) -> list[StoreCheck]:
        """Ask every chosen store who it is and what our key may do; nothing is pulled or written."""
        return self._merchant.each_store(selection, self.check_one)

    def connector(self, store_id: str) -> Connector:
        """The store's one connector, made at first use."""
        with self._guard:
            if store_id not in self._connectors:
                config = self._merchant.settings.store(store_id).leaving_quota(self.left_quota)
                self._connectors[store_id] = connect(
                    config, store_id=store_id, clock=self._merchant.clock, meter=self._merchant.meter
                )
            return self._connectors[store_id]

    def mapper(self, store_id: str) -> Mapper:
        """The store's mapping."""
        config = self._merchant.settings.store(store_id)
        options = MapperOptions(country=config.country or "", consent_meta_key=config.consent_meta_key)
        return mapper_for(config.platform, options)

    def source(self, store_id: str) -> Source:
        """The store, checked once a day, and ready to be pulled.

        Raises:
            StopStore, RetryLater: It cannot be worked now.
            ConfigInvalid: It is another shop than the one known under this id.
        """
        known, now_s = self._sources.get(store_id), self._merchant.clock.monotonic()
        if known is None or now_s - known.at_s > _CHECK_EVERY_S:
            known = _Checked(source=self._source(store_id, self._facts(store_id).country), at_s=now_s)
            self._sources[store_id] = known
        return known.source

    def _facts(self, store_id: str) -> StoreFacts:
        """What the store says of itself, kept; whether our key may write decides whether its push is paused."""
        facts = self.connector(store_id).check()
        self._merchant.database.runs.register_store(store_id, self._merchant.settings.store(store_id).platform, facts)
        note_findings(self._merchant.database, store_id, facts.findings, self._merchant.clock.now())
        if facts.can_push:
            self.resume(store_id, push=True)
        else:
            words = [finding.words for finding in facts.findings if finding.level == "error"]
            self.pause(store_id, "; ".join(words) or "the key may not write tags: see `syncd check`", push=True)
        return facts

    def pause(self, store_id: str, reason: str, *, stream: Stream | None = None, push: bool = False) -> None:
        """Pause a store, one stream of it, or its pushes; told once."""
        if self._merchant.database.pauses.put(store_id, reason, stream=stream, push=push):
            log.warning("paused", store=store_id, stream=stream, lane="push" if push else "pull", reason=reason)

    def resume(self, store_id: str, *, stream: Stream | None = None, push: bool = False) -> None:
        """End such a pause, unless a person made it; told once."""
        if self._merchant.database.pauses.lift(store_id, stream=stream, push=push):
            log.info("resumed", store=store_id, stream=stream, lane="push" if push else "pull")

    def _source(self, store_id: str, country: str) -> Source:
        return Source(
            store_id=store_id,
            connector=self.connector(store_id),
            mapper=self.mapper(store_id),
            region=self._merchant.settings.store(store_id).country or country,
            own_tags=frozenset(segment.tag for segment in self._merchant.segments if segment.tag),
        )

    def check_one(self, store_id: str) -> StoreCheck:
        """What a store says of itself, or why it cannot be worked."""
        platform = self._merchant.settings.store(store_id).platform
        try:
            facts = self._facts(store_id)
        except (RetryLater, StopStore, ConfigInvalid) as error:
            return StoreCheck(store_id=store_id, platform=platform, error=error.place(store=store_id))
        return StoreCheck(store_id=store_id, platform=platform, facts=facts)

    def kept_source(self, store_id: str) -> Source:
        """The store as it is known, to be read from what is kept of it; it is not asked."""
        return self._source(store_id, self._merchant.database.runs.country(store_id))

    def forget(self, store_id: str) -> None:
        """Check a store again before it is pulled the next time."""
        self._sources.pop(store_id, None)

    def hang_up(self) -> None:
        """Break off every request under way, and make no more."""
        for connector in tuple(self._connectors.values()):
            connector.close()

    def close(self) -> None:
        """Give the connections back; safe to call twice."""
        self.hang_up()
        self._connectors.clear()
