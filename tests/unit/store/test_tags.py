"""Tags on accounts: the outlook, and changes on their way through outbox and ledger, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from syncd.errors import LockHeld
from syncd.model import TagAction
from syncd.store import tables
from syncd.store.tags import TRANSITIONS, Tags
from syncd.store.types import AccountTag, PlannedChange, Reach, Settled, TagWish
from tests.clock import START, ManualClock
from tests.unit.store.seed import Seed, ago, seeded

WISH = TagWish(segment="vip", tag="VIP", store_id="eu")


@pytest.fixture
def seed(database_url: str) -> Iterator[Seed]:
    """A fresh database with the store `eu`."""
    with seeded(database_url) as seed:
        yield seed


@pytest.fixture
def tags(seed: Seed, clock: ManualClock) -> Tags:
    """The part under test."""
    return Tags(seed.engines, clock, seed.new_id)


def _member(seed: Seed, profile_id: str, segment: str = "vip") -> None:
    seed.put(
        tables.Membership,
        membership_id=seed.new_id(),
        segment=segment,
        profile_id=profile_id,
        entered_at=ago(1),
    )


def _known(seed: Seed, external_id: str, tag: str = "VIP", *, is_present: bool = True) -> None:
    seed.put(tables.TagState, store_id="eu", external_id=external_id, tag=tag, is_present=is_present, known_at=ago(1))


def _ours(seed: Seed, external_id: str) -> None:
    row = {"store_id": "eu", "external_id": external_id, "tag": "VIP", "segment": "vip", "apply_id": "A0"}
    seed.put(tables.LedgerEntry, entry_id=seed.new_id(), added_at=ago(1), confirmed_at=ago(1), **row)


def _change(external_id: str, action: TagAction = TagAction.ADD) -> PlannedChange:
    return PlannedChange(
        store_id="eu", external_id=external_id, profile_id="P1", action=action, tag="VIP", segment="vip"
    )


def _row(external_id: str, profile_id: str, **flags: bool) -> AccountTag:
    standard = {"is_wanted": True, "is_known": False, "is_ours": False}
    return AccountTag(
        store_id="eu",
        external_id=external_id,
        profile_id=profile_id,
        segment="vip",
        tag="VIP",
        **{**standard, **flags},
    )


def _sent(tags: Tags, change: PlannedChange, state: str, apply_id: str = "A1") -> str:
    tags.enqueue(apply_id, [change])
    (item,) = tags.due("eu", 10)
    tags.mark_sending([item.outbox_id])
    tags.settle([Settled(outbox_id=item.outbox_id, state=state)])
    return item.outbox_id


def test_outlook_holds_what_might_change(seed: Seed, tags: Tags) -> None:
    """Wanted and unknown, or ours and unwanted accounts are told; all others are left out."""
    for profile_id in ("P1", "P2", "P3", "P4", "P5"):
        seed.profile(profile_id)
        seed.account(profile_id, profile_id[1:])
    seed.account("P1", "10")
    seed.contact("P1", "order", "77")
    for profile_id in ("P1", "P2"):
        _member(seed, profile_id)
    _known(seed, "2")
    _known(seed, "10", is_present=False)
    _known(seed, "3")
    _ours(seed, "3")
    _known(seed, "4")

    found = list(tags.account_tags([WISH]))

    assert found == [
        _row("1", "P1"),
        _row("10", "P1"),
        _row("3", "P3", is_wanted=False, is_known=True, is_ours=True),
    ]


def test_outlook_leaves_out_accounts_that_are_gone(seed: Seed, tags: Tags) -> None:
    """A deleted account, or a membership that has ended, wants nothing."""
    seed.profile("P1")
    seed.account("P1", "1", deleted_at=START)
    _member(seed, "P1")
    seed.profile("P2")
    seed.account("P2", "2")
    seed.put(tables.Membership, membership_id="M9", segment="vip", profile_id="P2", entered_at=ago(9), left_at=ago(1))

    assert list(tags.account_tags([WISH])) == []


def test_outlook_tells_what_a_plan_decides_by(seed: Seed, tags: Tags) -> None:
    """Pending changes, a no to e-mail, open reviews and tags that staff removed are told with the account."""
    for number in "1234":
        seed.profile(f"P{number}")
        seed.account(f"P{number}", number)
        _member(seed, f"P{number}")
    tags.enqueue("A1", [_change("1")])
    seed.put(tables.FactsRow, profile_id="P2", email_consent="no", computed_at=START)
    (contact,) = seed.rows(tables.ContactRow, profile_id="P3")
    seed.put(
        tables.JudgementRow,
        judgement_id="J1",
        left_id=contact.contact_id,
        right_id="ID999999",
        verdict="unsure",
        rule="name",
        score=0.5,
        origin="auto",
        created_at=START,
    )
    _ours(seed, "4")

    found = list(tags.account_tags([WISH]))

    assert found == [
        _row("1", "P1", is_pending=True),
        _row("2", "P2", is_consenting=False),
        _row("3", "P3", has_open_review=True),
        _row("4", "P4", is_ours=True),
    ]


def test_a_tag_stays_while_any_segment_wants_it(seed: Seed, tags: Tags) -> None:
    """Two segments with one tag on one store are asked as one."""
    seed.profile("P1")
    seed.account("P1", "1")
    _member(seed, "P1", "loyal")
    _known(seed, "1")
    _ours(seed, "1")

    both = list(tags.account_tags([WISH, TagWish(segment="loyal", tag="VIP", store_id="eu")]))
    alone = list(tags.account_tags([WISH]))

    assert both == []
    assert alone == [_row("1", "P1", is_wanted=False, is_known=True, is_ours=True)]


def test_reach(seed: Seed, tags: Tags) -> None:
    """Reach counts people: members, those with an account on the store, those tagged already."""
    for number in "123":
        seed.profile(f"P{number}")
        _member(seed, f"P{number}")
    seed.account("P1", "1")
    seed.account("P1", "11")
    seed.account("P2", "2")
    _known(seed, "2")

    found = tags.reach([WISH, TagWish(segment="none", tag="VIP", store_id="eu")])

    assert found == [
        Reach(segment="vip", store_id="eu", members=3, with_account=2, tagged=1),
        Reach(segment="none", store_id="eu", members=0, with_account=0, tagged=0),
    ]
    assert tags.accounts_count("eu") == 3


def test_reachable_counts_people_once(seed: Seed, tags: Tags) -> None:
    """A member with accounts on two stores is one; one with none on the stores asked is not counted."""
    seed.store("us", "shopify")
    for number in "123":
        seed.profile(f"P{number}")
        _member(seed, f"P{number}")
    seed.account("P1", "1")
    seed.account("P1", "1", "us")
    seed.account("P2", "2", "us")

    assert tags.reachable("vip", ["eu", "us"]) == 2
    assert tags.reachable("vip", ["eu"]) == 1
    assert tags.reachable("vip", []) == 0


def test_owned_tags_outlive_their_wish(seed: Seed, tags: Tags) -> None:
    """What we put on accounts is told whoever wishes for it now, so that it can be taken off again."""
    _ours(seed, "1")
    _ours(seed, "2")
    tags.enqueue("A1", [_change("3")])

    assert tags.owned() == [WISH]


def test_a_tag_that_nobody_wants_is_to_be_removed(seed: Seed, tags: Tags) -> None:
    """A wish for no segment finds what is ours, with the segment that it was put there for."""
    seed.profile("P1")
    seed.account("P1", "1")
    _member(seed, "P1")
    _known(seed, "1")
    _ours(seed, "1")

    found = list(tags.account_tags([TagWish(segment="", tag="VIP", store_id="eu")]))

    assert found == [_row("1", "P1", is_wanted=False, is_known=True, is_ours=True)]


def test_enqueue_checks_each_precondition_again(seed: Seed, tags: Tags) -> None:
    """What changed since the plan was made is left out; additions are in the ledger before they are sent."""
    _known(seed, "2")
    _known(seed, "3")
    _ours(seed, "3")
    _known(seed, "4")
    plan = [_change("1"), _change("2"), *(_change(number, TagAction.REMOVE) for number in "345")]

    first = tags.enqueue("A1", plan)
    second = tags.enqueue("A2", plan)

    assert (first, second) == (2, 0)
    assert [(item.change, item.state, item.apply_id) for item in tags.due("eu", 10)] == [
        (_change("1"), "planned", "A1"),
        (_change("3", TagAction.REMOVE), "planned", "A1"),
    ]
    assert [row.confirmed_at for row in seed.rows(tables.LedgerEntry, apply_id="A1")] == [None]


def test_one_account_is_enqueued_once(tags: Tags) -> None:
    """A plan that names an account twice for one tag makes one change."""
    assert tags.enqueue("A1", [_change("1"), _change("1")]) == 1


def test_confirmed_addition_is_known_and_ours(seed: Seed, tags: Tags) -> None:
    """A confirmed addition becomes a known tag, and from then on a removal of it is allowed."""
    _sent(tags, _change("1"), "confirmed")

    (known,) = seed.rows(tables.TagState)
    (entry,) = seed.rows(tables.LedgerEntry)
    assert (known.is_present, known.known_at) == (True, START)
    assert (entry.confirmed_at, entry.removed_at) == (START, None)
    assert tags.enqueue("A2", [_change("1", TagAction.REMOVE)]) == 1


def test_confirmed_removal_closes_the_ledger(seed: Seed, tags: Tags) -> None:
    """A confirmed removal makes the tag unknown and no longer ours."""
    _known(seed, "1")
    _ours(seed, "1")

    _sent(tags, _change("1", TagAction.REMOVE), "confirmed")

    assert [row.is_present for row in seed.rows(tables.TagState)] == [False]
    assert [row.removed_at for row in seed.rows(tables.LedgerEntry)] == [START]


def test_rejected_addition_is_not_ours(seed: Seed, tags: Tags) -> None:
    """A refused addition closes its ledger entry and may be planned again."""
    _sent(tags, _change("1"), "rejected")

    assert [row.removed_at for row in seed.rows(tables.LedgerEntry)] == [START]
    assert seed.rows(tables.TagState) == []
    assert tags.enqueue("A2", [_change("1")]) == 1


def test_sent_addition_is_ours_and_pending(seed: Seed, tags: Tags) -> None:
    """What was sent but not confirmed counts as ours, and nothing else is planned there."""
    seed.profile("P1")
    seed.account("P1", "1")
    _member(seed, "P1")

    _sent(tags, _change("1"), "sent")

    assert list(tags.account_tags([WISH])) == [_row("1", "P1", is_ours=True, is_pending=True)]


def test_waiting_changes_come_due(tags: Tags, clock: ManualClock) -> None:
    """A change that waits is due again at its time, and its attempts are counted."""
    tags.enqueue("A1", [_change("1")])
    (item,) = tags.due("eu", 10)
    tags.mark_sending([item.outbox_id])
    later = clock.now() + timedelta(minutes=5)
    tags.settle([Settled(outbox_id=item.outbox_id, state="waiting", reason="slow down", not_before=later)])

    early = tags.due("eu", 10)
    clock.advance(300)
    due = tags.due("eu", 10)

    assert early == []
    assert [(again.state, again.attempts, again.reason) for again in due] == [("waiting", 1, "slow down")]
    assert tags.due("us", 10) == []


def test_cut_off_changes_are_unsettled(tags: Tags) -> None:
    """A change that was being sent when the process died is to be read back, not sent again."""
    tags.enqueue("A1", [_change("1"), _change("2")])
    first, _ = tags.due("eu", 10)
    tags.mark_sending([first.outbox_id])

    assert [item.outbox_id for item in tags.unsettled("eu")] == [first.outbox_id]
    assert len(tags.due("eu", 1)) == 1
    assert tags.unsettled("us") == []


@pytest.mark.parametrize("state", sorted(TRANSITIONS))
def test_illegal_transitions_change_nothing(seed: Seed, tags: Tags, state: str) -> None:
    """From every state, only the table's transitions are taken; the others raise and leave the row alone."""
    row = {"store_id": "eu", "external_id": "1", "profile_id": "P1", "action": "add", "tag": "VIP", "segment": "vip"}
    seed.put(tables.OutboxRow, outbox_id="O1", apply_id="A1", state=state, created_at=START, updated_at=START, **row)

    for target in sorted(set(TRANSITIONS) - TRANSITIONS[state]):
        with pytest.raises(LockHeld, match=f"is {state} and cannot become {target}"):
            tags.settle([Settled(outbox_id="O1", state=target)])

    assert [row.state for row in seed.rows(tables.OutboxRow)] == [state]


def test_a_batch_settles_whole_or_not_at_all(seed: Seed, tags: Tags) -> None:
    """One row that cannot move keeps the others of its batch where they are."""
    tags.enqueue("A1", [_change("1")])
    (item,) = tags.due("eu", 10)
    tags.mark_sending([item.outbox_id])

    with pytest.raises(LockHeld, match="is gone"):
        tags.settle([Settled(outbox_id=item.outbox_id, state="confirmed"), Settled(outbox_id="X", state="confirmed")])

    assert [row.state for row in seed.rows(tables.OutboxRow)] == ["sending"]
    assert seed.rows(tables.TagState) == []


def test_read_back_never_undoes_newer_knowledge(seed: Seed, tags: Tags) -> None:
    """Tags seen on an account are known, missing ones are gone, except what was learnt later."""
    _known(seed, "1", "OLD")
    seed.put(tables.TagState, store_id="eu", external_id="1", tag="LATER", is_present=True, known_at=START)

    tags.see_tags("eu", "1", ["NEW"], ago(0.5))

    found = {row.tag: (row.is_present, row.known_at) for row in seed.rows(tables.TagState)}
    assert found == {"OLD": (False, ago(0.5)), "LATER": (True, START), "NEW": (True, ago(0.5))}
