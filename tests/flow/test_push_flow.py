"""From a shop in memory to segments and back to its tags, through real databases, with faults on the way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal

import pytest

from syncd import derive, push
from syncd.connectors.base import PushResult
from syncd.connectors.config import BrakeConfig, PushConfig
from syncd.errors import (
    AmbiguousWrite,
    AuthFailed,
    BrakeTripped,
    ConfigInvalid,
    SyncdError,
    Unavailable,
    WriteRejected,
)
from syncd.model import PlatformChange, Stream, TagAction, TagChange
from syncd.segments import Segment, load_segments
from syncd.store.types import RevenuePolicy
from tests.clock import ManualClock
from tests.contracts.memory import MemoryConfig, MemoryConnector, MemoryMapper, cart, customer, order
from tests.flow.harness import STORE, Flow, flowing

ADD, REMOVE = TagAction.ADD, TagAction.REMOVE
SPENDERS = "segments: {vip: {when: 'spent >= 500', tag: VIP}}"
FREE = PushConfig(mode="review", brake=BrakeConfig(max_customers=1000, max_percent=100))
POLICY = RevenuePolicy(currency="EUR")


@dataclass(kw_only=True)
class LosingConnector(MemoryConnector):
    """Its shop may apply a batch and lose the answer, or lose the batch before it is applied."""

    losses: list[Literal["before", "after"]] = field(default_factory=list)

    def push(self, changes: list[PlatformChange]) -> list[PushResult]:  # type: ignore[override]
        """A push whose answer may get lost."""
        loss = self.losses.pop(0) if self.losses else None
        results = [] if loss == "before" else list(super().push(changes))
        if loss:
            raise AmbiguousWrite("the answer was lost")
        return results


class WordlessMapper(MemoryMapper):
    """It has no words for one account's changes."""

    def to_platform(self, change: TagChange) -> PlatformChange:
        """A change in the platform's words."""
        if change.external_id == "1":
            raise WriteRejected("no words for this tag")
        return super().to_platform(change)


@dataclass(kw_only=True)
class Pushing:
    """A flow whose shop is read, derived, planned and written by one call each."""

    flow: Flow
    config: PushConfig = FREE
    connector: MemoryConnector | None = None
    mapper: MemoryMapper = field(default_factory=MemoryMapper)

    def derive(self, text: str = SPENDERS) -> tuple[Segment, ...]:
        """Pull all streams, then bring facts and memberships up to date."""
        for stream in Stream:
            assert self.flow.pull(stream, kind="sweep").status == "succeeded"
        segments = load_segments(text, (STORE,))
        derive.run(self.flow.database, segments, POLICY, self.flow.clock)
        return segments

    def plan(self, segments: tuple[Segment, ...]) -> push.Plan:
        """What is due now."""
        database, now = self.flow.database, self.flow.clock.now()
        terms = push.store_terms(
            {STORE: MemoryConfig(push=self.config)},
            {STORE: self._connector},
            database.runs.status(),
            now - timedelta(hours=24),
        )
        return push.plan(database, segments, terms, push.Purpose(merchant="acme", stores=terms, now=now))

    def apply(self, plan: push.Plan, approved: int | None = None) -> push.StoreReport:
        """Do a plan; the one store's report."""
        return self.apply_all(plan, approved).stores[0]

    def apply_all(self, plan: push.Plan, approved: int | None = None) -> push.ApplyReport:
        """Do a plan."""
        target = push.Target(connector=self._connector, mapper=self.mapper, push=self.config)
        database = self.flow.database
        delivery = push.Delivery(
            database=database,
            targets={STORE: target},
            clock=self.flow.clock,
            new_id=database.new_id,
            owner=self.flow.owner,
            stop=threading.Event(),
        )
        return push.apply(plan, delivery, approved)

    def run(self, text: str = SPENDERS) -> push.StoreReport:
        """The whole path once."""
        return self.apply(self.plan(self.derive(text)))

    def tags(self, *external_ids: str) -> list[list[str]]:
        """What the shop has now."""
        return [self.flow.shop.tags(external_id) for external_id in external_ids]

    @property
    def _connector(self) -> MemoryConnector:
        return self.connector or self.flow.connector


