"""First contact with a Shopify store: who it is, which scopes the token has, and what the shop keeps from us."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from syncd.connectors.shopify.dialect import ShopifyConfig
from syncd.connectors.shopify.documents import CHECK, PROBE, SCOPES
from syncd.connectors.shopify.graph import Graph, Question, Reply, answered_version
from syncd.errors import ConfigInvalid, ScopeMissing
from syncd.model import Finding, Json, StoreFacts, Stream

_NEEDED = {Stream.CUSTOMERS: "read_customers", Stream.ORDERS: "read_orders", Stream.CARTS: "read_orders"}
_SUNSET_NOTICE = timedelta(days=60)
_GRANT = "Grant it in the app's settings and install the app again"
_PERSONAL_REMEDY = "Raise the shop's plan, or ask Shopify for the app's access to protected customer data"


def check_store(graph: Graph, config: ShopifyConfig) -> StoreFacts:
    """The store's own account of itself, in two cheap calls.

    Raises:
        AuthFailed: The token is not accepted.
        ConfigInvalid: Another shop answers under the configured domain.
    """
    reply = graph.ask(Question(document=CHECK, variables={}))
    shop = _object(reply.data.get("shop"))
    scopes = _scopes(reply.data)
    findings = [
        *_scope_findings(scopes),
        *_personal_findings(graph, scopes),
        *_version_findings(reply, config),
        *_sunset_findings(reply, config),
    ]
    return StoreFacts(
        identity=_identity(shop, config),
        name=str(shop.get("name") or ""),
        timezone=str(shop.get("ianaTimezone") or ""),
        currency=str(shop.get("currencyCode") or ""),
        country=str(_object(shop.get("shopAddress")).get("countryCodeV2") or ""),
        version=answered_version(reply.answer),
        can_pull=frozenset(stream for stream, scope in _NEEDED.items() if scope in scopes),
        can_push="write_customers" in scopes,
        findings=tuple(findings),
    )


def granted_scopes(graph: Graph) -> frozenset[str]:
    """What the token may do; who may write may read."""
    return _scopes(graph.ask(Question(document=SCOPES, variables={})).data)


def _scopes(data: Mapping[str, Json]) -> frozenset[str]:
    listed = _object(data.get("currentAppInstallation")).get("accessScopes")
    handles = {str(_object(scope).get("handle")) for scope in (listed if isinstance(listed, list) else [])}
    implied = {f"read_{handle.removeprefix('write_')}" for handle in handles if handle.startswith("write_")}
    return frozenset(handles | implied)


def _identity(shop: Mapping[str, Json], config: ShopifyConfig) -> str:
    """The shop's lasting domain; an old name of it may be answered by another shop some day."""
    domain = str(shop.get("myshopifyDomain") or "").lower()
    if domain != config.domain:
        raise ConfigInvalid(
            f"{config.domain} is answered by the shop {domain or 'without a name'}",
            hint=f"Set the store's url to {domain}, if that is the shop you mean",
        )
    return domain


def _scope_findings(scopes: frozenset[str]) -> Iterator[Finding]:
    for scope in dict.fromkeys(_NEEDED.values()):
        if scope not in scopes:
            streams = " and ".join(str(stream) for stream, needed in _NEEDED.items() if needed == scope)
            yield Finding(level="error", message=f"without the scope {scope} there are no {streams}", remedy=_GRANT)
    if "read_orders" in scopes and "read_all_orders" not in scopes:
        yield Finding(
            level="warning",
            message="without the scope read_all_orders only orders of the last 60 days are shown",
            remedy="Ask for it in the app's settings at Shopify, then install the app again",
        )
    if "write_customers" not in scopes:
        yield Finding(level="warning", message="without the scope write_customers no tag can be written", remedy=_GRANT)


def _personal_findings(graph: Graph, scopes: frozenset[str]) -> list[Finding]:
    """What a real query shows: the plan's name alone does not tell."""
    if "read_customers" not in scopes:
        return []
    try:
        reply = graph.ask(Question(document=PROBE, variables={}))
    except ScopeMissing as error:
        return [Finding(level="error", message=error.message, remedy=_PERSONAL_REMEDY)]
    if graph.shows_personal and _shows_somebody(reply):
        return []
    message = "the shop withholds names, e-mail addresses and phones, so nobody can be recognised"
    return [Finding(level="warning", message=message, remedy=_PERSONAL_REMEDY)]


def _shows_somebody(reply: Reply) -> bool:
    """Whether any customer has a name, a mailbox or a phone; Shopify keeps none without."""
    nodes = _object(reply.data.get("customers")).get("nodes")
    customers = [_object(node) for node in nodes] if isinstance(nodes, list) else []
    return not customers or any(value for customer in customers for name, value in customer.items() if name != "id")


def _version_findings(reply: Reply, config: ShopifyConfig) -> list[Finding]:
    answered = answered_version(reply.answer)
    if answered in ("", config.api_version):
        return []
    message = f"Shopify answered in version {answered} of its API where {config.api_version} was asked for"
    return [Finding(level="warning", message=message, remedy="Use a newer syncd, or set the store's api_version")]


def _sunset_findings(reply: Reply, config: ShopifyConfig) -> list[Finding]:
    """That the version asked for comes to its end, by the shop's own clock.

    Source: shopify.dev/docs/api/usage/versioning, read 2026-11: a version is supported for a year from its first day.
    """
    first = datetime.strptime(config.api_version, "%Y-%m").replace(tzinfo=UTC)
    ends_at, now = first.replace(year=first.year + 1), reply.answer.server_time
    if now is None or now < ends_at - _SUNSET_NOTICE:
        return []
    message = f"Shopify supports version {config.api_version} of its API only until {ends_at:%Y-%m-%d}"
    return [Finding(level="warning", message=message, remedy="Set a newer api_version; this may need a newer syncd")]


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}
