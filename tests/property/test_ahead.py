"""Pages guessed side by side over a listing that moves: in whatever order they are answered, no row is lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncd.connectors.ahead import Ahead, PageSize
from syncd.connectors.idwalk import Place, Position, Row, Slice, step
from tests.clock import ManualClock

Edit = Callable[[list[int]], None]


class _Answered(Future[Any]):
    """An answer that comes when somebody waits for it, and others before it if the order says so."""

    def __init__(self, pool: _Pool) -> None:
        super().__init__()
        self._of = pool

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """What went wrong, once it was answered."""
        self._of.work_until(self)
        return super().exception(timeout)


@dataclass
class _Pool(Executor):
    """Answers in an order drawn beforehand.

    Args:
        order: Which of the waiting requests is answered next.
    """

    order: list[int]
    waiting: list[tuple[_Answered, Callable[[], Any]]] = field(default_factory=list)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Take a request."""
        future = _Answered(self)
        self.waiting.append((future, lambda: fn(*args, **kwargs)))
        return future

    def work_until(self, wanted: _Answered) -> None:
        """Answer requests until a certain one is."""
        while not wanted.done():
            future, work = self.waiting.pop(self.order.pop() % len(self.waiting) if self.order else 0)
            if future.set_running_or_notify_cancel():
                future.set_result(work())


@dataclass
class _Listing:
    """A listing by id that is edited between two answers.

    Args:
        manages: How many rows the shop manages at each answer, the rest of the time all.
    """

    ids: list[int]
    knows_offset: bool
    edits: list[Edit]
    manages: list[int]
    answers: int = 0

    def ask(self, position: Position, tries: int) -> Slice[None]:
        size = min(position.size, self.manages.pop() if self.manages else position.size)
        asked = Position(start=position.first_row, size=size, by_page=position.by_page)
        start = int(asked.params.get("offset", "0")) if self.knows_offset else 0
        start += (int(asked.params.get("page", "1")) - 1) * size
        rows: list[Row] = [{"id": number} for number in sorted(self.ids)[start : start + size]]
        total = len(self.ids)
        self.answers += 1
        if self.edits:
            self.edits.pop(0)(self.ids)
        return Slice(rows=rows, position=asked, total=total, source=None)


def _walk(listing: _Listing, order: list[int], most: int) -> list[str]:
    place, met, is_last = Place(), [], False
    size = PageSize((8, 4))
    with Ahead(listing.ask, size, most=lambda: most, pool=_Pool(order), clock=ManualClock()) as ahead:
        while not is_last:
            done = step(ahead.fetch, place, ahead.size)
            met += [external_id for external_id, _ in done.rows]
            place, is_last = done.place, done.is_last
            assert listing.answers < 2000
    return met


def _drop(index: int) -> Edit:
    def edit(ids: list[int]) -> None:
        if ids:
            ids.pop(index % len(ids))

    return edit


def _join(number: int) -> Edit:
    """A record that comes into the listing in its midst, as an edited one comes into a filter."""

    def edit(ids: list[int]) -> None:
        if number not in ids:
            ids.append(number)

    return edit


def _add(ids: list[int]) -> None:
    ids.append(max(1000, *ids, 0) + 1)  # ids are never used twice


def _rest(_ids: list[int]) -> None:
    """An edit that changes nothing."""


moves = st.one_of(st.integers(0, 120).map(_drop), st.integers(0, 60).map(lambda n: 2 * n + 1).map(_join))
edits = st.lists(st.one_of(moves, st.just(_add), st.just(_rest)), max_size=40)
orders = st.lists(st.integers(0, 7), max_size=60)


@given(
    count=st.integers(0, 120),
    most=st.integers(2, 6),
    order=orders,
    made=edits,
    manages=st.lists(st.sampled_from([4, 8, 8, 8]), max_size=40),
)
def test_what_stays_is_met_once(count: int, most: int, order: list[int], made: list[Edit], manages: list[int]) -> None:
    """Rows that come, go and join between answers, and a shop that manages less, hide no row that stays."""
    before = [2 * number for number in range(1, count // 2 + 1)]
    gone: set[int] = set()
    listing = _Listing(list(before), knows_offset=True, edits=[_noting(edit, gone) for edit in made], manages=manages)

    met = _walk(listing, order, most)

    assert {str(number) for number in before if number not in gone} <= set(met)
    assert len(met) == len(set(met))


def _noting(edit: Edit, gone: set[int]) -> Edit:
    def noted(ids: list[int]) -> None:
        before = set(ids)
        edit(ids)
        gone.update(before - set(ids))

    return noted


@given(
    count=st.integers(0, 120), most=st.integers(2, 6), order=orders, drops=st.lists(st.integers(0, 120), max_size=20)
)
def test_page_numbers_survive_rows_that_vanish(count: int, most: int, order: list[int], drops: list[int]) -> None:
    """Where only page numbers are known, a falling total still sends the walk back."""
    listing = _Listing(
        list(range(1, count + 1)), knows_offset=False, edits=[_drop(index) for index in drops], manages=[]
    )

    met = _walk(listing, order, most)

    assert {str(number) for number in listing.ids} <= set(met)
    assert len(met) == len(set(met))


@given(count=st.integers(50, 400), most=st.integers(1, 6), order=orders)
def test_guessing_costs_no_request(count: int, most: int, order: list[int]) -> None:
    """On a still listing every page is asked for once, however many are asked for at a time."""
    listing = _Listing(list(range(1, count + 1)), knows_offset=True, edits=[], manages=[])

    met = _walk(listing, order, most)

    assert met == [str(number) for number in range(1, count + 1)]
    assert listing.answers <= (count - 1) // 7 + 1
