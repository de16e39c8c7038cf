"""What every sandbox shop is, whatever its platform: an address, credentials, faults, a history, a truth."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.exchange import Answer, Call, Seen
from syncd.sandbox.faults import FaultScript


class Shop(ABC):
    """The handle of one served shop.

    Attributes:
        name: The store's id in the configuration.
        url: Where it is served, without a trailing slash; known once it is served.
        faults: What goes wrong with the next requests.
        history: Every request so far, oldest first.
        mutator: Called with each request before it is answered: the hand that edits between two pages.
        lock: Held while a request is answered or a merchant acts.
    """

    platform: str
    actions: frozenset[str]

    def __init__(self, name: str, clock: SandboxClock) -> None:
        self.name = name
        self.clock = clock
        self.url = ""
        self.port = 0
        self.faults = FaultScript()
        self.history: list[Seen] = []
        self.mutator: Callable[[Call], None] | None = None
        self.lock = threading.RLock()

    @abstractmethod
    def answer(self, call: Call) -> Answer:
        """What the platform answers; called with the lock held."""

    @abstractmethod
    def truth(self) -> Iterator[tuple[str, str]]:
        """(record id, person id) of each contact the shop would show, in no order."""

    @abstractmethod
    def summary(self) -> Mapping[str, Any]:
        """How much of what the shop holds, for people looking in."""
