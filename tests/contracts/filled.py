"""The subject of the in-memory connector: a shop of ten records a stream, an empty one, and a hand in the first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from syncd.connectors.base import Connector
from syncd.errors import AuthFailed, RateLimited
from syncd.mapping.base import Mapper
from syncd.model import Stream
from syncd.testing import ManualClock, Subject
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


def memory_subject(
    connect: Callable[..., Connector] = MemoryConnector,
    mapper: Callable[[], Mapper] = MemoryMapper,
    secrets: tuple[str, ...] = (),
) -> Subject:
    """A filled shop and an empty one, reached by a connector of this class, read by a mapper of that one."""
    clock = ManualClock()
    shop = MemoryShop(clock=clock)
    ids = frozenset(f"{number:03}" for number in range(1, 11))
    for stream, make in _MAKERS.items():
        shop.put(stream, *(make(external_id, phone="+4930123456") for external_id in sorted(ids)))
    return Subject(
        connector=connect(shop=shop),
        restarted=connect(shop=shop),
        empty=connect(shop=MemoryShop(clock=clock)),
        mapper=mapper(),
        hand=_Hand(shop, clock),
        ids=dict.fromkeys(Stream, ids),
        started_at=clock.now(),
        secrets=secrets,
    )
