"""Screens of pulls: runs, what became of every record, what a dry run would ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from syncd.screens.paper import Json, moment, say, table
from syncd.screens.pushing import show_apply
from syncd.store.types import RunReport

if TYPE_CHECKING:
    from syncd.app import Intent, Summary, SyncReport


def run_json(report: RunReport) -> Json:
    """One run: what became of every record of it."""
    counts = report.counts
    return {
        "run_id": report.run_id,
        "store": report.store_id,
        "platform": report.platform,
        "stream": report.stream,
        "lane": report.lane,
        "kind": report.kind,
        "status": report.status,
        "reason": report.reason,
        "read": counts.read,
        "new": counts.new,
        "changed": counts.changed,
        "unchanged": counts.unchanged,
        "stale": counts.stale,
        "rejected": counts.rejected,
        "deleted": report.deleted,
        "declared": report.declared,
        "pages": report.pages,
        "started_at": report.started_at,
        "ended_at": report.ended_at,
    }


_RUN_COLUMNS = (
    "store",
    "stream",
    "kind",
    "status",
    "read",
    "new",
    "changed",
    "unchanged",
    "stale",
    "rejected",
    "gone",
    "shop says",
)


def _run_row(report: RunReport) -> tuple[object, ...]:
    counts = report.counts
    figures = (counts.read, counts.new, counts.changed, counts.unchanged, counts.stale, counts.rejected)
    declared = "" if report.declared is None else report.declared
    return (report.store_id, report.stream.value, report.kind, report.status, *figures, report.deleted, declared)


def show_runs(title: str, reports: Sequence[RunReport]) -> None:
    """Runs as a table, then in words what is wrong with any of them."""
    table(title, _RUN_COLUMNS, [_run_row(report) for report in reports])
    troubled: dict[tuple[str, str], list[str]] = {}
    for report in reports:
        troubled.setdefault((report.store_id, report.reason), []).append(report.stream)
    for (store_id, reason), streams in troubled.items():
        if reason:
            say(f"{store_id} {', '.join(streams)}: {reason}")


def sync_json(report: SyncReport, summary: Summary) -> Json:
    """Everything a `sync` or `backfill` did; the same keys as each half of `demo --json`."""
    return {
        "streams": [run_json(outcome.report) for outcome in report.outcomes],
        "records": summary.records,
        "profiles": summary.profiles,
        "segments": {name: {"profiles": size.profiles, "reach": size.reach} for name, size in summary.segments.items()},
        "pushed": report.applied.confirmed if report.applied else 0,
        "brake": report.brake.advice if report.brake else "",
        "exit_code": int(report.exit_code),
    }


def show_sync(report: SyncReport, summary: Summary) -> None:
    """What was read of each store, how many people that makes, who is in which segment, what was written back."""
    show_runs("What was read", [outcome.report for outcome in report.outcomes])
    say(f"{summary.records:,} contacts are {summary.profiles:,} people.")
    show_segments(summary)
    if report.applied:
        show_apply(report.applied)
    if report.brake:
        say(f"The tags wait for approval: {report.brake}")


def show_segments(summary: Summary) -> None:
    """Segment sizes and how many of each can be reached with a tag."""
    rows = [(name, size.profiles, size.reach) for name, size in summary.segments.items()]
    table("Segments", ("segment", "people", "with an account to tag"), rows)


def intents_json(intents: Sequence[Intent]) -> Json:
    """What a dry run would ask."""
    return {
        "asks": [
            {
                "store": intent.store_id,
                "stream": intent.stream,
                "kind": intent.kind,
                "since": intent.window.since,
                "until": intent.window.until,
            }
            for intent in intents
        ]
    }


def show_intents(intents: Sequence[Intent]) -> None:
    """What a dry run would ask, a line a stream."""
    rows = [(i.store_id, i.stream.value, i.kind, moment(i.window.since), moment(i.window.until)) for i in intents]
    table("Would ask for", ("store", "stream", "kind", "since", "until"), rows)


def show_history(reports: Sequence[RunReport]) -> None:
    """The latest runs, newest first."""
    if not reports:
        say("There was no such run yet.")
        return
    rows = [(moment(report.started_at), *_run_row(report), report.reason) for report in reports]
    table("Runs", ("started", *_RUN_COLUMNS, "why"), rows)
