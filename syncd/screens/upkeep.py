"""What the command line prints of upkeep: as one screen for people and as one JSON document for programs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from syncd.estimate import Estimate
from syncd.screens.paper import Json, say, table
from syncd.screens.pushing import apply_json, show_apply
from syncd.store.types import StoreView
from syncd.upkeep import RemapReport, RemovalReport


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


def estimates_json(estimates: Sequence[Estimate]) -> Json:
    """How much a backfill would be; null is unknown."""
    return {
        "estimates": [
            {
                "store": item.store_id,
                "stream": item.stream,
                "records": item.records,
                "requests": item.requests,
                "seconds": item.seconds,
                "by_bulk": item.by_bulk,
                "error": str(item.error) if item.error else "",
            }
            for item in estimates
        ]
    }


def show_estimates(estimates: Sequence[Estimate]) -> None:
    """A line a stream, then why some could not be asked."""
    columns = ("store", "stream", "records", "requests", "time at the platform's limit")
    table("A backfill would be", columns, [_estimate_row(item) for item in estimates if not item.error])
    if any(item.by_bulk for item in estimates):
        say("few: the platform lays the records together in a file, in its own time.")
    for item in estimates:
        if item.error:
            say(str(item.error))


def _estimate_row(item: Estimate) -> tuple[object, ...]:
    records = "unknown" if item.records is None else item.records
    requests = "few" if item.by_bulk else "unknown" if item.requests is None else item.requests
    return item.store_id, item.stream.value, records, requests, _span(item.seconds)


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "unknown"
    minutes = math.ceil(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def orphans_json(orphans: Sequence[StoreView]) -> list[Json]:
    """Stores that the config does not have any more, with what to do."""
    return [
        {
            "store": orphan.store_id,
            "platform": orphan.platform,
            "records": {stream.value: count for stream, count in orphan.records.items()},
            "remedy": _remedy(orphan),
        }
        for orphan in orphans
    ]


def show_orphans(orphans: Sequence[StoreView]) -> None:
    """A line a store that the config does not have any more: what is here of it, and the command that lets it go."""
    for orphan in orphans:
        counts = ", ".join(f"{count:,} {stream}" for stream, count in orphan.records.items())
        say(
            f"{orphan.store_id} is orphaned: the config does not have it any more. The database still has its {counts}."
        )
        say(f"  {_remedy(orphan)}")


def _remedy(orphan: StoreView) -> str:
    remove = f"syncd store remove {orphan.store_id}"
    return f"Put it back into the config, keep its data with `{remove}`, or delete it with `{remove} --purge`"


def removal_json(report: RemovalReport) -> Json:
    """The receipt of a store that was let go."""
    receipt = report.receipt
    return {
        "store": report.removal.store_id,
        "dry_run": report.is_dry_run,
        "is_removed": receipt is not None and not report.is_dry_run,
        "purge": report.removal.purge,
        "untagging": report.untagging,
        "untagged": apply_json(report.applied) if report.applied else None,
        "deleted": dict(receipt.rows) if receipt else {},
        "people_gone": receipt.people_gone if receipt else 0,
        "people_kept": receipt.people_kept if receipt else 0,
        "tags_left": report.tags_left,
        "left": _left(report),
    }


def show_removal(report: RemovalReport) -> None:
    """The receipt: what was taken off, what was deleted from which table, and what is left."""
    if report.applied:
        show_apply(report.applied)
    elif report.removal.untag:
        say(f"{report.untagging:,} tags of ours would be taken off.")
    if report.receipt:
        would = "Would be deleted" if report.is_dry_run else "Deleted"
        table(f"{would} of {report.removal.store_id}", ("table", "rows"), list(report.receipt.rows.items()))
        if report.removal.purge:
            gone, kept = report.receipt.people_gone, report.receipt.people_kept
            say(f"{gone:,} people were known from here alone; {kept:,} are known from other stores, too.")
    for words in _left(report):
        say(words)


def _left(report: RemovalReport) -> list[str]:
    """What a removal does not reach, in words."""
    store_id = report.removal.store_id
    if report.receipt is None:
        return [f"{report.tags_left:,} tags of ours could not be taken off: nothing was removed. Run it again later."]
    left = []
    if report.tags_left and not (report.is_dry_run and report.removal.untag):
        left.append(f"Left on the shop's accounts: {report.tags_left:,} tags of ours.")
    if not report.removal.purge:
        left.append("Its records and its people stay in the database; without its schedule it is read from the start.")
    else:
        left.append("Left: backups and exports made before, and what the shop itself has.")
    if report.is_configured:
        left.append(f"The config still has {store_id}: take it out, or the next run reads it again.")
    return left
