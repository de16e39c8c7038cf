"""Who counts what is done: requests, records, tag changes. Here is what a counter must be, and one that counts not.

Workers tell a meter and know nothing of how it is read. Nothing told to it names a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Meter(Protocol):
    """Counts one merchant's work; called from many threads."""

    def exchanged(self, store_id: str, code: str) -> None:
        """One request was sent: `code` is the answer's status, or the word for what came instead of a whole answer."""
        ...

    def throttled(self, store_id: str) -> None:
        """A store asked us to wait."""
        ...

    def stored(self, store_id: str, stream: str, results: Mapping[str, int]) -> None:
        """A page was stored: how many of its records, met for the first time in their walk, came to each result."""
        ...

    def pushed(self, store_id: str, outcomes: Mapping[str, int]) -> None:
        """Tag changes were settled: how many came to each outcome."""
        ...


class _Silent:
    def exchanged(self, store_id: str, code: str) -> None:
        """Count nothing."""

    def throttled(self, store_id: str) -> None:
        """Count nothing."""

    def stored(self, store_id: str, stream: str, results: Mapping[str, int]) -> None:
        """Count nothing."""

    def pushed(self, store_id: str, outcomes: Mapping[str, int]) -> None:
        """Count nothing."""


SILENT: Meter = _Silent()
