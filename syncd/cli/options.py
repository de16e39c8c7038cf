"""Options that several verbs take, and how their words are read."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from syncd.app import App, Selection
from syncd.model import Stream, Window

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Stores = Annotated[list[str] | None, typer.Option("--store", help="Only this store; may be repeated.")]
Streams = Annotated[list[Stream] | None, typer.Option("--stream", help="Only this stream; may be repeated.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, do nothing.")]
When = Annotated[
    str | None, typer.Option(help="A date or time, UTC unless it names a zone: 2026-01-31 or 2026-01-31T08:00Z.")
]


def selection(stores: list[str] | None, streams: list[Stream] | None = None) -> Selection:
    """The stores and streams that were named; none means all."""
    return Selection(stores=tuple(stores or ()), streams=tuple(streams or ()))


def window_of(since: str | None, until: str | None) -> Window:
    """The window between two times, each of which may be missing."""
    window = Window(since=_moment(since, "--since"), until=_moment(until, "--until"))
    if window.since and window.until and window.since >= window.until:
        raise typer.BadParameter(f"{until!r} is not after {since!r}", param_hint="--until")
    return window


def _moment(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date or time such as 2026-01-31", param_hint=option) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def next_time(text: str | None, opened: App) -> datetime | None:
    """When it is next this time of day where the merchant is."""
    if text is None:
        return None
    try:
        wanted = time.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time of day such as 06:00", param_hint="--stop-at") from None
    now = opened.clock.now().astimezone(ZoneInfo(opened.settings.timezone))
    today = datetime.combine(now.date(), wanted.replace(tzinfo=None), tzinfo=now.tzinfo)
    return (today if today > now else today + timedelta(days=1)).astimezone(UTC)
