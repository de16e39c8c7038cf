"""Promise 4: never silently incomplete: a page that is dropped or emptied ends partial with a reason, or is healed.

The shop's answers are emptied one after the other, once each, with their counts, without any, and with counts of 0.
What the run then tells, what it deletes (nothing), and what stands in the database one cycle later is looked at.
That a single row which the shop counts and does not show is told and healed is tried in `tests/property`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.app import SyncReport
from tests.promises.faulty import CYCLE_S, DAY_S, differences, on_trial, outcome_of, undisturbed
from tests.promises.proxy import EMPTY, Once, Spoil
from tests.property.served import ServedStage

pytestmark = pytest.mark.usefixtures("quiet")

LISTS = {
    "woocommerce": {"method": "GET", "path": r"/wc/v3/(orders|customers)\?"},
    "shopify": {"method": "POST", "path": "graphql", "text": b"pageInfo"},
    "bigcommerce": {"method": "GET", "path": r"/v2/orders\?|/v3/customers|/v3/orders/"},
}
ONE, FEW, ALL = Spoil.EMPTIED_UNCOUNTED, (1, 3), range(1, 16)  # the others, and all positions, are the soak's
KINDS = [pytest.param(kind, marks=() if kind is ONE else pytest.mark.soak) for kind in sorted(EMPTY)]
POSITIONS = [pytest.param(nth, marks=() if nth in FEW else pytest.mark.soak) for nth in ALL]


def _told(report: SyncReport) -> None:
    """No run says that it succeeded where it did not; each other says why."""
    for outcome in report.outcomes:
        assert outcome.report.deleted == 0
        assert outcome.report.status == "succeeded" or outcome.report.reason


def _emptied(stage: ServedStage, kind: Spoil, nth: int) -> Once:
    return Once(kind, nth, **LISTS[stage.shop.platform])  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nth", POSITIONS)
def test_an_emptied_page_of_a_first_sync(
    stage: ServedStage, kind: Spoil, nth: int, sqlite_url: str, tmp_path: Path
) -> None:
    """Whichever page comes empty, what is missing after the run is told by it, and is there after the next."""
    with on_trial(stage, sqlite_url, tmp_path) as trial:
        expected = undisturbed(tmp_path / "fresh", stage, trial.clock)
        trial.proxy.script = _emptied(stage, kind, nth)

        first = trial.sync()
        with trial.app() as app:
            missing = differences(outcome_of(app), expected)
        trial.cycle()

        _told(first)
        assert trial.proxy.done[kind] <= 1
        statuses = {outcome.report.status for outcome in first.outcomes}
        assert not missing or statuses != {"succeeded"}, missing
        with trial.app() as app:
            assert differences(outcome_of(app), undisturbed(tmp_path / "later", stage, trial.clock)) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nth", POSITIONS)
def test_an_emptied_page_of_a_sweep_deletes_nothing(
    stage: ServedStage, kind: Spoil, nth: int, sqlite_url: str, tmp_path: Path
) -> None:
    """A sweep that is given an empty page takes nothing for deleted, and what is there stays."""
    with on_trial(stage, sqlite_url, tmp_path) as trial:
        trial.sync()
        trial.clock.advance(DAY_S)
        trial.proxy.script = _emptied(stage, kind, nth)

        swept = trial.sync()

        _told(swept)
        with trial.app() as app:
            assert differences(outcome_of(app), undisturbed(tmp_path / "fresh", stage, trial.clock)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_emptied_page_of_an_incremental_run_is_asked_for_again(
    stage: ServedStage, kind: Spoil, database_url: str, tmp_path: Path
) -> None:
    """What was new while the shop seemed to have nothing is found by the next run: the bookmark did not pass it."""
    with on_trial(stage, database_url, tmp_path) as trial:
        trial.sync()
        trial.sync()
        for deed in ("order", "order_of_account", "register"):
            trial.stage.deeds[deed](5)
        for nth in (1, 2, 3):
            trial.proxy.script = _emptied(stage, kind, nth)
            trial.cycle(CYCLE_S)
        trial.proxy.script = None

        trial.cycle(CYCLE_S)

        with trial.app() as app:
            assert differences(outcome_of(app), undisturbed(tmp_path / "fresh", stage, trial.clock)) == []
