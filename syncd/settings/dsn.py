"""Database URLs: what they must look like, their passwords, and how they are printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_FORMS = 'write "sqlite:///path/to/file.db" or "postgresql://user@host/name"'
_MASK = "***"


def checked(url: str) -> str:
    """The URL itself.

    Raises:
        ValueError: No database that syncd knows; the message does not show the URL.
    """
    parsed = _parsed(url)
    if parsed is None or parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise ValueError(f"is not the URL of a database that syncd can use; {_FORMS}")
    if parsed.get_backend_name() == "sqlite" and (parsed.database or ":").startswith(":"):
        raise ValueError(f"names no file; {_FORMS}")
    return url


def masked(url: str) -> str:
    """The URL with its password hidden."""
    parsed = _parsed(url)
    if parsed is None:
        return _MASK
    hidden = {key: _MASK for key in parsed.query if key == "password"}
    return parsed.update_query_dict(hidden).render_as_string(hide_password=True)


def passwords(url: str) -> Iterator[str]:
    """The passwords in the URL; none in one that cannot be read."""
    parsed = _parsed(url)
    if parsed is not None:
        yield from (text for text in (parsed.password, parsed.query.get("password")) if isinstance(text, str) and text)


def host(url: str) -> str:
    """The server's name; "" for a file, a local socket or what cannot be read."""
    parsed = _parsed(url)
    return (parsed.host or "") if parsed else ""


def anchored(url: str, folder: Path) -> str:
    """The URL with a relative file made absolute, beginning at the folder."""
    parsed = _parsed(url)
    if parsed is None or parsed.get_backend_name() != "sqlite" or not parsed.database:
        return url
    if parsed.database.startswith((":", "file:")):
        return url
    path = (folder / Path(parsed.database).expanduser()).resolve()
    return parsed.set(database=str(path)).render_as_string(hide_password=False)


def _parsed(url: str) -> URL | None:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        return None
