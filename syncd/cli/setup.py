"""Verbs that set a merchant up: init, config check, db upgrade."""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer

from syncd import screens
from syncd.app import App
from syncd.cli.frame import config_path, emit, read_settings
from syncd.cli.options import AsJson
from syncd.errors import ExitCode
from syncd.notify import try_out
from syncd.settings import scaffold
from syncd.store import Database


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


def config_check(
    ctx: typer.Context,
    notify: Annotated[
        bool, typer.Option("--notify", help="Send a test message to everybody in `notify`, and a sign of life.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Read the configuration and the segments, list every fault at once; no shop is asked."""
    loaded = read_settings(ctx)
    with App(loaded) as opened:
        names = [segment.name for segment in opened.segments]
        arrived = try_out(opened) if notify else {}
    document = {"config": str(config_path(ctx)), "settings": loaded.describe(), "segments": names}
    tried = {"notify": arrived} if notify else {}
    emit(as_json, lambda: document | tried, lambda: _show_config(document, arrived))
    return int(ExitCode.OK if all(arrived.values()) else ExitCode.FAILED)


def _show_config(document: dict[str, Collection[str]], arrived: dict[str, bool]) -> None:
    screens.show_config(document)
    for name, is_taken in arrived.items():
        screens.say(f"Notify, {name}: {'arrived' if is_taken else 'NOT TAKEN; is it written as apprise wants it?'}")


def db_upgrade(
    ctx: typer.Context,
    backup: Annotated[bool, typer.Option(help="Copy a SQLite file first.")] = True,
    as_json: AsJson = False,
) -> int:
    """Bring the database to this version's schema."""
    loaded = read_settings(ctx)
    saved = Database.upgrade(loaded.database.url, merchant=loaded.merchant, backup=backup)
    words = "the database is at this version's schema" + (f"; before that it was copied to {saved}" if saved else "")
    emit(as_json, lambda: {"backup": saved}, lambda: screens.say(words))
    return int(ExitCode.OK)
