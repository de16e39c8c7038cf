"""Promise 22, the database's half: a backup made as docs/operations.md says is whole, and work goes on from it.

The backup is made while a command works: in the middle of one of its requests, with the database open and written to.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from syncd.sandbox import Call
from syncd.store.migrations import HEAD, REVISIONS
from syncd.store.schema import revision
from tests.postgres import find_binaries
from tests.promises.conftest import Databases
from tests.promises.mortal import Mortals, mortals
from tests.promises.oracles import picture, unfinished
from tests.promises.shops import STORES, Beginning, Watch, config, sandbox_of
from tests.unit.store.kit import engines_of
from tests.unit.store.test_schema import contents, fill, migrate

KILLED = -9
MIDDLE = {
    "woocommerce": range(12, 16),
    "shopify": range(5, 8),
    "bigcommerce": range(12, 18),
}  # of a backfill's requests
Backup = Callable[[], None]


@pytest.fixture(scope="module")
def process() -> Iterator[Mortals]:
    with mortals() as warm:
        yield warm


@pytest.fixture(params=STORES)
def shop(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A small shop of each platform."""
    with sandbox_of(STORES[request.param]) as sandbox:
        shop = sandbox.shops[STORES[request.param]]
        Beginning(shop).restore()
        yield shop


@pytest.fixture
def one_shop() -> Iterator[Any]:
    with sandbox_of("us-woo") as sandbox:
        yield sandbox.shops["us-woo"]


class During:
    """Has something done in the middle of one of a shop's requests, counted from 1."""

    def __init__(self, watch: Watch, number: int, act: Backup) -> None:
        self._watch = watch
        self._left = number
        self._act = act

    def __call__(self, call: Call) -> None:
        self._watch(call)
        self._left -= 1
        if self._left == 0:
            self._act()


def save(url: str, place: Path) -> None:
    """Back a database up as its users are told to, whoever works in it."""
    if url.startswith("sqlite"):
        _save_file(Path(url.removeprefix("sqlite:///")), place)
    else:
        subprocess.run([find_binaries() / "pg_dump", url, "--file", place], check=True)


def _save_file(path: Path, place: Path) -> None:
    if program := shutil.which("sqlite3"):
        subprocess.run([program, path, f".backup {place}"], check=True)
        return
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(place)) as target:
        source.backup(target)  # what the program does


def restore(place: Path, url: str) -> None:
    """Put a backup where there is an empty database."""
    if url.startswith("sqlite"):
        shutil.copy(place, url.removeprefix("sqlite:///"))
    else:
        quiet = ["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
        subprocess.run([find_binaries() / "psql", url, *quiet, "--file", place], check=True)


@pytest.mark.parametrize("verb", ["backfill", "apply"])
def test_a_backup_under_load_can_be_gone_on_from(
    verb: str, shop: Any, process: Mortals, databases: Databases, tmp_path: Path, rng: random.Random
) -> None:
    """Restored, a backup made in the middle of a command ends as the command did; each tag is written once in all."""
    arguments = [verb] if verb == "backfill" else [verb, "--yes"]
    middle = rng.choice(MIDDLE[shop.platform]) if verb == "backfill" else 1
    with databases.empty() as url, databases.empty() as other:
        path = config(tmp_path / "live", [shop], url)
        if verb == "apply":
            assert process.run("--config", path, "backfill")[0] == 0
        watch = Watch(shop)
        shop.mutator = During(watch, middle, lambda: save(url, tmp_path / "backup"))
        assert process.run("--config", path, *arguments)[0] == 0
        whole = picture(url)

        restore(tmp_path / "backup", other)
        before = picture(other)
        code, _ = process.run("--config", config(tmp_path / "restored", [shop], other), *arguments)
        watch.look()

        assert code == 0
        assert before != whole
        assert unfinished(other) == []
        assert picture(other) == whole
    assert len(watch.added) == len(set(watch.added))
    assert bool(watch.added) == (verb == "apply")


def test_a_copy_of_file_and_wal_can_be_gone_on_from(process: Mortals, one_shop: Any, tmp_path: Path) -> None:
    """What a killed syncd left on the disk, copied with its `-wal` while nothing runs, is a backup as well."""
    live, copied = tmp_path / "live.db", tmp_path / "copied.db"
    path = config(tmp_path / "live", [one_shop], f"sqlite:///{live}")
    assert process.run("--config", path, "backfill", die_at=350)[0] == KILLED
    assert live.with_name("live.db-wal").stat().st_size > 0
    for end in ("", "-wal"):
        shutil.copy(f"{live}{end}", f"{copied}{end}")
    assert process.run("--config", path, "backfill")[0] == 0

    again = config(tmp_path / "copied", [one_shop], f"sqlite:///{copied}")
    code, _ = process.run("--config", again, "backfill")

    assert code == 0
    assert unfinished(f"sqlite:///{copied}") == []
    assert picture(f"sqlite:///{copied}") == picture(f"sqlite:///{live}")


def test_a_backup_of_an_old_database_is_migrated(
    process: Mortals, one_shop: Any, databases: Databases, tmp_path: Path
) -> None:
    """What was saved before an upgrade still holds the old schema with every row, and is upgraded to the same end."""
    with databases.empty() as url, databases.empty() as other:
        with engines_of(url) as engines, engines.write() as connection:
            migrate(connection, REVISIONS[0])
            fill(connection)
        old = everything(url)
        saved = saved_before_upgrade(url, tmp_path)
        assert upgrade(process, one_shop, url, tmp_path / "live") == 0

        restore(saved or Path(f"{url.removeprefix('sqlite:///')}.{REVISIONS[0]}.bak"), other)
        kept = everything(other)
        code = upgrade(process, one_shop, other, tmp_path / "restored")

        assert (code, kept, old[0]) == (0, old, REVISIONS[0])
        assert everything(other) == everything(url)
        assert everything(url)[0] == HEAD


def saved_before_upgrade(url: str, folder: Path) -> Path | None:
    """The dump that PostgreSQL's users are told to make; a SQLite file is copied by the upgrade itself."""
    if url.startswith("sqlite"):
        return None
    save(url, folder / "before")
    return folder / "before"


def upgrade(process: Mortals, shop: Any, url: str, folder: Path) -> int:
    """Run the upgrade of a database that `fill` has filled, whose merchant is called so."""
    return process.run("--config", config(folder, [shop], url, merchant="text"), "db", "upgrade")[0]


def everything(url: str) -> tuple[str, Any]:
    """A database's revision, and every row of every table."""
    with engines_of(url) as engines, engines.read() as connection:
        return revision(connection), contents(connection)
