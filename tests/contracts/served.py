"""The connector contract against a shop of the sandbox, over HTTP; a platform's test file says what is its own."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from syncd.connectors.base import Connector
from syncd.mapping import mapper_for
from syncd.mapping.base import MapperOptions
from syncd.model import Stream
from syncd.sandbox import Fault, FaultKind, Sandbox, SandboxClock, SandboxOptions
from syncd.testing import START, ConnectorContract, Subject

_FEWEST = 25  # records of a stream, enough for several pages


@dataclass(frozen=True)
class Acts:
    """One stream of a shop: where its state holds the records by number, and what the merchant can do.

    Args:
        prefix: What stands before the number in an external id.
        holds: Which of the records are of this stream, where two streams share a place.
    """

    holder: str
    add: Callable[[Any], object]
    touch: Callable[[Any, int], object]
    remove: Callable[[Any, int], object]
    prefix: str = ""
    holds: Callable[[Any], bool] = lambda _: True

    def numbers(self, shop: Any) -> list[int]:
        """Which records the stream has."""
        return [number for number, record in getattr(shop.state, self.holder).items() if self.holds(record)]

    def number(self, external_id: str) -> int:
        """A record's number by its external id."""
        return int(external_id.removeprefix(self.prefix))


@dataclass(frozen=True, kw_only=True)
class _Hand:
    shop: Any
    acts: Mapping[Stream, Acts]
    refusal: str

    def touch(self, stream: Stream, external_id: str) -> None:
        self.acts[stream].touch(self.shop, self.acts[stream].number(external_id))

    def remove(self, stream: Stream, external_id: str) -> None:
        self.acts[stream].remove(self.shop, self.acts[stream].number(external_id))

    def advance(self, seconds: float) -> None:
        self.shop.clock.advance(seconds)

    def break_next(self) -> None:
        self._answer(401, self.refusal, {})

    def throttle_next(self) -> None:
        self._answer(429, "{}", {"Retry-After": "3600"})

    def mend(self) -> None:
        self.shop.faults.clear()

    def _answer(self, status: int, body: str, headers: Mapping[str, str]) -> None:
        given = {"Content-Type": "application/json", **headers}
        self.shop.faults.add(Fault(kind=FaultKind.ANSWER, status=status, headers=given, body=body, times=None))


class ServedContract(ConnectorContract):
    """The contract on two shops of one platform: one filled, one empty; each test gives them back as they were.

    Attributes:
        sites: The two.
        acts: What the merchant can do, by stream.
        refusal: Body with which the platform refuses a key that it does not know.
        connect: A connector to a shop, with pages small enough for several.
        secrets: Texts of a shop that must never be shown.
    """

    sites: tuple[Any, Any]
    acts: Mapping[Stream, Acts]
    refusal: str
    connect: Callable[[Any], Connector]
    secrets: Callable[[Any], tuple[str, ...]]

    @pytest.fixture(scope="class")
    @classmethod
    def sandbox(cls) -> Iterator[Sandbox]:
        """The two shops, served."""
        options = SandboxOptions(seed=7, scale=0.1, sites=cls.sites)
        with Sandbox(options, clock=SandboxClock(START, frozen=True)) as served:
            filled, empty = served.shops.values()
            for acts in cls.acts.values():
                for number in acts.numbers(empty):
                    acts.remove(empty, number)
                while len(acts.numbers(filled)) < _FEWEST:
                    acts.add(filled)
            yield served

    @pytest.fixture
    def subject(self, sandbox: Sandbox) -> Iterator[Subject]:
        """The filled shop and the empty one, restored afterwards."""
        shop, empty = sandbox.shops.values()
        before = copy.deepcopy(shop.state, {id(sandbox.clock): sandbox.clock})
        connectors = [type(self).connect(site) for site in (shop, shop, empty)]
        yield Subject(
            connector=connectors[0],
            restarted=connectors[1],
            empty=connectors[2],
            mapper=mapper_for(connectors[0].platform, MapperOptions()),
            hand=_Hand(shop=shop, acts=self.acts, refusal=self.refusal),
            ids={
                stream: frozenset(f"{acts.prefix}{number}" for number in acts.numbers(shop))
                for stream, acts in self.acts.items()
            },
            started_at=shop.clock.now(),
            secrets=type(self).secrets(shop),
        )
        for connector in connectors:
            connector.close()
        shop.state = before
        shop.faults.clear()
        sandbox.clock.set(START)
