"""The in-memory connector keeps the connector contract, so that flow tests stand on firm ground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from syncd.errors import AuthFailed, RateLimited
from syncd.model import Stream
from syncd.testing import ConnectorContract, ManualClock, Subject
from tests.contracts.memory import MemoryConnector, MemoryMapper, MemoryShop, cart, customer, order

_MAKERS: dict[Stream, Any] = {Stream.CUSTOMERS: customer, Stream.ORDERS: order, Stream.CARTS: cart}


@dataclass
class _Hand:
    shop: MemoryShop
    clock: ManualClock

    def touch(self, stream: Stream, external_id: str) -> None:
        self.shop.edit(stream, external_id)

    def remove(self, stream: Stream, external_id: str) -> None:
        self.shop.delete(stream, external_id)

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def break_next(self) -> None:
        self.shop.faults.append(AuthFailed("the key was revoked"))

    def throttle_next(self) -> None:
        self.shop.faults.append(RateLimited("the shop asks us to wait", retry_after_s=3600))

    def mend(self) -> None:
        self.shop.faults.clear()


class TestMemory(ConnectorContract):
    """The contract, on a shop of ten records a stream."""

    @pytest.fixture
    def subject(self) -> Subject:
        """A filled shop and an empty one."""
        clock = ManualClock()
        shop = MemoryShop(clock=clock)
        ids = frozenset(f"{number:03}" for number in range(1, 11))
        for stream, make in _MAKERS.items():
            shop.put(stream, *(make(external_id) for external_id in sorted(ids)))
        return Subject(
            connector=MemoryConnector(shop=shop),
            restarted=MemoryConnector(shop=shop),
            empty=MemoryConnector(shop=MemoryShop(clock=clock)),
            mapper=MemoryMapper(),
            hand=_Hand(shop, clock),
            ids=dict.fromkeys(Stream, ids),
            started_at=clock.now(),
        )
