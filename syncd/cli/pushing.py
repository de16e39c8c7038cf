"""Verbs that write tags to the shops: plan, apply."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import Abort

from syncd import push, screens
from syncd.cli.frame import emit, opening
from syncd.cli.options import AsJson, DryRun, Stores, selection
from syncd.errors import BrakeTripped, ExitCode


def plan(
    ctx: typer.Context,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Save the plan for `syncd apply FILE`.")] = None,
    store: Stores = None,
    as_json: AsJson = False,
) -> int:
    """Say which tags would be written to which accounts, and which wait; nothing is written."""
    with opening(ctx) as opened:
        opened.derive()  # a segment edited just now counts
        made = opened.plan(selection(store))
    if output:
        push.save(made, output)
    emit(as_json, lambda: push.to_document(made), lambda: screens.show_plan(made, output))
    return int(ExitCode.OK)


def apply(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="A plan saved with `syncd plan -o`.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    approve: Annotated[int | None, typer.Option(help="Customers of all stores that may change past the brake.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first this many changes.")] = None,
    only: Annotated[str | None, typer.Option(help="Only this segment, or this profile id.")] = None,
    store: Stores = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Write the planned tags to the shops; every change is checked once more before it leaves."""
    with opening(ctx) as opened:
        made = opened.load_plan(file) if file else opened.plan(selection(store))
        made = push.narrowed(made, lambda change: only in (None, change.segment, change.profile_id), limit)
        if dry_run:
            emit(as_json, lambda: push.to_document(made), lambda: screens.show_plan(made, None))
            return int(ExitCode.OK)
        if not file and not yes and approve is None:
            _ask(made, as_json=as_json)
        report = opened.apply(made, approved=approve)
    emit(as_json, lambda: screens.apply_json(report), lambda: screens.show_apply(report))
    return int(report.exit_code)


def _ask(made: push.Plan, *, as_json: bool) -> None:
    """Show the plan and have it approved; without a terminal only `--yes` does."""
    if not made.changes:
        return
    if not sys.stdin.isatty() or as_json:
        raise BrakeTripped(
            f"{len(made.changes):,} changes wait for approval; nothing was written",
            hint="Look at `syncd plan`, then run `syncd apply --yes`",
        )
    screens.show_plan(made, None)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Ctrl-C is an answer, too
    if not typer.confirm(f"Write {len(made.changes):,} changes to the shops?", err=True):
        raise Abort