@pytest.fixture
def pushing(database_url: str, clock: ManualClock) -> Iterator[Pushing]:
    with flowing(database_url, clock) as flow:
        for n in range(1, 9):
            flow.shop.put(Stream.CUSTOMERS, customer(f"{n}", email=f"p{n}@example.com", tags=["own word"]))
            flow.shop.put(Stream.ORDERS, order(f"9{n}", customer_id=f"{n}", total_minor=n * 10_000))
        flow.shop.put(Stream.ORDERS, order("guest", email="guest@example.com", total_minor=99_900))
        yield Pushing(flow=flow)


def changes(plan: push.Plan) -> list[tuple[str, TagAction, str]]:
    return [(change.external_id, change.action, change.tag) for change in plan.changes]


def later(pushing: Pushing) -> None:
    pushing.flow.clock.advance(3600)


# -- the plain path ---------------------------------------------------------------------------------------------


def test_members_get_the_tag_and_keep_their_own(pushing: Pushing) -> None:
    """Who spent enough is tagged once, beside what staff wrote; nobody else is touched."""
    report = pushing.run()

    assert (report.confirmed, report.rejected, report.waiting, report.stopped) == (4, (), 0, "")
    assert pushing.tags("5", "8") == [["own word", "VIP"]] * 2
    assert pushing.tags("4") == [["own word"]]


def test_reach_says_how_many_are_guests(pushing: Pushing) -> None:
    """A guest is a member that no tag reaches."""
    plan = pushing.plan(pushing.derive())

    (reach,) = plan.reach
    assert (reach.members, reach.with_account, reach.tagged, plan.total) == (5, 4, 0, 4)


def test_a_second_run_changes_nothing(pushing: Pushing) -> None:
    """What was written is known, before and after it is read back by a pull."""
    segments = pushing.derive()
    pushing.apply(pushing.plan(segments))
    writes = list(pushing.flow.shop.writes)

    at_once = pushing.plan(segments)
    later(pushing)
    after_pull = pushing.run()

    assert at_once.changes == ()
    assert (after_pull.confirmed, pushing.flow.shop.writes) == (0, writes)


def test_who_leaves_the_segment_loses_the_tag(pushing: Pushing) -> None:
    """A refund takes the tag off again, and only that tag."""
    pushing.run()
    later(pushing)
    pushing.flow.shop.edit(Stream.ORDERS, "95", refunded_minor=50_000)

    report = pushing.run()

    assert report.confirmed == 1
    assert pushing.tags("5", "6") == [["own word"], ["own word", "VIP"]]


def test_a_tag_that_staff_put_there_is_never_removed(pushing: Pushing) -> None:
    """A tag with our text that we did not write is not ours, member or not."""
    pushing.flow.shop.edit(Stream.CUSTOMERS, "1", tags=["VIP"])
    pushing.flow.shop.edit(Stream.CUSTOMERS, "8", tags=["VIP"])
    pushing.run()
    later(pushing)
    pushing.flow.shop.edit(Stream.ORDERS, "98", refunded_minor=80_000)

    report = pushing.run()

    assert report.confirmed == 0
    assert pushing.tags("1", "8") == [["VIP"], ["VIP"]]


@pytest.mark.parametrize(("choice", "tags"), [("leave", ["own word"]), ("restore", ["own word", "VIP"])])
def test_what_staff_took_off_is_left_or_put_back(pushing: Pushing, choice: str, tags: list[str]) -> None:
    """The segment says whose word counts; a left one is told as held."""
    text = SPENDERS.replace("tag: VIP", f"tag: VIP, if_staff_removes_tag: {choice}")
    pushing.run(text)
    later(pushing)
    pushing.flow.shop.edit(Stream.CUSTOMERS, "8", tags=["own word"])

    plan = pushing.plan(pushing.derive(text))
    pushing.apply(plan)

    assert pushing.tags("8") == [tags]
    assert ["staff" in group.reason for group in plan.held] == ([True] if choice == "leave" else [])


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("segments: {}", ["own word"]),
        (SPENDERS.replace(", tag: VIP", ""), ["own word"]),
        (SPENDERS.replace("tag: VIP", "tag: Gold"), ["own word", "Gold"]),
        (SPENDERS.replace("vip:", "best:"), ["own word", "VIP"]),
    ],
)
def test_a_tag_that_no_segment_stands_for_any_more_goes(pushing: Pushing, text: str, tags: list[str]) -> None:
    """A segment that is gone, has no tag or another one takes our old tag back; a new name alone changes nothing."""
    pushing.run()
    later(pushing)

    pushing.run(text)

    assert pushing.tags("8", "4") == [tags, ["own word"]]


