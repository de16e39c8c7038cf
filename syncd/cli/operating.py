"""Verbs of those who run it: status, history."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd import screens, upkeep
from syncd.cli.frame import emit, opening, place, print_json
from syncd.cli.options import AsJson
from syncd.errors import ExitCode
from syncd.model import Stream
from syncd.overview import overview


def status(ctx: typer.Context, as_json: AsJson = False) -> int:
    """How every store and stream stands, what is wrong, and what to do; no shop is asked."""
    with opening(ctx) as opened:
        here, seen, orphans = place(ctx, opened), overview(opened), upkeep.orphaned(opened)
    if as_json:
        print_json({**screens.overview_json(here, seen), "orphaned": screens.orphans_json(orphans)})
    else:
        screens.show_overview(here, seen)
        screens.show_orphans(orphans)
    return int(ExitCode.OK)


def history(
    ctx: typer.Context,
    store: Annotated[str | None, typer.Option("--store", help="Only this store.")] = None,
    stream: Annotated[Stream | None, typer.Option("--stream", help="Only this stream.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    as_json: AsJson = False,
) -> int:
    """The latest runs, newest first."""
    with opening(ctx) as opened:
        reports = opened.database.runs.history(limit, store_id=store, stream=stream)
    emit(
        as_json,
        lambda: {"runs": [screens.run_json(report) for report in reports]},
        lambda: screens.show_history(reports),
    )
    return int(ExitCode.OK)
