"""Sort order by bytes: the same on SQLite and on a PostgreSQL of any locale."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class byte_order(FunctionElement[str]):  # noqa: N801 - reads as the SQL function it stands for
    """A text, to be sorted and compared byte by byte."""

    type = Text()
    inherit_cache = True


@compiles(byte_order)
def _as_it_is(element: byte_order, compiler: Any, **options: Any) -> str:
    text: str = compiler.process(element.clauses, **options)
    return text


@compiles(byte_order, "postgresql")
def _collated(element: byte_order, compiler: Any, **options: Any) -> str:
    return f'({compiler.process(element.clauses, **options)}) COLLATE "C"'
