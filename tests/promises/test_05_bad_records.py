"""Promise 5: a bad record never stops a stream; it is set aside with its payload and reason, and replayed after a fix.

Each field of each record of each platform is spoiled over HTTP in each way that real shops manage to. The soak tries
every field in every way, other runs some of them.
"""

from __future__ import annotations

import itertools
import json
import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import pytest

from syncd.connectors.base import Connector
from syncd.mapping.base import Mapper
from syncd.model import RawRecord, Stream, Unified
from syncd.store import Database
from syncd.store.types import Counts, RejectedRecordView, RunReport
from syncd.sync import Ask, Source, Tools, recommit, run_stream
from tests.clock import START, ManualClock
from tests.promises.oracles import Picture, picture
from tests.promises.poison import KINDS, Dose, Poison, paths_of
from tests.promises.wide import wide
from tests.property.histories import STORE, Player, opened
from tests.property.served import SERVED, ServedStage, served

PAGE = 50
MOST_HUGE = 4  # records of a megabyte in one walk


@pytest.fixture(scope="module", params=SERVED)
def stage(request: pytest.FixtureRequest) -> Iterator[ServedStage]:
    """A shop of each platform with some of everything."""
    with served(request.param) as shop:
        shop.reset()
        births = [deed for deed in shop.deeds if deed.startswith(("open", "order", "register"))]
        for number, deed in itertools.product(range(20), births):
            shop.deeds[deed](number)
        for number in range(5):
            shop.deeds["refund"](number)
        yield shop


class Mended:
    """A mapping that can read what it could not: the record as the shop meant it stands in for the spoiled one."""

    def __init__(self, mapper: Mapper, meant: Mapping[str, Any]) -> None:
        self.platform = mapper.platform
        self.version = mapper.version
        self.to_platform = mapper.to_platform
        self._mapper = mapper
        self._meant = meant

    def to_unified(self, stream: Stream, raw: RawRecord) -> Unified:
        """One record."""
        payload = self._meant[raw.external_id.removeprefix("order:")]
        return self._mapper.to_unified(stream, replace(raw, payload=payload))


@dataclass(frozen=True)
class Clinic:
    """A shop whose answers can be poisoned, and a database that it is pulled into."""

    stage: ServedStage
    poison: Poison
    database: Database
    url: str
    clock: ManualClock

    def picture(self) -> Picture:
        """What is stored, but for the notes of what is to be derived and who is no longer there."""
        kept = {table: rows for table, rows in picture(self.url).items() if table != "touched_profiles"}
        return kept | {"contacts": [row for row in kept["contacts"] if "'deleted_at': None" in row]}

    def stored(self, stream: Stream) -> list[str]:
        """The ids that the platform gives the records stored."""
        return [str(row[1]).removeprefix("order:") for row in self.database.exports.rows(stream.value)]

    def walk(self, stream: Stream) -> RunReport:
        """Pull everything of a stream."""
        tools = Tools(
            database=self.database,
            clock=self.clock,
            new_id=self.database.new_id,
            owner="worker",
            stop=threading.Event(),
        )
        with closing(wide(self.stage.shop, self.clock, PAGE)) as connector:
            return run_stream(self.source(connector, self.stage.mapper), stream, Ask(kind="sweep"), tools)

    def source(self, connector: Connector, mapper: Mapper) -> Source:
        """The shop, read by a mapping."""
        return Source(store_id=STORE, connector=connector, mapper=mapper, region="US", own_tags=frozenset())

    def rejected(self, stream: Stream) -> dict[str, RejectedRecordView]:
        """The records set aside, by the ids that the platform gives them."""
        views = self.database.pages.rejected(store_id=STORE, stream=stream)
        return {view.external_id.removeprefix("order:"): view for view in views}

    def replay(self, stream: Stream, meant: Mapping[str, Any]) -> Counts:
        """Read what was set aside with a mapping that was mended."""
        views = self.database.pages.rejected(store_id=STORE, stream=stream)
        raws = tuple(RawRecord(external_id=view.external_id, payload=json.loads(view.payload)) for view in views)
        with closing(wide(self.stage.shop, self.clock, PAGE)) as connector:
            source = self.source(connector, Mended(self.stage.mapper, meant))
            return recommit(source, stream, raws, self.database)


@pytest.fixture
def clinic(stage: ServedStage, database_url: str) -> Iterator[Clinic]:
    clock = ManualClock(START)
    answer = stage.shop.answer
    with opened(database_url, clock) as database:
        Player(stage, database, clock)
        yield Clinic(stage, Poison(stage.shop, stage.lists), database, database_url, clock)
    stage.shop.answer = answer


class Dispensary:
    """Every field that some records have, each to be spoiled in every way, in any order."""

    def __init__(self, records: Mapping[str, Any], rng: random.Random) -> None:
        self._fields = {key: set(paths_of(record)) for key, record in records.items()}
        paths = sorted(set().union(*self._fields.values()), key=str)
        self._left = [Dose(path, kind) for path in paths for kind in KINDS]
        rng.shuffle(self._left)

    def deal(self) -> dict[str, Dose]:
        """One dose to each record that has the field, few of them huge; none when all were dealt."""
        free, given, kept, huge = dict(self._fields), {}, [], 0
        while self._left and free:
            dose = self._left.pop()
            key = next((key for key, fields in free.items() if dose.path in fields), None)
            if key is None or (dose.kind == "1 MB" and huge == MOST_HUGE):
                kept.append(dose)
                continue
            del free[key]
            given[key] = dose
            huge += dose.kind == "1 MB"
        self._left += kept
        return given


@pytest.mark.parametrize("stream", Stream)
@pytest.mark.parametrize("rounds", [2, pytest.param(None, marks=pytest.mark.soak)], ids=["some", "every"])
def test_spoiled_fields_stop_no_stream(clinic: Clinic, stream: Stream, rounds: int | None, rng: random.Random) -> None:
    """Only spoiled records are set aside, the others are stored; a replay after a fix stores the rest, once."""
    assert clinic.walk(stream).status == "succeeded"
    meant = {key: clinic.poison.seen[key] for key in clinic.stored(stream)}
    healthy = clinic.picture()
    dispensary = Dispensary(meant, rng)

    for _ in itertools.count() if rounds is None else range(rounds):
        clinic.poison.doses = dispensary.deal()
        if not clinic.poison.doses:
            break
        report = clinic.walk(stream)
        rejected = clinic.rejected(stream)

        assert (report.status, report.counts.read) == ("succeeded", len(meant))
        assert report.counts.rejected == len(rejected)
        assert rejected.keys() <= clinic.poison.doses.keys()
        assert all(view.reason for view in rejected.values())

    spoiled = len(clinic.rejected(stream))
    mended = clinic.replay(stream, meant)
    assert (mended.read, mended.rejected) == (spoiled, 0)
    replayed = clinic.picture()
    assert clinic.rejected(stream) == {}
    assert clinic.replay(stream, meant) == Counts()
    assert _differences(clinic.picture(), replayed) == {}

    clinic.poison.doses = {}
    assert clinic.walk(stream).status == "succeeded"
    assert _differences(clinic.picture(), healthy) == {}


def _differences(found: Picture, wanted: Picture) -> dict[str, set[str]]:
    """What two pictures do not share; a text that was empty once is known to be, where it was withheld before."""
    both = ({table: {_known(row) for row in rows} for table, rows in each.items()} for each in (found, wanted))
    left, right = both
    return {table: left[table] ^ right[table] for table in right if left[table] != right[table]}


def _known(row: str) -> str:
    return row.replace(": ''", ": None")
