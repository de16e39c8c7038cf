"""What stands between us and a shop, told by the headers it leaves: caches that answer for it, and challenges.

A cached answer looks like a fresh one and is the shop of a while ago: it is refused, never stored.
"""

from __future__ import annotations

import re

from syncd.connectors.exchange import Answer
from syncd.errors import PolicyRefused

_CHALLENGE_RULE = (
    "In Cloudflare, Security > WAF > Custom rules: skip all remaining rules where the URI path starts with /wp-json/ "
    "and a header of yours is right, and send that header by `http.headers`"
)
_CLOUDFLARE_RULE = (
    "In Cloudflare, Caching > Cache Rules: bypass the cache where the URI path starts with /wp-json/, then purge it"
)
_ANY_RULE = "Exclude /wp-json/ from what it caches, then purge it"
_CACHES = {  # the header that tells, whose it is, and the rule to add there
    "CF-Cache-Status": ("Cloudflare", _CLOUDFLARE_RULE),
    "X-LiteSpeed-Cache": ("the LiteSpeed cache", "In LiteSpeed Cache > Cache, turn Cache REST API off, then purge it"),
    "X-Proxy-Cache": ("the host's cache", _ANY_RULE),
    "X-Kinsta-Cache": ("the host's cache", _ANY_RULE),
    "X-Cache": ("a CDN or cache", _ANY_RULE),
}
_KEPT = re.compile("hit|stale|updating|revalidated", re.IGNORECASE)


def edge_refusal(answer: Answer) -> PolicyRefused | None:
    """Why an answer is not the shop's own, in words; None if nothing says so."""
    if "cf-mitigated" in answer.headers:
        return PolicyRefused("Cloudflare stopped the request before it reached the shop", hint=_CHALLENGE_RULE)
    if answer.request.is_public or answer.request.is_write:
        return None  # anybody's answer may be kept, and no cache takes a write
    return _cached(answer)


def _cached(answer: Answer) -> PolicyRefused | None:
    for header, (owner, rule) in _CACHES.items():
        if _KEPT.search(answer.headers.get(header, "")):
            return PolicyRefused(f"{owner} answers from its memory instead of the shop", hint=rule)
    age = answer.headers.get("Age", "").strip()
    if age.isdigit() and int(age):
        owner, rule = _CACHES["CF-Cache-Status" if "CF-Cache-Status" in answer.headers else "X-Cache"]
        return PolicyRefused(f"{owner} gave an answer that is {int(age)} s old instead of asking the shop", hint=rule)
    return None
