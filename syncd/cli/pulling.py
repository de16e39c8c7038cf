"""Verbs that ask the shops: check, sync, backfill."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd import estimate as estimating
from syncd import screens
from syncd.cli.frame import emit, opening, tell
from syncd.cli.options import AsJson, DryRun, Stores, Streams, When, next_time, selection, window_of
from syncd.errors import ExitCode
from syncd.sync import Ask


def check(ctx: typer.Context, store: Stores = None, as_json: AsJson = False) -> int:
    """Ask every store who it is and what the key may do; nothing is written."""
    with opening(ctx) as opened:
        checks = opened.check(selection(store))
    emit(as_json, lambda: screens.checks_json(checks), lambda: screens.show_checks(checks))
    errors = [item.error.exit_code for item in checks if item.error]
    if errors:
        return int(max(errors, key=lambda code: code is not ExitCode.TRY_AGAIN))
    return int(ExitCode.OK if all(item.is_well for item in checks) else ExitCode.FAILED)


def sync(
    ctx: typer.Context,
    store: Stores = None,
    stream: Streams = None,
    sweep: Annotated[bool, typer.Option("--sweep", help="Walk everything and find deletions now.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Pull what changed since the last time, derive, and push where a store's push mode is auto."""
    chosen = selection(store, stream)
    with opening(ctx, shows_progress=not as_json and not dry_run) as opened:
        if dry_run:
            intents = opened.intents(chosen, lambda key: opened.live_ask(key, sweep=sweep))
            emit(as_json, lambda: screens.intents_json(intents), lambda: screens.show_intents(intents))
            return int(ExitCode.OK)
        report, summary = opened.sync(chosen, sweep=sweep), opened.summary()
        tell(opened)
    emit(as_json, lambda: screens.sync_json(report, summary), lambda: screens.show_sync(report, summary))
    return int(report.exit_code)


def backfill(
    ctx: typer.Context,
    store: Stores = None,
    stream: Streams = None,
    since: When = None,
    until: When = None,
    stop_at: Annotated[
        str | None, typer.Option(help="Stop after the page in hand at this time of day, such as 06:00, by `timezone`.")
    ] = None,
    estimate: Annotated[bool, typer.Option("--estimate", help="Say how much it would be; nothing is stored.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Pull everything, or a window of it, then derive; started again after a stop, it goes on where it was."""
    chosen = selection(store, stream)
    window = window_of(since, until)
    with opening(ctx, shows_progress=not as_json and not dry_run and not estimate) as opened:
        if estimate:
            found = estimating.estimate(opened, chosen, window)
            emit(as_json, lambda: screens.estimates_json(found), lambda: screens.show_estimates(found))
            return int(next((item.error.exit_code for item in found if item.error), ExitCode.OK))
        ends_at = next_time(stop_at, opened)
        if dry_run:
            intents = opened.intents(chosen, lambda _: Ask(kind="backfill", window=window))
            emit(as_json, lambda: screens.intents_json(intents), lambda: screens.show_intents(intents))
            return int(ExitCode.OK)
        report, summary = opened.backfill(chosen, window, ends_at), opened.summary()
        tell(opened)
    emit(as_json, lambda: screens.sync_json(report, summary), lambda: screens.show_sync(report, summary))
    return int(report.exit_code)
