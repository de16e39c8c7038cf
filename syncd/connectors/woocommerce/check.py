"""First contact with a WooCommerce store: who it is, and what our key may do there."""

from __future__ import annotations

from collections.abc import Mapping
from secrets import token_hex
from urllib.parse import urlsplit

from syncd.clock import Clock
from syncd.connectors.exchange import Answer, Request
from syncd.connectors.transport import Transport
from syncd.connectors.woocommerce.dialect import API, ROLE_HINT, WooCommerceConfig, WooCommerceDialect
from syncd.errors import AuthFailed, ConfigInvalid, CorruptAnswer, PolicyRefused, RequestRefused, ScopeMissing
from syncd.model import Finding, Json, StoreFacts, Stream

_INDEX_FIELDS = "name,url,home,gmt_offset,timezone_string,namespaces"
_SKEW_WORTH_TELLING_S = 60


def check_store(
    transport: Transport, config: WooCommerceConfig, dialect: WooCommerceDialect, clock: Clock
) -> StoreFacts:
    """The store's own account of itself, in nine cheap calls.

    Raises:
        AuthFailed, ScopeMissing: The key is not accepted, or may not read customers and orders.
        ConfigInvalid: There is no WooCommerce at the url, or its permalinks are plain.
    """
    index = _index(transport, config)
    about = _object(index.json)
    probe = _Probe(transport)
    customers = probe.ask("customers", per_page="1", role="all", _fields="id,meta_data")
    probe.ask("orders", per_page="1", _fields="id")
    findings = [*_address_findings(config, about), *_clock_findings(customers, clock), *_header_findings(dialect)]
    findings += _meta_findings(customers) or _write_findings(transport)
    findings += _cache_findings(transport, customers.request)
    currency = probe.setting("woocommerce_currency")
    if not currency:
        findings.append(Finding(level="warning", message="the key may not read the shop's currency", remedy=ROLE_HINT))
    return StoreFacts(
        identity=_identity(about, config),
        name=str(about.get("name") or ""),
        timezone=_timezone(about),
        currency=currency,
        country=probe.setting("woocommerce_default_country").partition(":")[0],
        version=probe.version(),
        can_pull=frozenset(Stream),
        can_push=all(finding.level != "error" for finding in findings),
        findings=tuple(findings),
    )


class _Probe:
    """Asks for little things under addresses that nobody asked for before, so that no cache can know them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._once = {"_": token_hex(8)}  # WordPress overlooks the name

    def ask(self, path: str, **params: str) -> Answer:
        return self._transport.send(Request(path=API + path, params={**params, **self._once}))

    def setting(self, name: str) -> str:
        """One of the shop's general settings; empty where the key may not read it."""
        return str(self._asked_softly(f"settings/general/{name}").get("value") or "")

    def version(self) -> str:
        return str(
            _object(self._asked_softly("system_status", _fields="environment").get("environment")).get("version") or ""
        )

    def _asked_softly(self, path: str, **params: str) -> Mapping[str, Json]:
        try:
            return _object(self.ask(path, **params).json)
        except (AuthFailed, ScopeMissing, PolicyRefused):
            return {}


def _index(transport: Transport, config: WooCommerceConfig) -> Answer:
    """The REST index, which every WordPress shows to anybody."""
    try:
        answer = transport.send(Request(path="", params={"_fields": _INDEX_FIELDS}, is_public=True, tries=2))
    except (RequestRefused, CorruptAnswer):
        answer = None
    if answer is None:
        raise _no_index(transport, config)
    if "wc/v3" not in _namespaces(answer.json):
        raise ConfigInvalid(f"{config.url} has no WooCommerce REST API", hint="Is the WooCommerce plugin active there?")
    return answer


def _no_index(transport: Transport, config: WooCommerceConfig) -> ConfigInvalid:
    try:
        plain = transport.send(Request(path="/", params={"rest_route": "/"}, is_public=True, tries=1))
    except (RequestRefused, CorruptAnswer, PolicyRefused):
        plain = None
    if plain is not None and "wc/v3" in _namespaces(plain.json):
        return ConfigInvalid(
            f"{config.url} uses plain permalinks, with which WooCommerce knows no key",
            hint="Choose any other structure in Settings > Permalinks",
        )
    return ConfigInvalid(
        f"there is no WordPress REST API at {config.url}",
        hint="Correct the store's url, or choose another structure than Plain in Settings > Permalinks",
    )


def _meta_findings(customers: Answer) -> list[Finding]:
    rows = customers.json if isinstance(customers.json, list) else []
    if all("meta_data" in row for row in rows if isinstance(row, Mapping)):
        return []
    message = "the shop hides customer meta from the key, so tags can neither be read nor confirmed"
    return [Finding(level="error", message=message, remedy=ROLE_HINT)]


def _write_findings(transport: Transport) -> list[Finding]:
    try:
        # an empty batch changes nothing, but is refused to a key that may not write
        transport.send(Request(method="POST", path=API + "customers/batch", body={}))
    except (AuthFailed, ScopeMissing) as error:
        return [Finding(level="error", message=error.message, remedy=error.hint or ROLE_HINT)]
    return []


def _address_findings(config: WooCommerceConfig, about: Mapping[str, Json]) -> list[Finding]:
    if _identity(about, config) == _place(config.url):
        return []
    message = f"the shop calls itself {about.get('home')}, not {config.url}; signatures are made over the url"
    return [Finding(level="warning", message=message, remedy="Set the store's url to what the shop calls itself")]


def _header_findings(dialect: WooCommerceDialect) -> list[Finding]:
    if not dialect.lost_basic:
        return []
    message = "the host keeps the Authorization header from WooCommerce: requests are signed with OAuth instead"
    return [Finding(level="ok", message=message, remedy="Nothing need be done; `auth.scheme: oauth` saves a refusal")]


def _cache_findings(transport: Transport, asked: Request) -> list[Finding]:
    try:
        transport.send(asked)  # the same once more: by now a cache that stands between would know it
    except PolicyRefused as error:
        return [Finding(level="error", message=error.message, remedy=error.hint or "")]
    return []


def _clock_findings(answer: Answer, clock: Clock) -> list[Finding]:
    skew_s = abs((answer.server_time - clock.now()).total_seconds()) if answer.server_time else 0.0
    if skew_s <= _SKEW_WORTH_TELLING_S:
        return []
    message = f"our clock and the shop's differ by {skew_s:.0f} s"
    return [Finding(level="warning", message=message, remedy="Let both keep time by NTP")]


def _namespaces(index: Json) -> list[str]:
    names = _object(index).get("namespaces")
    return [str(name) for name in names] if isinstance(names, list) else []


def _identity(about: Mapping[str, Json], config: WooCommerceConfig) -> str:
    """The site's home without its scheme: a shop that moves to https stays the same shop."""
    return _place(str(about.get("home") or about.get("url") or config.url))


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _timezone(about: Mapping[str, Json]) -> str:
    """The site's zone by name, or its fixed offset such as UTC-05:00."""
    name = str(about.get("timezone_string") or "")
    if name:
        return name
    try:
        minutes = round(float(str(about.get("gmt_offset") or 0)) * 60)
    except ValueError:
        return ""
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}
