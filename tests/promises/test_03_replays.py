"""Promise 3: replays, duplicated, reordered and empty pages change nothing; old never overwrites new.

Pages that lie once, in every position, are promise 4's; here every page of a sync comes twice, in another order, or
is one that was given before.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from syncd.connectors.base import Page
from syncd.model import Stream, Window
from syncd.store.types import Counts
from syncd.sync import Ask, Source, Tools, run_stream
from tests.promises.faulty import STORE, Trial, differences, on_trial, outcome_of, undisturbed
from tests.promises.oracles import picture
from tests.promises.proxy import Script, Spoil
from tests.property.served import ServedStage

pytestmark = pytest.mark.usefixtures("quiet")


@pytest.fixture
def trial(stage: ServedStage, database_url: str, tmp_path: Path) -> Iterator[Trial]:
    """A filled shop behind a proxy, and an empty database of each engine."""
    with on_trial(stage, database_url, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("kind", [Spoil.DOUBLED, Spoil.SHUFFLED])
def test_pages_in_disorder_are_pages(trial: Trial, kind: Spoil, tmp_path: Path) -> None:
    """A sync of which every page has its rows twice, or in another order, stores what an undisturbed one stores."""
    trial.proxy.script = Script(1, 1.0, frozenset({kind}))

    report = trial.sync()

    assert {outcome.report.status for outcome in report.outcomes} == {"succeeded"}
    assert trial.proxy.done[kind] > 3
    with trial.app() as app:
        assert differences(outcome_of(app), undisturbed(tmp_path / "fresh", trial.stage, trial.clock)) == []


def test_a_second_sync_updates_nothing(trial: Trial, database_url: str) -> None:
    """Asked for everything once more, with every page in disorder too, a shop that rests changes no row."""
    trial.sync()
    with trial.app() as app:
        app.sync(sweep=True)  # sees its own tags
    before = picture(database_url)
    trial.proxy.script = Script(1, 1.0, frozenset({Spoil.DOUBLED, Spoil.SHUFFLED}))

    with trial.app() as app:
        outcomes = app.sync(sweep=True).outcomes

    counts = [outcome.report.counts for outcome in outcomes]
    assert [(each.new, each.changed, each.stale) for each in counts] == [(0, 0, 0)] * 3
    assert sum(each.unchanged for each in counts) > 20
    assert picture(database_url) == before


@dataclass
class _Replayed:
    """A store that gives pages of before."""

    live: Any
    pages: Sequence[Page]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.live, name)

    def pull(self, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        """The pages of before, whatever is asked."""
        return iter(self.pages)


def test_old_pages_never_overwrite_new_rows(trial: Trial, database_url: str) -> None:
    """Pages taken before an order changed, stored after it, are told as stale and change nothing."""
    with trial.app() as app:
        with closing(app.connector(STORE).pull(Stream.ORDERS, Window())) as pulled:  # type: ignore[type-var]
            old = list(pulled)
        trial.clock.advance(60)
        edited = [trial.stage.deeds["cancel"](number) for number in range(4)]
        trial.sync()
        before = picture(database_url)
        source = _source(app, old)

        counts = run_stream(source, Stream.ORDERS, Ask(kind="backfill"), _tools(app)).counts

        assert len(edited) == 4
        assert counts.stale > 0
        assert (counts.new, counts.changed) == (0, 0)
        assert counts == Counts(read=counts.read, unchanged=counts.unchanged, stale=counts.stale)
        assert picture(database_url)["orders"] == before["orders"]


def _source(app: Any, pages: Sequence[Page]) -> Source:
    connector = _Replayed(app.connector(STORE), pages)
    return Source(store_id=STORE, connector=connector, mapper=app.mapper(STORE), region="DE", own_tags=frozenset())


def _tools(app: Any) -> Tools:
    database = app.database
    return Tools(database=database, clock=app.clock, new_id=database.new_id, owner="replay", stop=threading.Event())
