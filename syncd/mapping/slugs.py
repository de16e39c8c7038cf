"""Tags as parts of a platform's key names, for platforms that keep tags as attributes."""

from __future__ import annotations

import hashlib
import re

from anyascii import anyascii

from syncd.model import PlatformChange, TagAction, TagChange

TAG_PREFIX = "syncd_tag_"

_LONGEST = 150
_HASH_LENGTH = 8
_HASHED = re.compile(rf"(.*_)?[0-9a-f]{{{_HASH_LENGTH}}}")


def tag_key(tag: str) -> str:
    """The name of the attribute that holds a tag."""
    return TAG_PREFIX + tag_slug(tag)


def attribute_change(change: TagChange, key: str) -> PlatformChange:
    """A tag change as an attribute and its value: the tag's text or, to take it away, null.

    Args:
        key: What the platform calls an attribute's name.
    """
    value = change.tag if change.action is TagAction.ADD else None
    body = {key: tag_key(change.tag), "value": value}
    return PlatformChange(external_id=change.external_id, action=change.action, body=body)


def tag_slug(tag: str) -> str:
    """A name of [a-z0-9_] for a tag, never starting with `_` and short enough for any platform's key.

    A tag that reads the same as its slug but for case keeps it plain; any other gets a short hash of the tag, so
    that no two tags share a slug unless they differ only in case (which Shopify takes for one tag as well).
    """
    folded = tag.lower()
    slug = re.sub("[^a-z0-9]+", "_", anyascii(folded).lower()).strip("_")[:_LONGEST]
    if slug and slug == folded and not _HASHED.fullmatch(slug):
        return slug
    digest = hashlib.blake2b(folded.encode(), digest_size=_HASH_LENGTH // 2).hexdigest()
    return f"{slug}_{digest}".lstrip("_")
