"""How much a backfill would be: the platform's own count of each stream, and what that means in requests and time.

Asks each stream for one page and stores nothing of it.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from syncd.app import ALL_TIME, EVERYTHING, App, Selection
from syncd.connectors.base import Connector, Page, StreamTraits
from syncd.errors import RetryLater, StopStore, SyncdError
from syncd.model import Stream, Window

_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # before any of the platforms sold anything


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """How much one stream's backfill would be.

    Args:
        records: The platform's own count; None where it gives none.
        requests: None where that cannot be said.
        seconds: At the platform's known limit; None where it is unknown.
        by_bulk: Whether the platform would lay it together in a file: few requests, in its own time.
        error: Why the stream could not be asked.
    """

    store_id: str
    stream: Stream
    records: int | None = None
    requests: int | None = None
    seconds: float | None = None
    by_bulk: bool = False
    error: SyncdError | None = None


def estimate(app: App, selection: Selection = EVERYTHING, window: Window = ALL_TIME) -> list[Estimate]:
    """How much a backfill of each chosen stream would be; a store that cannot be asked says why."""
    return [
        _estimated(app.connector(store_id), Estimate(store_id=store_id, stream=stream), window)
        for store_id, stream in app.chosen_streams(selection)
    ]


def _estimated(connector: Connector, blank: Estimate, window: Window) -> Estimate:
    traits = connector.capabilities.streams.get(blank.stream)
    if traits is None:
        return replace(blank, records=0, requests=0, seconds=0.0)
    try:
        page = _first_page(connector, blank.stream, _sampled(window, traits))
    except (RetryLater, StopStore) as error:
        return replace(blank, error=error.place(store=blank.store_id, stream=blank.stream))
    return _sized(blank, page, traits, is_complete=window.is_complete)


def _sampled(window: Window, traits: StreamTraits) -> Window:
    """A window of the same records that nobody takes for a complete walk, which may begin with a bulk operation."""
    return Window(since=_BEGINNING) if window.is_complete and traits.filters_by_update else window


def _first_page(connector: Connector, stream: Stream, window: Window) -> Page:
    pages = connector.pull(stream, window)
    page = next(pages)
    if isinstance(pages, Generator):
        pages.close()
    return page


def _sized(blank: Estimate, page: Page, traits: StreamTraits, *, is_complete: bool) -> Estimate:
    records = len(page.records) if page.is_last else page.declared
    if records is None:
        return blank
    if is_complete and traits.bulk_from is not None and records >= traits.bulk_from:
        return replace(blank, records=records, by_bulk=True)
    size = traits.largest_page if page.is_last else max(1, len(page.records))
    requests = max(1, math.ceil(records / size)) * traits.requests_per_page
    seconds = requests / traits.requests_per_s if traits.requests_per_s else None
    return replace(blank, records=records, requests=requests, seconds=seconds)
