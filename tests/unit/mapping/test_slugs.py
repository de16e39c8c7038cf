"""Tags as parts of key names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.mapping.slugs import tag_slug


@pytest.mark.parametrize(("tag", "slug"), [("VIP", "vip"), ("win_back", "win_back"), ("q1_2026", "q1_2026")])
def test_a_plain_tag_keeps_its_text(tag: str, slug: str) -> None:
    """A tag that is a slug but for case stays readable."""
    assert tag_slug(tag) == slug


def test_tags_that_read_alike_do_not_share_a_slug() -> None:
    """Blanks, signs, alphabets and length never make one key of two tags."""
    tags = [
        "win back",
        "win_back",
        "win-back",
        "Win  back!",
        "ВИП",
        "vip",
        "",
        "!",
        "日本",
        "ni hon",
        "a" * 150,
        "a" * 999,
    ]

    assert len({tag_slug(tag) for tag in tags}) == len(tags)


def test_a_tag_that_looks_hashed_is_hashed_itself() -> None:
    """Nobody can write a tag that takes another tag's key."""
    hashed = tag_slug("win back")

    assert tag_slug(hashed) != hashed


@given(st.text())
def test_any_text_makes_a_usable_key(tag: str) -> None:
    """A slug is never empty, never starts with a blank sign, and is short enough."""
    assert re.fullmatch(r"[a-z0-9][a-z0-9_]{0,189}", tag_slug(tag))
