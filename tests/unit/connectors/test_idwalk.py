"""A walk by id over answers that are not what the listing holds."""

from __future__ import annotations

import pytest

from syncd.connectors.idwalk import Place, Position, Slice, step


def test_a_row_that_joins_before_the_overlap_is_no_first_page() -> None:
    """A server that knows offsets is not taken for one that knows pages because a row joined behind the walk."""
    ids = list(range(2, 32, 2))

    def fetch(position: Position) -> Slice[None]:
        assert not position.by_page
        rows = [{"id": number} for number in ids[position.start : position.start + position.size]]
        if 1 not in ids:
            ids.insert(0, 1)
        return Slice(rows=rows, position=position, total=len(ids), source=None)

    met, place, is_last = [], Place(), False
    while not is_last:
        done = step(fetch, place, 4)
        met += [external_id for external_id, _ in done.rows]
        place, is_last = done.place, done.is_last

    assert met == [str(number) for number in range(2, 32, 2)]


def test_rows_that_come_twice_are_one() -> None:
    """An answer with each row twice moves the walk as far as one with each row once."""
    rows = [{"id": 3}, {"id": 5}, {"id": 3}, {"id": 5}, {"name": "without an id"}]

    found = Slice(rows=rows, position=Position(start=10, size=4, by_page=False), total=20, source=None)

    assert found.end == 13


@pytest.mark.parametrize("total", [None, 6])
def test_an_empty_answer_amid_a_listing_is_asked_again(total: int | None) -> None:
    """A walk over a server that once answers with nothing, its count kept or not, meets every row."""
    ids = list(range(1, 7))
    answers = iter((False, False, True, *[False] * 20))

    def fetch(position: Position) -> Slice[None]:
        is_empty = next(answers)
        rows = [] if is_empty else [{"id": number} for number in ids[position.start : position.start + position.size]]
        return Slice(rows=rows, position=position, total=total if is_empty else 6, source=None)

    met, place, is_last = [], Place(), False
    while not is_last:
        done = step(fetch, place, 3)
        met += [external_id for external_id, _ in done.rows]
        place, is_last = done.place, done.is_last

    assert met == [str(number) for number in ids]
