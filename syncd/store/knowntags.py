"""Which tags are known to be on an account, as pages and read-backs see them; older knowledge gives way to newer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, select
from sqlalchemy.sql.elements import ColumnElement

from syncd.store.engine import rows_in, table_of, upsert
from syncd.store.standing import forget
from syncd.store.tables import TagState

tag_state = table_of(TagState)


def see_tags(connection: Connection, store_id: str, seen: Mapping[str, Collection[str]], at: datetime) -> None:
    """Take in all tags that accounts have; nothing is written where nothing differs.

    Args:
        seen: Tags by the account's external id; an account left out is unknown.
        at: When the shop was asked; what is known since then stays.
    """
    query = select(tag_state).where(tag_state.c.store_id == store_id)
    known: dict[tuple[str, str], bool] = {
        (row.external_id, row.tag): row.is_present for row in rows_in(connection, query, tag_state.c.external_id, seen)
    }
    rows = [
        {"store_id": store_id, "external_id": account, "tag": tag, "is_present": is_present, "known_at": at}
        for account, tag, is_present in _differences(seen, known)
    ]
    upsert(connection, tag_state, rows, guard=_is_newer)
    if rows:
        forget(connection)


def _differences(
    seen: Mapping[str, Collection[str]], known: Mapping[tuple[str, str], bool]
) -> Iterator[tuple[str, str, bool]]:
    for account, tags in seen.items():
        yield from ((account, tag, True) for tag in set(tags) if not known.get((account, tag)))
    for (account, tag), is_present in known.items():
        if is_present and tag not in seen[account]:
            yield account, tag, False


def _is_newer(table: Table, proposed: Any) -> ColumnElement[bool]:
    newer: ColumnElement[bool] = table.c.known_at < proposed.known_at
    return newer
