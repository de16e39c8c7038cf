"""Two thousand cycles of a service in one process: three shops that live and fail, time that flies, figures that stay.

A cycle lets ten minutes pass, things happen in the shops and go wrong between them and us, and does what the service's
threads would do. What must not grow is measured on the way; in the end the faults stop, and the shops are the truth.
"""

from __future__ import annotations

import gc
import os
import random
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from syncd.app import App, Selection
from syncd.connectors.shopify.connector import Sizes
from syncd.daemon import Works
from syncd.daemon.pulse import Pulse
from syncd.sandbox import Fault, FaultKind
from syncd.settings import load
from syncd.web.meters import Meters
from tests.clock import ManualClock
from tests.promises.faulty import tagged
from tests.promises.shops import config
from tests.property.served import SERVED, ServedStage, served

CYCLE_S = 600
DAY_S = 90_000  # a little more than a day: sweeps are due, and what was refused is asked again
EVERY = 50  # cycles from one sample to the next
MOST_ORDERS, MOST_ACCOUNTS = 60, 25  # in a shop: then some go
DEADLINE_S = 0.5

SEGMENTS = """segments:
  known: {when: "days_since_last_order < 2", tag: Known}
  busy: {when: "orders_in_last(3) >= 2 or spent_in_last(2) > 50"}
  calm: {when: "not in_segment('busy') and not has_tag('Known')"}
"""
_ENDS = ("delete", "drop_checkout", "drop_incomplete")
_NEVER = ("burst", "touch_all")  # a shop stays small
_STATUSES = (400, 401, 402, 403, 404, 409, 413, 422, 429, 429, 500, 500, 502, 503)
_KINDS = (
    *([FaultKind.ANSWER] * 8),
    *([FaultKind.RESET] * 4),
    *(FaultKind.HTML, FaultKind.WARNING, FaultKind.CUT, FaultKind.CUT_JSON, FaultKind.MAINTENANCE, FaultKind.DROP_ROW),
    *(FaultKind.STALL, FaultKind.DRIP),
)


class SharedClock(ManualClock):
    """Our clock and those of all shops as one: a wait passes for everybody, and takes no time."""

    def __init__(self, stages: Sequence[ServedStage]) -> None:
        super().__init__(stages[0].clock.now())
        self._shops = [stage.clock for stage in stages]

    def advance(self, seconds: float) -> None:
        """Let time pass, for us and for the shops."""
        super().advance(seconds)
        for shop in self._shops:
            shop.set(max(shop.now(), self.now()))


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What the process holds after so many cycles."""

    cycle: int
    rss_kb: int
    descriptors: int
    threads: int
    wal_kb: int
    connections: int


@dataclass
class Soak:
    """The service's inside, its shops, and what was done to them."""

    works: Works
    stages: Mapping[str, ServedStage]
    clock: SharedClock
    rng: random.Random
    meters: Meters
    done: Counter[str] = field(default_factory=Counter)

    def cycle(self) -> None:
        """Ten minutes of a service."""
        self.clock.advance(CYCLE_S)
        for name, stage in self.stages.items():
            self._live(stage)
            if self.rng.random() < 0.3:
                self._fail(name, stage)
        self.work()
        for stage in self.stages.values():
            self.done["requests"] += len(stage.shop.history)
            stage.shop.history.clear()
            stage.calm()

    def work(self) -> None:
        """What the ticker would have done."""
        for name in self.stages:
            self._job(f"pull {name}", lambda name=name: self.works.pull(name))  # type: ignore[misc]
        self._job("derive", self.works.derive)
        for name in self.stages:
            self._job(f"push {name}", lambda name=name: self.works.push(name))  # type: ignore[misc]
        self._job("care", self.works.take_care)
        self._job("notices", self.works._notifier.round)
        self.meters.page()

    def sample(self, cycle: int) -> Sample:
        """Measure."""
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        database = self.works.app.database
        return Sample(
            cycle=cycle,
            rss_kb=pages * os.sysconf("SC_PAGESIZE") // 1024,
            descriptors=_count("/proc/self/fd"),
            threads=_count("/proc/self/task"),
            wal_kb=database.size().wal_bytes // 1024,
            connections=sum(engine.pool.checkedout() for engine in _pools(database)),
        )

    def _job(self, name: str, work: Callable[[], None]) -> None:
        self.works._guarded(name, work, 3600.0)
        failure = self.works.failure
        if failure is not None:
            raise failure

    def _live(self, stage: ServedStage) -> None:
        for _ in range(self.rng.randrange(3)):
            stage.deeds[self.rng.choice(_chosen(stage))](self.rng.randrange(1000))
            self.done["deeds"] += 1

    def _fail(self, name: str, stage: ServedStage) -> None:
        kind = self.rng.choice(_KINDS)
        status, lasting = self.rng.choice(_STATUSES), self.rng.random() < 0.2
        is_long = kind in (FaultKind.STALL, FaultKind.DRIP)
        fault = Fault(
            kind=kind,
            status=status,
            headers={"Retry-After": "7", "Content-Type": "application/json"},
            body="{}",
            times=1 if is_long else None if lasting else self.rng.randrange(1, 5),
            skip=self.rng.randrange(8),
            applied=self.rng.random() < 0.5,
            seconds=2 * DEADLINE_S if kind is FaultKind.STALL else DEADLINE_S / 4,
        )
        stage.shop.faults.add(fault)
        self.done[f"{kind.value} {status}" if kind is FaultKind.ANSWER else kind.value] += 1


