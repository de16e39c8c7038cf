"""What the command line prints of upkeep: as one screen for people and as one JSON document for programs."""

from __future__ import annotations

from collections.abc import Sequence

from syncd.screens import Json, say, table
from syncd.upkeep import RemapReport


def remap_json(reports: Sequence[RemapReport], *, dry_run: bool) -> Json:
    """What became of every kept record."""
    streams = [
        {
            "store": report.store_id,
            "stream": report.stream,
            "read": report.counts.read,
            "changed": report.counts.changed,
            "unchanged": report.counts.unchanged,
            "rejected": report.counts.rejected,
        }
        for report in reports
    ]
    return {"dry_run": dry_run, "streams": streams}


def show_remap(reports: Sequence[RemapReport], *, dry_run: bool) -> None:
    """A line a stream, then what to do about records that cannot be read."""
    rows = [
        (r.store_id, r.stream.value, r.counts.read, r.counts.changed, r.counts.unchanged, r.counts.rejected)
        for r in reports
    ]
    title = "Would be read anew" if dry_run else "Read anew"
    table(title, ("store", "stream", "read", "changed", "unchanged", "rejected"), rows)
    if any(report.counts.rejected for report in reports) and not dry_run:
        say("What could not be read keeps its values: `syncd rejected list` tells why.")
