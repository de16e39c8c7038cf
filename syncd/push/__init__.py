"""From memberships to tags on the platforms: plan, brake, apply.

`plan` compares what segments want with what is known and what the ledger says is ours, and writes nothing. `apply`
puts a plan's changes into the outbox and the ledger in one transaction, then delivers them store by store.
"""

from syncd.push.brake import Brake, check_brakes
from syncd.push.delivery import ApplyReport, Delivery, StoreReport, Target, apply
from syncd.push.planfile import load, save, to_document
from syncd.push.planning import (
    Held,
    HeldGroup,
    Plan,
    Purpose,
    StoreTerms,
    decide,
    narrowed,
    plan,
    store_terms,
    untagging,
)

__all__ = [
    "ApplyReport",
    "Brake",
    "Delivery",
    "Held",
    "HeldGroup",
    "Plan",
    "Purpose",
    "StoreReport",
    "StoreTerms",
    "Target",
    "apply",
    "check_brakes",
    "decide",
    "load",
    "narrowed",
    "plan",
    "save",
    "store_terms",
    "to_document",
    "untagging",
]
