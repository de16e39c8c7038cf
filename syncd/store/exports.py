"""Tables to hand out: documented columns, rows sorted by key in byte order, memory that does not grow.

Customers, orders and carts hold only what the source said, so that two databases fed from one shop export the same
bytes. Rows are read in chunks; between chunks no connection is open, however slow the reader is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, literal, tuple_

from syncd import money
from syncd.store.byte_order import byte_order
from syncd.store.engine import Engines
from syncd.store.sheets import SHEETS, Sheet

KINDS = tuple(SHEETS)
Cell = str | int | bool | None

_CHUNK = 2000


class Exports:
    """What the database gives to other programs: customers, orders, carts, profiles and members."""

    def __init__(self, engines: Engines, chunk: int = _CHUNK) -> None:
        self._engines = engines
        self._chunk = chunk

    def columns(self, kind: str) -> tuple[str, ...]:
        """The columns of a kind, in order."""
        return tuple(SHEETS[kind].meanings)

    def meanings(self, kind: str) -> Mapping[str, str]:
        """What each column of a kind means, in order."""
        return SHEETS[kind].meanings

    def rows(self, kind: str) -> Iterator[tuple[Cell, ...]]:
        """The rows of a kind, sorted by key; lazy. Times are ISO 8601 texts in UTC, amounts decimal texts."""
        sheet = SHEETS[kind]
        rows = self._read(sheet, ())
        while rows:
            yield from (tuple(_cell(name, row) for name in sheet.meanings) for row in rows)
            rows = self._read(sheet, [rows[-1][name] for name in sheet.key])

    def _read(self, sheet: Sheet, last: Sequence[str]) -> Sequence[RowMapping]:
        keys = [byte_order(column) for column in sheet.key.values()]
        query = sheet.query.where(_after(keys, last)) if last else sheet.query
        with self._engines.read() as connection:
            return connection.execute(query.order_by(*keys).limit(self._chunk)).mappings().all()


def _after(keys: Sequence[ColumnElement[str]], last: Sequence[str]) -> ColumnElement[bool]:
    return tuple_(*keys) > tuple_(*(literal(value) for value in last))


def _cell(name: str, row: RowMapping) -> Cell:
    value: Any = row[name] if name in row else _amount(row[f"{name}_minor"], row["currency"])
    return _moment(value) if isinstance(value, datetime) else value


def _amount(minor: int | None, currency: str | None) -> str | None:
    return None if minor is None else money.to_text(minor, currency or "")


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
