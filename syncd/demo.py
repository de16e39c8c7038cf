"""`syncd demo`: the whole job against sandbox shops, on a database of its own, in one screen."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncd import screens
from syncd.app import App, Summary, SyncReport
from syncd.sandbox import Sandbox, SandboxOptions
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
    kept: Path | None

    def document(self) -> dict[str, Any]:
        """Both rounds as JSON."""
        return {"first": self.first.document(), "second": self.second.document()}


def run(seed: int, *, keep: bool) -> Demo:
    """Start the sandbox, do the whole job twice, stop the sandbox.

    Args:
        seed: Makes the invented shops.
        keep: Leave the folder with the config and the database behind, and tell where.
    """
    with _folder(keep) as folder, Sandbox(SandboxOptions(seed=seed)) as sandbox:
        config = _write_config(folder, sandbox)
        first, people = _round(config, sweep=False)
        second, _ = _round(config, sweep=True)
    return Demo(first=first, second=second, people=people, kept=folder if keep else None)


@contextmanager
def _folder(keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="syncd-demo-"))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _write_config(folder: Path, sandbox: Sandbox) -> Path:
    """The example config, pointed at this sandbox's ports and at a database in the folder."""
    text = example_config("syncd.yaml")
    for store_id, shop in sandbox.shops.items():
        text = re.sub(rf"(\n  {store_id}:.*?url: )\S+", rf"\g<1>{shop.url}", text, count=1, flags=re.DOTALL)
    text = re.sub(r"sqlite:///\S+?(?=[\"'}\s])", "sqlite:///demo.db", text, count=1)
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
    screens.show_segments(first.summary)
    screens.say(f"3. Tags written back to the shops: {first.pushed:,}.")
    _show_second(demo.second)
    if demo.kept:
        screens.say(f"Kept in {demo.kept}: syncd.yaml, segments.yaml, demo.db. (The sandbox has ended.)")
    else:
        screens.say("Next: `syncd init` writes a config for your own shops; `syncd demo --keep` keeps this database.")


def _show_second(second: Round) -> None:
    counts = [outcome.report.counts for outcome in second.report.outcomes]
    read, new, changed = (sum(getattr(item, name) for item in counts) for name in ("read", "new", "changed"))
    screens.say(
        f"4. Once more, everything: {read:,} records read, {new:,} new, {changed:,} changed, "
        f"{second.pushed:,} tags written. Running it again is safe."
    )
