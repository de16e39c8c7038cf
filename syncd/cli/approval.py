"""The verb that gets a token by approval in the browser: auth."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated

import typer

from syncd import screens
from syncd.cli.frame import config_path, emit, read_settings, stop_on_signals
from syncd.cli.options import AsJson
from syncd.clock import SystemClock
from syncd.connectors import APPROVALS
from syncd.errors import ConfigInvalid, ExitCode


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
        emit(as_json, lambda: {"scopes": dict(approval.scopes)}, lambda: screens.show_scopes(approval.scopes))
        return int(ExitCode.OK)
    if store is None:
        raise typer.BadParameter("is needed", param_hint="STORE")
    config = read_settings(ctx).store(store)
    if not isinstance(config, approval.config):
        raise typer.BadParameter(f"{store} is a {config.platform} store", param_hint="STORE")
    stop = threading.Event()
    with stop_on_signals(stop):
        clock = SystemClock(stop)
        token = approval.authorize(config, store_id=store, clock=clock, open_url=_open_page, port=port)
    path = output or config_path(ctx).with_name(f"{store}.token")
    _write_secret(path, token)
    words = f"The shop approved. Its token is in {path}: write `auth: {{token_file: {path}}}` in the store's settings."
    emit(as_json, lambda: {"store": store, "token_file": path}, lambda: screens.say(words))
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
