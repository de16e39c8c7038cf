"""The mappings by platform, and what of a unified record counts as its content.

In come raw records and tag changes, out come unified records and the platform's wording. No clock, no network, no
database. Mappings written elsewhere join by the entry point group `syncd.mappings`: the entry's name is the platform,
its value the mapper's class.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from operator import attrgetter

import orjson

from syncd.errors import ConfigInvalid
from syncd.mapping.base import Mapper, MapperOptions
from syncd.mapping.bigcommerce import BigCommerceMapper
from syncd.mapping.shopify import ShopifyMapper
from syncd.mapping.woocommerce import WooCommerceMapper
from syncd.model import Cart, Customer, Order, Unified
from syncd.plugins import Plugged


def _class_fault(part: object) -> str | None:
    return None if callable(part) else "its mapping entry must be a class that takes MapperOptions"


MAPPERS: Mapping[str, Callable[[MapperOptions], Mapper]] = Plugged(
    "syncd.mappings",
    {
        "bigcommerce": BigCommerceMapper,
        "shopify": ShopifyMapper,
        "woocommerce": WooCommerceMapper,
    },
    _class_fault,
)


def mapper_for(platform: str, options: MapperOptions) -> Mapper:
    """The mapping of a store's platform.

    Raises:
        ConfigInvalid: There is none of that name.
    """
    if platform not in MAPPERS:
        known = ", ".join(sorted(MAPPERS))
        raise ConfigInvalid(f"there is no mapping for the platform {platform!r}", hint=f"Use one of: {known}.")
    return MAPPERS[platform](options)


_NO_CONTENT = frozenset({"updated_at", "tags"})  # our own push moves both
_CONTENT = {
    kind: attrgetter(*(field.name for field in dataclasses.fields(kind) if field.name not in _NO_CONTENT))
    for kind in (Customer, Order, Cart)
}


def content_hash(unified: Unified, own_tags: frozenset[str]) -> bytes:
    """What a record says, in 16 bytes: two records with equal hashes differ in nothing but update time and our tags.

    Args:
        unified: The record as mapped.
        own_tags: Texts of the tags that are ours; others count.
    """
    content = (*_CONTENT[type(unified)](unified), _foreign_tags(unified, own_tags))
    return hashlib.blake2b(orjson.dumps(content), digest_size=16).digest()


def _foreign_tags(unified: Unified, own_tags: frozenset[str]) -> list[str] | None:
    tags = unified.tags if isinstance(unified, Customer) else ()
    return None if tags is None else sorted(set(tags) - own_tags)
