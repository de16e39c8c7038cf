"""The verb that stays: run, with its signals."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd import logs, settings
from syncd.cli.frame import keep_secrets, read_settings, stop_on_signals

if TYPE_CHECKING:
    from syncd.daemon import Configured

LISTEN = "127.0.0.1:9180"


def run(
    ctx: typer.Context,
    config_dir: Annotated[
        Path | None, typer.Option(help="Work every merchant whose configuration is DIR/<merchant>/syncd.yaml.")
    ] = None,
    listen: Annotated[str, typer.Option(help='HOST:PORT of /healthz, /readyz and /metrics; "off" for none.')] = LISTEN,
) -> int:
    """Run as a service until SIGTERM: pull on schedule, derive, push where it is automatic; SIGHUP reads the config."""
    from syncd.daemon import Service

    if config_dir is not None and ctx.obj["config"] is not None:
        raise typer.BadParameter("names the configurations already: leave --config out", param_hint="--config-dir")
    stop = threading.Event()
    service = Service(lambda: _configured(ctx, config_dir), stop=stop, listen=listen)
    with stop_on_signals(stop):
        signal.signal(signal.SIGHUP, lambda *_: service.reload())
        return int(service.run())


def _configured(ctx: typer.Context, config_dir: Path | None) -> Configured:
    from syncd.daemon import Configured

    if config_dir is None:
        loaded = read_settings(ctx)
        return Configured(settings={loaded.merchant: loaded})
    held, refused = settings.load_folder(config_dir)
    for loaded in held.values():
        keep_secrets(loaded)
    logs.configure(level=ctx.obj["log_level"] or "info")  # a merchant's `log` section is for its own process
    return Configured(settings=held, faults=refused)
