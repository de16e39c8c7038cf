"""Walks by id over a listing that moves: nothing that stays is skipped, nothing comes twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.connectors.idwalk import Place, Position, Row, Slice, step
from syncd.errors import PaginationLoop, RequestRefused


@dataclass
class _Listing:
    """A listing by id that is edited between two answers.

    Args:
        knows_offset: Whether the server understands `offset`; else it knows only page numbers.
        edits: One edit after each answer.
    """

    ids: list[int]
    knows_offset: bool = True
    counts: bool = True
    edits: list[Callable[[list[int]], None]] = field(default_factory=list)
    answers: int = 0

    def fetch(self, position: Position) -> Slice[None]:
        size = int(position.params["per_page"])
        start = int(position.params.get("offset", "0")) if self.knows_offset else 0
        start += (int(position.params.get("page", "1")) - 1) * size
        rows: list[Row] = [{"id": number} for number in sorted(self.ids)[start : start + size]]
        total = len(self.ids) if self.counts else None
        self.answers += 1
        if self.edits:
            self.edits.pop(0)(self.ids)
        return Slice(rows=rows, position=position, total=total, source=None)


def _walk(listing: _Listing, size: int, *, saved: bool = False) -> list[str]:
    place, met, is_last = Place(), [], False
    while not is_last:
        done = step(listing.fetch, Place.from_cursor(place.to_cursor()) if saved else place, size)
        met += [external_id for external_id, _ in done.rows]
        place, is_last = done.place, done.is_last
        assert listing.answers < 1000
    return met


def _drop(index: int) -> Callable[[list[int]], None]:
    def edit(ids: list[int]) -> None:
        if ids:
            ids.pop(index % len(ids))

    return edit


def _add(ids: list[int]) -> None:
    ids.append(max(1000, *ids, 0) + 1)  # ids are never used twice


def _rest(_ids: list[int]) -> None:
    """An edit that changes nothing."""


edits = st.lists(st.one_of(st.integers(0, 60).map(_drop), st.just(_add), st.just(_rest)), max_size=40)


@given(count=st.integers(0, 60), size=st.integers(2, 20), counts=st.booleans(), offset=st.booleans())
def test_a_still_listing_is_walked_whole(count: int, size: int, counts: bool, offset: bool) -> None:
    """Every row comes once and in order, on servers with and without offsets and counts."""
    listing = _Listing(list(range(1, count + 1)), knows_offset=offset, counts=counts)

    met = _walk(listing, size)

    assert met == [str(number) for number in range(1, count + 1)]


@given(count=st.integers(0, 60), size=st.integers(2, 20), moves=edits, saved=st.booleans(), counts=st.booleans())
def test_what_stays_is_met_once_while_rows_come_and_go(
    count: int, size: int, moves: list[Callable[[list[int]], None]], saved: bool, counts: bool
) -> None:
    """Rows trashed or made between answers hide no other row, resumed from saved cursors or not."""
    listing = _Listing(list(range(1, count + 1)), counts=counts, edits=moves)

    met = _walk(listing, size, saved=saved)

    stayed = {str(number) for number in listing.ids if number <= count}
    assert stayed <= set(met)
    assert len(met) == len(set(met))


@given(count=st.integers(0, 60), size=st.integers(10, 20), drops=st.lists(st.integers(0, 60).map(_drop), max_size=20))
def test_page_numbers_survive_rows_that_vanish(count: int, size: int, drops: list[Callable[[list[int]], None]]) -> None:
    """Where only page numbers are known, a falling total sends the walk back."""
    listing = _Listing(list(range(1, count + 1)), knows_offset=False, edits=drops)

    met = _walk(listing, size)

    assert {str(number) for number in listing.ids} <= set(met)
    assert len(met) == len(set(met))


@given(size=st.integers(10, 50))
def test_requests_are_few(size: int) -> None:
    """On a still listing the overlap costs no more than one row a request."""
    listing = _Listing(list(range(1, 501)))

    _walk(listing, size)

    assert listing.answers <= 500 // (size - 1) + 1


def test_a_server_that_gives_one_page_for_ever_is_a_loop() -> None:
    """Neither offset nor page number moves the answer: the walk ends in an error instead of never."""
    place = step(_Listing(list(range(1, 31))).fetch, Place(), 10).place

    def same(position: Position) -> Slice[None]:
        rows: list[Row] = [{"id": number} for number in range(1, 11)]
        return Slice(rows=rows, position=position, total=30, source=None)

    with pytest.raises(PaginationLoop):
        step(same, place, 10)


def test_an_emptied_page_ends_the_walk_short_of_its_count() -> None:
    """A page that the server empties again and again ends the walk; the count shows what is missing."""
    listing = _Listing(list(range(1, 31)))
    place, is_last, steps = step(listing.fetch, Place(), 10).place, False, 0

    def emptied(position: Position) -> Slice[None]:
        rows: list[Row] = [{"id": number} for number in range(1, 11)] if position.start == 0 else []
        return Slice(rows=rows, position=position, total=30, source=None)

    while not is_last:
        done = step(emptied, place, 10)
        place, is_last, steps = done.place, done.is_last, steps + 1
        assert done.rows == ()

    assert steps <= 3
    assert place.total == 30


def test_a_row_that_moved_while_the_walk_stepped_back_is_met() -> None:
    """Stepping back meets nothing new where a row joined in between: the walk goes on all the same."""
    moves = [_drop(0), lambda ids: ids.append(1)]

    met = _walk(_Listing(list(range(2, 20, 2)), edits=moves), 8)

    assert "18" in met


def test_rows_without_an_id_are_handed_on_by_position() -> None:
    """A row that cannot be named is not lost: the caller sets it aside."""
    rows: list[Row] = [{"id": 1}, {"id": None}, {"name": "x"}, {"id": "7"}, {"id": True}]

    done = step(lambda position: Slice(rows=rows, position=position, total=5, source=None), Place(), 10)

    assert [external_id for external_id, _ in done.rows] == ["1", "7", "?1", "?2", "?4"]


@pytest.mark.parametrize("cursor", ["", "[]", "null", '{"x":1}', "nonsense"])
def test_foreign_cursors_are_refused(cursor: str) -> None:
    """A text that is no cursor of such a walk is an error in words."""
    with pytest.raises(RequestRefused):
        Place.from_cursor(cursor)
