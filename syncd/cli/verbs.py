"""Every verb of the command line, in the order of `syncd --help`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from syncd import __version__
from syncd.cli import approval, operating, people, practice, pulling, pushing, records, resting, service, setup, stores


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


def _options(
    ctx: typer.Context,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="The config file.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    ctx.obj = {"config": config, "log_level": log_level}


def _group(words: str, **verbs: Callable[..., int]) -> typer.Typer:
    """Verbs behind a common first word."""
    group = typer.Typer(help=words, no_args_is_help=True)
    for name, verb in verbs.items():
        group.command(name=name)(verb)
    return group


def _command_line() -> typer.Typer:
    root = typer.Typer(
        name="syncd",
        help="Customers, orders and carts of every shop you run, in one profile database you own.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    root.callback()(_options)
    for name, verb in VERBS.items():
        root.command(name=name)(verb)
    for name, group in GROUPS.items():
        root.add_typer(group, name=name)
    return root


VERBS: dict[str, Callable[..., int]] = {
    "check": pulling.check,
    "sync": pulling.sync,
    "backfill": pulling.backfill,
    "status": operating.status,
    "history": operating.history,
    "run": service.run,
    "pause": resting.pause,
    "resume": resting.resume,
    "find": people.find,
    "remap": records.remap,
    "export": records.export,
    "plan": pushing.plan,
    "apply": pushing.apply,
    "auth": approval.auth,
    "init": setup.init,
    "demo": practice.demo,
    "sandbox": practice.sandbox,
}
GROUPS = {
    "profile": _group("Look at one person.", show=people.profile_show),
    "rejected": _group(
        "Records that could not be read.",
        list=records.rejected_list,
        show=records.rejected_show,
        replay=records.rejected_replay,
    ),
    "store": _group("One store of the database.", remove=stores.store_remove),
    "db": _group("The profile database.", upgrade=setup.db_upgrade),
    "config": _group("The configuration.", check=setup.config_check),
}

app = _command_line()
