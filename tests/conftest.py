"""What every test may ask for: empty databases on both engines, a clock, the shared recordings, one random seed."""

from __future__ import annotations

import ipaddress
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import orjson
import pytest
import structlog

from syncd.store import schema
from syncd.store.engine import Engines
from tests.clock import ManualClock
from tests.postgres import PostgresServer, running_server

hypothesis.settings.register_profile("syncd", deadline=None, print_blob=True, database=None)
hypothesis.settings.register_profile("soak", parent=hypothesis.settings.get_profile("syncd"), max_examples=5000)
hypothesis.settings.load_profile("syncd")

_MEMORY, _MEMORY_BYTES = Path("/dev/shm"), 2 * 2**30


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--record-golden` rewrites the reviewed results instead of holding the code against them."""
    parser.addoption("--record-golden", action="store_true", help="rewrite the reviewed results of golden tests")
    parser.addoption("--every-case", action="store_true", help="try every case of every promise, not some of each")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """One seed for hypothesis and for `rng`, the same in every worker; repeat a run by `--hypothesis-seed`.

    Temporary files lie in memory where there is room: thousands of databases are made, and none has to outlast the run.
    Bytecode is kept, whatever the environment says: hundreds of processes are started.
    """
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if "TMPDIR" not in os.environ and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _MEMORY_BYTES:
        os.environ["TMPDIR"], tempfile.tempdir = str(_MEMORY), None
    if hasattr(config, "workerinput"):
        config.option.hypothesis_seed = config.workerinput["seed"]
    elif config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(random.SystemRandom().randrange(2**32))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the seed on to a worker, which gets the options as they were typed."""
    node.workerinput["seed"] = node.config.option.hypothesis_seed


def pytest_sessionstart(session: pytest.Session) -> None:
    """Say how to repeat this run, at every verbosity."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal and not hasattr(session.config, "workerinput"):
        terminal.write_line(f"random seed: --hypothesis-seed={session.config.option.hypothesis_seed}")


def _only_loopback(event: str, args: tuple[object, ...]) -> None:
    address = args[1] if event == "socket.connect" else None
    if not isinstance(address, tuple) or address[0] == "localhost":
        return
    if not ipaddress.ip_address(address[0]).is_loopback:
        raise RuntimeError(f"a test may not reach {address[0]}: only loopback")


sys.addaudithook(_only_loopback)


@pytest.fixture(autouse=True)
def _quiet_again() -> Iterator[None]:
    """A test that ran the command line leaves its log settings to no other."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Random numbers of this run's seed."""
    return random.Random(str(request.config.option.hypothesis_seed))


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, object], None]:
    """Holds a value (dataclasses and times too) against a reviewed JSON file."""

    def hold(path: Path, actual: object) -> None:
        text = orjson.dumps(actual, default=sorted, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n"
        if request.config.option.record_golden:
            path.write_text(text)
        assert path.read_text() == text

    return hold


@pytest.fixture
def clock() -> ManualClock:
    """A clock that only the test moves."""
    return ManualClock()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recordings and published schemas that SYNCD_SHARED names."""
    folder = os.environ.get("SYNCD_SHARED")
    if not folder:
        pytest.skip("SYNCD_SHARED names no folder of recordings")
    return Path(folder)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this test process."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> Iterator[str]:
    """The name of a database that has its tables and nothing in them."""
    with postgres_server.database() as url:
        engines = Engines(url)
        with engines.write() as connection:
            schema.ensure(connection, engines.place)
        engines.close()
        yield url.rpartition("/")[2]


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """The address of a PostgreSQL database with nothing in its tables, which stand already: making them takes long."""
    with postgres_server.database(template=postgres_template) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of an SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'syncd.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database, once on each engine."""
    name = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    url: str = request.getfixturevalue(name)
    return url
