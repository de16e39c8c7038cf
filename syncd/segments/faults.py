"""What can be wrong with a condition, told so that the writer can mend it."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass

from syncd.segments.facts import Argument

_LISTED = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """What the arguments of functions may name; None where anything goes."""

    stores: Collection[str] | None = None
    platforms: Collection[str] | None = None
    segments: Collection[str] | None = None

    def known(self, argument: Argument) -> Collection[str] | None:
        """The names that an argument of this sort may have."""
        asked = {Argument.STORE: self.stores, Argument.PLATFORM: self.platforms, Argument.SEGMENT: self.segments}
        return asked.get(argument)


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Fault:
    """One thing wrong with a condition; `position` counts characters from 1."""

    position: int
    message: str

    def __str__(self) -> str:
        return f"character {self.position}: {self.message}"


def suggestion(word: str, known: Collection[str]) -> str:
    """The end of a message about an unknown word: the nearest known one, or where all are told."""
    near = difflib.get_close_matches(word, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    if len(known) > _LISTED:
        return "the example segments.yaml lists all there are"
    return f"known: {', '.join(sorted(known))}" if known else "there are none"
