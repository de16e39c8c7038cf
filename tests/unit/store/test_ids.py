"""Ids that grow."""

from __future__ import annotations

from syncd.store.ids import Ulids
from tests.clock import ManualClock


def test_ids_grow_while_time_stands_still(clock: ManualClock) -> None:
    """Ids made within one moment are in the order they were made."""
    new_id = Ulids(clock)

    made = [new_id() for _ in range(1_000)]

    assert made == sorted(set(made))


def test_ids_grow_when_the_clock_steps_back(clock: ManualClock) -> None:
    """An hour set back makes no id smaller than one before."""
    new_id = Ulids(clock)
    first = new_id()

    clock.step(-3600)

    assert new_id() > first


def test_ids_begin_above_the_floor(clock: ManualClock) -> None:
    """Ids made after a restart exceed those of before, whatever the clock says."""
    before = Ulids(clock)()
    clock.step(-3600)

    assert Ulids(clock, floor=before)() > before


def test_ids_above_one_floor_are_never_the_same(clock: ManualClock) -> None:
    """Processes that begin above one id while the clock is behind it make no id twice."""
    floor = Ulids(clock)()
    clock.step(-3600)

    made = [new_id() for new_id in (Ulids(clock, floor), Ulids(clock, floor)) for _ in range(100)]

    assert len(set(made)) == 200