# -- what is held, what is braked -------------------------------------------------------------------------------


def test_nothing_is_planned_before_history_is_complete(pushing: Pushing) -> None:
    """While orders are missing, who spent how much is not known; the plan says what to do."""
    pushing.flow.pull(Stream.CUSTOMERS)
    pushing.flow.shop.page_size = 100
    segments = load_segments(SPENDERS.replace("spent >= 500", "orders_count = 0"), (STORE,))
    derive.run(pushing.flow.database, segments, POLICY, pushing.flow.clock)

    plan = pushing.plan(segments)

    assert plan.changes == ()
    assert [(group.count, group.reason) for group in plan.held] == [
        (
            8,
            "the history of orders of shop is not all here yet: "
            "run `syncd backfill`; `syncd status` says what it lacks",
        )
    ]


@pytest.mark.parametrize(("when", "planned", "held"), [("spent >= 500", 4, 0), ("days_since_last_order > 1", 0, 8)])
def test_old_data_holds_back_what_the_passing_of_time_decides(
    pushing: Pushing, when: str, planned: int, held: int
) -> None:
    """A store not read for days does not make its customers lapse; what they once spent stays spent."""
    text = SPENDERS.replace("spent >= 500", when)
    segments = pushing.derive(text)
    pushing.flow.clock.advance(3 * 86_400)
    derive.run(pushing.flow.database, segments, POLICY, pushing.flow.clock)

    stale = pushing.plan(segments)
    fresh = pushing.plan(pushing.derive(text))

    assert (stale.total, sum(group.count for group in stale.held)) == (planned, held)
    assert all("older than push.max_staleness: run `syncd sync`" in group.reason for group in stale.held)
    assert (fresh.total, fresh.held) == (planned + held, ())


def test_push_off_plans_nothing_and_says_so(pushing: Pushing) -> None:
    """A store that is switched off is named, and no saved plan gets past it."""
    segments = pushing.derive()
    plan = pushing.plan(segments)
    pushing.config = PushConfig(mode="off")

    off = pushing.plan(segments)
    report = pushing.apply(plan)

    assert (off.changes, off.notes) == ((), ("shop: push.mode is off, nothing is planned",))
    assert (report.held, report.stopped, pushing.flow.shop.writes) == (4, "push.mode is off", [])


def test_a_paused_store_is_not_written(pushing: Pushing) -> None:
    """A pause holds changes back in the plan, and in an older plan too; after it they go."""
    segments = pushing.derive()
    before = pushing.plan(segments)
    pushing.flow.database.pauses.put(STORE, "on holiday", push=True)

    plan = pushing.plan(segments)
    report = pushing.apply(before)
    pushing.flow.database.pauses.lift(STORE, push=True)
    resumed = pushing.apply(before)

    assert (plan.changes, [group.count for group in plan.held]) == ((), [4])
    assert "on holiday" in plan.held[0].reason
    assert (report.held, report.confirmed, resumed.confirmed) == (4, 0, 4)


def test_a_tag_too_long_for_the_store_is_told_at_plan_time(pushing: Pushing) -> None:
    """The platform is not asked about what it cannot take."""
    plan = pushing.plan(pushing.derive(SPENDERS.replace("tag: VIP", f"tag: {'V' * 41}")))

    assert plan.changes == ()
    assert "41 characters, the store takes 40" in plan.held[0].reason


def test_the_brake_stops_before_anything_is_written(pushing: Pushing) -> None:
    """Too large a plan writes neither to the shop nor to the outbox; an approval lets it go."""
    pushing.config = PushConfig(brake=BrakeConfig(max_customers=3, max_percent=100))
    segments = pushing.derive()
    plan = pushing.plan(segments)

    with pytest.raises(BrakeTripped, match=r"4 customers would change, more than brake\.max_customers 3"):
        pushing.apply(plan)
    left = (list(pushing.flow.shop.writes), pushing.flow.database.tags.due(STORE, 10))
    report = pushing.apply(plan, approved=4)

    assert left == ([], [])
    assert [brake.is_tripped for brake in plan.brakes] == [True]
    assert report.confirmed == 4


