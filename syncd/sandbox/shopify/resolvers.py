"""The fields of the root, for one request: lists with their searches, counts, single records, and tags."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from syncd.sandbox.shopify.access import ShopifyToken
from syncd.sandbox.shopify.bulk import BulkDesk
from syncd.sandbox.shopify.kinds import KINDS, Kind
from syncd.sandbox.shopify.listing import Rows, connection, refusal
from syncd.sandbox.shopify.render import View
from syncd.sandbox.shopify.search import Search, read_query
from syncd.sandbox.shopify.shapes import Shown, gid, stamp
from syncd.sandbox.shopify.state import Account, Order, Record, ShopifyState
from syncd.sandbox.shopify.tags import TagsRefused, with_tags, without_tags

VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
_RECENT = timedelta(days=60)
_COUNT_LIMIT = 10_000
_MOST_IDS = 250
_SCOPES_PAGE = "https://shopify.dev/api/usage/access-scopes"
_GID = re.compile(r"gid://shopify/(\w+)/(\d+)")


@dataclass(kw_only=True, slots=True)
class Root:
    """What one token sees and does; `fields` is what documents are executed on.

    Args:
        bulk: The shop's bulk operations.
        address: Where the shop is served.
        ignores_filter: Whether a scripted fault makes searches find everything.
        warnings: What is said about the searches of this request.
    """

    state: ShopifyState
    token: ShopifyToken
    bulk: BulkDesk
    address: str
    ignores_filter: bool = False
    warnings: list[Shown] = field(default_factory=list)

    @property
    def view(self) -> View:
        """How the asker sees records."""
        return View(state=self.state, orders=self._orders_of, is_shown=self._is_shown)

    def fields(self) -> dict[str, Callable[..., Any]]:
        """A resolver for each field of QueryRoot and Mutation."""
        lists: dict[str, Callable[..., Any]] = {}
        for kind in KINDS:
            lists[kind.field] = self._lister(kind)
            lists[kind.count_field] = self._counter(kind)
        return (
            lists
            | self.bulk.resolvers(self.fields, self.address)
            | {
                "customer": lambda info, id: self._find(info, id, "Customer"),  # noqa: A006
                "order": lambda info, id: self._find(info, id, "Order"),  # noqa: A006
                "node": lambda info, id: self._find(info, id),  # noqa: A006, PLW0108
                "nodes": self._nodes,
                "shop": lambda info: self._shop(),
                "currentAppInstallation": lambda info: self._installation(),
                "publicApiVersions": lambda info: [_api_version(handle) for handle in VERSIONS],
                "tagsAdd": lambda info, id, tags: self._tag(id, tags, with_tags),  # noqa: A006
                "tagsRemove": lambda info, id, tags: self._tag(id, tags, without_tags),  # noqa: A006
            }
        )

    # -- lists ------------------------------------------------------------------------------------------------------

    def _lister(self, kind: Kind) -> Callable[..., Shown]:
        def listing(info: Any, **args: Any) -> Shown:
            self._need(kind.scope, info.field_name)
            return self._connection(kind, self._all(kind), info, args)

        return listing

    def _orders_of(self, account: Account, info: Any, **args: Any) -> Shown:
        self._need("read_orders", info.field_name)
        kind = KINDS[1]
        return self._connection(kind, [each for each in self._all(kind) if each.customer_id == account.id], info, args)

    def _connection(self, kind: Kind, records: list[Any], info: Any, args: Mapping[str, Any]) -> Shown:
        found = self._searched(kind, records, info, args.get("query"))
        sort_key = args.get("sortKey") or "ID"
        value = kind.sorts.get(sort_key) or kind.sorts["ID"]
        if sort_key == "UPDATED_AT" and args.get("query"):
            value = self.state.indexed_at
        return connection(Rows(records=found, value=value, show=kind.show(self.view)), args)

    def _counter(self, kind: Kind) -> Callable[..., Shown]:
        def count(info: Any, query: str | None = None, limit: int | None = _COUNT_LIMIT) -> Shown:
            self._need(kind.scope, info.field_name)
            found = len(self._searched(kind, self._all(kind), info, query))
            if limit is not None and found > limit:
                return {"count": limit, "precision": "AT_LEAST"}
            return {"count": found, "precision": "EXACT"}

        return count

    def _all(self, kind: Kind) -> list[Any]:
        records = kind.records(self.state)
        return [each for each in records if self._is_shown(each)] if kind.type_name == "Order" else list(records)

    def _is_shown(self, order: Order) -> bool:
        is_recent = order.created_at >= self.state.clock.now() - _RECENT
        return is_recent or "read_all_orders" in self.token.scopes

    def _searched(self, kind: Kind, records: list[Any], info: Any, query: str | None) -> list[Any]:
        """The records that a query finds, as the index knows them."""
        if not query or self.ignores_filter:
            return records
        search = read_query(query, kind.searches(self.state), ZoneInfo(self.state.site.timezone))
        self._warn(info, query, search)
        return [each for each in records if self.state.indexed_at(each) and search.finds(each)]

    def _warn(self, info: Any, query: str, search: Search) -> None:
        if search.warnings:
            said = {"query": query, "parsed": search.parsed, "warnings": list(search.warnings)}
            self.warnings.append({"path": info.path.as_list(), **said})

    # -- single records ---------------------------------------------------------------------------------------------

    def _find(self, info: Any, text: str, wanted: str | None = None) -> Shown | None:
        """A record by its global id, as it is now and not as the index knows it."""
        found = _GID.fullmatch(text)
        if found is None or (wanted and found[1] != wanted):
            raise refusal(f"Invalid global id '{text}'", "argumentLiteralsIncompatible")
        for kind in KINDS:
            if kind.type_name == found[1]:
                self._need(kind.scope, info.field_name)
                return next((kind.show(self.view)(each) for each in self._one(kind, int(found[2]))), None)
        return None

    def _one(self, kind: Kind, number: int) -> Iterator[Record]:
        record = kind.by_id(self.state).get(number)
        if record is not None and (not isinstance(record, Order) or self._is_shown(record)):
            yield record

    def _nodes(self, info: Any, ids: list[str]) -> list[Shown | None]:
        if len(ids) > _MOST_IDS:
            words = f"The input array size of {len(ids)} is greater than the maximum allowed of {_MOST_IDS}."
            raise refusal(words, "MAX_INPUT_SIZE_EXCEEDED")
        return [self._find(info, text) for text in ids]

    def _need(self, scope: str, name: str) -> None:
        if scope not in self.token.scopes:
            needed = f"`{scope}` access scope."
            more = {"documentation": _SCOPES_PAGE, "requiredAccess": needed}
            raise refusal(f"Access denied for {name} field. Required access: {needed}", "ACCESS_DENIED", **more)

    # -- the shop ---------------------------------------------------------------------------------------------------

    def _shop(self) -> Shown:
        site = self.state.site
        now = self.state.clock.now()
        offset = now.astimezone(ZoneInfo(site.timezone)).utcoffset() or timedelta()
        owner = f"owner@{site.store}.example"
        return {
            "__typename": "Shop",
            "id": gid("Shop", 77_001),
            "name": site.title,
            "myshopifyDomain": site.domain,
            "url": f"https://{site.domain}",
            "email": owner,
            "contactEmail": owner,
            "ianaTimezone": site.timezone,
            "timezoneOffsetMinutes": int(offset.total_seconds() // 60),
            "currencyCode": site.currency,
            "enabledPresentmentCurrencies": sorted({site.currency, "EUR", "GBP"}),
            "plan": self._plan(),
            "shopAddress": {"id": gid("ShopAddress", 77_001), "countryCodeV2": site.country},
            "taxesIncluded": False,
            "createdAt": "2023-02-01T09:00:00Z",
            "updatedAt": stamp(now),
        }

    def _plan(self) -> Shown:
        name = self.state.plan
        return {
            "publicDisplayName": name,
            "displayName": name,
            "shopifyPlus": name == "Plus",
            "partnerDevelopment": False,
        }

    def _installation(self) -> Shown:
        scopes = [{"handle": scope, "description": scope.replace("_", " ")} for scope in self.token.scopes]
        return {"__typename": "AppInstallation", "id": gid("AppInstallation", 88_001), "accessScopes": scopes}

    # -- tags -------------------------------------------------------------------------------------------------------

    def _tag(self, text: str, tags: list[str], change: Callable[[list[str], list[str]], list[str]]) -> Shown:
        """Change the tags of a customer or an order; what cannot be done is told in the payload."""
        found = _GID.fullmatch(text)
        kind = next((each for each in KINDS if found and each.type_name == found[1] and each.takes_tags), None)
        if found is None or kind is None:
            raise refusal("invalid id", "RESOURCE_NOT_FOUND")
        self._need(kind.scope.replace("read_", "write_"), "tagsAdd")
        record = kind.by_id(self.state).get(int(found[2]))
        if record is None:
            return _refused(["id"], f"{kind.type_name} does not exist")
        try:
            wanted = change(record.tags, tags)
        except TagsRefused as refused:
            return _refused(["tags"], str(refused))
        if wanted != record.tags:
            record.tags = wanted
            self.state.touch(record)
        return {"node": kind.show(self.view)(record), "userErrors": []}


def _refused(place: list[str], message: str) -> Shown:
    return {"node": None, "userErrors": [{"field": place, "message": message}]}


def _api_version(handle: str) -> Shown:
    return {"handle": handle, "displayName": handle, "supported": True}
