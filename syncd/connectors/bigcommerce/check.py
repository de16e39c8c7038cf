"""First contact with a BigCommerce store: who it is, and what our token may do there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from syncd.connectors.bigcommerce.api import Api
from syncd.connectors.bigcommerce.attributes import MOST, Attributes
from syncd.connectors.bigcommerce.push import VALUES
from syncd.connectors.exchange import Request
from syncd.errors import ScopeMissing, WriteRejected
from syncd.model import Finding, Json, StoreFacts, Stream

_FEW_LEFT = 5
_ONE = {"limit": "1"}
_READS = {
    "v3/customers": frozenset({Stream.CUSTOMERS}),
    "v3/customers/subscribers": frozenset({Stream.CUSTOMERS}),
    "v2/orders": frozenset({Stream.ORDERS, Stream.CARTS}),
    "v3/orders/payment_actions/refunds": frozenset({Stream.ORDERS}),
}


@dataclass(kw_only=True)
class _Probe:
    """What was found so far."""

    api: Api
    closed: set[Stream] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)

    def allows(self, request: Request) -> bool:
        """Whether the token may do something; what it may not becomes a finding."""
        try:
            self.api.send(request)
        except WriteRejected:
            return True  # it came as far as being read
        except ScopeMissing as error:
            self.tell("error", error.message, error.hint or "")
            return False
        return True

    def tell(self, level: str, message: str, remedy: str = "") -> None:
        """Note a finding."""
        self.findings.append(Finding(level=level, message=message, remedy=remedy))


def check_store(api: Api, attributes: Attributes, store_hash: str) -> StoreFacts:
    """The store's own account of itself, in seven cheap calls.

    Raises:
        AuthFailed: The token is not accepted.
        PolicyRefused: There is no store of this hash.
    """
    probe = _Probe(api=api)
    about = _about(probe)
    for path, streams in _READS.items():
        if not probe.allows(Request(path=path, params=_ONE)):
            probe.closed |= streams
    can_push = _has_room(probe, attributes) and probe.allows(_empty_write())
    probe.tell("ok", "BigCommerce lists no carts: carts are checkouts that reached the payment page (Incomplete)")
    timezone = about.get("timezone")
    return StoreFacts(
        identity=store_hash.lower(),  # domains change, the hash never does
        name=_text(about, "name"),
        timezone=_text(timezone, "name") if isinstance(timezone, Mapping) else "",
        currency=_text(about, "currency"),
        country=_text(about, "country_code"),
        version=_text(about, "plan_name"),
        can_pull=frozenset(Stream) - probe.closed,
        can_push=can_push,
        findings=tuple(probe.findings),
    )


def _empty_write() -> Request:
    # an empty batch changes nothing, but is refused to a token that may not write
    return Request(method="PUT", path=VALUES, body=[])


def _about(probe: _Probe) -> Mapping[str, Json]:
    """What the store says of itself; nothing where the token may not read it, which pulling does not need."""
    try:
        answer = probe.api.send(Request(path="v2/store"))
    except ScopeMissing as error:
        probe.tell("warning", error.message, error.hint or "")
        return {}
    return answer.json if isinstance(answer.json, Mapping) else {}


def _has_room(probe: _Probe, attributes: Attributes) -> bool:
    """Whether the attributes can be read; every segment's tag needs one of the few that a store may have."""
    try:
        used = len(attributes.all())
    except ScopeMissing as error:
        probe.tell("error", error.message, error.hint or "")
        return False
    level = "ok" if used <= MOST - _FEW_LEFT else "warning"
    remedy = "" if level == "ok" else "Delete attributes that are not needed: every tag takes one"
    probe.tell(level, f"{used} of {MOST} customer attributes are used", remedy)
    return True


def _text(fields: Mapping[str, Json], name: str) -> str:
    return str(fields.get(name) or "")
