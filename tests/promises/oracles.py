"""What two databases are compared by: every row that tells something of the shops, under names that both share.

Ids and times of our own making differ between two runs that did the same. A contact goes by its key, a profile by the
first of its contacts; what only tells when or how often we looked is left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import MetaData, Row, Table, inspect

from syncd.store.engine import Engines
from syncd.store.tables import Merchant

_PROFILE = "profile "
Picture = Mapping[str, list[str]]

_TABLES: MetaData = Merchant.metadata
_OURS = frozenset(
    {"fetched_at", "computed_at", "known_at", "entered_at", "judgement_id", "membership_id", "entry_id", "apply_id"}
    | {"outbox_id", "attempts", "not_before", "payload", "first_seen_at", "last_seen_at", "added_at"}
)
_WHEN_WE_SAW = {"deleted_at", "removed_at"}  # whether is told, when is not
_OURS_IN = {"contacts": {"created_at"}, "profiles": {"created_at"}, "judgements": {"created_at"}}
_OURS_IN |= {"outbox": {"created_at", "updated_at", "reason"}, "ledger": {"confirmed_at"}}
_COMPARED = (
    *("raw_records", "rejected_records", "customers", "addresses", "consents", "orders", "order_lines", "refunds"),
    *("carts", "cart_lines", "contacts", "identifiers", "shared_identifiers", "judgements", "profiles", "facts"),
    *("spend", "memberships", "tag_state", "ledger", "outbox", "touched_profiles", "walk_seen"),
)
_LIVE: Mapping[str, Callable[[Any], bool]] = {
    "judgements": lambda row: row.superseded_at is None,
    "profiles": lambda row: row.merged_into is None,
    "memberships": lambda row: row.left_at is None,
}


def picture(url: str) -> Picture:
    """Every row that two databases of the same shops must share, table by table, sorted."""
    engines = Engines(url)
    try:
        with engines.read() as connection:
            rows = {name: list(connection.execute(_TABLES.tables[name].select())) for name in _COMPARED}
    finally:
        engines.close()
    names = _names(rows["contacts"])
    return {name: sorted(_shown(_TABLES.tables[name], found, names)) for name, found in rows.items()}


def unfinished(url: str) -> list[str]:
    """What a whole run leaves none of: walks under way, leases held, changes that wait in the outbox."""
    engines = Engines(url)
    try:
        with engines.read() as connection:
            if not inspect(connection).has_table("checkpoints"):
                return []
            checkpoints = list(connection.execute(_TABLES.tables["checkpoints"].select()))
            outbox = list(connection.execute(_TABLES.tables["outbox"].select()))
    finally:
        engines.close()
    walks = [f"{row.store_id}/{row.stream}/{row.lane}" for row in checkpoints if row.walk_id or row.lease_owner]
    return walks + [f"{row.tag}: {row.state}" for row in outbox if row.state not in ("confirmed", "rejected")]


def _names(contacts: Iterable[Row[Any]]) -> dict[str, str]:
    """What contacts and profiles are called in both databases; a profile goes under the id of one of its contacts."""
    names = {row.contact_id: f"{row.store_id}/{row.kind}/{row.external_id}" for row in contacts}
    members: dict[str, list[str]] = defaultdict(list)
    for row in contacts:
        members[row.profile_id].append(names[row.contact_id])
    return names | {f"{_PROFILE}{profile_id}": f"whoever is {min(found)}" for profile_id, found in members.items()}


def _named(column: str, cell: object, names: Mapping[str, str]) -> object:
    return names.get(f"{_PROFILE}{cell}" if column == "profile_id" else str(cell), cell)


def _shown(table: Table, rows: Iterable[Row[Any]], names: Mapping[str, str]) -> Iterable[str]:
    left_out = _OURS | _OURS_IN.get(table.name, set())
    is_live = _LIVE.get(table.name, lambda row: True)
    for row in rows:
        if is_live(row):
            cells = {name: _named(name, cell, names) for name, cell in row._mapping.items() if name not in left_out}
            yield repr(_sorted_pair(cells | {name: True for name in _WHEN_WE_SAW & cells.keys() if cells[name]}))


def _sorted_pair(cells: dict[str, Any]) -> dict[str, Any]:
    """A judgement says the same of its two contacts, whichever was met first."""
    if "left_id" in cells:
        cells["left_id"], cells["right_id"] = sorted((cells["left_id"], cells["right_id"]))
    return cells
