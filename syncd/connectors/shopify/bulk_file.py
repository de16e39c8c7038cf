"""The file of a bulk operation: fetched without credentials, kept where nobody else can read it, read line by line.

In comes the address that the shop named, out come its records, each with the rows inside it. Only one record is in
memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import orjson
import requests
import urllib3

from syncd import __version__
from syncd.connectors.config import StoreConfig
from syncd.connectors.exchange import Request
from syncd.connectors.failures import failure_of, seen
from syncd.connectors.wire import Guard, WatchedAdapter, address_fault
from syncd.errors import CorruptAnswer, PolicyRefused

DOWNLOAD_S = 3600.0  # a file may be some gigabytes
_CONNECT_S = 10.0
_PART = 1 << 20
_GONE = frozenset({400, 403, 404, 410})  # what a storage says of an address whose time is over
_REQUEST = Request(path="the bulk operation's file")
_NO_MORE = {"hasNextPage": False, "endCursor": None}

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """What a file holds.

    Args:
        lines: All of them.
        roots: Those that are records; the others are rows inside one.
        further: Records with greater numbers than were stored already.
    """

    lines: int
    roots: int
    further: int


def download(url: str, config: StoreConfig, file: IO[bytes]) -> bool:
    """Fetch what is at an address into a file of our own; False if the address is out of date.

    Raises:
        PolicyRefused: The address is none that a file may be fetched from.
        RetryLater: The file did not come whole.
    """
    fault = address_fault(url.partition("?")[0], insecure=config.insecure, allow_private=config.allow_private)
    if fault:
        raise PolicyRefused(f"the address of the shop's bulk file {fault}")
    with _session(config) as session, Guard(DOWNLOAD_S, allow_private=config.allow_private) as guard:
        try:
            return _fetched(session, url, config.http.deadline_s, file)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            row = seen(error, guard)
    raise failure_of(row, _REQUEST)


def tally_of(file: IO[bytes], behind: int) -> Tally:
    """Count a file's lines and records.

    Args:
        behind: The greatest number of a record that was stored already; 0 for none.

    Raises:
        CorruptAnswer: It is not what was asked for: no JSON, or not by id with each record's rows behind it.
    """
    lines = roots = further = latest = 0
    for number, row_count, _ in _groups(file):
        if number <= latest:
            raise CorruptAnswer("the shop's bulk file is not in the order that was asked for")
        lines, roots, latest = lines + row_count, roots + 1, number
        further += number > behind
    return Tally(lines=lines, roots=roots, further=further)


def records_of(file: IO[bytes], behind: int, nested: str | None) -> Iterator[tuple[int, Row]]:
    """The records with greater numbers than `behind`, each with its number, whole.

    Args:
        nested: The connection that takes the rows inside a record; None where none was asked for.
    """
    for number, _, (root, *inside) in _groups(file):
        if number > behind:
            yield number, {**root, nested: {"nodes": inside, "pageInfo": _NO_MORE}} if nested else root


def _fetched(session: requests.Session, url: str, silence_s: float, file: IO[bytes]) -> bool:
    with session.get(url, timeout=(_CONNECT_S, silence_s), allow_redirects=False, stream=True) as response:
        if response.status_code in _GONE:
            return False
        if response.status_code != 200:
            raise failure_of(response.status_code, _REQUEST, f" answered {response.status_code}")
        for part in response.iter_content(_PART):
            file.write(part)
        return True


def _session(config: StoreConfig) -> requests.Session:
    """A session that knows nothing of the store's credentials or headers."""
    session = requests.Session()
    session.trust_env = False
    session.headers["User-Agent"] = f"syncd/{__version__}"
    session.verify = str(config.http.ca_file) if config.http.ca_file else True
    adapter = WatchedAdapter(pool_connections=1, pool_maxsize=1)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _groups(file: IO[bytes]) -> Iterator[tuple[int, int, list[Row]]]:
    """Each record's number, how many lines it takes, and the record with the rows inside it behind it."""
    group: list[Row] = []
    for row in _rows(file):
        parent = row.pop("__parentId", None)
        if parent is None and group:
            yield _number(group[0]), len(group), group
        if parent is None:
            group = [row]
        elif not group or group[0].get("id") != parent:
            raise CorruptAnswer("the shop's bulk file holds rows apart from the record that they belong to")
        else:
            group.append(row)
    if group:
        yield _number(group[0]), len(group), group


def _rows(file: IO[bytes]) -> Iterator[Row]:
    file.seek(0)
    for line in file:
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            raise CorruptAnswer("a line of the shop's bulk file cannot be read") from None
        if not isinstance(row, dict):
            raise CorruptAnswer("a line of the shop's bulk file is no record")
        yield row


def _number(root: Row) -> int:
    text = str(root.get("id", "")).rpartition("/")[2]
    if not text.isdigit():
        raise CorruptAnswer("a record of the shop's bulk file has no id")
    return int(text)
