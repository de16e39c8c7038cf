"""Promise 11: writes whose answer was lost converge: read back, sent again only if need be, each tag written once.

The answer is lost before or after the shop worked, once or for long; the reading back may go wrong as well. Kills
between answer and commit are tried with promise 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.promises.faulty import CYCLE_S, Trial, Witness, on_trial, tagged, undisturbed, wanted
from tests.promises.oracles import unfinished
from tests.promises.proxy import EMPTY, Exchange, Script, Spoil
from tests.property.served import ServedStage

pytestmark = pytest.mark.usefixtures("quiet")

LOSSES = (
    Spoil.RESET_BEFORE,
    Spoil.RESET_AFTER,
    Spoil.STALL_AFTER,
    Spoil.ERROR_500,
    Spoil.ERROR_500_AFTER,
    Spoil.ERROR_502,
    Spoil.ERROR_504,
    Spoil.CUT,
    Spoil.CUT_JSON,
    Spoil.HTML,
    Spoil.NULL,
    Spoil.NOTHING,
    Spoil.BAD_GZIP,
)
QUICK = {Spoil.RESET_BEFORE, Spoil.RESET_AFTER, Spoil.ERROR_500_AFTER, Spoil.CUT}


class OnWrites(Script):
    """Spoils so many writes of tags, and perhaps so many of the reads behind them.

    Args:
        reading: What happens to the reads behind the first lost write; None for nothing.
    """

    def __init__(self, kind: Spoil, times: int = 1, *, reading: Spoil | None = None, reads: int = 0) -> None:
        super().__init__(times, 1.0)
        self._kind, self._times = kind, times
        self._reading, self._reads = reading, reads
        self.lost = 0

    def next(self, asked: Exchange) -> Spoil | None:
        """What happens to the next exchange."""
        if _writes_tags(asked) and self.lost < self._times:
            self.lost += 1
            return self._kind
        if self.lost and self._reads and not asked.is_write:
            self._reads -= 1
            return self._reading
        return None


def _writes_tags(asked: Exchange) -> bool:
    if "graphql" in asked.path:
        return b"mutation Tags" in asked.request
    is_probe = asked.request in (b"{}", b"[]")
    return asked.is_write and asked.path.split("?")[0].endswith(("batch", "attribute-values")) and not is_probe


@pytest.fixture
def trial(stage: ServedStage, database_url: str, tmp_path: Path) -> Iterator[Trial]:
    """A shop that is known and has no tags yet."""
    with on_trial(stage, database_url, tmp_path) as opened:
        with opened.app() as app:
            app.backfill()
        yield opened


def _converges(trial: Trial, script: OnWrites, database: str, fresh: Path) -> None:
    """Lose answers of a sync's push; one more cycle, and every tag is where it belongs, written once."""
    witness = Witness(trial.stage.shop)
    trial.proxy.script = script
    trial.cycle(60)
    trial.proxy.script = None
    trial.cycle(CYCLE_S)

    accounts = wanted(undisturbed(fresh, trial.stage, trial.clock), trial.stage.shop)
    assert script.lost > 0
    assert tagged(trial.stage.shop) == accounts != set()
    assert witness.doubled == []
    assert len(witness.writes) == len(accounts)
    assert unfinished(database) == []


@pytest.mark.parametrize("kind", [pytest.param(k, marks=() if k in QUICK else pytest.mark.soak) for k in LOSSES])
def test_one_lost_answer(trial: Trial, kind: Spoil, database_url: str, tmp_path: Path) -> None:
    """Applied or not, each change is in the shop's history once."""
    _converges(trial, OnWrites(kind), database_url, tmp_path / "fresh")


@pytest.mark.parametrize("kind", [Spoil.RESET_BEFORE, pytest.param(Spoil.ERROR_500, marks=pytest.mark.soak)])
def test_writes_that_never_arrive_for_long(trial: Trial, kind: Spoil, database_url: str, tmp_path: Path) -> None:
    """However often a write is lost on the way, nothing is rejected for it, and it arrives once the way is well."""
    _converges(trial, OnWrites(kind, times=50), database_url, tmp_path / "fresh")


@pytest.mark.parametrize(
    "reading", [Spoil.EMPTIED_UNCOUNTED, *(pytest.param(k, marks=pytest.mark.soak) for k in EMPTY)]
)
def test_accounts_that_an_answer_leaves_out_are_not_gone(
    trial: Trial, reading: Spoil, database_url: str, tmp_path: Path
) -> None:
    """An empty answer to the reading back is not believed at once: no change is given up for it."""
    script = OnWrites(Spoil.RESET_AFTER, reading=reading, reads=1)
    _converges(trial, script, database_url, tmp_path / "fresh")


@pytest.mark.parametrize("reading", [Spoil.ERROR_503, pytest.param(Spoil.RESET_AFTER, marks=pytest.mark.soak)])
def test_a_reading_back_that_fails_is_made_up_for(
    trial: Trial, reading: Spoil, database_url: str, tmp_path: Path
) -> None:
    """While nobody knows what became of a change it is not sent again; the next cycle finds out."""
    script = OnWrites(Spoil.ERROR_500_AFTER, reading=reading, reads=40)
    _converges(trial, script, database_url, tmp_path / "fresh")
