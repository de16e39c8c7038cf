"""Asking side by side: how many, how much, and in what order it comes out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from syncd.connectors.ahead import Ahead, Gauge, PageSize
from syncd.connectors.exchange import TRIES
from syncd.connectors.idwalk import Place, Position, Row, Slice, step
from syncd.errors import RateLimited, SyncdError, Unavailable
from tests.clock import ManualClock


@dataclass
class _Listing:
    """A listing by id that remembers what it was asked.

    Args:
        faults: What the next requests that are guesses meet.
    """

    ids: list[int]
    faults: list[SyncdError] = field(default_factory=list)
    manages: int = 1000
    asked: list[tuple[int, int]] = field(default_factory=list)
    at_once: int = 0
    most: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, position: Position, tries: int) -> Slice[None]:
        with self._lock:
            self.asked.append((position.start, tries))
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            if self.faults and tries == 1:
                self.at_once -= 1
                raise self.faults.pop(0)
            size = min(position.size, self.manages)
            rows: list[Row] = [{"id": number} for number in self.ids[position.start : position.start + size]]
            found = Position(start=position.start, size=size, by_page=False)
            self.at_once -= 1
            return Slice(rows=rows, position=found, total=len(self.ids), source=None)


def _walked(listing: _Listing, *, most: Callable[[], int], sizes: tuple[int, ...] = (10, 5)) -> list[str]:
    clock, met, place, is_last = ManualClock(), [], Place(), False
    with Ahead(listing.ask, PageSize(sizes), most=most, pool=ThreadPoolExecutor(4), clock=clock) as ahead:
        while not is_last:
            done = step(ahead.fetch, place, ahead.size)
            place, is_last = done.place, done.is_last
            met += [external_id for external_id, _ in done.rows]
    return met


def _ids(count: int) -> list[int]:
    return list(range(1, count + 1))


@pytest.mark.parametrize("most", [1, 2, 4])
def test_rows_come_in_order_and_each_page_is_asked_for_once(most: int) -> None:
    """However many requests there are at once, the walk is the same and costs no more."""
    listing = _Listing(_ids(500))

    met = _walked(listing, most=lambda: most)

    assert met == [str(number) for number in listing.ids]
    assert sorted(start for start, _ in listing.asked) == list(range(0, 499, 9))


def test_the_end_is_never_guessed() -> None:
    """The last page is asked for when everything before it was seen."""
    listing = _Listing(_ids(500))

    _walked(listing, most=lambda: 4)

    assert listing.asked[-1] == (max(start for start, _ in listing.asked), TRIES)


def test_one_alone_guesses_nothing() -> None:
    """With one request at a time every page is asked for by the walk itself."""
    listing = _Listing(_ids(300))

    _walked(listing, most=lambda: 1)

    assert {tries for _, tries in listing.asked} == {TRIES}


@pytest.mark.parametrize("error", [Unavailable("down"), RateLimited("wait", retry_after_s=7.0)])
def test_a_guess_that_fails_is_asked_for_again(error: SyncdError) -> None:
    """The walk does not notice; the page is asked for once more, with patience."""
    listing = _Listing(_ids(500), faults=[error])

    met = _walked(listing, most=lambda: 4)

    assert met == [str(number) for number in listing.ids]


def test_the_shops_wait_is_kept_before_a_guess_is_repeated() -> None:
    """A page that was refused for haste is not asked for again before the time that the shop named."""
    listing, clock = _Listing(_ids(200), faults=[RateLimited("wait", retry_after_s=7.0)]), ManualClock()
    place = Place()

    with Ahead(listing.ask, PageSize((10,)), most=lambda: 4, pool=ThreadPoolExecutor(4), clock=clock) as ahead:
        for _ in range(6):
            place = step(ahead.fetch, place, ahead.size).place

    assert clock.slept == [7.0]


def test_smaller_pages_lose_no_place() -> None:
    """A shop that stops managing whole pages in mid-walk is asked for smaller ones, and no row is lost."""
    listing = _Listing(_ids(500), manages=5)

    met = _walked(listing, most=lambda: 4)

    assert met == [str(number) for number in listing.ids]


class TestGauge:
    """How many requests a shop bears."""

    def test_it_begins_with_one_and_rises_while_answers_stay_quick(self) -> None:
        """Each level is held for a round before the next is tried, and the most is never passed."""
        gauge = Gauge(lambda: 3)
        levels = [gauge.level]

        for _ in range(8):
            gauge.note(0.2, 100)
            levels.append(gauge.level)

        assert levels == [1, 2, 2, 3, 3, 3, 3, 3, 3]

    def test_it_halves_when_answers_slow_down(self) -> None:
        """A shop whose answers take more than twice as long has no room left."""
        gauge = Gauge(lambda: 8)
        for _ in range(40):
            gauge.note(0.2, 100)

        gauge.note(0.5, 100)

        assert gauge.level == 4

    def test_a_little_slower_is_neither(self) -> None:
        """Between steady and slow the level stays."""
        gauge = Gauge(lambda: 8)
        for _ in range(3):
            gauge.note(0.2, 100)
        level = gauge.level

        for _ in range(9):
            gauge.note(0.35, 100)

        assert gauge.level == level

    def test_another_page_size_begins_anew(self) -> None:
        """Smaller pages come because the shop had trouble, and are quicker by themselves."""
        gauge = Gauge(lambda: 8)
        for _ in range(10):
            gauge.note(0.2, 100)

        gauge.note(0.1, 50)

        assert gauge.level in (1, 2)

    def test_what_may_be_can_fall_at_any_time(self) -> None:
        """In quiet hours one request is left of many."""
        most = [4]
        gauge = Gauge(lambda: most[0])
        for _ in range(20):
            gauge.note(0.2, 100)

        most[0] = 1

        assert gauge.level == 1


class TestPageSize:
    """How many rows a shop manages."""

    def test_it_shrinks_to_what_was_managed(self) -> None:
        """What the shop answered in the end is what it is asked for next."""
        size = PageSize((100, 50, 25, 10))

        size.note(100, 25)

        assert size.now == 25

    def test_it_grows_back_step_by_step(self) -> None:
        """After many good pages the next larger size is tried."""
        size = PageSize((100, 50, 25, 10))
        size.note(100, 25)

        for _ in range(200):
            size.note(size.now, size.now)

        assert size.now == 100

    def test_each_failure_doubles_the_patience(self) -> None:
        """A size that never works is tried ever more seldom."""
        size = PageSize((100, 50))
        trials = 0

        for _ in range(2000):
            trials += size.now == 100
            size.note(size.now, 50)

        assert trials <= 8
