"""`syncd demo`: the whole job against sandbox shops, on a database of its own, in one screen."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncd import screens
from syncd.app import App, Summary, SyncReport
from syncd.sandbox import PORTS, Sandbox, SandboxOptions
from syncd.sandbox.score import Score, score
from syncd.settings import example_config, load
from syncd.store.types import ProfileView

_PEOPLE_SHOWN = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """One pass over the whole job: pull, derive, plan, apply."""

    report: SyncReport
    summary: Summary
    pushed: int

    def document(self) -> dict[str, Any]:
        """The round as JSON."""
        return {**screens.sync_json(self.report, self.summary), "pushed": self.pushed}


@dataclass(frozen=True, kw_only=True, slots=True)
class Demo:
    """What two rounds did; the second has nothing to do."""

    first: Round
    second: Round
    people: tuple[ProfileView, ...]
    identity: Score
    kept: Path | None

    def document(self) -> dict[str, Any]:
        """Both rounds as JSON, and how well people were found, held against the sandbox's truth."""
        identity = {
            "precision": self.identity.precision,
            "recall": self.identity.recall,
            "people_on_several_stores": self.identity.people_on_several_stores,
        }
        return {"first": self.first.document(), "second": self.second.document(), "identity": identity}


def run(seed: int, *, keep: bool) -> Demo:
    """Start the sandbox, do the whole job twice, stop the sandbox.

    Args:
        seed: Makes the invented shops.
        keep: Leave the folder with the config and the database behind, and tell where.
    """
    with _folder(keep) as folder:
        with Sandbox(SandboxOptions(seed=seed)) as sandbox:
            config = _write_config(folder, {PORTS[name]: shop.port for name, shop in sandbox.shops.items()})
            first, people = _round(config, sweep=False)
            second, _ = _round(config, sweep=True)
            identity = _scored(config, sandbox)
        _write_config(folder, {})
    return Demo(first=first, second=second, people=people, identity=identity, kept=folder if keep else None)


@contextmanager
def _folder(keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="syncd-demo-"))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _write_config(folder: Path, ports: Mapping[int, int]) -> Path:
    """The example config and segments, with the sandbox's free ports in place of the well-known ones."""
    text = example_config("syncd.yaml").replace("sqlite:///data/syncd.db", "sqlite:///demo.db")
    for known, free in ports.items():
        text = text.replace(f"127.0.0.1:{known}", f"127.0.0.1:{free}")
    (folder / "segments.yaml").write_text(example_config("segments.yaml"))
    config = folder / "syncd.yaml"
    config.write_text(text)
    return config


def _round(config: Path, *, sweep: bool) -> tuple[Round, tuple[ProfileView, ...]]:
    with App(load(config)) as app:
        report = app.sync(sweep=sweep)
        plan = app.plan()
        applied = app.apply(plan, approved=plan.total)
        done = Round(report=report, summary=app.summary(), pushed=applied.confirmed)
        return done, tuple(_people(app))


def _people(app: App) -> Sequence[ProfileView]:
    """Some people with records from more than one store, the best known first."""
    views = (app.database.people.profile(profile_id) for profile_id in app.database.people.widest(_PEOPLE_SHOWN))
    return [view for view in views if view is not None]


def _scored(config: Path, sandbox: Sandbox) -> Score:
    """The people found beside the people there are."""
    with App(load(config)) as app:
        found = {f"{key.store_id}:{key.kind}:{key.external_id}": to for key, to in app.database.people.partition()}
    return score(sandbox.truth(), found)


def show(demo: Demo) -> None:
    """Print the one screen."""
    first = demo.first
    screens.show_runs("1. Read from the shops", [outcome.report for outcome in first.report.outcomes])
    screens.say(
        f"2. {first.summary.records:,} records with a name, mailbox or phone are {first.summary.profiles:,} people. "
        f"{len(demo.people)} of them, with their records:"
    )
    for view in demo.people:
        screens.show_person_brief(view)
    screens.say(
        f"   Against the truth, which the sandbox knows: {demo.identity.precision:.1%} of the joined pairs are right, "
        f"{demo.identity.recall:.1%} of the true ones were found."
    )
    screens.show_segments(first.summary)
    screens.say(f"3. Tags written back to the shops: {first.pushed:,}.")
    _show_second(demo.second)
    if demo.kept:
        screens.say(f"Kept: {demo.kept}/syncd.yaml and demo.db beside it; `syncd sandbox` serves the same shops again.")
    else:
        screens.say("Next: `syncd init` writes a config for your own shops; `syncd demo --keep` keeps this database.")


def _show_second(second: Round) -> None:
    counts = [outcome.report.counts for outcome in second.report.outcomes]
    read, new, changed = (sum(getattr(item, name) for item in counts) for name in ("read", "new", "changed"))
    screens.say(
        f"4. Once more, everything: {read:,} records read, {new:,} new, {changed:,} changed, "
        f"{second.pushed:,} tags written. Running it again is safe."
    )
