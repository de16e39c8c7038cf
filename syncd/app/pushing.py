"""Pushes: plans made and applied, by a person's word or automatically within the brake."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import timedelta
from operator import attrgetter
from pathlib import Path

from syncd import process, push
from syncd.app.merchant import Merchant
from syncd.app.stores import Stores
from syncd.app.values import EVERYTHING, Selection
from syncd.connectors.config import StoreConfig
from syncd.errors import BrakeTripped
from syncd.notify import note_brakes

_REFUSED_REST = timedelta(days=1)  # a person who applies a plan tries again at once


class Pushing:
    """Tags written to one merchant's stores."""

    def __init__(self, merchant: Merchant, stores: Stores) -> None:
        self._merchant = merchant
        self._stores = stores

    def plan(self, selection: Selection = EVERYTHING) -> push.Plan:
        """The tag changes that are due on the chosen stores; nothing is written."""
        chosen = self._merchant.stores(selection)
        self._look_again(chosen)
        connectors = {store_id: self._stores.connector(store_id) for store_id in self._merchant.settings.stores}
        now = self._merchant.clock.now()
        stale_before = now - self._merchant.settings.push.max_staleness
        terms = push.store_terms(
            self._merchant.settings.stores, connectors, self._merchant.database.runs.status(), stale_before
        )
        return push.plan(
            self._merchant.database,
            self._merchant.segments,
            terms,
            push.Purpose(merchant=self._merchant.settings.merchant, stores=chosen, now=now),
        )

    def load(self, path: Path) -> push.Plan:
        """A plan saved earlier.

        Raises:
            ConfigInvalid: It cannot be read, or is another merchant's.
        """
        made = push.load(path, self._merchant.settings.merchant)
        self._look_again(self._merchant.settings.stores)
        return made

    def apply(self, plan: push.Plan, approved: int | None = None) -> push.ApplyReport:
        """Write exactly a plan's changes, and what an earlier apply left waiting.

        Args:
            approved: Customers, over all stores, that somebody agreed to change past the brake.

        Raises:
            BrakeTripped: The plan is too large and not approved, or pushing is switched off; nothing was written.
        """
        _push_allowed()
        return push.apply(plan, self._delivery(self._merchant.settings.stores), approved)

    def _delivery(self, configs: Mapping[str, StoreConfig]) -> push.Delivery:
        targets = {
            store_id: push.Target(
                connector=self._stores.connector(store_id), mapper=self._stores.mapper(store_id), push=config.push
            )
            for store_id, config in configs.items()
        }
        return push.Delivery(
            database=self._merchant.database,
            targets=targets,
            clock=self._merchant.clock,
            new_id=self._merchant.database.new_id,
            meter=self._merchant.meter,
            owner=process.own_name(),
            stop=self._merchant.stop,
        )

    def plan_untagging(self, store_id: str) -> push.Plan:
        """The removal of every tag that the ledger calls ours on one store; nothing is written.

        Raises:
            ConfigInvalid: The config does not have the store.
        """
        configs = {store_id: self._merchant.settings.store(store_id)}
        self._look_again(configs)
        terms = push.store_terms(
            configs, {store_id: self._stores.connector(store_id)}, self._merchant.database.runs.status()
        )
        return push.untagging(
            self._merchant.database,
            store_id,
            terms[store_id],
            self._merchant.settings.merchant,
            self._merchant.clock.now(),
        )

    def untag(self, store_id: str, plan: push.Plan, approved: int | None = None) -> push.ApplyReport:
        """Write the removals planned for one store; raises as `apply` does."""
        _push_allowed()
        return push.apply(plan, self._delivery({store_id: self._merchant.settings.store(store_id)}), approved)

    def _look_again(self, store_ids: Iterable[str]) -> None:
        """Ask the stores whose push is paused once more: a key that was mended may write from now on."""
        paused = {
            pause.store_id for pause in self._merchant.database.pauses.all() if pause.is_push and not pause.by_hand
        }
        for store_id in sorted(paused.intersection(store_ids)):
            self._stores.check_one(store_id)

    def apply_automatic(self, selection: Selection = EVERYTHING) -> push.ApplyReport | None:
        """Plan and apply for the chosen stores whose push mode is auto; None where there are none."""
        configs = self._merchant.settings.stores
        automatic = tuple(
            store_id for store_id in self._merchant.stores(selection) if configs[store_id].push.mode == "auto"
        )
        if not automatic or os.environ.get("SYNCD_PUSH", "").lower() == "off":
            return None
        plan = self._without_refused(self.plan(Selection(stores=automatic)))
        tripped = {brake.store_id: brake.reason for brake in plan.brakes if brake.is_tripped}
        note_brakes(self._merchant.database, tripped, automatic, self._merchant.clock.now())
        return push.apply(plan, self._delivery({store_id: configs[store_id] for store_id in automatic}))

    def _without_refused(self, plan: push.Plan) -> push.Plan:
        """A plan without what its platform refused lately: asked every minute, it would refuse every minute."""
        refused = self._merchant.database.tags.refused_since(self._merchant.clock.now() - _REFUSED_REST)
        keys = attrgetter("store_id", "external_id", "tag", "action")
        return push.narrowed(plan, lambda change: keys(change) not in refused)


def _push_allowed() -> None:
    if os.environ.get("SYNCD_PUSH", "").lower() == "off":
        raise BrakeTripped("SYNCD_PUSH=off: nothing is written", hint="Unset the variable to write")
