"""What promises are tried on: shops of every platform, and databases of both engines, empty or like another one."""

from __future__ import annotations

import hashlib
import itertools
import logging
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import pytest
import structlog

from tests.postgres import PostgresServer
from tests.property.served import SERVED, ServedStage, served

_HERE = Path(__file__).parent
_DATABASES = frozenset({"database_url", "sqlite_url", "postgres_url", "databases", "postgres_server"})


class Databases(Protocol):
    """Where databases come from."""

    def empty(self) -> AbstractContextManager[str]:
        """The address of an empty one."""

    def of(self, url: str) -> AbstractContextManager[str]:
        """The address of one that begins as another is now, which nobody has open."""


class SqliteDatabases:
    """Files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)

    @contextmanager
    def empty(self) -> Iterator[str]:
        """The address of a file that is not there yet."""
        yield f"sqlite:///{self._folder}/{next(self._numbers)}.db"

    @contextmanager
    def of(self, url: str) -> Iterator[str]:
        """The address of a copy, removed at the end."""
        path = self._folder / f"{next(self._numbers)}.db"
        shutil.copy(url.removeprefix("sqlite:///"), path)
        yield f"sqlite:///{path}"
        for left in self._folder.glob(f"{path.name}*"):
            left.unlink()


class PostgresDatabases:
    """Databases of a server."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    def empty(self) -> AbstractContextManager[str]:
        """The address of a new one, dropped at the end."""
        return self._server.database()

    def of(self, url: str) -> AbstractContextManager[str]:
        """The address of a copy, dropped at the end."""
        return self._server.database(template=url.rpartition("/")[2])


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Databases:
    """Databases of each engine in turn."""
    if request.param == "sqlite":
        return SqliteDatabases(tmp_path)
    return PostgresDatabases(request.getfixturevalue("postgres_server"))


@pytest.fixture(scope="module", params=SERVED)
def stage(request: pytest.FixtureRequest) -> Iterator[ServedStage]:
    """A shop of each platform in turn, over HTTP."""
    with served(request.param) as opened:
        yield opened


@pytest.fixture
def quiet() -> None:
    """Thousands of requests go wrong: lines about each would hide what is printed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of many cases over databases each run tries one on each engine, or as many as `cases` says, by its seed.

    `--every-case` tries all.
    """
    if config.option.every_case:
        return
    cases: dict[tuple[str, str], list[pytest.Item]] = {}
    for item in items:
        needs_database = _DATABASES & set(getattr(item, "fixturenames", ()))
        if _HERE in item.path.parents and needs_database and item.get_closest_marker("soak") is None:
            cases.setdefault((item.nodeid.partition("[")[0], _engine(item)), []).append(item)
    seed = str(config.option.hypothesis_seed)
    dropped = {item for each in cases.values() for item in _beyond(each, seed)}
    items[:] = [item for item in items if item not in dropped]
    config.hook.pytest_deselected(items=sorted(dropped, key=lambda item: item.nodeid))


def _engine(item: pytest.Item) -> str:
    """The engine that a case is over; nothing where its test has but one."""
    values = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return next((str(value) for value in values if value in ("sqlite", "postgresql")), "")


def _beyond(cases: list[pytest.Item], seed: str) -> list[pytest.Item]:
    """All but some of the cases: the same in every process, in whichever order it met them."""
    marker = cases[0].get_closest_marker("cases")
    drawn = sorted(cases, key=lambda item: hashlib.sha256(f"{seed} {item.nodeid}".encode()).digest())
    return drawn[marker.args[0] if marker else 1 :]
