"""Shopify's rules for tags: commas split, case does not make another tag, the list is sorted and bounded."""

from __future__ import annotations

_MOST_TAGS = 250
_LONGEST_TAG = 255


class TagsRefused(Exception):
    """The tags cannot be as asked; the message is what the shop says."""


def with_tags(present: list[str], added: list[str]) -> list[str]:
    """The tags after some were added; the first casing of a tag stays.

    Raises:
        TagsRefused: One is too long, or there would be too many.
    """
    given = split_tags(added)
    if any(len(tag) > _LONGEST_TAG for tag in given):
        raise TagsRefused(f"Tag exceeds the maximum length of {_LONGEST_TAG} characters")
    merged = {tag.lower(): tag for tag in reversed([*present, *given])}
    if len(merged) > _MOST_TAGS:
        raise TagsRefused(f"Tags cannot be more than {_MOST_TAGS}")
    return sorted(merged.values(), key=str.lower)


def without_tags(present: list[str], removed: list[str]) -> list[str]:
    """The tags after some were removed, however they are cased."""
    gone = {tag.lower() for tag in split_tags(removed)}
    return [tag for tag in present if tag.lower() not in gone]


def split_tags(tags: list[str]) -> list[str]:
    """The single tags in a list whose texts may hold several."""
    return [part.strip() for text in tags for part in text.split(",") if part.strip()]
