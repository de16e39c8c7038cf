"""How large a plan may be before somebody has to look at it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from syncd.connectors.config import BrakeConfig
from syncd.errors import BrakeTripped
from syncd.store.types import PlannedChange


@dataclass(frozen=True, kw_only=True, slots=True)
class Brake:
    """One store's changes beside what may be written there without approval.

    Args:
        customers: Distinct accounts that the changes touch.
        accounts: Accounts of the store.
    """

    store_id: str
    customers: int
    accounts: int
    limits: BrakeConfig

    @property
    def reason(self) -> str:
        """Why the plan has to wait, in words; empty where it does not."""
        if self.customers > self.limits.max_customers:
            return f"{self.customers} customers would change, more than brake.max_customers {self.limits.max_customers}"
        if self.customers * 100 > self.limits.max_percent * self.accounts:
            share = f"{self.customers} of {self.accounts} customers would change"
            return f"{share}, more than brake.max_percent {self.limits.max_percent:g}"
        return ""

    @property
    def is_tripped(self) -> bool:
        """Whether the plan has to wait."""
        return bool(self.reason)


def measure(
    changes: Iterable[PlannedChange], accounts: Mapping[str, int], limits: Mapping[str, BrakeConfig]
) -> tuple[Brake, ...]:
    """The brake of every store that changes touch, by store.

    Args:
        accounts: Accounts of each store.
        limits: What each store's settings allow.
    """
    touched = {(change.store_id, change.external_id) for change in changes}
    counts = {store_id: 0 for store_id, _ in sorted(touched)}
    for store_id, _ in touched:
        counts[store_id] += 1
    return tuple(
        Brake(store_id=store_id, customers=count, accounts=accounts[store_id], limits=limits[store_id])
        for store_id, count in counts.items()
    )


def check_brakes(brakes: Sequence[Brake], approved: int | None = None) -> None:
    """Whether a plan may be written.

    Args:
        approved: Customers, over all stores, that somebody agreed to change.

    Raises:
        BrakeTripped: A store's limit is passed and no approval is large enough; the message names the command.
    """
    tripped = [brake for brake in brakes if brake.is_tripped]
    total = sum(brake.customers for brake in brakes)
    if not tripped or (approved is not None and total <= approved):
        return
    reasons = "; ".join(f"{brake.store_id}: {brake.reason}" for brake in tripped)
    raise BrakeTripped(
        f"{reasons}. Nothing was written",
        hint=f"Look at `syncd plan`; if it is right, approve it with `syncd apply --approve {total}`",
    )
