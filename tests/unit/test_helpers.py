"""The tests' own helpers: databases that are new and go away, a clock that moves, a closed network."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from syncd.store import Database
from tests.clock import START, ManualClock
from tests.postgres import PostgresServer, find_binaries


@pytest.mark.parametrize("merchant", ["acme", "other"])
def test_each_test_gets_a_database_of_its_own(database_url: str, merchant: str, clock: ManualClock) -> None:
    """A database is nobody's yet on either engine; one that was used would be refused to another merchant."""
    with Database.open(database_url, merchant=merchant, clock=clock) as database:
        assert database.people.contact_count() == 0


def test_a_database_is_dropped_though_somebody_is_connected(postgres_server: PostgresServer) -> None:
    """A forgotten connection does not keep a test's database alive."""
    with postgres_server.database() as url:
        forgotten = psycopg.connect(url)
    with psycopg.connect(postgres_server.url("postgres")) as connection:
        left = connection.execute("SELECT datname FROM pg_database").fetchall()

    assert (url.rpartition("/")[2],) not in left
    forgotten.close()


def test_the_server_dies_with_the_tests_that_started_it() -> None:
    """A test process that is killed leaves no server behind."""
    code = (
        "from tests.postgres import running_server\n"
        "with running_server() as server:\n"
        "    print(server.port, flush=True)\n"
        "    input()\n"
    )
    tests = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    with tests:
        assert tests.stdout is not None
        port = tests.stdout.readline().strip()
        with psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres") as connection:
            tests.kill()

            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT pg_sleep(60)")  # cut off when the keeper stops the server

    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres")


def test_a_missing_server_is_an_error_that_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PostgreSQL the tests fail in words instead of skipping."""
    monkeypatch.setenv("SYNCD_TEST_PG_BIN", str(tmp_path))

    with pytest.raises(RuntimeError, match="SYNCD_TEST_PG_BIN"):
        find_binaries()


def test_sleeping_moves_the_clock(clock: ManualClock) -> None:
    """A wait takes no time and moves both clocks; stepping the wall clock moves only one."""
    was_cut_short = clock.sleep(90)
    clock.step(-3600)

    assert not was_cut_short
    assert clock.monotonic() == 90
    assert (clock.now() - START).total_seconds() == 90 - 3600


def test_only_loopback_can_be_reached() -> None:
    """A test that would leave the machine fails."""
    with socket.socket() as connection, pytest.raises(RuntimeError, match="only loopback"):
        connection.connect(("192.0.2.1", 9))


def test_a_golden_file_is_held_against_the_value(golden: Callable[[Path, object], None], tmp_path: Path) -> None:
    """A value that differs from the reviewed file fails the test."""
    reviewed = tmp_path / "reviewed.json"
    reviewed.write_text('{\n  "total": 1\n}\n')

    golden(reviewed, {"total": 1})

    with pytest.raises(AssertionError):
        golden(reviewed, {"total": 2})
