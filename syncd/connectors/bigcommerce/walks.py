"""How BigCommerce's lists are walked: customers by cursor, orders by id, some of either by their ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from syncd.connectors.bigcommerce.api import Api, chunks, data, end_cursor, joined, number_of, rows, total
from syncd.connectors.bigcommerce.records import SUBSCRIBERS, email_of
from syncd.connectors.cursor import Resumable
from syncd.connectors.exchange import Answer, Request
from syncd.connectors.idwalk import Row, row_id
from syncd.errors import PaginationLoop
from syncd.model import Stream, Window

CART_PREFIX = "order:"
INCOMPLETE = 0  # the status of an order whose shopper reached the payment page and went no further

_CUSTOMERS = "v3/customers"
_ORDERS = "v2/orders"
_WITH_PARTS = {"include": "addresses,attributes"}
_WITH_LINES = {"include": "consignments.line_items", "consignment_structure": "object"}
_ADDRESSES_AT_ONCE = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Place(Resumable):
    """How far a walk is.

    Args:
        last: Highest id met, where the walk goes by id.
        after: The platform's own cursor, where it gives one.
        is_behind_list: Whether the list is done, and customers with changed subscriptions are being added.
    """

    last: int = 0
    after: str = ""
    is_behind_list: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What one step of a walk brought; `answer` is None where nothing had to be asked."""

    place: Place
    is_last: bool
    rows: Sequence[Row] = ()
    answer: Answer | None = None
    declared: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """One list route with its filters."""

    path: str
    params: Mapping[str, str] = field(default_factory=dict)

    def asked(self, sizes: Sequence[int], **place: str) -> Request:
        """The request for as many rows as the first of some sizes, getting lighter where the server fails."""
        lighter = self.asked(sizes[1:], **place) if len(sizes) > 1 else None
        return Request(path=self.path, params={**self.params, **place, "limit": str(sizes[0])}, lighter=lighter)


class CustomerWalk:
    """Walks customers: all, those modified since a time, or some."""

    def __init__(self, api: Api, sizes: Sequence[int]) -> None:
        self._api = api
        self._sizes = sizes

    def steps(self, window: Window, place: Place) -> Iterator[Step]:
        """The steps from a place on; the last is marked."""
        if window.ids:
            yield from self._of(_numbers(window.ids), place)
        elif place.is_behind_list:
            yield from self._of(self._resubscribed(window.since), place)
        else:
            yield from self._listed_and_resubscribed(window.since, place)

    def _listed_and_resubscribed(self, since: datetime | None, place: Place) -> Iterator[Step]:
        for step in self._listed(since, place):
            more = self._resubscribed(since) if step.is_last else ()
            yield replace(step, is_last=step.is_last and not more)
            if more:
                yield from self._of(more, Place(is_behind_list=True))

    def _listed(self, since: datetime | None, place: Place) -> Iterator[Step]:
        listing = Listing(path=_CUSTOMERS, params={**_WITH_PARTS, **_modified("date_modified:min", since)})
        declared, sizes, is_last = None, self._sizes, False
        while not is_last:
            answer = self._behind(place, listing.asked(sizes, **({"after": place.after} if place.after else {})))
            found, cursor, sizes = data(answer), end_cursor(answer), _sizes_from(answer, self._sizes)
            if found and cursor and cursor == place.after:
                raise PaginationLoop("the shop gives the same page of customers again and again")
            is_first, is_last = not place.after, not cursor or len(found) < sizes[0]
            place = replace(place, after=cursor or place.after)
            declared = total(answer) if declared is None else declared
            if is_last and not is_first:
                declared = total(
                    self._api.send(replace(listing, params=_modified("date_modified:min", since)).asked([1]))
                )
            yield Step(place=place, is_last=is_last, rows=found, answer=answer, declared=declared)

    def _behind(self, place: Place, request: Request) -> Answer:
        """The page behind a place; nothing, or the page before, must be said twice."""
        answer = self._api.send(request)
        is_doubtful = not data(answer) or end_cursor(answer) == place.after != ""
        return self._api.send(request) if is_doubtful else answer

    def _of(self, ids: Sequence[int], place: Place) -> Iterator[Step]:
        """Customers by their ids, which are ascending."""
        rest = [number for number in ids if number > place.last]
        if not rest:
            yield Step(place=place, is_last=True)
        for part in chunks(rest, self._sizes[0]):
            answer = self._api.send(self._some(part))
            found = _by_id(answer)
            if missing := [number for number in part if number not in found]:
                found |= _by_id(self._api.send(self._some(missing)))  # who is gone must be missing twice
            place = replace(place, last=part[-1])
            ordered = [found[number] for number in sorted(found)]
            yield Step(place=place, is_last=part[-1] == rest[-1], rows=ordered, answer=answer)

    def _some(self, ids: Sequence[int]) -> Request:
        listing = Listing(path=_CUSTOMERS, params={**_WITH_PARTS, "id:in": joined(ids)})
        return listing.asked(self._sizes[:1])

    def _resubscribed(self, since: datetime | None) -> Sequence[int]:
        """Customers not modified since, but whose newsletter subscription was."""
        if since is None:
            return ()
        changed = self._api.listed(SUBSCRIBERS, _modified("date_modified:min", since))
        emails = sorted({email for row in changed if (email := email_of(row)) and "," not in email})
        found = (
            row
            for part in chunks(emails, _ADDRESSES_AT_ONCE)
            for row in self._api.listed(_CUSTOMERS, {"email:in": ",".join(part)})
        )
        earliest = _utc_text(since)
        return sorted({row_id(row) or 0 for row in found if str(row.get("date_modified") or "") < earliest} - {0})


