"""Verbs that look at people: find, profile show."""

from __future__ import annotations

from typing import Annotated

import typer

from syncd import screens
from syncd.cli.frame import emit, opening
from syncd.cli.options import AsJson
from syncd.errors import ExitCode


def find(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="An e-mail address, phone, name or shop's id.")],
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    as_json: AsJson = False,
) -> int:
    """Find people by e-mail, phone, name or a shop's id."""
    with opening(ctx) as opened:
        hits = opened.find(text, limit)
    emit(as_json, lambda: screens.hits_json(hits), lambda: screens.show_hits(text, hits, limit))
    return int(ExitCode.OK if hits else ExitCode.FAILED)


def profile_show(ctx: typer.Context, profile_id: str, as_json: AsJson = False) -> int:
    """One person: records, why they are one, facts, segments, tags."""
    with opening(ctx) as opened:
        view = opened.database.people.profile(profile_id)
    if view is None:
        raise typer.BadParameter(f"no profile {profile_id}; `syncd find` looks one up", param_hint="PROFILE_ID")
    emit(as_json, lambda: screens.person_json(view), lambda: screens.show_person(view))
    return int(ExitCode.OK)
