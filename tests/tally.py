"""A meter that remembers what it was told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping


class Tally:
    """Counts by store and what else was told, over everything that a test does."""

    def __init__(self) -> None:
        self.codes: Counter[tuple[str, str]] = Counter()
        self.waits: Counter[str] = Counter()
        self.records: Counter[tuple[str, str, str]] = Counter()
        self.changes: Counter[tuple[str, str]] = Counter()

    def exchanged(self, store_id: str, code: str) -> None:
        self.codes[store_id, code] += 1

    def throttled(self, store_id: str) -> None:
        self.waits[store_id] += 1

    def stored(self, store_id: str, stream: str, results: Mapping[str, int]) -> None:
        self.records.update({(store_id, stream, result): count for result, count in results.items()})

    def pushed(self, store_id: str, outcomes: Mapping[str, int]) -> None:
        self.changes.update({(store_id, outcome): count for outcome, count in outcomes.items()})
