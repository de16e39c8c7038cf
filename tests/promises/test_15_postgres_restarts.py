"""Promise 15: a PostgreSQL server that is killed and started again, or that ends our connections, is survived.

It happens between two transactions of a sync, or in the middle of one. Nobody lifts a hand afterwards, and what is
stored and what the shop was asked to write is what there is without it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest

from syncd.errors import DatabaseUnavailable
from syncd.sandbox import Sandbox
from tests.postgres import PostgresServer, running_server
from tests.promises.outages import BETWEEN, WITHIN, Trial, Tried, Trouble, goes_on, worked_often
from tests.promises.service import running
from tests.promises.shops import config, sandbox_of

STORE = "us-woo"
SAMPLE = 80  # of the moments of a soak
# A cursor whose server was killed cannot be closed any more.
pytestmark = pytest.mark.filterwarnings("ignore:.*ServerCursor.*was deleted while still open:ResourceWarning")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with sandbox_of(STORE, scale=0.08) as served:
        yield served


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server that no other test uses."""
    with running_server() as running:
        yield running


@pytest.fixture(scope="module")
def trial(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return Trial(sandbox.shops[STORE], tmp_path_factory.mktemp("trial"))


@pytest.fixture(scope="module", params=[BETWEEN, WITHIN])
def place(request: pytest.FixtureRequest) -> str:
    """Where trouble can begin."""
    where: str = request.param
    return where


@pytest.fixture(scope="module")
def well(trial: Trial, server: PostgresServer, place: str) -> Tried:
    """What an untroubled sync ends in, and how many places it passes."""
    with server.database() as url:
        return trial.well(url, place)


@contextmanager
def killed(server: PostgresServer, _: str) -> Iterator[None]:
    """The server dies without a word, and is away until the block ends."""
    server.kill()
    try:
        yield
    finally:
        server.start()


@contextmanager
def cut_off(server: PostgresServer, url: str) -> Iterator[None]:
    """Every session of the database is ended, once."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        query = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
        admin.execute(query, [url.rpartition("/")[2]])
    yield


def troubles(server: PostgresServer) -> Mapping[str, Trouble]:
    """What may happen to a server, by name."""
    return {"killed": partial(killed, server), "cut off": partial(cut_off, server)}


def test_a_killed_server_is_survived(trial: Trial, server: PostgresServer, well: Tried, rng: random.Random) -> None:
    """A sync that loses its server is told so, also while it is away, and goes on with the started one."""
    moment = rng.randint(well.moments // 5, well.moments - 1)

    with server.database() as url:
        tried = trial.run(url, troubles(server)["killed"], moment, well.boundary)

    assert tried.moments >= moment, "the trouble never began"
    assert tried.told == {DatabaseUnavailable}
    assert tried.end == well.end


def test_a_cut_off_session_is_survived(trial: Trial, server: PostgresServer, well: Tried, rng: random.Random) -> None:
    """Ended sessions are hardly noticed between two transactions; within one it is told, and the next try goes on."""
    moment = rng.randint(well.moments // 5, well.moments - 1)

    with server.database() as url:
        tried = trial.run(url, troubles(server)["cut off"], moment, well.boundary)

    assert tried.told <= {DatabaseUnavailable}
    assert tried.end == well.end


def test_a_service_outlives_its_server(sandbox: Sandbox, server: PostgresServer, tmp_path: Path) -> None:
    """A service whose server dies says so, stays alive, and stores what it missed once the server is back."""
    shop = sandbox.shops[STORE]
    with server.database() as url:
        path = worked_often(config(tmp_path, [shop], url))

        with running(path) as service:
            goes_on(service, shop, url, killed(server, url))


@pytest.mark.soak
@pytest.mark.parametrize("name", ["killed", "cut off"])
def test_trouble_at_any_moment_is_survived(
    trial: Trial, server: PostgresServer, well: Tried, name: str, rng: random.Random
) -> None:
    """Wherever the sync is when its server goes, the end is that of an untroubled one."""
    for moment in rng.sample(range(1, well.moments + 1), min(SAMPLE, well.moments)):
        with server.database() as url:
            tried = trial.run(url, troubles(server)[name], moment, well.boundary)

        assert tried.told <= {DatabaseUnavailable}, f"told {tried.told} at moment {moment}"
        assert tried.end == well.end, f"another end when it happens at moment {moment}"
