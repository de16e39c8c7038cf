"""Records laid together from several answers, each part where the platform's own `include` would put it.

A customer is the v3 customer as sent, with
- `addresses` and `attributes` complete, of which an answer holds ten each at most;
- in each of the `attributes` its `name`, which the platform tells only in the list of attributes;
- `subscribers`: the newsletter subscriptions under the customer's e-mail address.

An order is the v2 order as sent with its consignments, and `refunds`: the v3 refunds made on it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import orjson

from syncd.connectors.bigcommerce.api import Api, data, joined, number_of, page_count
from syncd.connectors.bigcommerce.attributes import Attributes
from syncd.connectors.idwalk import Row, row_id
from syncd.model import Json

SUBSCRIBERS = "v3/customers/subscribers"
INCLUDED = 10  # sub-resources that come with a customer at most

Grouped = Mapping[int, list[Row]]


class Subscribers:
    """Newsletter subscriptions by e-mail address, for one walk.

    There is no filter by several addresses: few are asked one by one, for many the whole list is read once.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._whole: dict[str, bytes] | None = None

    def of(self, emails: Sequence[str]) -> dict[str, list[Row]]:
        """The subscriptions under some addresses, which are lower case."""
        if self._whole is None and len(emails) > 1:
            self._read_whole_if_shorter(len(emails))
        if self._whole is None:
            return {email: list(self._api.listed(SUBSCRIBERS, {"email": email})) for email in emails}
        return {email: orjson.loads(self._whole.get(email, b"[]")) for email in emails}

    def _read_whole_if_shorter(self, most: int) -> None:
        """Read the whole list, if that takes at most so many requests."""
        pages = self._api.pages(SUBSCRIBERS, {})
        first = next(pages)
        if page_count(first) <= most:
            self._whole = _packed(row for answer in chain([first], pages) for row in data(answer))


class CustomerRecords:
    """Makes whole customer records of listed rows, for one walk."""

    def __init__(self, api: Api, attributes: Attributes) -> None:
        self._api = api
        self._attributes = attributes
        self._subscribers = Subscribers(api)

    def whole(self, customers: Sequence[Row]) -> list[Row]:
        """The rows with everything that belongs to them, in their order."""
        addresses = self._rest("addresses", "v3/customers/addresses", customers)
        values = self._rest("attributes", "v3/customers/attribute-values", customers)
        subscriptions = self._subscribers.of(sorted({email for row in customers if (email := email_of(row))}))
        return [
            {
                **row,
                **_completed("addresses", row, addresses),
                **self._named(_completed("attributes", row, values)),
                "subscribers": subscriptions.get(email_of(row), []),
            }
            for row in customers
        ]

    def _rest(self, part: str, path: str, customers: Iterable[Row]) -> Grouped:
        """All sub-resources of those customers that may have more than came with them."""
        ids = {number for row in customers if _count(row.get(part)) >= INCLUDED and (number := row_id(row))}
        if not ids:
            return {}
        return _grouped(self._api.listed(path, {"customer_id:in": joined(ids)}), "customer_id")

    def _named(self, part: Mapping[str, Json]) -> Mapping[str, Json]:
        values = part.get("attributes")
        return {"attributes": self._attributes.named(values)} if isinstance(values, list) else part


class OrderRecords:
    """Makes whole order records of listed rows."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def whole(self, orders: Sequence[Row]) -> list[Row]:
        """The rows with their refunds, in their order."""
        ids = {number for row in orders if (number := row_id(row))}
        refunds = self._refunds(ids) if ids else {}
        return [{**row, "refunds": refunds.get(row_id(row) or 0, [])} for row in orders]

    def _refunds(self, ids: Iterable[int]) -> Grouped:
        found = self._api.listed("v3/orders/payment_actions/refunds", {"order_id:in": joined(ids)})
        return _grouped(found, "order_id")


def email_of(row: Row) -> str:
    """A row's e-mail address as subscriptions are found by; empty where there is none."""
    email = row.get("email")
    return email.strip().lower() if isinstance(email, str) else ""


def _packed(subscribers: Iterable[Row]) -> dict[str, bytes]:
    """The rows by address, as small as they can be held."""
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in subscribers:
        grouped[email_of(row)].append(row)
    return {email: orjson.dumps(found) for email, found in grouped.items()}


def _grouped(found: Iterable[Row], owner: str) -> Grouped:
    grouped: dict[int, list[Row]] = defaultdict(list)
    for row in found:
        grouped[number_of(row, owner) or 0].append(row)
    return grouped


def _completed(part: str, row: Row, found: Grouped) -> dict[str, Json]:
    """A row's sub-resources: those found for it, or those that came with it, if any did."""
    number = row_id(row) or 0
    return {part: found[number]} if number in found else {part: row[part]} if part in row else {}


def _count(values: Json) -> int:
    return len(values) if isinstance(values, list) else 0
