"""Promise 1: killed at any instant of a backfill, a sync, a push or a migration, nothing is lost and nothing doubled.

A command kills itself by SIGKILL at a boundary: before or after an SQL statement, a commit, or an HTTP exchange. The
same command then goes on. In the end the database holds what it holds without the kill, hardly more was asked for
than the pages in flight, and each tag was written once. The soak takes the boundaries in turn, other runs some.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from syncd.sandbox import Sandbox, Seen
from syncd.store.migrations import HEAD, REVISIONS
from syncd.store.schema import revision as revision_of
from tests.promises.conftest import Databases, SqliteDatabases
from tests.promises.mortal import Mortals, mortals
from tests.promises.oracles import Picture, picture, unfinished
from tests.promises.shops import STORES, Beginning, Tag, Watch, config, sandbox_of, tags_on
from tests.unit.store.kit import engines_of
from tests.unit.store.test_schema import contents, fill, migrate, structure

SAMPLE = 2
KILLS_IN_A_ROW = 20
KILLED = -signal.SIGKILL
BULK = "shopify in bulk"
VERBS = {
    "backfill": ("backfill", "--json"),
    "sync": ("sync", "--json"),
    "sweep": ("sync", "--sweep", "--json"),
    "apply": ("apply", "--yes", "--json"),
}
TRIALS = [(platform, verb) for platform in STORES for verb in VERBS] + [(BULK, "backfill"), (BULK, "sweep")]

# What a killed process had asked for and not stored: a page that was worked on, one ahead, and as many more as the
# connector asks for at once, each with its parts; then who the store is, which every process asks once.
MOST_ASKED_AGAIN = {"woocommerce": 14, "shopify": 8, BULK: 10, "bigcommerce": 16}


@dataclass(frozen=True)
class End:
    """What there is once a command is done.

    Args:
        added: What its requests put on accounts; twice what they put on twice.
        idle: How many requests that write tags changed nothing.
        asked: How many requests it took.
        was_through: Whether the kill came after the last walk: then the same command is one more, from the start.
    """

    picture: Picture
    unfinished: list[str]
    tags: frozenset[Tag]
    added: list[Tag]
    removed: list[Tag]
    idle: int
    asked: int
    was_through: bool = False


class Trial:
    """A command over one shop that is tried again and again, the shop and the database as at first."""

    def __init__(self, shop: Any, process: Mortals, folder: Path, *, in_bulk: bool) -> None:
        self.shop = shop
        self._process = process
        self._folder = folder
        self._bulk_from = 10 if in_bulk else 1_000_000
        self._beginning = Beginning(shop)
        self._open: Callable[[], AbstractContextManager[str]]

    def run(self, url: str, verb: str, die_at: int = 0) -> tuple[int, int]:
        """Run a command over a database; its exit code and the boundaries it passed."""
        path = config(self._folder, [self.shop], url)
        return self._process.run("--config", path, *VERBS[verb], die_at=die_at, bulk_from=self._bulk_from)

    def begin_with(self, opener: Callable[[], AbstractContextManager[str]]) -> None:
        """From now on every try begins with the shop as it is and with such a database."""
        self._open = opener
        self._beginning = Beginning(self.shop)

    def end(self, verb: str, die_at: int = 0) -> tuple[int, End]:
        """Try the command, kill it if wanted, and run it again if it was; the boundaries it passed, and its end."""
        with self._open() as url:
            self._beginning.restore()
            watch = Watch(self.shop)
            code, boundaries = self.run(url, verb, die_at)
            was_through = code == KILLED and not any("/backfill" in left for left in unfinished(url))
            if code == KILLED:
                code, _ = self.run(url, verb)
            assert code == 0, f"{verb} ended with {code}, killed at {die_at}"
            watch.look()
            return boundaries, replace(self._seen(url, watch), was_through=was_through)

    def _seen(self, url: str, watch: Watch) -> End:
        return End(
            picture=picture(url),
            unfinished=unfinished(url),
            tags=tags_on(self.shop),
            added=sorted(watch.added),
            removed=sorted(watch.removed),
            idle=watch.idle,
            asked=sum(not _is_look(seen) for seen in self.shop.history),
        )


def _is_look(seen: Seen) -> bool:
    """A look at how far a bulk operation is: as many as it takes."""
    return b"bulkOperation(" in seen.body


@pytest.fixture(scope="module")
def process() -> Iterator[Mortals]:
    with mortals() as warm:
        yield warm


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with sandbox_of(*STORES.values()) as served:
        yield served


@contextmanager
def begun(trial: Trial, verb: str, databases: Databases) -> Iterator[None]:
    """A trial as it is before a command: a backfill begins with nothing, the others with what it left."""
    if verb == "backfill":
        trial.begin_with(databases.empty)
        yield
        return
    with databases.empty() as seed:
        assert trial.run(seed, "backfill")[0] == 0
        if verb != "apply":
            _live(trial.shop)
        trial.begin_with(lambda: databases.of(seed))
        yield


def _live(shop: Any) -> None:
    """What happens in a shop in a day: sales, edits, deletions."""
    accounts, orders = sorted(shop.state.accounts), sorted(shop.state.orders)
    for account in accounts[:6]:
        shop.place_order(customer_id=account)
        shop.edit_customer(account, first_name="Kim")
    shop.touch_many(orders[:25])
    for order in orders[-3:]:
        shop.delete_order(order)
    shop.delete_customer(accounts[-1])


def some(boundaries: int, rng: random.Random) -> Sequence[int]:
    """A few boundaries, spread over the whole run."""
    part = boundaries // SAMPLE
    return [rng.randrange(1 + number * part, 1 + (number + 1) * part) for number in range(SAMPLE)]


def every(boundaries: int, rng: random.Random) -> Sequence[int]:
    """Each boundary in turn."""
    return range(1, boundaries + 1)


def every_seventh(boundaries: int, rng: random.Random) -> Sequence[int]:
    """Each seventh boundary in turn, from one of the first seven on."""
    return range(rng.randrange(1, 8), boundaries + 1, 7)


@dataclass(frozen=True)
class Ground:
    """What kills are tried on."""

    sandbox: Sandbox
    process: Mortals
    databases: Databases
    folder: Path
    rng: random.Random

    def die(self, platform: str, verb: str, pick: Callable[..., Sequence[int]]) -> None:
        """Kill a command at each of the boundaries picked, and compare each end with that of the whole command."""
        shop = self.sandbox.shops[STORES[platform.split(maxsplit=1)[0]]]
        first = Beginning(shop)
        first.restore()
        trial = Trial(shop, self.process, self.folder / "config", in_bulk=platform == BULK)
        with begun(trial, verb, self.databases):
            boundaries, whole = trial.end(verb)
            assert whole.unfinished == []
            assert bool(whole.added) == (verb == "apply")
            for die_at in pick(boundaries, self.rng):
                _, ended = trial.end(verb, die_at)
                self._compare(ended, whole, f"{verb} of {platform} killed at {die_at} of {boundaries}")
                goes_on = verb == "backfill" and not ended.was_through
                most = MOST_ASKED_AGAIN[platform] + (0 if goes_on else whole.asked)
                assert ended.asked - whole.asked <= most, f"{verb} of {platform} killed at {die_at} of {boundaries}"
        first.restore()

    def _compare(self, ended: End, whole: End, when: str) -> None:
        for table, rows in whole.picture.items():
            assert ended.picture[table] == rows, f"{table} differ: {when}"
        told = {"asked": 0, "picture": {}, "was_through": False}
        assert replace(ended, **told) == replace(whole, **told), when


@pytest.fixture
def ground(sandbox: Sandbox, process: Mortals, databases: Databases, tmp_path: Path, rng: random.Random) -> Ground:
    return Ground(sandbox, process, databases, tmp_path, rng)


@pytest.mark.cases(2)
@pytest.mark.parametrize("verb", VERBS)
def test_command_killed_somewhere_ends_as_a_whole_one(verb: str, ground: Ground) -> None:
    """After a kill the same command leaves what it leaves without one, on any platform; each tag is written once."""
    ground.die(ground.rng.choice(list(STORES)), verb, some)


def test_bulk_walk_killed_somewhere_ends_as_a_whole_one(ground: Ground) -> None:
    """A walk by Shopify's bulk operations finds its operation again, or begins another."""
    ground.die(BULK, "backfill", some)


