"""Whatever the platform answers, an outbox row only moves as the written table allows, and every change has an end."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd import push
from syncd.connectors.base import PushOutcome, PushResult
from syncd.connectors.config import BrakeConfig, PushConfig
from syncd.errors import AmbiguousWrite, AuthFailed, LockHeld, SyncdError, Unavailable
from syncd.model import PlatformChange, Stream, TagAction
from syncd.push.delivery import MOST_ATTEMPTS
from syncd.store import Database
from syncd.store.tags import TRANSITIONS
from syncd.store.types import PlannedChange, Settled
from tests.clock import START, ManualClock
from tests.contracts.memory import MemoryConnector, MemoryMapper, customer
from tests.flow.harness import STORE, Flow, flowing

ACCOUNTS = ("1", "2", "3", "4", "5", "6", "7")
STATES = sorted(TRANSITIONS)
PUSH = PushConfig(brake=BrakeConfig(max_percent=100))


@dataclass(kw_only=True)
class MoodyConnector(MemoryConnector):
    """It answers each change as its script says, and well when the script is over."""

    moods: list[str] = field(default_factory=list)

    def push(self, changes: Sequence[PlatformChange]) -> Sequence[PushResult]:
        """One mood for each change; a mood about the whole batch ends it."""
        return [self._answer(change) for change in changes]

    def _answer(self, change: PlatformChange) -> PushResult:
        mood = self.moods.pop(0) if self.moods else "apply"
        if mood in ("apply", "lose after"):
            self.shop.write(change.external_id, change.action, str(change.body["tag"]))
        if mood in ("lose before", "lose after"):
            raise AmbiguousWrite("the answer was lost")
        if mood == "retry":
            return PushResult(outcome=PushOutcome.RETRY, reason="busy", retry_after_s=5)
        return PushResult(outcome=PushOutcome.REJECTED if mood == "reject" else PushOutcome.APPLIED, reason=mood)


MOODS = st.lists(st.sampled_from(["apply", "reject", "retry", "lose before", "lose after"]), max_size=60)
FAULTS = st.lists(st.sampled_from([Unavailable("down"), AuthFailed("no")]), max_size=2)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that knows the accounts of a shop, made once and copied for every example."""
    path = tmp_path_factory.mktemp("outbox") / "template.db"
    with flowing(f"sqlite:///{path}", ManualClock()) as flow:
        stock(flow)
        flow.pull(Stream.CUSTOMERS)
    return path


@contextmanager
def copied(template: Path) -> Iterator[Flow]:
    """A flow over a copy of the template."""
    with TemporaryDirectory() as folder:
        path = shutil.copy(template, folder)
        with flowing(f"sqlite:///{path}", ManualClock()) as flow:
            stock(flow)
            yield flow


def stock(flow: Flow) -> None:
    """Put the accounts into the shop."""
    flow.shop.put(Stream.CUSTOMERS, *(customer(key) for key in ACCOUNTS))


@settings(max_examples=settings.default.max_examples // 5)
@given(moods=MOODS, faults=FAULTS)
def test_every_change_ends_and_what_is_confirmed_is_there(
    template: Path, moods: list[str], faults: list[SyncdError]
) -> None:
    """After enough applies no change is under way, and the shop has exactly what was confirmed or what got lost."""
    with copied(template) as flow:
        clock = flow.clock
        connector = MoodyConnector(shop=flow.shop, moods=list(moods))
        plan = push.Plan(merchant="acme", created_at=START, changes=tuple(map(_change, ACCOUNTS)))

        confirmed, rejected = 0, []
        for faulty in [*faults, *[None] * (MOST_ATTEMPTS + len(moods) // 5 + 2)]:
            flow.shop.faults.extend([faulty] if faulty else [])
            report = _apply(plan, flow.database, connector, clock)
            confirmed += report.confirmed
            rejected += [change.external_id for change, _ in report.rejected]
            plan = push.Plan(merchant="acme", created_at=START)
            flow.database.pauses.lift(STORE, push=True)
            clock.advance(7200)

        tagged = [key for key in ACCOUNTS if flow.shop.tags(key) == ["VIP"]]
        assert confirmed + len(rejected) == len(ACCOUNTS)
        assert set(ACCOUNTS) - set(rejected) <= set(tagged)
        assert len(flow.shop.writes) == len(tagged)
        assert flow.database.tags.unsettled(STORE) == flow.database.tags.due(STORE, 10) == []


def _change(external_id: str) -> PlannedChange:
    return PlannedChange(
        store_id=STORE, external_id=external_id, profile_id="p", action=TagAction.ADD, tag="VIP", segment="vip"
    )


def _apply(plan: push.Plan, database: Database, connector: MoodyConnector, clock: ManualClock) -> push.StoreReport:
    target = push.Target(connector=connector, mapper=MemoryMapper(), push=PUSH)
    delivery = push.Delivery(
        database=database,
        targets={STORE: target},
        clock=clock,
        new_id=database.new_id,
        owner="worker",
        stop=threading.Event(),
    )
    return push.apply(plan, delivery).stores[0]


@settings(max_examples=settings.default.max_examples // 3)
@given(path=st.lists(st.sampled_from(STATES), min_size=1, max_size=6))
def test_a_row_refuses_every_step_that_the_table_does_not_name(template: Path, path: list[str]) -> None:
    """A walk over states goes as far as the table allows, and an illegal step changes nothing."""
    with copied(template) as flow:
        tags = flow.database.tags
        tags.enqueue("apply", [_change("1")])
        (item,) = tags.due(STORE, 1)
        state = "planned"

        for step in path:
            if step in TRANSITIONS[state]:
                tags.settle([Settled(outbox_id=item.outbox_id, state=step)])
                state = step
            else:
                with pytest.raises(LockHeld):
                    tags.settle([Settled(outbox_id=item.outbox_id, state=step)])

        assert [row.state for row in tags.unsettled(STORE)] == (["sending"] if state == "sending" else [])
        assert bool(tags.due(STORE, 1)) is (state in ("planned", "waiting"))
