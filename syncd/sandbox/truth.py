"""Who is who, as only the sandbox knows: the answer sheet for identity resolution."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

COLUMNS = ("record_id", "person_id")


def write_truth(path: Path, rows: Iterable[tuple[str, str]]) -> None:
    """Write (record id, person id) rows as CSV, replacing the file.

    Args:
        rows: A record id is `<store>:<kind>:<external id>`, kind being account, order or cart.
    """
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(COLUMNS)
        writer.writerows(sorted(rows))