def _chosen(stage: ServedStage) -> list[str]:
    """What may happen in a shop: what makes it smaller if it is large, and otherwise anything, people first."""
    state = stage.shop.state
    if len(state.orders) > MOST_ORDERS:
        return [name for name in _ENDS if name in stage.deeds]
    if len(state.accounts) > MOST_ACCOUNTS:
        return ["delete_customer"]
    return [name for name in stage.deeds if name not in _NEVER] + ["register"] * 3 + ["order_of_account"] * 6


def _count(folder: str) -> int:
    return sum(1 for _ in Path(folder).iterdir())


def _pools(database: Any) -> Iterator[Any]:
    yield database._engines._writer
    if database._engines.dialect == "sqlite":
        yield database._engines._reader


@contextmanager
def soaking(folder: Path, url: str, seed: int) -> Iterator[Soak]:
    """A merchant with an almost empty shop of each platform."""
    with ExitStack() as stack:
        opened = [stack.enter_context(served(platform)) for platform in SERVED]
        for stage in opened:
            stage.reset()
        stages = {stage.shop.name: stage for stage in opened}
        clock, meters = SharedClock(opened), Meters()
        works = Works(load(written(folder, stages, url, "auto")), Pulse(clock), meters.of("acme"), clock=clock)
        works.open()
        stack.callback(works.close)
        make_small(works.app)
        meters.watch(works.app)
        stack.callback(meters.unwatch, works.app)
        yield Soak(works, stages, clock, random.Random(seed), meters)


def written(folder: Path, stages: Mapping[str, ServedStage], url: str, push: str) -> Path:
    """A config of the shops over a database."""
    house = "housekeeping: {keep_runs: 1d}\nlog: {level: error}\n"
    shops = [stage.shop for stage in stages.values()]
    path = config(folder, shops, url, push=push, segments=SEGMENTS, more=house)
    http = f"http: {{deadline_s: {DEADLINE_S}}}"
    path.write_text(path.read_text().replace("push:", f"country: DE, {http}, push:"))
    return path


def make_small(app: App) -> None:
    """Have stores asked for little at a time, so that small shops have several pages."""
    for store_id in app.settings.stores:
        connector: Any = app.connector(store_id)
        if connector.platform == "shopify":
            connector._sizes = Sizes(page=5, bulk_from=10_000)
        else:
            connector._page_sizes = (10, 5)


def written_tags(soak: Soak) -> dict[str, float]:
    """What became of tag changes, by store and outcome, as the service's own counters tell."""
    lines = soak.meters.page().decode().splitlines()
    told = (line.rpartition(" ") for line in lines if line.startswith("syncd_push_rows_total{"))
    return {name.partition("{")[2].rstrip("}"): float(count) for name, _, count in told}


# -- what must hold ---------------------------------------------------------------------------------------------------


