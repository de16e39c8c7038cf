"""What the command line prints: each result as one screen for people and as one JSON document for programs."""

from __future__ import annotations

import shutil
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from syncd.logs import get_logger
from syncd.model import Contact, ContactKey, Judgement, TagAction
from syncd.money import to_text
from syncd.store.types import (
    ContactView,
    Counts,
    ProfileHit,
    ProfileView,
    RejectedRecordView,
    RunReport,
    StreamStatus,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID
    from rich.table import Table

    from syncd import push, sync
    from syncd.app import Intent, StoreCheck, Summary, SyncReport
    from syncd.connectors.base import Page

Json = dict[str, Any]
log = get_logger(__name__)
_PLAIN_WIDTH = 160  # where there is no terminal, lines are for grep, not for eyes
_WHOLE_WIDTH = 10_000  # more than any table needs
_LOG_EVERY_S = 60.0


def console(stream: TextIO | None = None) -> Console:
    """Where screens are printed; wide where nobody looks, so that no word is cut."""
    from rich.console import Console

    out = stream or sys.stdout
    width = shutil.get_terminal_size().columns if out.isatty() else _PLAIN_WIDTH
    return Console(file=out, width=width, highlight=False, soft_wrap=not out.isatty())


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under a title, figures to the right; on a narrow terminal without columns of noughts, or as blocks."""
    out = console()
    grid = _grid(title, columns, rows)
    if not out.is_terminal or _fits(out, grid):
        out.print(grid)
        return
    telling = [at for at in range(len(columns)) if any(row[at] not in (0, "") for row in rows)]
    short = _grid(
        title, [columns[at].replace(" ", "\n") for at in telling], [[row[at] for at in telling] for row in rows], gap=0
    )
    if _fits(out, short):
        out.print(short)
        silent = [name for at, name in enumerate(columns) if at not in telling]
        say(f"Nothing in any row: {', '.join(silent)}." if silent else "")
        return
    say(title)
    for row in rows:
        say(_block(columns, row, out.width))


def _fits(out: Console, grid: Table) -> bool:
    return out.measure(grid, options=out.options.update(width=_WHOLE_WIDTH)).maximum <= out.width


def _grid(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], gap: int = 1) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, gap)
    )
    for position, name in enumerate(columns):
        is_figure = bool(rows) and all(isinstance(row[position], int) or row[position] == "" for row in rows)
        grid.add_column(name, justify="right" if is_figure else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text(_cell(value)) for value in row))
    return grid


def _block(columns: Sequence[str], row: Sequence[object], width: int) -> str:
    """One row: what it is about, and indented below it everything else that says something."""
    pairs = zip(columns[1:], row[1:], strict=True)
    told = ", ".join(f"{name} {_cell(value)}" for name, value in pairs if value not in (0, ""))
    return f"{_cell(row[0])}\n" + textwrap.fill(told, width, initial_indent="    ", subsequent_indent="    ")


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def say(text: str) -> None:
    """Print one line of plain words."""
    console().print(text, markup=False)


_MINUTE = len("2026-01-31 12:00")


def moment(value: datetime | None) -> str:
    """A time to the second, UTC, or a dash."""
    return value.strftime("%Y-%m-%d %H:%M:%SZ") if value else "-"


# -- progress ---------------------------------------------------------------------------------------------------


@contextmanager
def silence() -> Iterator[None]:
    """No listener."""
    yield None


@contextmanager
def progress(stream: TextIO) -> Iterator[sync.Listener]:
    """A listener that draws bars on a terminal, and elsewhere logs a line a minute."""
    if not stream.isatty():
        yield _MinuteLog()
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TaskProgressColumn(show_speed=True),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console(stream), transient=True) as bars:
        yield _Bars(bars)


class _Bars:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[tuple[str, str], TaskID] = {}

    def __call__(self, source: sync.Source, page: Page, counts: Counts) -> None:
        key = (source.store_id, page.stream)
        if key not in self._tasks:
            self._tasks[key] = self._bars.add_task(f"{source.store_id} {page.stream}", total=page.declared)
        self._bars.update(self._tasks[key], completed=counts.read)


class _MinuteLog:
    def __init__(self) -> None:
        self._next: dict[tuple[str, str], float] = {}

    def __call__(self, source: sync.Source, page: Page, counts: Counts) -> None:
        key, now = (source.store_id, page.stream), time.monotonic()
        if now >= self._next.setdefault(key, now + _LOG_EVERY_S):
            self._next[key] = now + _LOG_EVERY_S
            log.info("pulling", read=counts.read, declared=page.declared)


# -- stores -----------------------------------------------------------------------------------------------------


def checks_json(checks: Sequence[StoreCheck]) -> Json:
    """What `check` found, store by store."""
    return {"stores": [_check_json(check) for check in checks]}


def _check_json(check: StoreCheck) -> Json:
    document: Json = {"store": check.store_id, "platform": check.platform, "ok": check.is_well}
    if check.facts is None:
        return {**document, "error": type(check.error).__name__, "message": str(check.error)}
    facts = check.facts
    return {
        **document,
        "identity": facts.identity,
        "name": facts.name,
        "timezone": facts.timezone,
        "currency": facts.currency,
        "version": facts.version,
        "can_pull": sorted(facts.can_pull),
        "can_push": facts.can_push,
        "findings": [{"level": f.level, "message": f.message, "remedy": f.remedy} for f in facts.findings],
    }


def show_checks(checks: Sequence[StoreCheck]) -> None:
    """One paragraph a store: who it is, what may be read and written, what is wrong and what to do."""
    for check in checks:
        say(f"{check.store_id} ({check.platform}): {'ok' if check.is_well else 'needs attention'}")
        if check.facts is None:
            say(f"  {check.error}")
            continue
        facts = check.facts
        about = (facts.name, facts.identity, facts.timezone, facts.currency, facts.version)
        say(f"  {', '.join(text for text in about if text)}")
        reads, writes = ", ".join(sorted(facts.can_pull)) or "nothing", "tags" if facts.can_push else "nothing"
        say(f"  reads {reads}; writes {writes}")
        for finding in facts.findings:
            say(f"  {finding.level}: {finding.words}")


# -- pulling ----------------------------------------------------------------------------------------------------


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Which config and which database a screen speaks of; `database` has no password in it."""

    config: Path
    database: str
    merchant: str


# -- looking back -----------------------------------------------------------------------------------------------


def status_json(place: Place, streams: Sequence[StreamStatus]) -> Json:
    """Where every stream stands."""
    return {
        "config": str(place.config),
        "database": place.database,
        "merchant": place.merchant,
        "streams": [_stream_json(stream) for stream in streams],
    }


def _stream_json(stream: StreamStatus) -> Json:
    last = stream.last_run
    return {
        "store": stream.store_id,
        "platform": stream.platform,
        "stream": stream.stream,
        "state": stream_state(stream),
        "stored": stream.stored_count,
        "declared": stream.declared,
        "rejected": stream.rejected_count,
        "bookmark": stream.bookmark,
        "fresh_until": stream.fresh_until,
        "history_complete_since": stream.history_complete_since,
        "last_sweep_at": stream.last_sweep_at,
        "last_run": run_json(last) if last else None,
        "paused": stream.paused_reason,
        "push_paused": stream.push_paused_reason,
        "remark": stream.remark,
    }


def stream_state(stream: StreamStatus) -> str:
    """A stream's state in one word or two."""
    if stream.paused_reason:
        return "paused"
    if stream.walk is not None:
        return "under way"
    if stream.history_complete_since is None:
        return "no complete history"
    return stream.last_run.status if stream.last_run else "well"


def show_status(place: Place, streams: Sequence[StreamStatus]) -> None:
    """One screen: per stream its state, counts and times, then what is wrong in words."""
    say(f"{place.merchant}: {place.database} by {place.config}")
    if not streams:
        say("Nothing was pulled yet: run `syncd check`, then `syncd backfill`.")
        return
    rows = [
        (
            s.store_id,
            s.stream.value,
            stream_state(s),
            s.stored_count,
            "" if s.declared is None else s.declared,
            s.rejected_count,
            moment(s.fresh_until)[:_MINUTE],
            moment(s.last_sweep_at)[:_MINUTE],
        )
        for s in streams
    ]
    table(
        "Streams, times in UTC",
        ("store", "stream", "state", "stored", "shop said", "rejected", "fresh until", "last sweep"),
        rows,
    )
    for stream in streams:
        _show_trouble(stream)
    for store_id, reason in {s.store_id: s.push_paused_reason for s in streams if s.push_paused_reason}.items():
        say(f"{store_id}: nothing is written to the shop: {reason}")


def _show_trouble(stream: StreamStatus) -> None:
    place = f"{stream.store_id}/{stream.stream}"
    if stream.paused_reason:
        say(f"{place} is paused: {stream.paused_reason}")
    elif stream.last_run and stream.last_run.reason:
        say(f"{place}: {stream.last_run.reason}")
    if stream.remark and not (stream.last_run and stream.last_run.reason == stream.remark):
        say(f"{place}: {stream.remark}")
    if stream.rejected_count:
        say(f"{place}: {stream.rejected_count:,} records could not be read, see `syncd rejected list`")


def show_history(reports: Sequence[RunReport]) -> None:
    """The latest runs, newest first."""
    if not reports:
        say("There was no such run yet.")
        return
    rows = [(moment(report.started_at), *_run_row(report), report.reason) for report in reports]
    table("Runs", ("started", *_RUN_COLUMNS, "why"), rows)


# -- people -----------------------------------------------------------------------------------------------------


def hits_json(hits: Sequence[ProfileHit]) -> Json:
    """The people that a search found."""
    return {"profiles": [asdict(hit) for hit in hits]}


def show_hits(text: str, hits: Sequence[ProfileHit]) -> None:
    """A line a person."""
    if not hits:
        say(f"Nobody known by {text!r}.")
        return
    rows = [
        (hit.profile_id, _full_name(hit), hit.email, hit.phone, hit.contact_count, " ".join(hit.store_ids))
        for hit in hits
    ]
    table("People", ("profile", "name", "e-mail", "phone", "records", "stores"), rows)


def person_json(view: ProfileView) -> Json:
    """Everything known of one person."""
    return asdict(view)


def show_person(view: ProfileView) -> None:
    """One person: records, why they are one, what happened, facts, segments and tags."""
    say(f"{view.profile_id}  {view.first_name} {view.last_name}  {view.email}  {view.phone}".rstrip())
    rows = [
        (_source(item.contact.key), _name(item), item.email, item.phone, item.order_count, moment(item.created_at))
        for item in view.contacts
    ]
    table("Records", ("record", "name", "e-mail", "phone", "orders", "known since"), rows)
    edges = [
        (_source(edge.left), edge.verdict.value, _source(edge.right), edge.rule, _evidence(edge), edge.origin)
        for edge in view.judgements
    ]
    if edges:
        table("Why they are one", ("record", "is", "record", "rule", "evidence", "by"), edges)
    table("Facts", ("fact", "value"), _fact_rows(view.facts))
    say(f"Segments: {', '.join(view.segments) or 'none'}")
    say("Tags: " + (", ".join(f"{tag} on {store}/{account}" for store, account, tag in view.tags) or "none"))
    for at, kind, detail in view.events:
        say(f"  {moment(at)} {kind} {detail}")


def show_person_brief(view: ProfileView) -> None:
    """A person in a few lines: the name, then each account and guest order of theirs."""
    say(f"   {view.first_name} {view.last_name} ({view.profile_id})")
    for item in view.contacts[:_BRIEF_RECORDS]:
        say(f"     {_source(item.contact.key):<28} {_name(item):<24} {item.email:<34} {item.phone}".rstrip())
    if len(view.contacts) > _BRIEF_RECORDS:
        say(f"     and {len(view.contacts) - _BRIEF_RECORDS} more")


_BRIEF_RECORDS = 4


def _source(key: ContactKey) -> str:
    return f"{key.store_id} {key.kind.value} {key.external_id}"


def _name(item: ContactView) -> str:
    return _full_name(item.contact)


def _full_name(named: Contact | ProfileHit) -> str:
    return f"{named.first_name} {named.last_name}".strip()


def _evidence(edge: Judgement) -> str:
    return ", ".join(f"{item.kind.value} {item.value}" for item in edge.evidence)


def _fact_rows(facts: Mapping[str, object]) -> list[tuple[str, str]]:
    """Facts that have a value, amounts as people write them."""
    currency = str(facts.get("currency") or "")
    known = ((name, value) for name, value in facts.items() if value is not None)
    return [(name.removesuffix("_minor"), _shown(name, value, currency)) for name, value in known]


def _shown(name: str, value: object, currency: str) -> str:
    if isinstance(value, int) and name.endswith("_minor"):
        return f"{to_text(value, currency)} {currency}".rstrip()
    return moment(value) if isinstance(value, datetime) else _plain(value)


def _plain(value: object) -> str:
    """A value without Python's own words for nothing, true and false."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def rejected_json(views: Sequence[RejectedRecordView]) -> Json:
    """Rejected records without their payloads, which hold personal data."""
    return {
        "rejected": [
            {
                "store": view.store_id,
                "stream": view.stream,
                "external_id": view.external_id,
                "reason": view.reason,
                "first_seen_at": view.first_seen_at,
                "last_seen_at": view.last_seen_at,
            }
            for view in views
        ]
    }


def show_rejected(views: Sequence[RejectedRecordView]) -> None:
    """A line a rejected record, with the reason."""
    if not views:
        say("Every record could be read.")
        return
    rows = [(v.store_id, v.stream.value, v.external_id, v.reason, moment(v.last_seen_at)) for v in views]
    table("Rejected records", ("store", "stream", "id", "why", "last seen"), rows)
    say("`syncd rejected show STORE STREAM ID` prints one; `syncd rejected replay` reads them again after a fix.")


# -- pushing ----------------------------------------------------------------------------------------------------


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
    table("Plan", ("segment", "store", "people", "with an account here", "tagged now", "to add", "to remove"), rows)
    for group in plan.held:
        say(f"held: {group.count:,} of {group.segment} on {group.store_id}: {group.reason}")
    for words in (*plan.notes, *(f"{brake.store_id}: {brake.reason}" for brake in plan.brakes if brake.is_tripped)):
        say(words)
    say(f"{plan.total:,} changes." + (f" Saved: `syncd apply {saved}` does exactly these." if saved else ""))


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


# -- configuration ----------------------------------------------------------------------------------------------


def show_config(document: Json) -> None:
    """The settings in force, secrets masked, as a tree of `name: value` lines."""
    say(f"{document['config']} has no fault. Settings in force:")
    _show_tree(document["settings"], "  ")
    say(f"Segments: {', '.join(document['segments']) or 'none'}")


def _show_tree(node: Json, indent: str) -> None:
    for name, value in node.items():
        if isinstance(value, dict) and value:
            say(f"{indent}{name}:")
            _show_tree(value, indent + "  ")
        else:
            say(f"{indent}{name}: {_plain(value)}")


def show_scopes(scopes: Mapping[str, str]) -> None:
    """The scopes to ask a shop for, each with its reason; the last line is what to paste."""
    table("Scopes", ("scope", "why"), list(scopes.items()))
    say(",".join(scopes))


# -- sandbox ----------------------------------------------------------------------------------------------------


def show_sandbox(urls: Mapping[str, str]) -> None:
    """Where the shops are, and how to end them."""
    for store_id, url in urls.items():
        say(f"{store_id}: {url}")
    say("Serving invented shops until Ctrl-C; their keys are in the example config, config/syncd.yaml.")
    sys.stdout.flush()
