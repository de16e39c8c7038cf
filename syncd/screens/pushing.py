"""Screens of pushes: what would be written, and what became of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from syncd.model import TagAction
from syncd.screens.paper import Json, say, table

if TYPE_CHECKING:
    from syncd import push


def show_plan(plan: push.Plan, saved: Path | None) -> None:
    """What would be written where: a line a change on a small plan, else counts; then what waits and why."""
    signs = {TagAction.ADD: "+", TagAction.REMOVE: "-"}
    counts = Counter((change.store_id, change.segment, change.action) for change in plan.changes)
    if len(plan.changes) <= _CHANGES_SHOWN:
        for change in plan.changes:
            who = f"{change.store_id} {change.external_id}  {change.tag}"
            say(f"  {signs[change.action]} {who}  ({change.segment}, {change.profile_id})")
    rows = [
        (
            reach.segment,
            reach.store_id,
            reach.members,
            reach.with_account,
            reach.tagged,
            counts[reach.store_id, reach.segment, TagAction.ADD],
            counts[reach.store_id, reach.segment, TagAction.REMOVE],
        )
        for reach in plan.reach
    ]
    columns = ("segment", "store", "people", "of them here", "tagged now", "accounts to tag", "to untag")
    table("Plan", columns, rows)
    for group in plan.held:
        say(f"held: {group.count:,} of {group.segment} on {group.store_id}: {group.reason}")
    for words in (*plan.notes, *(f"{brake.store_id}: {brake.reason}" for brake in plan.brakes if brake.is_tripped)):
        say(words)
    say(f"{plan.total:,} changes." + (f" Saved: `syncd apply {saved}` does exactly these." if saved else ""))
    if any(brake.is_tripped for brake in plan.brakes):
        customers = sum(brake.customers for brake in plan.brakes)
        say(f"They wait for approval: `syncd apply {saved or ''}".rstrip() + f" --approve {customers}`.")


_CHANGES_SHOWN = 40


def apply_json(report: push.ApplyReport) -> Json:
    """What an apply did."""
    return {
        "apply_id": report.apply_id,
        "queued": report.queued,
        "outdated": report.outdated,
        "confirmed": report.confirmed,
        "stores": [
            {
                "store": store.store_id,
                "confirmed": store.confirmed,
                "rejected": [
                    {"external_id": change.external_id, "tag": change.tag, "reason": reason}
                    for change, reason in store.rejected
                ],
                "waiting": store.waiting,
                "held": store.held,
                "stopped": store.stopped,
            }
            for store in report.stores
        ],
    }


def show_apply(report: push.ApplyReport) -> None:
    """What became of every change."""
    rows = [(s.store_id, s.confirmed, len(s.rejected), s.waiting, s.held) for s in report.stores]
    table("Written", ("store", "confirmed", "rejected", "waiting", "held"), rows)
    if report.outdated:
        say(f"{report.outdated:,} changes of the plan are done already or no longer due as planned, and were left out.")
    for store in report.stores:
        if store.stopped:
            say(f"{store.store_id}: {store.stopped}")
        for change, reason in store.rejected[:_CHANGES_SHOWN]:
            say(f"  rejected: {change.external_id} {change.tag}: {reason}")
