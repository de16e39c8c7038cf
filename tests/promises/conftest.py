"""What promises are tried on: shops of every platform, and databases of both engines, empty or like another one."""

from __future__ import annotations

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
