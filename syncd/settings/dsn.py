"""Database URLs as text: what they must look like, the passwords in them, and how they are printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, unquote

_URL = re.compile(
    r"(?P<scheme>[\w+]+)://"
    r"(?:[^:/]*(?::(?P<password>[^@]*))?@)?"
    r"(?P<host>\[[^\]/]*\]|[^/:?]*)(?::(?P<port>[0-9]*))?"
    r"(?:/(?P<name>[^?]*))?"
    r"(?:\?(?:.*&)?(?:password=(?P<query_password>[^&]*))?.*)?"
)
_SCHEMES = ("sqlite", "postgresql", "postgresql+psycopg", "postgres")
_FORMS = 'write "sqlite:///path/to/file.db" or "postgresql://user@host/name"'


def checked(url: str) -> str:
    """The URL itself.

    Raises:
        ValueError: No database that syncd knows; the message does not show the URL.
    """
    match = _URL.fullmatch(url)
    if match is None or match["scheme"] not in _SCHEMES:
        raise ValueError(f"is not the URL of a database that syncd can use; {_FORMS}")
    if match["scheme"] == "sqlite" and (match["host"] or (match["name"] or ":").startswith(":")):
        raise ValueError(f"names no file; {_FORMS}")
    return url


def masked(url: str) -> str:
    """The URL with its passwords hidden; nothing of a text that is no such URL."""
    match = _URL.fullmatch(url)
    if match is None:
        return "***"
    for group in ("query_password", "password"):  # the later one first: the other's place stays as it was
        if match[group]:
            url = f"{url[: match.start(group)]}***{url[match.end(group) :]}"
    return url


def passwords(url: str) -> Iterator[str]:
    """The passwords in the URL, in plain text."""
    match = _URL.fullmatch(url)
    if match is not None:
        yield from (unquote(match[group]) for group in ("password", "query_password") if match[group])


def host(url: str) -> str:
    """The server's name; "" for a file, a local socket or what cannot be read."""
    match = _URL.fullmatch(url)
    return match["host"].strip("[]") if match else ""


def address(url: str) -> str:
    """What is the same for two URLs of the same database, whoever logs in and however."""
    match = _URL.fullmatch(url)
    if match is None or match["scheme"] == "sqlite":
        return url
    schema = ",".join(parse_qs(url.partition("?")[2]).get("options", ()))  # may name another search_path
    return f"{match['host'] or 'localhost'}:{match['port'] or 5432}/{match['name'] or ''}?{schema}"


def anchored(url: str, folder: Path) -> str:
    """The URL with a relative file made absolute, beginning at the folder."""
    match = _URL.fullmatch(url)
    if match is None or match["scheme"] != "sqlite" or not match["name"] or match["name"].startswith((":", "file:")):
        return url
    path = (folder / Path(match["name"]).expanduser()).resolve()
    return f"{url[: match.start('name')]}{path}{url[match.end('name') :]}"
