"""Screens of pauses by hand."""

from __future__ import annotations

from collections.abc import Sequence

from syncd.pausing import BY_HAND, PauseReport, Rest, ResumeReport
from syncd.screens.paper import Json, say
from syncd.store.types import Pause


def pause_json(report: PauseReport) -> Json:
    """What a pause changed."""
    return {
        **_rest_json(report.rest),
        "dry_run": report.is_dry_run,
        "reason": report.reason,
        "before": paused_json(report.before) if report.before else None,
    }


def show_pause(report: PauseReport) -> None:
    """What rests from now on, and how it is ended."""
    would = "would be" if report.is_dry_run else "is"
    reason = "" if report.reason == BY_HAND else f": {report.reason}"
    say(f"{report.rest.place}: {_what(push=report.rest.push)} {would} paused by hand{reason}.")
    if report.before is not None:
        say(f"It was paused before: {report.before.reason}.")
    say(f"It stays so until `{_resume(report.rest)}`. What is being done is done to its end.")


def resume_json(report: ResumeReport) -> Json:
    """Which pauses ended, and which did not."""
    return {
        **_rest_json(report.rest),
        "dry_run": report.is_dry_run,
        "lifted": [paused_json(pause) for pause in report.lifted],
        "still_paused": [paused_json(pause) for pause in report.left],
    }


def show_resume(report: ResumeReport) -> None:
    """Which pauses ended, then what else of the store still rests."""
    ends = "would end" if report.is_dry_run else "has ended"
    for pause in report.lifted:
        say(f"{_place(pause)}: {_what(push=pause.is_push)} goes on; this pause {ends}: {pause.reason}")
    if not report.lifted:
        say(f"{report.rest.place}: {_what(push=report.rest.push)} was not paused; nothing was done.")
    for pause in report.left:
        say(f"Still paused: {_place(pause)}, {_what(push=pause.is_push)}: {pause.reason}")
        say(f"  `{_resume(Rest(store_id=pause.store_id, stream=pause.stream, push=pause.is_push))}` ends it.")


def paused_json(pause: Pause) -> Json:
    """One pause: what rests, since when, why, and whether only a person ends it."""
    return {
        "stream": pause.stream,
        "push": pause.is_push,
        "since": pause.since,
        "reason": pause.reason,
        "by_hand": pause.by_hand,
    }


def _rest_json(rest: Rest) -> Json:
    return {"store": rest.store_id, "stream": rest.stream, "push": rest.push}


def _place(pause: Pause) -> str:
    return f"{pause.store_id}/{pause.stream}" if pause.stream else pause.store_id


def _what(*, push: bool) -> str:
    return "writing tags" if push else "pulling"


def _resume(rest: Rest) -> str:
    options: Sequence[str] = [f"--stream {rest.stream}"] if rest.stream else ["--push"] if rest.push else []
    return " ".join(["syncd resume", rest.store_id, *options])
