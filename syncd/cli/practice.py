"""Verbs for a first hour without a shop: demo, sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncd import logs, screens
from syncd.cli.frame import emit
from syncd.cli.options import AsJson
from syncd.errors import ConfigInvalid, ExitCode


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the config and the database behind.")] = False,
    seed: Annotated[int, typer.Option(help="Makes the invented shops.")] = 1,
    as_json: AsJson = False,
) -> int:
    """Do the whole job against the practice shops on a temporary database, then once more."""
    from syncd import demo as demo_module

    logs.configure(level="error")
    done = demo_module.run(seed, keep=keep)
    emit(as_json, done.document, lambda: demo_module.show(done))
    return int(ExitCode.OK)


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
