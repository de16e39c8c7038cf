"""Verbs about one store of the database: store remove."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer
from typer.exceptions import Abort

from syncd import screens, upkeep
from syncd.app import App
from syncd.cli.frame import emit, opening
from syncd.cli.options import AsJson, DryRun
from syncd.errors import BrakeTripped, ExitCode


def store_remove(
    ctx: typer.Context,
    store: Annotated[str, typer.Argument(help="The store's id; it need not be in the config any more.")],
    untag: Annotated[
        bool, typer.Option("--untag", help="First take off every tag that we put on its accounts.")
    ] = False,
    purge: Annotated[bool, typer.Option("--purge", help="Delete everything that the database has of it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    approve: Annotated[int | None, typer.Option(help="Customers that may lose tags past the brake.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Let a store go: forget its schedule, or with --purge all of it; says what was deleted and what is left."""
    removal = upkeep.Removal(store_id=store, untag=untag, purge=purge)
    with opening(ctx) as opened:
        if not dry_run and not yes:
            _ask_removal(opened, removal, as_json=as_json)
        report = upkeep.remove_store(opened, removal, approved=approve, dry_run=dry_run)
    emit(as_json, lambda: screens.removal_json(report), lambda: screens.show_removal(report))
    return int(ExitCode.OK if report.receipt else ExitCode.INCOMPLETE)


def _ask_removal(opened: App, removal: upkeep.Removal, *, as_json: bool) -> None:
    """Show what would go and have it approved; without a terminal only `--yes` does."""
    if not sys.stdin.isatty() or as_json:
        raise BrakeTripped(
            f"removing {removal.store_id} waits for approval; nothing was done",
            hint="Look at it with `--dry-run`, then run it with `--yes`",
        )
    screens.show_removal(upkeep.remove_store(opened, removal, dry_run=True))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Ctrl-C is an answer, too
    if not typer.confirm(f"Remove {removal.store_id}?", err=True):
        raise Abort
