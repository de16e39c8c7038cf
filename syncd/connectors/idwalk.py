"""A walk over a listing sorted by id that neither skips nor repeats a row while the listing moves under it.

The listing is asked by position. Rows that vanish behind the walk shift the rest forward, so each answer begins with
the last row already met; if that row is not there, the walk steps back until it meets a known one. Servers that know
only page numbers cannot overlap: there a falling total tells that rows vanished, and the walk goes back as far.
Pure but for the `fetch` that is passed in: it knows positions and rows, no platform and no HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from syncd.connectors.cursor import Resumable
from syncd.errors import PaginationLoop
from syncd.model import Json

_PATIENCE = 3

Source = TypeVar("Source")
Row = Mapping[str, Json]


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """Which rows to ask for: `size` rows from row number `start` on, counted from 0."""

    start: int
    size: int
    by_page: bool

    @property
    def params(self) -> dict[str, str]:
        """The position as query values; in page numbers it may begin before `start`, never after."""
        place = {"page": str(self.start // self.size + 1)} if self.by_page else {"offset": str(self.start)}
        return {"per_page": str(self.size), **place}

    @property
    def first_row(self) -> int:
        """The number of the first row that the parameters ask for."""
        return self.start - self.start % self.size if self.by_page else self.start


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice(Generic[Source]):
    """Some rows of the listing.

    Args:
        position: What was answered; its size may be smaller than what was asked.
        total: The platform's count of the whole listing, where it gives one.
        source: Whatever the fetcher wants to hand on with the rows.
    """

    rows: Sequence[Row]
    position: Position
    total: int | None
    source: Source

    @property
    def end(self) -> int:
        """The number of the row behind the last one here; a row that comes twice is one."""
        ids = [number for row in self.rows if (number := row_id(row)) is not None]
        return self.position.first_row + len(self.rows) - len(ids) + len(set(ids))

    @property
    def is_short(self) -> bool:
        """Whether there are fewer rows than a full answer has."""
        return len(self.rows) < self.position.size

    @property
    def ids(self) -> list[int]:
        """The usable ids, ascending."""
        return sorted(number for row in self.rows if (number := row_id(row)) is not None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place(Resumable):
    """How far a walk is.

    Args:
        last: Id of the last row met; 0 before the first.
        first: Id of the very first row of the walk, by which a server that repeats its first page is known.
        rows: How many rows of the listing lie behind the walk.
        total: The platform's count when last seen.
        by_page: Whether the server knows page numbers only; None as long as that is not sure.
        idle: How many steps in a row brought nothing, though the count says that there is more.
    """

    last: int = 0
    first: int = 0
    rows: int = 0
    total: int | None = None
    by_page: bool | None = None
    idle: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Step(Generic[Source]):
    """What one step of a walk brought: rows not met before, each with its id as text, ascending."""

    rows: tuple[tuple[str, Row], ...]
    place: Place
    is_last: bool
    slice: Slice[Source]


Fetch = Callable[[Position], Slice[Source]]


def row_id(row: Row) -> int | None:
    """A row's id as a number, None if it has no usable one."""
    value = row.get("id")
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def step(fetch: Fetch[Source], place: Place, size: int) -> Step[Source]:
    """The rows behind a place.

    Args:
        size: Rows to ask for at most.

    Raises:
        PaginationLoop: The server gives its first page whatever is asked.
    """
    found = fetch(_next_position(place, size))
    by_page = _is_by_page(place, found)
    if by_page and not place.by_page:
        return step(fetch, replace(place, by_page=True), size)
    return _take(replace(place, by_page=by_page), _step_back(fetch, place, found))


def _next_position(place: Place, size: int) -> Position:
    start = place.rows if place.by_page else max(0, place.rows - 1)
    return Position(start=start, size=size, by_page=bool(place.by_page))


def _is_by_page(place: Place, found: Slice[Source]) -> bool | None:
    """Whether the server knows page numbers only: asked by offset it then gives its first page again."""
    if found.position.first_row == 0 or not found.ids:
        return place.by_page
    if place.by_page and found.ids[0] == place.first:
        raise PaginationLoop("the shop gives the same page again and again")
    if place.by_page is None and found.ids[0] <= place.last:
        return _is_first_again(place, found)
    return place.by_page


def _is_first_again(place: Place, found: Slice[Source]) -> bool | None:
    """Whether most of the rows were met before; a few more than the one of overlap may have joined the listing."""
    if found.ids[0] == place.last:
        return False
    return True if 2 * sum(number <= place.last for number in found.ids) > len(found.ids) else None


def _step_back(fetch: Fetch[Source], place: Place, found: Slice[Source]) -> Slice[Source]:
    """Go back until the rows found begin at or before the last row met, so that none lies unseen between."""
    while _has_gap(found, place):
        start = found.position.first_row - max(1, found.position.size - 1)
        found = fetch(replace(found.position, start=max(0, start)))
    return found


def _has_gap(found: Slice[Source], place: Place) -> bool:
    """Whether rows we have not met may lie before what was found."""
    if found.position.first_row == 0:
        return False
    if not place.by_page:
        return not found.ids or found.ids[0] > place.last
    vanished = place.total is not None and (not found.rows or (found.total or 0) < place.total)
    return vanished and (not found.ids or found.ids[0] > place.last)


def _take(place: Place, found: Slice[Source]) -> Step[Source]:
    rows = tuple(_unmet(place, found))
    ids = found.ids
    is_onward = bool(rows) or (found.end if found.rows else 0) > place.rows
    behind = Place(
        last=max([place.last, *ids]),
        first=place.first or next(iter(ids), 0),
        rows=found.end if found.rows else place.rows,
        total=found.total if found.rows or not place.rows else place.total,  # past the end some say 0
        by_page=place.by_page,
        idle=0 if is_onward else place.idle + 1,
    )
    return Step(rows=rows, place=behind, is_last=_is_end(place, behind, found), slice=found)


def _unmet(place: Place, found: Slice[Source]) -> list[tuple[str, Row]]:
    """Rows behind the place, once each and by id; rows without an id are told by where they stand."""
    numbered = {number: row for row in found.rows if (number := row_id(row)) is not None and number > place.last}
    nameless = [
        (f"?{found.position.first_row + index}", row)
        for index, row in enumerate(found.rows)
        if row_id(row) is None and found.position.first_row + index >= place.rows
    ]
    return [(str(number), numbered[number]) for number in sorted(numbered)] + nameless


def _is_end(place: Place, behind: Place, found: Slice[Source]) -> bool:
    if not found.total:
        return found.total is not None or found.is_short or behind.idle >= _PATIENCE
    if found.rows and found.end >= found.total:
        return True
    # rows are missing here, or moved while the walk stepped back: ask again, but not for ever; the count tells the
    # caller what never came
    return behind.idle >= _PATIENCE and (behind.total or 0) >= (place.total or 0)
