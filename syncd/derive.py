"""From touched profiles to facts and memberships: the path's fifth step, in its own transactions.

In comes what sync left on the touched list, and the configured segments; out goes how many profiles were worked and
who moved. A segment is evaluated when data or its rule changed, or when time alone moves somebody, so that a run with
nothing to do is a few look-ups. What a fact is and how a condition is evaluated is the database's part; nothing here
sees a platform.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from syncd.clock import Clock
from syncd.errors import ConfigInvalid
from syncd.segments import Segment
from syncd.segments.facts import needs_rates, segments_asked
from syncd.store import Database
from syncd.store.types import Moves, RevenuePolicy, Rule


@dataclass(frozen=True, kw_only=True, slots=True)
class DeriveReport:
    """What one derivation did.

    Args:
        profiles: How many had their facts computed anew, and their place in the segments that stand.
        segments: The moves of each segment that was evaluated over all profiles.
    """

    profiles: int = 0
    segments: Mapping[str, Moves] = field(default_factory=dict)


def run(database: Database, segments: Sequence[Segment], policy: RevenuePolicy, clock: Clock) -> DeriveReport:
    """Bring facts and memberships up to date.

    Args:
        segments: Each after those that it builds on.

    Raises:
        ConfigInvalid: A segment adds up amounts of currencies that cannot be converted; facts are up to date, no
            membership has changed.
    """
    facts, rules = database.facts, rules_of(segments)
    profiles = facts.recompute(policy, rules)
    now = clock.now()  # not before: what was evaluated after now would look like a clock that stepped back
    due = facts.due(rules, now, policy)
    if not due:
        return DeriveReport(profiles=profiles)
    check_currencies(segments, policy, facts.currencies())
    facts.drop_segments({rule.segment for rule in rules})
    moves: dict[str, Moves] = {}
    for rule in rules:
        if rule.segment in due:
            moves[rule.segment] = moved = facts.evaluate(rule, now, policy)
            due |= rule.builders if moved.entered or moved.left else frozenset()
    return DeriveReport(profiles=profiles, segments=moves)


def rules_of(segments: Sequence[Segment]) -> tuple[Rule, ...]:
    """The segments as the database evaluates them, each with those that build on it."""
    asked = {segment.name: segments_asked(segment.condition) for segment in segments}
    return tuple(
        Rule(
            segment=segment.name,
            condition=segment.condition,
            builders=frozenset(name for name, below in asked.items() if segment.name in below),
        )
        for segment in segments
    )


def check_currencies(segments: Sequence[Segment], policy: RevenuePolicy, currencies: set[str]) -> None:
    """Whether every amount that segments ask for can be added up.

    Raises:
        ConfigInvalid: Orders have currencies without a rate to the merchant's; the message names the remedy.
    """
    foreign = _without_rate(policy, currencies)
    asking = {segment.name: needs_rates(segment.condition) for segment in segments}
    faults = [f"{name} asks for {', '.join(facts)}" for name, facts in asking.items() if facts]
    if foreign and faults:
        raise ConfigInvalid(
            f"amounts in {', '.join(foreign)} cannot be added up, and the segment {'; the segment '.join(faults)}",
            hint=_remedy(policy, foreign),
        )


def _without_rate(policy: RevenuePolicy, currencies: set[str]) -> list[str]:
    if not policy.currency and len(currencies) < 2:
        return []
    return sorted(currencies - {policy.currency} - set(policy.rates or ()))


def _remedy(policy: RevenuePolicy, foreign: Sequence[str]) -> str:
    explicit = f"name one currency in the condition, such as spent('{foreign[0]}')"
    if not policy.currency:
        return f"Set `currency` and `rates` in the config, or {explicit}"
    return f"Add {', '.join(foreign)} to `rates` in the config (one unit in {policy.currency}), or {explicit}"
