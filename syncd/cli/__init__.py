"""The command line: every verb turns words into one call on the app and prints what came back.

`verbs` lists them, each room beside it holds the verbs of one kind of work. Results go to standard output (one JSON
document with `--json`), logs and progress to standard error. Nothing asks a question without a terminal. Exit codes
are `errors.ExitCode`.
"""

from __future__ import annotations

import gc
import os
import sys

import typer
from typer.exceptions import Abort, TyperException

from syncd import logs
from syncd.cli.frame import print_json
from syncd.cli.verbs import app
from syncd.errors import ExitCode, SyncdError

__all__ = ["app", "main", "run"]


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
        print_json({"error": type(error).__name__, "message": str(error), "exit_code": int(error.exit_code)})
    typer.echo(f"syncd: {error}", err=True)
