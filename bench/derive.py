"""What a derivation costs when much, little or nothing is to be done: `python bench/derive.py [--profiles 100000]`.

Fills a database with people of three orders each and twelve segments, most of which depend on time. Prints seconds of
CPU for the first run, for runs with nothing to do, and for runs after a few people's records changed or time alone
moved somebody. `--url` measures another database than a temporary SQLite file.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlmodel import SQLModel

from syncd import derive
from syncd.segments import Segment, load_segments
from syncd.store import Database, tables
from syncd.store.engine import Engines, insert_rows, table_of
from syncd.store.types import RevenuePolicy
from syncd.testing.clock import START, ManualClock

POLICY = RevenuePolicy(currency="EUR")
WHENS = (
    *(f"spent >= {amount}" for amount in (100, 500, 1000)),
    *(f"days_since_last_order < {days}" for days in (30, 60, 90, 180)),
    *(f"orders_in_last({days}) >= 2" for days in (90, 365)),
    "spent_in_last(90) > 200",
    "bought('sku7') and can_email",
    "in_segment('s0') and not in_segment('s3')",
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", type=int, default=100_000)
    parser.add_argument("--url", default="")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _measure(chosen.url or f"sqlite:///{folder}/bench.db", chosen.profiles)


class _Running(ManualClock):
    """Runs on by a millisecond with every look."""

    def now(self) -> datetime:
        """The wall clock, aware UTC."""
        self.advance(0.001)
        return super().now()


def _measure(url: str, count: int) -> None:
    clock, engines = _Running(), Engines(url)
    text = "segments:\n" + "".join(f'  s{number}: {{when: "{when}"}}\n' for number, when in enumerate(WHENS))
    segments = load_segments(text, ("shop",))
    with Database.open(url, merchant="bench", clock=clock) as database:
        _fill(engines, count)

        def run() -> derive.DeriveReport:
            return derive.run(database, segments, POLICY, clock)

        _tell("first run", run)
        for _ in range(3):
            _tell("nothing to do", run)
        for touched in (1, 1, 100, 1000):
            _insert(engines, tables.TouchedProfile, ({"profile_id": f"P{number:07}"} for number in range(touched)))
            _tell(f"{touched} touched", run)
        for _ in range(3):
            clock.advance(60)
            _tell("a minute later", run)
        _tell_due(engines, segments)
    engines.close()


def _tell(what: str, run: Callable[[], derive.DeriveReport]) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    report = run()
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    evaluated = f"{report.profiles:,} profiles, {len(report.segments)} segments"
    print(f"{what:<16}{seconds * 1000:>12.1f} ms {cpu_s * 1000:>12.1f} ms CPU   {evaluated}")


def _tell_due(engines: Engines, segments: tuple[Segment, ...]) -> None:
    whens = {segment.name: segment.when for segment in segments}
    states = table_of(tables.SegmentState)
    with engines.read() as connection:
        for row in connection.execute(states.select().order_by(states.c.due_at)):
            print(f"  due {row.due_at}" if row.due_at else "  never due", whens.get(row.segment, "the facts"))


def _fill(engines: Engines, count: int) -> None:
    rng = random.Random(1)
    numbers = range(count)
    _insert(engines, tables.Store, [{"store_id": "shop", "platform": "p", "identity": "shop", "first_seen_at": START}])
    _insert(engines, tables.ProfileRow, ({"profile_id": f"P{n:07}", "created_at": START} for n in numbers))
    _insert(engines, tables.TouchedProfile, ({"profile_id": f"P{n:07}"} for n in numbers))
    _insert(engines, tables.ContactRow, (_contact(n) for n in numbers))
    _insert(engines, tables.CustomerRow, ({"store_id": "shop", "external_id": str(n)} for n in numbers))
    _insert(engines, tables.OrderRow, (_order(n, place, rng) for n in numbers for place in range(3)))


def _contact(number: int) -> dict[str, Any]:
    key = {"store_id": "shop", "kind": "account", "external_id": str(number)}
    return {
        "contact_id": f"P{number:07}",
        "profile_id": f"P{number:07}",
        "identity_hash": b"",
        "created_at": START,
        **key,
    }


def _order(number: int, place: int, rng: random.Random) -> dict[str, Any]:
    placed_at = START - timedelta(seconds=rng.randrange(3 * 365 * 86400))
    return {
        "store_id": "shop",
        "external_id": f"{number}-{place}",
        "customer_id": str(number),
        "state": "completed",
        "currency": "EUR",
        "total_minor": rng.randrange(500, 60000),
        "placed_at": placed_at,
    }


def _insert(engines: Engines, model: type[SQLModel], rows: Iterable[dict[str, Any]]) -> None:
    ahead = iter(rows)
    while some := list(islice(ahead, 5000)):
        with engines.write() as connection:
            insert_rows(connection, table_of(model), [model(**row).model_dump() for row in some])


if __name__ == "__main__":
    main()
