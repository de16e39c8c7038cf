"""Screens: progress on a terminal, and tables that stay readable on a narrow one."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from syncd import screens
from syncd.connectors.base import Page
from syncd.model import Stream
from syncd.store.types import Counts
from syncd.sync import Source

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TABLE = """
from syncd.screens import table
table("Runs", ("store", "shop says", "gone"), [("{name}", 1234, 0), ("b2b", 5, 0)])
"""


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _on_terminal(code: str, width: int) -> str:
    """What a program prints on a terminal so wide."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(width), "TERM": "xterm", "NO_COLOR": "1"}
    subprocess.run([sys.executable, "-c", code], stdout=theirs, env=environment, check=True)
    os.close(theirs)
    printed = os.read(ours, 65536).decode()
    os.close(ours)
    return printed


@pytest.mark.parametrize("declared", [None, 0, 7], ids=["no count", "nothing", "a count"])
def test_progress_is_drawn_from_the_first_page_on(declared: int | None) -> None:
    """Bars need neither a speed nor the platform's count."""
    terminal = _Terminal()
    page = Page(
        stream=Stream.ORDERS, records=(), cursor="", is_last=True, declared=declared, server_time=None, asked_at=NOW
    )
    source = Source.__new__(Source)
    object.__setattr__(source, "store_id", "us-woo")

    with screens.progress(terminal) as listener:
        listener(source, page, Counts(read=3, new=3))

    assert "us-woo orders" in terminal.getvalue()


def test_a_table_that_fits_shows_every_column() -> None:
    """Noughts are figures too, as long as there is room."""
    printed = _on_terminal(TABLE.format(name="us-woo"), 80)

    assert "gone" in printed
    assert "Nothing in any row" not in printed


def test_a_narrow_terminal_leaves_out_columns_that_say_nothing_and_names_them() -> None:
    """What is left out is nought in every row, and is said."""
    printed = _on_terminal(TABLE.format(name="us-woo"), 20)

    assert "1,234" in printed
    assert "Nothing in any row: gone." in printed.replace("\r\n", " ").replace("  ", " ")


def test_what_does_not_fit_at_all_is_printed_as_blocks() -> None:
    """No word is broken into pieces of a few letters."""
    printed = _on_terminal(TABLE.format(name="a-name-that-is-quite-long"), 30)

    assert "a-name-that-is-quite-long" in printed
    assert "    shop says 1,234" in printed
