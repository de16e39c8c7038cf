"""Counts what all merchants' work comes to, and writes it with their gauges as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future, wait
from http import HTTPStatus
from itertools import chain
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric

from syncd import __version__
from syncd.app import App
from syncd.connectors.failures import FAILURES
from syncd.meter import Meter
from syncd.store.types import Counts
from syncd.web.gauges import Figure, Gauges
from syncd.web.names import BUILD, BUILD_WORDS, COUNTERS, GAUGES

_PATIENCE_S = 5.0  # a scraper gives up after ten
_CODES = {str(status.value) for status in HTTPStatus} | {str(row) for row in FAILURES}
_OUTCOMES = ("confirmed", "rejected", "waiting", "planned")


class Meters:
    """Counts for every merchant of this process, from its start on; safe to share between threads.

    Args:
        patience_s: For how many seconds a page waits for all databases together.
    """

    def __init__(self, patience_s: float = _PATIENCE_S) -> None:
        self._patience_s = patience_s
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they would double the page for nothing
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._counters = {
            name: Counter(name, told.words, ("merchant", *told.labels), registry=self._registry)
            for name, told in COUNTERS.items()
        }
        self._watched: dict[str, Gauges] = {}

    def of(self, merchant: str) -> Meter:
        """A merchant's meter; the same counts go on whoever asks for it again."""
        return _OneMerchant(self, merchant)

    def add(self, name: str, labels: tuple[str, ...], count: int) -> None:
        """Count some more."""
        self._counters[name].labels(*labels).inc(count)

    def watch(self, app: App) -> None:
        """Show a merchant's gauges from now on, read from the app's open database."""
        gauges = Gauges(app)
        self._watched[app.settings.merchant] = gauges
        self._begin(app.settings.merchant, gauges)

    def unwatch(self, app: App) -> None:
        """Read an app's database no more, for it is to be closed; what is being read is waited for, briefly."""
        gauges = self._watched.get(app.settings.merchant)
        if gauges is not None and gauges.app is app:
            del self._watched[app.settings.merchant]
            gauges.rest(1.0)

    def page(self, away: Collection[str] = ()) -> bytes:
        """Everything as Prometheus reads it, whatever database does not answer.

        Args:
            away: Merchants whose database could not be opened.
        """
        return generate_latest(_Page(self._registry, self._gauges(away)))

    def _begin(self, merchant: str, gauges: Gauges) -> None:
        """Let every counter start at zero: what only appears with its first event hides that event from `increase`."""
        for store_id, stream in gauges.places:
            for result in Counts().gained(Counts()):
                self.add("syncd_records_total", (merchant, store_id, stream, result), 0)
        for store_id in gauges.app.settings.stores:
            self.add("syncd_api_throttled_total", (merchant, store_id), 0)
            for outcome in _OUTCOMES:
                self.add("syncd_push_rows_total", (merchant, store_id, outcome), 0)

    def _gauges(self, away: Collection[str]) -> list[Metric]:
        families = {
            name: GaugeMetricFamily(name, told.words, labels=("merchant", *told.labels))
            for name, told in GAUGES.items()
        }
        for merchant, (name, labels, value) in self._figures(away):
            families[name].add_metric((merchant, *labels), value)
        build = GaugeMetricFamily(BUILD, BUILD_WORDS, labels=("version",))
        build.add_metric((__version__,), 1)
        return [*families.values(), build]

    def _figures(self, away: Collection[str]) -> Iterator[tuple[str, Figure]]:
        watched = dict(self._watched)
        asked: Mapping[str, list[Future[Any]]] = {merchant: gauges.ask() for merchant, gauges in watched.items()}
        wait(list(chain.from_iterable(asked.values())), timeout=self._patience_s)
        for merchant, gauges in watched.items():
            yield from ((merchant, figure) for figure in gauges.figures(asked[merchant]))
        for merchant in set(away) - watched.keys():
            yield merchant, ("syncd_database_up", (), 0.0)


class _Page:
    """What is counted, then what was read."""

    def __init__(self, registry: CollectorRegistry, gauges: list[Metric]) -> None:
        self._registry = registry
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        """Every family."""
        return chain(self._registry.collect(), self._gauges)


class _OneMerchant:
    """The meter of one merchant."""

    def __init__(self, meters: Meters, merchant: str) -> None:
        self._meters = meters
        self._merchant = merchant

    def exchanged(self, store_id: str, code: str) -> None:
        """Count a request."""
        known = code if code in _CODES else "other"  # a server may make up any number
        self._meters.add("syncd_api_requests_total", (self._merchant, store_id, known), 1)

    def throttled(self, store_id: str) -> None:
        """Count a store's wish that we wait."""
        self._meters.add("syncd_api_throttled_total", (self._merchant, store_id), 1)

    def stored(self, store_id: str, stream: str, results: Mapping[str, int]) -> None:
        """Count a page's records."""
        for result, count in results.items():
            self._meters.add("syncd_records_total", (self._merchant, store_id, stream, result), count)

    def pushed(self, store_id: str, outcomes: Mapping[str, int]) -> None:
        """Count settled tag changes."""
        for outcome, count in outcomes.items():
            self._meters.add("syncd_push_rows_total", (self._merchant, store_id, outcome), count)
