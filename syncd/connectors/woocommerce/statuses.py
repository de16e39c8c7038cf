"""Which order statuses a WooCommerce shop knows, those of its plugins among them.

Orders are asked for by a list of statuses, because no word for all leaves drafts out. A status that is not in the list
hides its orders: the list is asked of the shop, again for each complete walk, and never guessed where it matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from syncd.clock import Clock
from syncd.connectors.exchange import Answer, Request
from syncd.connectors.transport import Transport
from syncd.connectors.woocommerce.dialect import API
from syncd.errors import AuthFailed, CorruptAnswer, PolicyRefused, RequestRefused, ScopeMissing
from syncd.model import Finding, Json

CART_STATUSES = ("checkout-draft", "pending", "failed")

_NO_ORDERS = frozenset({"any", "trash", "auto-draft", "checkout-draft"})
_CORE = ("pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed")
_GOOD_FOR_S = 3600.0


class OrderStatuses:
    """The statuses that make an order in one shop.

    Attributes:
        is_guess: Whether the shop would not tell, so that orders of a plugin's statuses may be hidden from us.
    """

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self.is_guess = False
        self._transport = transport
        self._clock = clock
        self._names: tuple[str, ...] = ()
        self._asked_at_s = 0.0

    def names(self, *, anew: bool = False) -> tuple[str, ...]:
        """Every status but drafts and trash, asked anew where told to or after an hour.

        Raises:
            CorruptAnswer: The shop's answers cannot be read; a guess would hide orders.
        """
        now_s = self._clock.monotonic()
        if anew or not self._names or now_s - self._asked_at_s > _GOOD_FOR_S:
            told = _orders_among(self._registered()) or _orders_among(self._counted())
            self._names, self._asked_at_s = told or _CORE, now_s
            self.is_guess = not told and not self._core_is_all()
        return self._names

    def findings(self) -> list[Finding]:
        """What a person has to know of it; nothing where the shop tells its statuses."""
        self.names()
        if not self.is_guess:
            return []
        message = (
            "the shop does not tell its order statuses: orders in those of plugins are not read, "
            "and no order is taken for deleted"
        )
        remedy = "Let OPTIONS requests to /wp-json/wc/v3/orders pass the firewall"
        return [Finding(level="warning", message=message, remedy=remedy)]

    def _registered(self) -> Sequence[str]:
        """What the orders route says it takes; empty where a firewall keeps such questions from the shop."""
        try:
            answer = self._transport.send(Request(method="OPTIONS", path=API + "orders", tries=2))
        except (RequestRefused, PolicyRefused, CorruptAnswer):
            return ()
        return _enum(answer.json)

    def _counted(self) -> Sequence[str]:
        """What the shop's own report counts orders by; empty where the key may not read it."""
        try:
            answer = self._transport.send(Request(path=API + "reports/orders/totals", params={"_fields": "slug"}))
        except (RequestRefused, PolicyRefused, ScopeMissing, AuthFailed):
            return ()
        return _slugs(answer)

    def _core_is_all(self) -> bool:
        """Whether the shop has as many orders in the core's statuses as it has in any."""
        asked = ("any", ",".join((*_CORE, "checkout-draft")))
        try:
            answers = [self._transport.send(_count_of(statuses)) for statuses in asked]
        except (RequestRefused, PolicyRefused, CorruptAnswer):
            return False
        totals = {answer.headers.get("X-WP-Total", "") for answer in answers}
        return len(totals) == 1 and "" not in totals


def _count_of(statuses: str) -> Request:
    return Request(path=API + "orders", params={"status": statuses, "per_page": "1", "_fields": "id"})


def _orders_among(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in _NO_ORDERS)


def _slugs(report: Answer) -> list[str]:
    rows = report.json if isinstance(report.json, list) else []
    return [str(row["slug"]) for row in rows if isinstance(row, dict) and row.get("slug")]


def _enum(described: Json) -> list[str]:
    """The statuses in a route's description of itself; empty if it does not say."""
    if not isinstance(described, dict):
        return []
    for endpoint in described.get("endpoints", []):
        status = endpoint.get("args", {}).get("status", {}) if "GET" in endpoint.get("methods", []) else {}
        names = status.get("items", {}).get("enum") or status.get("enum")
        if names:
            return [str(name) for name in names]
    return []
