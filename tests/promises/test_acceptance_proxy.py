"""Whatever happens on the way between syncd and a store, the end is that of a quiet way, with each tag written once."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.promises.faulty import DAY_S, Witness, differences, on_trial, outcome_of, tagged, undisturbed, wanted
from tests.promises.proxy import SLOW, Script, Spoil
from tests.property.served import ServedStage

pytestmark = pytest.mark.usefixtures("quiet")

SHARE = 0.25  # of all exchanges; of those of one kind alone, a page would seldom be hit


def disturbed(stage: ServedStage, script: Script, database: str, folder: Path) -> list[str]:
    """One trial: everything goes wrong for a while; what is not right in the end."""
    print(f"proxy seed {script.seed}, {stage.shop.platform}")
    with on_trial(stage, database, folder, script.seed) as trial:
        witness = Witness(stage.shop)
        trial.bulk_from = trial.rng.choice((5, 10_000))
        trial.proxy.script = script
        with trial.app() as app:
            app.backfill()
        trial.live(6, hidden=True)
        trial.cycle(DAY_S)
        for _ in range(2):
            trial.live(5, hidden=False)
            trial.cycle()

        trial.proxy.script = None
        trial.cycle()
        trial.cycle()

        with trial.app() as app:
            ended, due = outcome_of(app), app.plan().changes
        print(dict(trial.proxy.done))
    expected = undisturbed(folder / "fresh", stage, trial.clock)
    found = differences(ended, expected)
    found += [f"tag of {account}" for account in tagged(stage.shop) ^ wanted(expected, stage.shop)]
    found += [f"due: {change.action} {change.external_id}" for change in due]
    return found + [f"written twice: {write}" for write in witness.doubled]


@pytest.mark.cases(3)
def test_every_fault_for_a_while(stage: ServedStage, rng: random.Random, database_url: str, tmp_path: Path) -> None:
    """Backfill, syncs and pushes through a way that fails at random end as without, two cycles after it is well."""
    assert disturbed(stage, Script(rng.randrange(10_000), SHARE), database_url, tmp_path) == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 160))
def test_every_fault_many_times(stage: ServedStage, seed: int, database_url: str, tmp_path: Path) -> None:
    """The same, hundreds of times."""
    assert disturbed(stage, Script(seed, SHARE), database_url, tmp_path) == []


@pytest.mark.soak
@pytest.mark.parametrize("kind", Spoil)
def test_each_fault_alone(stage: ServedStage, kind: Spoil, sqlite_url: str, tmp_path: Path) -> None:
    """One kind of fault, very often."""
    share = 0.1 if kind in SLOW else 0.4
    assert disturbed(stage, Script(7, share, frozenset({kind})), sqlite_url, tmp_path) == []
