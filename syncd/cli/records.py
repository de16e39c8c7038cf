"""Verbs over what is stored: rejected, remap, export."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Annotated

import orjson
import typer

from syncd import screens, upkeep
from syncd.cli.frame import emit, opening
from syncd.cli.options import AsJson, DryRun, Stores, Streams, selection
from syncd.errors import ExitCode
from syncd.model import Stream
from syncd.store.exports import KINDS


def rejected_list(ctx: typer.Context, store: Stores = None, stream: Streams = None, as_json: AsJson = False) -> int:
    """Records that could not be read, with the reason."""
    with opening(ctx) as opened:
        views = opened.rejected(selection(store, stream))
    emit(as_json, lambda: screens.rejected_json(views), lambda: screens.show_rejected(views))
    return int(ExitCode.OK)


def rejected_show(ctx: typer.Context, store: str, stream: Stream, external_id: str) -> int:
    """One rejected record's payload as the shop sent it (personal data)."""
    with opening(ctx) as opened:
        views = opened.rejected(selection([store], [stream]), external_id)
    if not views:
        raise typer.BadParameter(f"no rejected record {store}/{stream}/{external_id}", param_hint="EXTERNAL_ID")
    sys.stdout.write(views[0].payload.decode(errors="replace") + "\n")
    return int(ExitCode.OK)


def rejected_replay(
    ctx: typer.Context, store: Stores = None, stream: Streams = None, dry_run: DryRun = False, as_json: AsJson = False
) -> int:
    """Read the rejected records once more, after a fix; running it twice changes nothing."""
    with opening(ctx) as opened:
        if dry_run:
            views = opened.rejected(selection(store, stream))
            emit(as_json, lambda: screens.rejected_json(views), lambda: screens.show_rejected(views))
            return int(ExitCode.OK)
        counts = opened.replay_rejected(selection(store, stream))
        opened.derive()
    accepted = counts.read - counts.rejected
    document = {"read": counts.read, "accepted": accepted, "rejected": counts.rejected}
    emit(as_json, lambda: document, lambda: screens.say(f"{accepted:,} of {counts.read:,} could be read now."))
    return int(ExitCode.OK)


def remap(
    ctx: typer.Context, store: Stores = None, stream: Streams = None, dry_run: DryRun = False, as_json: AsJson = False
) -> int:
    """Read the kept payloads anew, after an upgrade or a change of settings; no shop is asked."""
    with opening(ctx) as opened:
        reports = upkeep.remap(opened, selection(store, stream), dry_run=dry_run)
        if not dry_run:
            opened.derive()
    emit(
        as_json,
        lambda: screens.remap_json(reports, dry_run=dry_run),
        lambda: screens.show_remap(reports, dry_run=dry_run),
    )
    return int(ExitCode.OK)


def export(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(help="customers, orders, carts, profiles or members.")],
    form: Annotated[str, typer.Option("--format", help="csv or jsonl.")] = "csv",
) -> int:
    """Write rows to standard output, sorted by key (personal data)."""
    if kind not in KINDS:
        raise typer.BadParameter(f"{kind!r} is none of {', '.join(KINDS)}", param_hint="KIND")
    if form not in ("csv", "jsonl"):
        raise typer.BadParameter(f"{form!r} is neither csv nor jsonl", param_hint="--format")
    with opening(ctx) as opened:
        rows, columns = opened.database.exports.rows(kind), opened.database.exports.columns(kind)
        (_write_csv if form == "csv" else _write_jsonl)(columns, rows)
    return int(ExitCode.OK)


def _write_csv(columns: Sequence[str], rows: Iterator[tuple[object, ...]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_guarded(name, cell) for name, cell in zip(columns, row, strict=True)])


def _guarded(column: str, cell: object) -> object:
    """A free text that a spreadsheet would run as a formula gets a quote before it; phones and figures do not."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    is_formula = isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{cell}" if is_formula and column != "phone" and not re.fullmatch(r"-?[\d.]+", str(cell)) else cell


def _write_jsonl(columns: Sequence[str], rows: Iterator[tuple[object, ...]]) -> None:
    for row in rows:
        sys.stdout.write(orjson.dumps(dict(zip(columns, row, strict=True))).decode() + "\n")
