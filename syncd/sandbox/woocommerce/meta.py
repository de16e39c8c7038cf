"""The rules of meta data: what is kept, replaced, removed, or silently dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from syncd.sandbox.woocommerce.state import Meta

_LONGEST_KEY = 255


def write_meta(rows: list[Meta], items: object, *, next_id: Callable[[], int], protected: bool) -> None:
    """Apply the `meta_data` of a request to a record's rows, in place.

    Args:
        items: What was sent; anything that cannot be meta data is dropped without a word.
        protected: Whether keys starting with `_` are dropped, as they are on accounts.
    """
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and _is_key(item.get("key"), protected):
            _write_one(rows, item, next_id)


def _is_key(key: object, protected: bool) -> bool:
    return isinstance(key, str) and 0 < len(key) <= _LONGEST_KEY and not (protected and key.startswith("_"))


def _write_one(rows: list[Meta], item: dict[str, Any], next_id: Callable[[], int]) -> None:
    """Replace the row with the id, else the first with the key (the others go), else add one; null removes."""
    key, value = item["key"], _stored(item.get("value"))
    matching = [row for row in rows if row.id == item.get("id")] or [row for row in rows if row.key == key]
    for row in matching[1:]:
        rows.remove(row)
    if value is None:
        for row in matching[:1]:
            rows.remove(row)
    elif matching:
        matching[0].key, matching[0].value = key, value
    else:
        rows.append(Meta(id=next_id(), key=key, value=value))


def _stored(value: object) -> object:
    """Scalars come back from the database as text; lists and objects as they were."""
    if isinstance(value, bool):
        return "1" if value else ""
    return str(value) if isinstance(value, int | float) else value