class OrderWalk:
    """Walks orders, or the carts among them: all, those modified since a time, or some."""

    def __init__(self, api: Api, sizes: Sequence[int], stream: Stream) -> None:
        self._api = api
        self._sizes = sizes
        self._is_of_carts = stream is Stream.CARTS
        self._status = {"status_id": str(INCOMPLETE)} if self._is_of_carts else {}

    def steps(self, window: Window, place: Place) -> Iterator[Step]:
        """The steps from a place on; the last is marked."""
        return self._of(_numbers(window.ids), place) if window.ids else self._listed(window.since, place)

    def _listed(self, since: datetime | None, place: Place) -> Iterator[Step]:
        modified = _modified("min_date_modified", since)
        listing = Listing(path=_ORDERS, params={**_WITH_LINES, **self._status, **modified, "sort": "id:asc"})
        declared, sizes, is_last = self._count(modified), self._sizes, False
        while not is_last:
            answer = self._behind(place, listing.asked(sizes, min_id=str(place.last + 1)))
            found, sizes = _orders(answer), _sizes_from(answer, self._sizes)
            last = max(_last_id(answer), place.last)
            is_last = len(found) < sizes[0]
            if not is_last and last <= place.last:
                raise PaginationLoop("the shop gives the same page of orders again and again")
            if is_last and place.last:
                declared = self._count(modified)
            place = Place(last=last)
            yield Step(place=place, is_last=is_last, rows=self._ours(found), answer=answer, declared=declared)

    def _behind(self, place: Place, request: Request) -> Answer:
        """The page behind a place; rows of before must be said twice."""
        answer = self._api.send(request)
        is_doubtful = bool(_orders(answer)) and _last_id(answer) <= place.last
        return self._api.send(request) if is_doubtful else answer

    def _of(self, ids: Sequence[int], place: Place) -> Iterator[Step]:
        """Orders by their ids, which are ascending: there is no filter by ids, but one by a span of them."""
        rest = [number for number in ids if number > place.last]
        if not rest:
            yield Step(place=place, is_last=True)
        for span in _spans(rest, self._sizes[0]):
            listing = Listing(path=_ORDERS, params={**_WITH_LINES, **self._status, "sort": "id:asc"})
            answer = self._api.send(listing.asked(self._sizes[:1], min_id=str(span[0]), max_id=str(span[-1])))
            asked_for = [row for row in self._ours(_orders(answer)) if row_id(row) in span]
            yield Step(place=Place(last=span[-1]), is_last=span[-1] == rest[-1], rows=asked_for, answer=answer)

    def _ours(self, found: Iterable[Row]) -> list[Row]:
        """The rows of this stream; one whose status cannot be read is left to the mapping, which says so."""
        statuses = ((row, row.get("status_id")) for row in found)
        return [
            row
            for row, status in statuses
            if not isinstance(status, int) or (status == INCOMPLETE) is self._is_of_carts
        ]

    def _count(self, modified: Mapping[str, str]) -> int | None:
        """How many orders, or carts, the store counts; None where it does not say."""
        answer = self._api.send(Request(path=f"{_ORDERS}/count", params=modified))
        statuses = answer.json.get("statuses") if isinstance(answer.json, Mapping) else None
        if not isinstance(statuses, list):
            return None
        counted = [row for row in rows(answer, statuses) if (row.get("id") == INCOMPLETE) is self._is_of_carts]
        return sum(number_of(row, "count") or 0 for row in counted)


def _by_id(answer: Answer) -> dict[int, Row]:
    return {number: row for row in data(answer) if (number := row_id(row)) is not None}


def _last_id(answer: Answer) -> int:
    """The greatest id of a page of orders; 0 where it has none."""
    return max((row_id(row) or 0 for row in _orders(answer)), default=0)


def _orders(answer: Answer) -> list[Row]:
    """The rows of a v2 list, which says by an answer without content that there are none."""
    return [] if answer.status == 204 else rows(answer, answer.json)


def _sizes_from(answer: Answer, sizes: Sequence[int]) -> Sequence[int]:
    """The sizes to go on with: the one that was answered, and the smaller ones."""
    return sizes[sizes.index(int(answer.request.params["limit"])) :]


def _modified(name: str, since: datetime | None) -> dict[str, str]:
    return {name: _utc_text(since)} if since else {}


def _utc_text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _numbers(external_ids: Iterable[str]) -> Sequence[int]:
    texts = {external_id.removeprefix(CART_PREFIX) for external_id in external_ids}
    return sorted(int(text) for text in texts if text.isascii() and text.isdigit())


def _spans(ids: Sequence[int], width: int) -> Iterator[Sequence[int]]:
    """Ids in parts of which none spans more than `width` numbers."""
    span: list[int] = []
    for number in ids:
        if span and number - span[0] >= width:
            yield span
            span = []
        span.append(number)
    if span:
        yield span
