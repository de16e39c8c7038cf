"""How well people were found, held against the sandbox's truth: over pairs of records that are one person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """Pairs of records: joined and truly one person, joined in all, truly one person in all.

    Args:
        people_on_several_stores: Persons of the truth with records in more than one store.
    """

    right: int
    joined: int
    true: int
    people_on_several_stores: int

    @property
    def precision(self) -> float:
        """Share of the joined pairs that are right; 1 where nothing was joined."""
        return self.right / self.joined if self.joined else 1.0

    @property
    def recall(self) -> float:
        """Share of the true pairs that were joined; 1 where there are none."""
        return self.right / self.true if self.true else 1.0


def score(truth: Mapping[str, str], found: Mapping[str, str]) -> Score:
    """Compare who is who.

    Args:
        truth: Person by record id, `<store>:<kind>:<external id>`.
        found: Profile by record id; records that the truth does not know are left out.
    """
    known = {record: profile for record, profile in found.items() if record in truth}
    stores: dict[str, set[str]] = {}
    for record, person in truth.items():
        stores.setdefault(person, set()).add(record.split(":", 1)[0])
    return Score(
        right=_pairs((profile, truth[record]) for record, profile in known.items()),
        joined=_pairs(known.values()),
        true=_pairs(truth.values()),
        people_on_several_stores=sum(len(names) > 1 for names in stores.values()),
    )


def _pairs(groups: Iterable[Hashable]) -> int:
    return sum(size * (size - 1) // 2 for size in Counter(groups).values())
