"""Verbs that let a store rest and wake it: pause, resume."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd import pausing, screens
from syncd.cli.frame import emit, opening
from syncd.cli.options import AsJson, DryRun
from syncd.errors import ExitCode
from syncd.model import Stream

Store = Annotated[str, typer.Argument(help="The store's id in the config.")]
Push = Annotated[bool, typer.Option("--push", help="The writing of tags, in place of the pulling.")]
OneStream = Annotated[Stream | None, typer.Option("--stream", help="Only this stream.")]


def pause(
    ctx: typer.Context,
    store: Store,
    push: Push = False,
    stream: OneStream = None,
    reason: Annotated[str, typer.Option(help="Why, for those who will wonder.")] = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Stop pulling a store or a stream of it, or writing its tags, until `syncd resume`."""
    rest = _rest(store, stream, push=push)
    with opening(ctx) as opened:
        report = pausing.pause(opened, rest, reason, dry_run=dry_run)
    emit(as_json, lambda: screens.pause_json(report), lambda: screens.show_pause(report))
    return int(ExitCode.OK)


def resume(
    ctx: typer.Context,
    store: Store,
    push: Push = False,
    stream: OneStream = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """End a pause, by hand or not; what rested is due at once."""
    rest = _rest(store, stream, push=push)
    with opening(ctx) as opened:
        report = pausing.resume(opened, rest, dry_run=dry_run)
    emit(as_json, lambda: screens.resume_json(report), lambda: screens.show_resume(report))
    return int(ExitCode.OK)


def _rest(store: str, stream: Stream | None, *, push: bool) -> pausing.Rest:
    if push and stream is not None:
        raise typer.BadParameter("tags are written for a whole store: leave out one of the two", param_hint="--push")
    return pausing.Rest(store_id=store, stream=stream, push=push)
