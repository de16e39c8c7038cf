"""The command line: every verb turns words into one call on the app and prints what came back.

Results go to standard output (one JSON document with `--json`), logs and progress to standard error. Nothing asks a
question without a terminal. Exit codes are `errors.ExitCode`.
"""

from __future__ import annotations

import csv
import gc
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import orjson
import typer
from typer.exceptions import Abort, TyperException

from syncd import __version__, logs, push, screens, settings, upkeep
from syncd import estimate as estimating
from syncd.app import App, Selection
from syncd.clock import SystemClock
from syncd.connectors import APPROVALS
from syncd.errors import BrakeTripped, ConfigInvalid, ExitCode, SyncdError
from syncd.model import Stream, Window
from syncd.settings import dsn, scaffold
from syncd.store import Database
from syncd.store.exports import KINDS
from syncd.sync import Ask

app = typer.Typer(
    name="syncd",
    help="Customers, orders and carts of every shop you run, in one profile database you own.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
profile_app = typer.Typer(help="Look at one person.", no_args_is_help=True)
rejected_app = typer.Typer(help="Records that could not be read.", no_args_is_help=True)
store_app = typer.Typer(help="One store of the database.", no_args_is_help=True)
db_app = typer.Typer(help="The profile database.", no_args_is_help=True)
config_app = typer.Typer(help="The configuration.", no_args_is_help=True)
app.add_typer(profile_app, name="profile")
app.add_typer(rejected_app, name="rejected")
app.add_typer(store_app, name="store")
app.add_typer(db_app, name="db")
app.add_typer(config_app, name="config")

DRAIN_S = 18.0  # what is in hand may take this long to end after a signal

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Stores = Annotated[list[str] | None, typer.Option("--store", help="Only this store; may be repeated.")]
Streams = Annotated[list[Stream] | None, typer.Option("--stream", help="Only this stream; may be repeated.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, do nothing.")]
When = Annotated[
    str | None, typer.Option(help="A date or time, UTC unless it names a zone: 2026-01-31 or 2026-01-31T08:00Z.")
]


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    ctx: typer.Context,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="The config file.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    ctx.obj = {"config": config, "log_level": log_level}


def main() -> None:
    """Run the command line and leave with its exit code."""
    logs.install_excepthook()
    _collect_seldom()
    sys.exit(run(sys.argv[1:]))


def _collect_seldom() -> None:
    """Let the cycle collector run seldom: a pull makes many objects, hardly a cycle; measured, a sixth of the CPU."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def run(arguments: list[str]) -> int:
    """Run one command; errors become one message and an exit code, never a traceback."""
    try:
        result = app(arguments, standalone_mode=False, prog_name="syncd")
        sys.stdout.flush()
    except TyperException as error:
        if error.format_message():  # a group without a verb has shown its help
            typer.echo(f"syncd: {error.format_message()}", err=True)
        return int(ExitCode.USAGE)
    except Abort:
        typer.echo("syncd: not approved; nothing was written", err=True)
        return int(ExitCode.APPROVAL)
    except SyncdError as error:
        _print_error(error, as_json="--json" in arguments)
        return int(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        return int(ExitCode.FAILED)
    except OSError as error:
        typer.echo(f"syncd: cannot use {error.filename or 'the output'}: {error.strerror}", err=True)
        os._exit(int(ExitCode.FAILED))  # what is left of the output cannot be written at the end either
    return int(result or 0)


def _print_error(error: SyncdError, *, as_json: bool) -> None:
    if as_json:
        _print_json({"error": type(error).__name__, "message": str(error), "exit_code": int(error.exit_code)})
    typer.echo(f"syncd: {error}", err=True)


def _print_json(document: object) -> None:
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2, default=str).decode() + "\n")


def _settings(ctx: typer.Context) -> settings.Settings:
    loaded = settings.load(ctx.obj["config"])
    for secret in loaded.secrets():
        logs.register_secret(secret)
    logs.configure(level=ctx.obj["log_level"] or loaded.log.level, format=loaded.log.format)
    return loaded


@contextmanager
def _opened(ctx: typer.Context, *, shows_progress: bool = False) -> Iterator[App]:
    """The app, with signals that end long work after the page in hand."""
    loaded = _settings(ctx)
    watching = screens.progress(sys.stderr) if shows_progress else screens.silence()
    with _stop_on_signals() as stop, watching as listener, App(loaded, stop=stop, listener=listener) as opened:
        yield opened


@contextmanager
def _stop_on_signals() -> Iterator[threading.Event]:
    """An event that signals set; a process that hangs, such as on a silent shop, then leaves all the same."""
    stop = threading.Event()
    deadline = threading.Timer(DRAIN_S, _leave)
    deadline.daemon = True

    def told(*_: object) -> None:
        if not stop.is_set():
            stop.set()
            deadline.start()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, told)
    try:
        yield stop
    finally:
        deadline.cancel()


def _leave() -> None:
    sys.stderr.write(
        f"syncd: ended after waiting {DRAIN_S:.0f} s for an answer; what is stored stays, start it again\n"
    )
    sys.stderr.flush()
    os._exit(int(ExitCode.TRY_AGAIN))


def _config_path(ctx: typer.Context) -> Path:
    return settings.find(ctx.obj["config"], os.environ)


def _place(ctx: typer.Context, opened: App) -> screens.Place:
    database = dsn.masked(opened.settings.database.url)
    return screens.Place(config=_config_path(ctx), database=database, merchant=opened.settings.merchant)


def _selection(stores: list[str] | None, streams: list[Stream] | None = None) -> Selection:
    return Selection(stores=tuple(stores or ()), streams=tuple(streams or ()))


def _window(since: str | None, until: str | None) -> Window:
    window = Window(since=_time(since, "--since"), until=_time(until, "--until"))
    if window.since and window.until and window.since >= window.until:
        raise typer.BadParameter(f"{until!r} is not after {since!r}", param_hint="--until")
    return window


def _time(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date or time such as 2026-01-31", param_hint=option) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _next_time(text: str | None, opened: App) -> datetime | None:
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


def _emit(as_json: bool, document: Callable[[], object], show: Callable[[], None]) -> None:
    if as_json:
        _print_json(document())
    else:
        show()


# -- pulling ----------------------------------------------------------------------------------------------------


@app.command()
def check(ctx: typer.Context, store: Stores = None, as_json: AsJson = False) -> int:
    """Ask every store who it is and what the key may do; nothing is written."""
    with _opened(ctx) as opened:
        checks = opened.check(_selection(store))
    _emit(as_json, lambda: screens.checks_json(checks), lambda: screens.show_checks(checks))
    errors = [item.error.exit_code for item in checks if item.error]
    if errors:
        return int(max(errors, key=lambda code: code is not ExitCode.TRY_AGAIN))
    return int(ExitCode.OK if all(item.is_well for item in checks) else ExitCode.FAILED)


@app.command()
def sync(
    ctx: typer.Context,
    store: Stores = None,
    stream: Streams = None,
    sweep: Annotated[bool, typer.Option("--sweep", help="Walk everything and find deletions now.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Pull what changed since the last time, derive, and push where a store's push mode is auto."""
    chosen = _selection(store, stream)
    with _opened(ctx, shows_progress=not as_json and not dry_run) as opened:
        if dry_run:
            intents = opened.intents(chosen, lambda key: opened.live_ask(key, sweep=sweep))
            _emit(as_json, lambda: screens.intents_json(intents), lambda: screens.show_intents(intents))
            return int(ExitCode.OK)
        report, summary = opened.sync(chosen, sweep=sweep), opened.summary()
    _emit(as_json, lambda: screens.sync_json(report, summary), lambda: screens.show_sync(report, summary))
    return int(report.exit_code)


@app.command()
def backfill(
    ctx: typer.Context,
    store: Stores = None,
    stream: Streams = None,
    since: When = None,
    until: When = None,
    stop_at: Annotated[
        str | None, typer.Option(help="Stop after the page in hand at this time of day, such as 06:00, by `timezone`.")
    ] = None,
    estimate: Annotated[bool, typer.Option("--estimate", help="Say how much it would be; nothing is stored.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Pull everything, or a window of it, then derive; started again after a stop, it goes on where it was."""
    chosen = _selection(store, stream)
    window = _window(since, until)
    with _opened(ctx, shows_progress=not as_json and not dry_run and not estimate) as opened:
        if estimate:
            found = estimating.estimate(opened, chosen, window)
            _emit(as_json, lambda: screens.estimates_json(found), lambda: screens.show_estimates(found))
            return int(next((item.error.exit_code for item in found if item.error), ExitCode.OK))
        ends_at = _next_time(stop_at, opened)
        if dry_run:
            intents = opened.intents(chosen, lambda _: Ask(kind="backfill", window=window))
            _emit(as_json, lambda: screens.intents_json(intents), lambda: screens.show_intents(intents))
            return int(ExitCode.OK)
        report, summary = opened.backfill(chosen, window, ends_at), opened.summary()
    _emit(as_json, lambda: screens.sync_json(report, summary), lambda: screens.show_sync(report, summary))
    return int(report.exit_code)


@app.command()
def status(ctx: typer.Context, as_json: AsJson = False) -> int:
    """Where every stream of every store stands."""
    with _opened(ctx) as opened:
        place, orphans = _place(ctx, opened), upkeep.orphaned(opened)
        configured = opened.settings.stores
        streams = [line for line in opened.database.runs.status() if line.store_id in configured]
    if as_json:
        _print_json({**screens.status_json(place, streams), "orphaned": screens.orphans_json(orphans)})
    else:
        screens.show_status(place, streams)
        screens.show_orphans(orphans)
    return int(ExitCode.OK)


@app.command()
def history(
    ctx: typer.Context,
    store: Annotated[str | None, typer.Option("--store", help="Only this store.")] = None,
    stream: Annotated[Stream | None, typer.Option("--stream", help="Only this stream.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    as_json: AsJson = False,
) -> int:
    """The latest runs, newest first."""
    with _opened(ctx) as opened:
        reports = opened.database.runs.history(limit, store_id=store, stream=stream)
    _emit(
        as_json,
        lambda: {"runs": [screens.run_json(report) for report in reports]},
        lambda: screens.show_history(reports),
    )
    return int(ExitCode.OK)


@app.command(name="run")
def run_daemon(ctx: typer.Context) -> int:
    """Run as a service until SIGTERM: pull on schedule, derive, push where the mode is auto."""
    from syncd.daemon import Daemon

    with _opened(ctx) as opened:
        return int(Daemon(opened).run())


# -- people -----------------------------------------------------------------------------------------------------


@app.command()
def find(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="An e-mail address, phone, name or shop's id.")],
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    as_json: AsJson = False,
) -> int:
    """Find people by e-mail, phone, name or a shop's id."""
    with _opened(ctx) as opened:
        hits = opened.find(text, limit)
    _emit(as_json, lambda: screens.hits_json(hits), lambda: screens.show_hits(text, hits, limit))
    return int(ExitCode.OK if hits else ExitCode.FAILED)


@profile_app.command(name="show")
def profile_show(ctx: typer.Context, profile_id: str, as_json: AsJson = False) -> int:
    """One person: records, why they are one, facts, segments, tags."""
    with _opened(ctx) as opened:
        view = opened.database.people.profile(profile_id)
    if view is None:
        raise typer.BadParameter(f"no profile {profile_id}; `syncd find` looks one up", param_hint="PROFILE_ID")
    _emit(as_json, lambda: screens.person_json(view), lambda: screens.show_person(view))
    return int(ExitCode.OK)


@rejected_app.command(name="list")
def rejected_list(ctx: typer.Context, store: Stores = None, stream: Streams = None, as_json: AsJson = False) -> int:
    """Records that could not be read, with the reason."""
    with _opened(ctx) as opened:
        views = opened.rejected(_selection(store, stream))
    _emit(as_json, lambda: screens.rejected_json(views), lambda: screens.show_rejected(views))
    return int(ExitCode.OK)


@rejected_app.command(name="show")
def rejected_show(ctx: typer.Context, store: str, stream: Stream, external_id: str) -> int:
    """One rejected record's payload as the shop sent it (personal data)."""
    with _opened(ctx) as opened:
        views = opened.rejected(_selection([store], [stream]), external_id)
    if not views:
        raise typer.BadParameter(f"no rejected record {store}/{stream}/{external_id}", param_hint="EXTERNAL_ID")
    sys.stdout.write(views[0].payload.decode(errors="replace") + "\n")
    return int(ExitCode.OK)


@rejected_app.command(name="replay")
def rejected_replay(
    ctx: typer.Context, store: Stores = None, stream: Streams = None, dry_run: DryRun = False, as_json: AsJson = False
) -> int:
    """Read the rejected records once more, after a fix; running it twice changes nothing."""
    with _opened(ctx) as opened:
        if dry_run:
            views = opened.rejected(_selection(store, stream))
            _emit(as_json, lambda: screens.rejected_json(views), lambda: screens.show_rejected(views))
            return int(ExitCode.OK)
        counts = opened.replay_rejected(_selection(store, stream))
        opened.derive()
    accepted = counts.read - counts.rejected
    document = {"read": counts.read, "accepted": accepted, "rejected": counts.rejected}
    _emit(as_json, lambda: document, lambda: screens.say(f"{accepted:,} of {counts.read:,} could be read now."))
    return int(ExitCode.OK)


@app.command()
def remap(
    ctx: typer.Context, store: Stores = None, stream: Streams = None, dry_run: DryRun = False, as_json: AsJson = False
) -> int:
    """Read the kept payloads anew, after an upgrade or a change of settings; no shop is asked."""
    with _opened(ctx) as opened:
        reports = upkeep.remap(opened, _selection(store, stream), dry_run=dry_run)
        if not dry_run:
            opened.derive()
    _emit(
        as_json,
        lambda: screens.remap_json(reports, dry_run=dry_run),
        lambda: screens.show_remap(reports, dry_run=dry_run),
    )
    return int(ExitCode.OK)


@app.command()
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
    with _opened(ctx) as opened:
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


# -- pushing ----------------------------------------------------------------------------------------------------


@app.command()
def plan(
    ctx: typer.Context,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Save the plan for `syncd apply FILE`.")] = None,
    store: Stores = None,
    as_json: AsJson = False,
) -> int:
    """Say which tags would be written to which accounts, and which wait; nothing is written."""
    with _opened(ctx) as opened:
        opened.derive()  # a segment edited just now counts
        made = opened.plan(_selection(store))
    if output:
        push.save(made, output)
    _emit(as_json, lambda: push.to_document(made), lambda: screens.show_plan(made, output))
    return int(ExitCode.OK)


@app.command()
def apply(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="A plan saved with `syncd plan -o`.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    approve: Annotated[int | None, typer.Option(help="Customers of all stores that may change past the brake.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first this many changes.")] = None,
    only: Annotated[str | None, typer.Option(help="Only this segment, or this profile id.")] = None,
    store: Stores = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Write the planned tags to the shops; every change is checked once more before it leaves."""
    with _opened(ctx) as opened:
        made = opened.load_plan(file) if file else opened.plan(_selection(store))
        made = push.narrowed(made, lambda change: only in (None, change.segment, change.profile_id), limit)
        if dry_run:
            _emit(as_json, lambda: push.to_document(made), lambda: screens.show_plan(made, None))
            return int(ExitCode.OK)
        if not file and not yes and approve is None:
            _ask(made, as_json=as_json)
        report = opened.apply(made, approved=approve)
    _emit(as_json, lambda: screens.apply_json(report), lambda: screens.show_apply(report))
    return int(ExitCode.TRY_AGAIN if any(store.stopped and not store.held for store in report.stores) else ExitCode.OK)


def _ask(made: push.Plan, *, as_json: bool) -> None:
    """Show the plan and have it approved; without a terminal only `--yes` does."""
    if not made.changes:
        return
    if not sys.stdin.isatty() or as_json:
        raise BrakeTripped(
            f"{len(made.changes):,} changes wait for approval; nothing was written",
            hint="Look at `syncd plan`, then run `syncd apply --yes`",
        )
    screens.show_plan(made, None)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Ctrl-C is an answer, too
    if not typer.confirm(f"Write {len(made.changes):,} changes to the shops?", err=True):
        raise Abort


@store_app.command(name="remove")
def store_remove(
    ctx: typer.Context,
    store: Annotated[str, typer.Argument(help="The store's id; it need not be in the config any more.")],
    untag: Annotated[
        bool, typer.Option("--untag", help="First take off every tag that we put on its accounts.")
    ] = False,
    purge: Annotated[bool, typer.Option("--purge", help="Delete everything that the database has of it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    approve: Annotated[int | None, typer.Option(help="Customers that may lose tags past the brake.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Let a store go: forget its schedule, or with --purge all of it; says what was deleted and what is left."""
    removal = upkeep.Removal(store_id=store, untag=untag, purge=purge)
    with _opened(ctx) as opened:
        if not dry_run and not yes:
            _ask_removal(opened, removal, as_json=as_json)
        report = upkeep.remove_store(opened, removal, approved=approve, dry_run=dry_run)
    _emit(as_json, lambda: screens.removal_json(report), lambda: screens.show_removal(report))
    return int(ExitCode.OK if report.receipt else ExitCode.INCOMPLETE)


def _ask_removal(opened: App, removal: upkeep.Removal, *, as_json: bool) -> None:
    """Show what would go and have it approved; without a terminal only `--yes` does."""
    if not sys.stdin.isatty() or as_json:
        raise BrakeTripped(
            f"removing {removal.store_id} waits for approval; nothing was done",
            hint="Look at it with `--dry-run`, then run it with `--yes`",
        )
    screens.show_removal(upkeep.remove_store(opened, removal, dry_run=True))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Ctrl-C is an answer, too
    if not typer.confirm(f"Remove {removal.store_id}?", err=True):
        raise Abort


# -- setting up -------------------------------------------------------------------------------------------------


@config_app.command(name="check")
def config_check(ctx: typer.Context, as_json: AsJson = False) -> int:
    """Read the configuration and the segments, list every fault at once; no shop is asked."""
    loaded = _settings(ctx)
    with App(loaded) as opened:
        names = [segment.name for segment in opened.segments]
    document = {"config": str(_config_path(ctx)), "settings": loaded.describe(), "segments": names}
    _emit(as_json, lambda: document, lambda: screens.show_config(document))
    return int(ExitCode.OK)


@app.command()
def auth(
    ctx: typer.Context,
    platform: Annotated[str, typer.Argument(help=f"One of: {', '.join(APPROVALS)}.")],
    store: Annotated[str | None, typer.Argument(help="The store's id in the config.")] = None,
    print_scopes: Annotated[bool, typer.Option("--print-scopes", help="List the scopes to ask for, and why.")] = False,
    port: Annotated[int, typer.Option(help="Where on this machine the browser comes back to.")] = 8765,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="The token's file; beside the config.")] = None,
    as_json: AsJson = False,
) -> int:
    """Get a token for a shop of another organisation, by approval in the browser."""
    if platform not in APPROVALS:
        raise typer.BadParameter(f"{platform!r} is none of {', '.join(APPROVALS)}", param_hint="PLATFORM")
    approval = APPROVALS[platform]
    if print_scopes:
        _emit(as_json, lambda: {"scopes": dict(approval.scopes)}, lambda: screens.show_scopes(approval.scopes))
        return int(ExitCode.OK)
    if store is None:
        raise typer.BadParameter("is needed", param_hint="STORE")
    config = _settings(ctx).store(store)
    if not isinstance(config, approval.config):
        raise typer.BadParameter(f"{store} is a {config.platform} store", param_hint="STORE")
    with _stop_on_signals() as stop:
        clock = SystemClock(stop)
        token = approval.authorize(config, store_id=store, clock=clock, open_url=_open_page, port=port)
    path = output or _config_path(ctx).with_name(f"{store}.token")
    _write_secret(path, token)
    words = f"The shop approved. Its token is in {path}: write `auth: {{token_file: {path}}}` in the store's settings."
    _emit(as_json, lambda: {"store": store, "token_file": path}, lambda: screens.say(words))
    return int(ExitCode.OK)


def _open_page(url: str) -> None:
    """Show a page in the browser; the address is printed too, for machines without one."""
    import webbrowser

    typer.echo(f"Approve syncd in the browser, logged in to the shop:\n{url}", err=True)
    webbrowser.open(url)


def _write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    try:
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigInvalid(f"{path} cannot be written: {error.strerror}", hint="Name another with --output") from None


@db_app.command(name="upgrade")
def db_upgrade(
    ctx: typer.Context,
    backup: Annotated[bool, typer.Option(help="Copy a SQLite file first.")] = True,
    as_json: AsJson = False,
) -> int:
    """Bring the database to this version's schema."""
    saved = Database.upgrade(_settings(ctx).database.url, backup=backup)
    words = "the database is at this version's schema" + (f"; before that it was copied to {saved}" if saved else "")
    _emit(as_json, lambda: {"backup": saved}, lambda: screens.say(words))
    return int(ExitCode.OK)


@app.command()
def init(
    merchant: Annotated[str | None, typer.Option(help="Whose shops these are; stamped into the database.")] = None,
    platform: Annotated[str | None, typer.Option(help="The first store's platform.")] = None,
    store: Annotated[str | None, typer.Option(help="The first store's id in syncd: small letters, digits, -.")] = None,
    answers: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting of the store, such as url=...")
    ] = None,
    currency: Annotated[str, typer.Option(help="What money is compared in, such as EUR.")] = "",
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to write to.")] = Path(),
) -> int:
    """Write a commented config and a segments file, from flags or after a few questions."""
    platform = _answer(platform, "--platform", f"Platform ({', '.join(scaffold.platforms())})")
    values = dict(item.partition("=")[::2] for item in answers or ())
    first = scaffold.StoreAnswers(
        store_id=_answer(store, "--store", "A short id for the store"),
        platform=platform,
        values={name: _answer(values.get(name), f"--set {name}=", name) for name in scaffold.questions(platform)},
    )
    given = scaffold.Answers(merchant=_answer(merchant, "--merchant", "Merchant"), stores=(first,), currency=currency)
    written = scaffold.write(given, output)
    screens.say(f"Wrote {', '.join(map(str, written))}. Set {', '.join(scaffold.variables(first))} in the environment,")
    screens.say(f"then: syncd --config {written[0]} config check; syncd --config {written[0]} check")
    return int(ExitCode.OK)


def _answer(given: str | None, option: str, question: str) -> str:
    """What was given on the command line, or an answer from the terminal; without one, a usage error."""
    if given:
        return given
    if not sys.stdin.isatty():
        raise typer.BadParameter("is needed where nobody can be asked", param_hint=option)
    return str(typer.prompt(question, err=True))


@app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the config and the database behind.")] = False,
    seed: Annotated[int, typer.Option(help="Makes the invented shops.")] = 1,
    as_json: AsJson = False,
) -> int:
    """Do the whole job against the practice shops on a temporary database, then once more."""
    from syncd import demo as demo_module

    logs.configure(level="error")
    done = demo_module.run(seed, keep=keep)
    _emit(as_json, done.document, lambda: demo_module.show(done))
    return int(ExitCode.OK)


@app.command()
def sandbox(
    log: Annotated[Path | None, typer.Option(help="Append one JSON object per exchange.")] = None,
    truth: Annotated[Path | None, typer.Option(help="Write which records are the same person.")] = None,
    seed: Annotated[int, typer.Option(help="Makes the invented shops.")] = 1,
    scale: Annotated[float, typer.Option(help="How large the shops are; 1 is about 900 orders each.")] = 1.0,
) -> int:
    """Serve invented shops on loopback until interrupted, as strict as the real platforms."""
    from syncd.sandbox import SandboxOptions, serve_forever

    options = SandboxOptions(log=log, truth=truth, seed=seed, scale=scale)
    try:
        serve_forever(
            options,
            announce=lambda served: screens.show_sandbox({name: shop.url for name, shop in served.shops.items()}),
        )
    except OSError as error:
        raise ConfigInvalid(f"the sandbox cannot listen: {error.strerror}", hint="Is another one running?") from None
    return int(ExitCode.OK)