@pytest.mark.soak
@pytest.mark.parametrize(("platform", "verb"), TRIALS)
def test_command_killed_anywhere_ends_as_a_whole_one(platform: str, verb: str, ground: Ground) -> None:
    """The same at every boundary in turn, of every command on every platform; on PostgreSQL at every seventh."""
    ground.die(platform, verb, every if isinstance(ground.databases, SqliteDatabases) else every_seventh)


# -- migrations -----------------------------------------------------------------------------------------------------


class Migration:
    """A database of the first revision, with a row in every table, that is upgraded again and again."""

    def __init__(self, process: Mortals, databases: Databases, shop: Any, folder: Path) -> None:
        self._process = process
        self._databases = databases
        self._shop = shop
        self._folder = folder

    def upgrade(self, url: str, die_at: int = 0) -> tuple[int, int]:
        """Run the upgrade; its exit code and the boundaries it passed."""
        path = config(self._folder, [self._shop], url, merchant="text")  # as `fill` calls it
        return self._process.run("--config", path, "db", "upgrade", die_at=die_at)

    def killed(self, seed: str, die_at: int, old: Any) -> tuple[int, Any]:
        """Kill an upgrade, look, upgrade again; the boundaries that a whole one passes, and what there is then."""
        with self._databases.of(seed) as url:
            code, boundaries = self.upgrade(url, die_at)
            if code == KILLED:
                revision, found = _everything(url)
                assert revision == HEAD or (revision, found) == old, f"killed at {die_at}, neither old nor new"
                code, _ = self.upgrade(url)
            assert code == 0
            return boundaries, _everything(url)


def _everything(url: str) -> tuple[str, Any]:
    """A database's revision, and its tables with all their rows."""
    with engines_of(url) as engines, engines.read() as connection:
        return revision_of(connection), (structure(connection), contents(connection))


@pytest.mark.parametrize(
    "pick", [pytest.param(some, id="some"), pytest.param(every, id="every", marks=pytest.mark.soak)]
)
def test_killed_migration_leaves_the_old_or_the_new(pick: Callable[..., Sequence[int]], ground: Ground) -> None:
    """A migration killed at a statement leaves one revision whole, and the same command leads to the other."""
    shop = ground.sandbox.shops["us-woo"]
    migration = Migration(ground.process, ground.databases, shop, ground.folder / "config")
    with ground.databases.empty() as seed:
        with engines_of(seed) as engines, engines.write() as connection:
            migrate(connection, REVISIONS[0])
            fill(connection)
        old = _everything(seed)
        boundaries, new = migration.killed(seed, 0, old)

        assert (old[0], new[0]) == (REVISIONS[0], HEAD)
        for die_at in pick(boundaries, ground.rng):
            assert migration.killed(seed, die_at, old)[1] == new