def test_a_plan_for_a_store_that_is_not_configured_is_refused(pushing: Pushing) -> None:
    """Nothing of it is done, not even what could be."""
    plan = pushing.plan(pushing.derive())
    strange = replace(plan, changes=(*plan.changes, replace(plan.changes[0], store_id="elsewhere")))

    with pytest.raises(ConfigInvalid, match="elsewhere"):
        pushing.apply(strange)

    assert pushing.flow.shop.writes == []


def test_a_saved_plan_does_only_what_is_still_due(pushing: Pushing) -> None:
    """Each change's precondition is looked at once more when it is queued."""
    plan = pushing.plan(pushing.derive())
    later(pushing)
    pushing.flow.shop.edit(Stream.CUSTOMERS, "8", tags=["VIP"])
    pushing.derive()

    report = pushing.apply_all(plan)

    assert (report.queued, report.outdated, report.confirmed) == (3, 1, 3)
    assert ("8", ADD, "VIP") not in pushing.flow.shop.writes


# -- faults -----------------------------------------------------------------------------------------------------


def test_a_refused_change_does_not_stop_the_others(pushing: Pushing) -> None:
    """Each change has its own result, with the platform's reason."""
    plan = pushing.plan(pushing.derive())
    pushing.flow.shop.delete(Stream.CUSTOMERS, "6")

    report = pushing.apply(plan)

    assert report.confirmed == 3
    assert [(change.external_id, reason) for change, reason in report.rejected] == [("6", "account no longer exists")]


def test_a_change_without_words_is_rejected_alone(pushing: Pushing) -> None:
    """What mapping cannot word never reaches the platform."""
    pushing.mapper = WordlessMapper()

    report = pushing.run(SPENDERS.replace("500", "1"))

    assert report.confirmed == 7
    assert [(change.external_id, reason) for change, reason in report.rejected] == [("1", "no words for this tag")]


@pytest.mark.parametrize("loss", ["before", "after"])
def test_a_lost_answer_is_read_back_before_anything_is_repeated(
    pushing: Pushing, loss: Literal["before", "after"]
) -> None:
    """Applied or not, every change ends written exactly once and confirmed."""
    pushing.connector = LosingConnector(shop=pushing.flow.shop, losses=[loss])

    report = pushing.run()

    assert (report.confirmed, report.waiting) == (4, 0)
    assert sorted(pushing.flow.shop.writes) == [(f"{n}", ADD, "VIP") for n in range(5, 9)]
    assert pushing.flow.database.tags.unsettled(STORE) == []


def test_answers_that_keep_getting_lost_wait(pushing: Pushing) -> None:
    """Attempts of one apply are capped; what nobody refused is no rejection: it is sent once the way is well."""
    pushing.connector = LosingConnector(shop=pushing.flow.shop, losses=["before"] * 9)

    lost = pushing.run()
    pushing.connector.losses.clear()
    pushing.flow.clock.advance(3600)
    sent = pushing.run()

    assert (lost.rejected, lost.confirmed, lost.waiting) == ((), 0, 4)
    assert (sent.confirmed, sent.waiting) == (4, 0)
    assert sorted(pushing.flow.shop.writes) == [(f"{n}", ADD, "VIP") for n in range(5, 9)]


def test_an_account_that_is_gone_when_read_back_is_rejected(pushing: Pushing) -> None:
    """A lost answer about an account that no longer is there needs no repetition."""
    plan = pushing.plan(pushing.derive())
    pushing.flow.shop.delete(Stream.CUSTOMERS, "7")
    pushing.connector = LosingConnector(shop=pushing.flow.shop, losses=["before"])

    report = pushing.apply(plan)

    assert report.confirmed == 3
    assert [(change.external_id, reason) for change, reason in report.rejected] == [
        ("7", "the account is no longer there")
    ]


def test_what_a_crash_left_on_the_wire_is_read_back_first(pushing: Pushing) -> None:
    """Half a batch had been applied when the process died: the rest is written, nothing twice."""
    plan = pushing.plan(pushing.derive())
    tags = pushing.flow.database.tags
    tags.enqueue("cut-off", plan.changes)
    tags.mark_sending([item.outbox_id for item in tags.due(STORE, 10)])
    pushing.flow.shop.write("5", ADD, "VIP")
    pushing.flow.shop.write("6", ADD, "VIP")
    later(pushing)

    report = pushing.apply_all(plan)

    assert (report.queued, report.confirmed) == (0, 4)
    assert sorted(pushing.flow.shop.writes) == [(f"{n}", ADD, "VIP") for n in range(5, 9)]