def table(samples: Sequence[Sample]) -> str:
    """The samples, for people."""
    lines = [f"{'cycle':>6}{'rss MB':>9}{'descr.':>8}{'threads':>9}{'wal kB':>8}{'in use':>8}"]
    for one in samples:
        counts = f"{one.descriptors:>8}{one.threads:>9}{one.wal_kb:>8}{one.connections:>8}"
        lines.append(f"{one.cycle:>6}{one.rss_kb / 1024:>9.1f}{counts}")
    return "\n".join(lines)


MARGINS: Mapping[str, tuple[float, float]] = {  # what the last quarter may be above the second: a share, and as much
    "rss_kb": (0.03, 4096),
    "descriptors": (0, 2),
    "threads": (0, 2),
    "wal_kb": (0, 1024),
    "connections": (0, 0),
}


def growth(samples: Sequence[Sample]) -> list[str]:
    """What grew from the second quarter of the samples to the last by more than its margin, in words."""
    quarter = len(samples) // 4
    found = []
    for name, (share, more) in MARGINS.items():
        second, last = (
            statistics.median(getattr(sample, name) for sample in part)
            for part in (samples[quarter : 2 * quarter], samples[-quarter:])
        )
        if last > second * (1 + share) + more:
            found.append(f"{name}: {second:,.0f} in the second quarter, {last:,.0f} in the last")
    return found


def come_to_rest(soak: Soak) -> None:
    """Two cycles without faults, a day apart."""
    for _ in range(2):
        soak.clock.advance(DAY_S)
        soak.work()


def differences(soak: Soak, folder: Path) -> list[str]:
    """Where the soaked database and shops differ from what an undisturbed run finds in the shops now."""
    path = written(folder, soak.stages, f"sqlite:///{folder}/fresh.db", "review")
    with App(load(path), clock=soak.clock) as fresh:
        make_small(fresh)
        fresh.sync()
        soak.works.app.derive()
        found = _unlike(_records(soak.works.app), _records(fresh))
        people = _people(fresh)
        there = frozenset().union(*people.values())
        ours = {group & there for group in _people(soak.works.app).values()} - {frozenset()}
        found += [f"people: {set(group)}" for group in ours ^ set(people.values())]
        found += [f"members: {name}" for name in _sizes(soak.works.app, there) ^ _sizes(fresh, there)]
        for name, stage in soak.stages.items():
            wanted = {
                key[2]
                for profile in _members(fresh, "known")
                for key in people[profile]
                if key[:2] == (name, "account")
            }
            found += [f"tag of {name} {account}" for account in tagged(stage.shop) ^ wanted]
    plan = soak.works.app.plan(Selection())
    found += [f"due: {change.action} {change.store_id} {change.external_id}" for change in plan.changes]
    return found + [f"paused: {pause.reason}" for pause in soak.works.app.database.pauses.all()]


def _records(app: App) -> dict[tuple[str, ...], tuple[object, ...]]:
    records: dict[tuple[str, ...], tuple[object, ...]] = {}
    for kind in ("customers", "orders", "carts"):
        moves = app.database.exports.columns(kind).index("updated_at") if kind == "customers" else None
        for row in app.database.exports.rows(kind):
            records[kind, str(row[0]), str(row[1])] = tuple(cell for place, cell in enumerate(row) if place != moves)
    return records


def _unlike(ours: Mapping[Any, object], theirs: Mapping[Any, object]) -> list[str]:
    return [f"{' '.join(key)} differs" for key in sorted({*ours, *theirs}) if ours.get(key) != theirs.get(key)]


def _people(app: App) -> dict[str, frozenset[tuple[str, str, str]]]:
    groups: dict[str, set[tuple[str, str, str]]] = {}
    for key, profile_id in app.database.people.partition():
        groups.setdefault(profile_id, set()).add((key.store_id, key.kind.value, key.external_id))
    return {profile_id: frozenset(group) for profile_id, group in groups.items()}


def _members(app: App, segment: str) -> set[str]:
    columns = app.database.exports.columns("members")
    named, place = columns.index("segment"), columns.index("profile_id")
    return {str(row[place]) for row in app.database.exports.rows("members") if row[named] == segment}


def _sizes(app: App, there: frozenset[tuple[str, str, str]]) -> set[tuple[str, frozenset[tuple[str, str, str]]]]:
    people = _people(app)
    return {
        (segment.name, people[profile] & there)
        for segment in app.segments
        for profile in _members(app, segment.name)
        if people.get(profile, frozenset()) & there
    }
