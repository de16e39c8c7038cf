"""What a segment is: as the segments file words it, and as the rest of syncd uses it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from syncd.condition import Condition
from syncd.model import Stream

LONGEST_TAG = 255

Restore = Literal["leave", "restore"]
Channel = Literal["email", "sms"]


def _tag(text: str) -> str:
    if not text or text != text.strip() or not text.isprintable() or len(text) > LONGEST_TAG:
        raise ValueError(f"a tag is 1 to {LONGEST_TAG} printable characters without spaces around them")
    return text


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", text):
        raise ValueError("a segment's name is made of lower-case letters, digits, - and _, and begins with a letter")
    return text


SegmentName = Annotated[str, AfterValidator(_name)]
Tag = Annotated[str, StringConstraints(strict=True), AfterValidator(_tag)]
Text = Annotated[str, StringConstraints(strict=True)]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SegmentConfig(_Frozen):
    """One segment as the file words it.

    Args:
        when: The condition; see the catalogue in `facts`.
        tag: What members' accounts get; without one the segment is counted and exported only.
        stores: Where the tag is written; left out means everywhere.
        if_staff_removes_tag: What happens when somebody takes our tag off a member's account.
        needs_consent: Only people who said yes to this channel are members.
    """

    when: Text
    tag: Tag | None = None
    stores: tuple[Text, ...] | None = None
    if_staff_removes_tag: Restore = "leave"
    needs_consent: Channel | None = None
    label: Text = ""
    description: Text = ""


class SegmentsFile(_Frozen):
    """The whole segments file."""

    segments: dict[SegmentName, SegmentConfig] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """One segment, checked and ready to be evaluated.

    Args:
        when: The condition as written.
        condition: What it means, consent included where the segment needs it.
        tag: What members' accounts get; "" for a segment that is not written anywhere.
        stores: Where the tag is written.
        streams: What must be complete before members can be trusted, segments that it builds on included.
        is_lasting: Whether members stay members as time passes and records arrive; where not, old data misleads.
    """

    name: str
    when: str
    condition: Condition
    tag: str = ""
    stores: tuple[str, ...] = ()
    if_staff_removes_tag: Restore = "leave"
    needs_consent: Channel | None = None
    label: str = ""
    description: str = ""
    streams: frozenset[Stream] = frozenset()
    is_lasting: bool = False