def test_a_store_that_is_down_keeps_its_changes_for_later(pushing: Pushing) -> None:
    """The batch waits with its reason, is not sent again before its time, and then goes."""
    plan = pushing.plan(pushing.derive())
    pushing.flow.shop.faults.append(Unavailable("the shop is down"))

    down = pushing.apply(plan)
    too_soon = pushing.apply(plan)
    later(pushing)
    up = pushing.apply(plan)

    assert (down.confirmed, down.waiting, down.stopped) == (0, 4, "the shop is down")
    assert (too_soon.confirmed, up.confirmed) == (0, 4)


def test_a_refused_key_pauses_the_stores_push_with_its_reason(pushing: Pushing) -> None:
    """Writing stops, reading goes on, and after somebody acted the changes go."""
    plan = pushing.plan(pushing.derive())
    pushing.flow.shop.faults.append(AuthFailed("the key may not write"))

    refused = pushing.apply(plan)
    status = pushing.flow.status(Stream.CUSTOMERS)
    pushing.flow.database.pauses.lift(STORE, push=True)
    later(pushing)
    mended = pushing.apply(plan)

    assert (refused.stopped, refused.waiting) == ("the key may not write", 4)
    assert (status.push_paused_reason, status.paused_reason) == ("the key may not write", None)
    assert mended.confirmed == 4


@pytest.mark.parametrize("error", [Unavailable("down"), AuthFailed("no")])
def test_a_read_back_that_fails_leaves_the_change_on_the_wire(pushing: Pushing, error: SyncdError) -> None:
    """What is not known stays not known, and is asked again at the next apply."""
    plan = pushing.plan(pushing.derive())
    tags = pushing.flow.database.tags
    tags.enqueue("cut-off", plan.changes)
    tags.mark_sending([item.outbox_id for item in tags.due(STORE, 10)])
    pushing.flow.shop.faults.append(error)

    report = pushing.apply(plan)

    assert (report.confirmed, report.stopped) == (0, error.message)
    assert len(tags.unsettled(STORE)) == 4


# -- derive -----------------------------------------------------------------------------------------------------


def test_segments_that_build_on_others_follow_them(pushing: Pushing) -> None:
    """One derivation settles segments over segments, whatever their order in the file."""
    text = """
    segments:
      rest: {when: "not in_segment('vip')"}
      vip: {when: "spent >= 500"}
    """
    for stream in Stream:
        pushing.flow.pull(stream)

    report = derive.run(pushing.flow.database, load_segments(text, (STORE,)), POLICY, pushing.flow.clock)

    assert {name: moves.members for name, moves in report.segments.items()} == {"vip": 5, "rest": 4}
    assert report.profiles == 9


def test_a_segment_that_is_no_longer_configured_ends(pushing: Pushing) -> None:
    """Its members leave, their history stays."""
    pushing.derive()

    pushing.derive("segments: {}")

    assert pushing.flow.database.facts.sizes() == {}


def test_amounts_that_cannot_be_added_up_are_a_fault_with_its_remedy(pushing: Pushing) -> None:
    """Dollars without a rate stop a bare sum, not a sum in one named currency."""
    pushing.flow.shop.put(Stream.ORDERS, order("usd", customer_id="1", currency="USD"))
    pushing.derive(SPENDERS.replace("spent", "spent(''EUR'')"))

    with pytest.raises(ConfigInvalid) as caught:
        derive.run(pushing.flow.database, load_segments(SPENDERS, (STORE,)), POLICY, pushing.flow.clock)

    assert "amounts in USD cannot be added up, and the segment vip asks for spent" in str(caught.value)
    assert "`rates`" in str(caught.value)
    assert "spent('USD')" in str(caught.value)


def test_open_carts_lead_to_a_segment(pushing: Pushing) -> None:
    """A cart counts while it is open, and its age passes with the clock."""
    pushing.flow.shop.put(Stream.CARTS, cart("c1", customer_id="2"))
    text = "segments: {open: {when: 'open_carts_count > 0 and days_since_open_cart <= 2', tag: Open cart}}"

    pushing.run(text)
    tagged = pushing.tags("2", "3")
    pushing.flow.clock.advance(4 * 86_400)
    pushing.run(text)

    assert tagged == [["own word", "Open cart"], ["own word"]]
    assert pushing.tags("2") == [["own word"]]
