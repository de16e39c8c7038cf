"""An open database with the one-rule resolver."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from syncd.store import Database
from tests.clock import ManualClock
from tests.unit.store.kit import SameMailbox


@pytest.fixture
def resolver() -> SameMailbox:
    """The one-rule resolver, which keeps the cases it was asked about."""
    return SameMailbox()


@pytest.fixture
def database(database_url: str, clock: ManualClock, resolver: SameMailbox) -> Iterator[Database]:
    """An empty database, once on each engine."""
    with Database.open(database_url, merchant="acme", clock=clock, resolver=resolver) as opened:
        yield opened
