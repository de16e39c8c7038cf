"""Promise 14: a disk that is full, a database that is locked or read-only pauses the work, which then goes on alone.

The trouble begins between two transactions of a sync and lasts for two tries. What is stored in the end, and what the
shop was asked to write, is what there is without it; nothing of the file is damaged.
"""

from __future__ import annotations

import itertools
import random
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool

from syncd.errors import DatabaseBusy, DatabaseUnavailable
from syncd.sandbox import Sandbox
from syncd.store.tables import Merchant
from tests.postgres import PostgresServer
from tests.promises.outages import BETWEEN, Trial, Tried, Trouble, goes_on, hasty, worked_often
from tests.promises.service import running
from tests.promises.shops import config, sandbox_of

STORE = "us-woo"
HELD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""
FULL = """
CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$
"""


def path_of(url: str) -> str:
    """The file of an SQLite database."""
    return url.removeprefix("sqlite:///")


@contextmanager
def locked_file(url: str) -> Iterator[None]:
    """Another process holds the file."""
    command = [sys.executable, "-c", HELD, path_of(url)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield
        holder.communicate()


@contextmanager
def full_file(url: str) -> Iterator[None]:
    """The file may not grow by a page."""
    with on_every_connection("max_page_count = 1", "max_page_count = 1073741823"):
        yield


@contextmanager
def read_only_file(url: str) -> Iterator[None]:
    """The file takes no writes."""
    with on_every_connection("query_only = ON", "query_only = OFF"):
        yield


@contextmanager
def on_every_connection(pragma: str, undone: str) -> Iterator[None]:
    """Whoever uses a connection of this process finds it so."""
    met: dict[int, sqlite3.Connection] = {}

    def prepare(connection: sqlite3.Connection, *_: object) -> None:
        if not connection.execute("PRAGMA query_only").fetchone()[0]:
            met[id(connection)] = connection
            connection.execute(f"PRAGMA {pragma}")

    event.listen(Pool, "checkout", prepare)
    try:
        yield
    finally:
        event.remove(Pool, "checkout", prepare)
        for connection in met.values():
            with suppress(sqlite3.ProgrammingError):  # given up meanwhile
                connection.execute(f"PRAGMA {undone}")


@contextmanager
def full_disk(url: str) -> Iterator[None]:
    """The system refuses to write anything of this process past the first pages of a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def locked_tables(url: str) -> Iterator[None]:
    """Another session holds every table against writers."""
    with psycopg.connect(url) as holder:
        holder.execute(f"LOCK TABLE {', '.join(sorted(Merchant.metadata.tables))} IN EXCLUSIVE MODE".encode())
        yield
        holder.rollback()


@contextmanager
def full_server(url: str) -> Iterator[None]:
    """The server refuses every row as it does when its disk is full."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(FULL)
        for table in Merchant.metadata.tables:
            words = f"CREATE TRIGGER disk_full BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION disk_full()"
            admin.execute(words.encode())
        yield
        admin.execute("DROP FUNCTION disk_full CASCADE")


@contextmanager
def read_only_server(url: str) -> Iterator[None]:
    """The server closes all sessions, and new ones may only read, as after it became a standby."""
    base, _, name = url.rpartition("/")
    with psycopg.connect(f"{base}/postgres", autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
        query = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
        admin.execute(query, [name])
        yield
        admin.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only".encode())


TROUBLES: Mapping[str, tuple[str, Trouble, type[Exception]]] = {
    "a file locked by another process": ("sqlite", locked_file, DatabaseBusy),
    "a file that may not grow": ("sqlite", full_file, DatabaseUnavailable),
    "a full disk": ("sqlite", full_disk, DatabaseUnavailable),
    "a read-only file": ("sqlite", read_only_file, DatabaseUnavailable),
    "tables locked by another session": ("postgresql", locked_tables, DatabaseBusy),
    "a server with a full disk": ("postgresql", full_server, DatabaseUnavailable),
    "a read-only server": ("postgresql", read_only_server, DatabaseUnavailable),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with sandbox_of(STORE, scale=0.08) as served:
        yield served


@pytest.fixture(scope="module")
def trial(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return Trial(sandbox.shops[STORE], tmp_path_factory.mktemp("trial"))


@pytest.fixture(scope="module")
def well(trial: Trial, tmp_path_factory: pytest.TempPathFactory) -> Tried:
    """What an untroubled sync ends in, on either engine."""
    return trial.well(f"sqlite:///{tmp_path_factory.mktemp('well')}/well.db")


@pytest.fixture
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Makes an empty database of an engine; the one before it is dropped."""
    numbers, dropping = itertools.count(1), ExitStack()

    def make(engine: str) -> str:
        dropping.close()
        if engine == "sqlite":
            return f"sqlite:///{tmp_path}/{next(numbers)}.db"
        server: PostgresServer = request.getfixturevalue("postgres_server")
        return dropping.enter_context(server.database())

    with dropping:
        yield make


def is_sound(url: str) -> bool:
    """Whether nothing of a file is damaged; a server looks after itself."""
    if not url.startswith("sqlite"):
        return True
    with closing(sqlite3.connect(path_of(url))) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_in_the_middle_leaves_no_trace(
    fresh: Callable[[str], str], trial: Trial, well: Tried, rng: random.Random, name: str
) -> None:
    """A sync in trouble is told so in the tree's own words, and the next ones end where an untroubled one does."""
    engine, trouble, leaf = TROUBLES[name]
    moment = rng.randint(well.moments // 5, well.moments // 2)
    url = fresh(engine)

    tried = trial.run(url, trouble, moment, BETWEEN)

    assert tried.moments >= moment, "the trouble never began"
    assert tried.told == {leaf}
    assert tried.end == well.end
    assert is_sound(url)


@pytest.mark.parametrize("name", ["a file locked by another process", "a read-only server"])
def test_a_service_outlives_the_trouble(
    fresh: Callable[[str], str], sandbox: Sandbox, tmp_path: Path, name: str
) -> None:
    """A service whose database takes no writes says so, stays alive, and stores what it missed afterwards."""
    engine, trouble, _ = TROUBLES[name]
    url, shop = fresh(engine), sandbox.shops[STORE]
    path = worked_often(config(tmp_path, [shop], hasty(url)))

    with running(path) as service:
        goes_on(service, shop, url, trouble(url))


@pytest.mark.soak
@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_at_any_moment_leaves_no_trace(
    fresh: Callable[[str], str], trial: Trial, well: Tried, name: str
) -> None:
    """Between whichever two transactions the trouble begins, the end is that of an untroubled sync."""
    engine, trouble, leaf = TROUBLES[name]

    for moment in range(1, well.moments + 1):
        url = fresh(engine)
        tried = trial.run(url, trouble, moment, BETWEEN)

        assert tried.told <= {leaf}, f"told {tried.told} at moment {moment}"
        assert tried.end == well.end, f"another end when it begins at moment {moment}"
        assert is_sound(url)
