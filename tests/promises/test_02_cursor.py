"""Promise 2: the cursor never skips, whatever shares a second, shows late, or changes while it is paged.

That these histories would notice is shown where bugs are sown into the real code (`>` for `>=`, no overlap, page after
page over moving rows): tests/property/test_seeded_bugs.py. Random histories are played in test_histories.py beside it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from syncd.model import Stream
from tests.clock import START, ManualClock
from tests.promises.wide import wide
from tests.property.histories import Do, Player, Run, Step, Wait, opened
from tests.property.served import SERVED, ServedStage, served
from tests.property.shops import BURST

ROWS = 1000
PAGE = 90  # which 1,000 is no multiple of
LATE = {"woocommerce": "late_edit", "shopify": "edit", "bigcommerce": "late_edit"}  # what lists show only later
ORDERS = Stream.ORDERS


@pytest.fixture(scope="module", params=SERVED)
def shop(request: pytest.FixtureRequest) -> Iterator[ServedStage]:
    with served(request.param) as stage:
        yield stage


@pytest.fixture
def stage(shop: ServedStage) -> ServedStage:
    """An almost empty shop of each platform, whose time only the test moves."""
    shop.reset()
    return shop


@contextmanager
def playing(stage: ServedStage, url: str) -> Iterator[Player]:
    """A player of histories of the shop."""
    clock = ManualClock(START)
    with opened(url, clock) as database:
        yield Player(stage, database, clock)


@pytest.mark.parametrize("database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)], indirect=True)
def test_a_thousand_rows_of_one_second(stage: ServedStage, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand orders placed in one second, then all changed in another while somebody goes on editing, all come."""
    monkeypatch.setattr(stage, "connect", lambda clock: wide(stage.shop, clock, PAGE))
    with playing(stage, database_url) as player:
        player.play([Do("burst")] * (ROWS // BURST + 1))
        player.play([Wait(1000), Run(ORDERS)])
        first = player.stored(ORDERS), player.stage.truth()[ORDERS]

        player.play(
            [Wait(1000), Do("touch_all"), Run(ORDERS, meanwhile=(None, Do("refund", 5), None, Do("cancel", 7)))]
        )
        player.play([Wait(1000), Run(ORDERS)])

        assert len(first[1]) > ROWS
        assert first[0] == first[1]
        assert player.stored(ORDERS) == player.stage.truth()[ORDERS]


def test_what_shows_late_is_met_by_the_next_run(stage: ServedStage, database_url: str) -> None:
    """A change that the lists show only after a run has passed its time comes with a later run."""
    late = Do(LATE[stage.shop.platform], 3)
    with playing(stage, database_url) as player:
        player.play([Do("burst"), Wait(1000), Run(ORDERS), Wait(1000), Run(ORDERS), late, Wait(1), Run(ORDERS)])
        player.play([Wait(400), Run(ORDERS)])

        assert player.stored(ORDERS) == player.stage.truth()[ORDERS]


@pytest.mark.parametrize("kind", ["incremental", "sweep", "backfill"])
def test_what_changes_while_it_is_paged_is_lost_by_no_later_run(
    kind: str, stage: ServedStage, database_url: str, rng: random.Random
) -> None:
    """Whatever somebody does before each request of a walk: once they rest, a run and a sweep leave the truth."""
    deeds = sorted(stage.deeds)
    edits: list[Step] = [Do(rng.choice(deeds), rng.randrange(30)) for _ in range(12)]
    with playing(stage, database_url) as player:
        player.play([Do("burst"), Do("register"), Do("burst"), Wait(1000)])
        player.play([Run(stream, kind, meanwhile=tuple(edits)) for stream in Stream])  # type: ignore[arg-type]
        player.rest()
