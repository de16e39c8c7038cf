"""What every verb shares: reading the settings, opening the app, signals, and one way to print."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import orjson
import typer

from syncd import logs, screens, settings
from syncd.app import PATIENCE_S, App
from syncd.errors import ExitCode, RetryLater
from syncd.notify import Notifier
from syncd.settings import dsn

DRAIN_S = 18.0  # what is in hand may take this long to end after a signal


def read_settings(ctx: typer.Context) -> settings.Settings:
    """The configuration that the command line names; from here on its secrets appear in no log."""
    loaded = settings.load(ctx.obj["config"])
    keep_secrets(loaded)
    logs.configure(level=ctx.obj["log_level"] or loaded.log.level, format=loaded.log.format)
    return loaded


def keep_secrets(loaded: settings.Settings) -> None:
    """Let no secret of the settings appear in any log from here on."""
    for secret in loaded.secrets():
        logs.register_secret(secret)


@contextmanager
def opening(ctx: typer.Context, *, shows_progress: bool = False) -> Iterator[App]:
    """The app, with signals that end long work after the page in hand."""
    loaded = read_settings(ctx)
    watching = screens.progress(sys.stderr) if shows_progress else screens.silence()
    with watching as listener, App(loaded, listener=listener) as opened, stop_on_signals(opened.stop, opened.hang_up):
        yield opened


@contextmanager
def stop_on_signals(stop: threading.Event, hang_up: Callable[[], None] | None = None) -> Iterator[None]:
    """Set an event when a signal tells us to end; a process that hangs all the same leaves.

    Args:
        hang_up: Breaks off what still waits for a shop, some seconds later.
    """
    timers = [threading.Timer(DRAIN_S, _leave)] + ([threading.Timer(PATIENCE_S, hang_up)] if hang_up else [])

    def told(*_: object) -> None:
        if not stop.is_set():
            stop.set()
            for timer in timers:
                timer.daemon = True
                timer.start()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, told)
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()


def _leave() -> None:
    sys.stderr.write(
        f"syncd: ended after waiting {DRAIN_S:.0f} s for an answer; what is stored stays, start it again\n"
    )
    sys.stderr.flush()
    os._exit(int(ExitCode.TRY_AGAIN))


def tell(opened: App) -> None:
    """Tell people of trouble, as the service does between two runs; a busy database leaves it to the next command."""
    with suppress(RetryLater):
        Notifier(opened).round()


def config_path(ctx: typer.Context) -> Path:
    """The config file that holds."""
    return settings.find(ctx.obj["config"], os.environ)


def place(ctx: typer.Context, opened: App) -> screens.Place:
    """Which config and which database the answer is about."""
    database = dsn.masked(opened.settings.database.url)
    return screens.Place(config=config_path(ctx), database=database, merchant=opened.settings.merchant)


def emit(as_json: bool, document: Callable[[], object], show: Callable[[], None]) -> None:
    """Print an answer, as a document or as a screen."""
    if as_json:
        print_json(document())
    else:
        show()


def print_json(document: object) -> None:
    """Print one JSON document."""
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2, default=str).decode() + "\n")
