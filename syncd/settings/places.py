"""Where in a configuration something stands, and what was found wrong there.

Every part that reads the configuration collects faults instead of raising, so that all of them are told at once.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from syncd.errors import ConfigInvalid

Place = tuple[str | int, ...]

ENV_PREFIX = "SYNCD_"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One thing wrong with the configuration, in words that name the remedy and never the value.

    Args:
        place: Keys from the top of the file down; empty where the fault is with the file or the environment.
        line: Line of the config file, 0 where it is not in the file.
    """

    message: str
    place: Place = ()
    line: int = 0

    def __str__(self) -> str:
        text = f"{dotted(self.place)}: {self.message}" if self.place else self.message
        return f"{text} (line {self.line})" if self.line else text


def dotted(place: Place) -> str:
    """A place as messages write it: `stores.us-woo.auth.consumer_key`."""
    return ".".join(str(part) for part in place)


def variable(place: Place) -> str:
    """The environment variable that overrides a place: `SYNCD_STORES__US_WOO__URL`."""
    return ENV_PREFIX + "__".join(str(part).replace("-", "_").upper() for part in place)


def secret_variable(store_id: str, name: str) -> str:
    """The environment variable that messages and written files propose for a store's secret."""
    return f"{store_id}_{name}".replace("-", "_").upper()


def suggest(word: str, known: Iterable[str], prefix: str = "") -> str:
    """`; did you mean "x"?` for the nearest known word, or nothing.

    Args:
        prefix: What all of them begin with, which makes none of them nearer.
    """
    endings = [other.removeprefix(prefix) for other in known]
    nearest = difflib.get_close_matches(word.removeprefix(prefix), endings, n=1, cutoff=0.6)
    return f'; did you mean "{prefix}{nearest[0]}"?' if nearest else ""


def listed(words: Iterable[object]) -> str:
    """Words as a sentence lists them, sorted."""
    return ", ".join(sorted(str(word) for word in words))


def complaint(faults: Iterable[Fault], source: object) -> ConfigInvalid:
    """The error that tells every fault, those of the file in its order."""
    ordered = sorted(faults, key=lambda fault: (fault.line == 0, fault.line))
    count = "one fault" if len(ordered) == 1 else f"{len(ordered)} faults"
    return ConfigInvalid("\n  ".join([f"{count} in the configuration {source}:", *map(str, ordered)]))


def first_at_each_place(faults: Iterable[Fault]) -> list[Fault]:
    """Without what is only a consequence: of several faults at one place the first counts."""
    kept: dict[object, Fault] = {}
    for fault in faults:
        kept.setdefault(fault.place or fault.message, fault)
    return list(kept.values())


def beyond(known: Iterable[Fault], found: Iterable[Fault]) -> list[Fault]:
    """Those found that are more than a consequence: a section with a value known to be at fault lacks it, of course."""
    sections = {fault.place[:-1] for fault in known} - {()}
    return [fault for fault in found if fault.place not in sections]


def value_at(data: object, place: Place) -> object:
    """What stands at a place, None if nothing does."""
    for part in place:
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data
