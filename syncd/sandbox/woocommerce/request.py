"""A request whose asker is known: its parameters, its body, and the answers made for it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import orjson

from syncd.sandbox.exchange import Answer, Call, json_answer
from syncd.sandbox.woocommerce.access import ApiKey
from syncd.sandbox.woocommerce.params import Param, checked, php_query
from syncd.sandbox.woocommerce.refusal import Refused, invalid
from syncd.sandbox.woocommerce.render import View, narrowed
from syncd.sandbox.woocommerce.state import Account, Order, WooState


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call to the REST API.

    Args:
        home: The site's address.
        ids: The numbers in the path.
        params: The query parameters, checked.
    """

    call: Call
    state: WooState
    home: str
    key: ApiKey | None
    ids: tuple[int, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def view(self) -> View:
        """How this asker sees records."""
        is_admin = self.key is not None and self.key.role == "administrator"
        decimals = self.params.get("dp")
        decimals = self.state.site.decimals if decimals is None else decimals
        return View(state=self.state, home=self.home, with_meta=is_admin, decimals=decimals)

    @cached_property
    def body(self) -> dict[str, Any]:
        """The JSON body; empty if there is none.

        Raises:
            Refused: It is not JSON.
        """
        if not self.call.body or "json" not in self.call.headers.get("content-type", ""):
            return {}
        try:
            value = orjson.loads(self.call.body)
        except orjson.JSONDecodeError:
            data = {"json_error_code": 4, "json_error_message": "Syntax error"}
            raise Refused(400, "rest_invalid_json", "Invalid JSON body passed.", data) from None
        return value if isinstance(value, dict) else {}

    def force(self) -> bool:
        """Whether a deletion is to be final, said in the query or the body."""
        return bool(self.params.get("force")) or self.body.get("force") in (True, "true", 1, "1")

    def account(self, *, status: int = 404) -> Account:
        """The account in the path.

        Raises:
            Refused: There is none.
        """
        found = self.state.accounts.get(self.ids[0])
        if found is None:
            raise Refused(status, "woocommerce_rest_invalid_id", "Invalid resource ID.")
        return found

    def order(self, *, status: int = 404) -> Order:
        """The order in the path.

        Raises:
            Refused: There is none.
        """
        found = self.state.orders.get(self.ids[0])
        if found is None:
            raise Refused(status, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
        return found


def read_params(call: Call, schema: Mapping[str, Param]) -> dict[str, Any]:
    """A call's query parameters, checked; those a fault makes the shop overlook are left out."""
    given = {name: value for name, value in php_query(call.query).items() if name not in call.ignored}
    return checked(given, schema)


def check_types(body: Mapping[str, Any], kinds: Mapping[str, str]) -> None:
    """Refuse body fields of a wrong JSON type.

    Args:
        kinds: JSON type by field name.
    """
    types: dict[str, type | tuple[type, ...]] = {"object": dict, "array": list, "string": str, "integer": (int, str)}
    faults = {
        name: ("rest_invalid_type", f"{name} is not of type {kind}.")
        for name, kind in kinds.items()
        if name in body and not isinstance(body[name], types[kind])
    }
    if faults:
        raise invalid(faults)


def page_bounds(params: Mapping[str, Any]) -> tuple[int, int]:
    """Where the asked page begins and ends in the sorted rows."""
    size: int = params["per_page"]
    offset = params["offset"]
    start: int = (params["page"] - 1) * size if offset is None else offset
    return start, start + size


def list_answer(
    request: Request, rows: Iterable[Mapping[str, Any]], *, total: int, extra: Sequence[tuple[str, str]] = ()
) -> Answer:
    """A page of a collection with its totals and Link headers.

    Args:
        total: Rows in all, as the answer is to say.
        extra: What the collection adds to the query of its Link header.
    """
    pages = math.ceil(total / request.params["per_page"])
    headers = {"X-WP-Total": str(total), "X-WP-TotalPages": str(pages)}
    link = _link(request, pages, extra)
    shown = [narrowed(row, request.params["_fields"]) for row in rows]
    return json_answer(200, shown, headers | ({"Link": link} if link else {}))


def one_answer(request: Request, shown: Mapping[str, Any], *, status: int = 200) -> Answer:
    """One record; a new one with the address at which it can be found."""
    headers = {"Location": shown["_links"]["self"][0]["href"]} if status == 201 else {}
    return json_answer(status, narrowed(shown, request.params.get("_fields", "")), headers)


def _link(request: Request, pages: int, extra: Sequence[tuple[str, str]]) -> str:
    page = request.params["page"]
    links = []
    if page > 1:
        links.append(f'<{_page_url(request, min(page - 1, pages), extra)}>; rel="prev"')
    if page < pages:
        links.append(f'<{_page_url(request, page + 1, extra)}>; rel="next"')
    return ", ".join(links)


def _page_url(request: Request, page: int, extra: Sequence[tuple[str, str]]) -> str:
    """The request's own query with another page: with OAuth it repeats a signature that no longer fits."""
    added = {name.partition("[")[0] for name, _ in extra}
    pairs = [
        pair
        for pair in parse_qsl(request.call.query, keep_blank_values=True)
        if pair[0].partition("[")[0] not in added and pair[0] != "page"
    ]
    query = urlencode([*pairs, *extra, ("page", str(page))], quote_via=quote)
    return f"{request.home}{request.call.path}?{query}"
