"""The paper that all screens are printed on: plain lines, tables that fit, times."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


Json = dict[str, Any]
_PLAIN_WIDTH = 160  # where there is no terminal, lines are for grep, not for eyes
_WHOLE_WIDTH = 10_000  # more than any table needs


def console(stream: TextIO | None = None) -> Console:
    """Where screens are printed; wide where nobody looks, so that no word is cut."""
    from rich.console import Console

    out = stream or sys.stdout
    width = shutil.get_terminal_size().columns if out.isatty() else _PLAIN_WIDTH
    return Console(file=out, width=width, highlight=False, soft_wrap=not out.isatty())


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under a title, figures to the right.

    On a narrower terminal columns move together, then those of noughts are left out, then every row is a block.
    """
    out = console()
    wide = _grid(title, columns, rows)
    grid = wide if not out.is_terminal or _fits(out, wide) else _grid(title, columns, rows, gap=0)
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


def point(text: str, below: str = "") -> None:
    """Print one point of a list, and indented below it what belongs to it; folded to fit a terminal."""
    out = console()
    width = out.width if out.is_terminal else _WHOLE_WIDTH
    say(textwrap.fill(text, width, initial_indent="- ", subsequent_indent="  "))
    if below:
        say(textwrap.fill(below, width, initial_indent="  ", subsequent_indent="  "))


def moment(value: datetime | None) -> str:
    """A time to the second, UTC, or a dash."""
    return value.strftime("%Y-%m-%d %H:%M:%SZ") if value else "-"


def span(value: timedelta) -> str:
    """A length of time in one unit, such as 40 s, 5 min, 3 h or 12 days; one that is none is 0 s."""
    seconds = max(0, round(value.total_seconds()))
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{round(seconds / size):,} {unit}"
    return f"{seconds} s"


def plain(value: object) -> str:
    """A value without Python's own words for nothing, true and false."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
