"""Checks of pushes: each change has its result, does what it says and nothing else, and may be repeated."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.connectors.base import PushOutcome
from syncd.errors import RequestRefused, RetryLater, StopStore
from syncd.model import Customer, PlatformChange, Stream, TagAction
from syncd.testing.base import DONE, Checks, Subject


class PushChecks(Checks):
    """Tag changes."""

    def test_pushed_tag_is_read_back(self, subject: Subject) -> None:
        """A tag that was applied is on the account at the next pull, whoever asks."""
        account = min(subject.ids[Stream.CUSTOMERS])

        results = subject.restarted.push([subject.change(account, "VIP")])

        assert results[0].outcome in DONE
        assert "VIP" in subject.tags(account)

    def test_removed_tag_is_gone(self, subject: Subject) -> None:
        """A tag that was added and removed is not on the account any more."""
        account = min(subject.ids[Stream.CUSTOMERS])
        subject.connector.push([subject.change(account, "VIP")])

        results = subject.connector.push([subject.change(account, "VIP", TagAction.REMOVE)])

        assert results[0].outcome in DONE
        assert "VIP" not in subject.tags(account)

    def test_pushing_twice_is_harmless(self, subject: Subject) -> None:
        """The same addition again succeeds and leaves one tag."""
        change = subject.change(min(subject.ids[Stream.CUSTOMERS]), "VIP")
        subject.connector.push([change])

        again = subject.connector.push([change])

        assert again[0].outcome in DONE
        assert subject.tags(change.external_id).count("VIP") == 1

    def test_removing_what_is_not_there_is_harmless(self, subject: Subject) -> None:
        """Removing a tag that the account does not have succeeds."""
        change = subject.change(min(subject.ids[Stream.CUSTOMERS]), "Never there", TagAction.REMOVE)

        assert subject.connector.push([change])[0].outcome in DONE

    def test_other_tags_survive(self, subject: Subject) -> None:
        """A change, an addition or a removal, touches its own tag only."""
        account = min(subject.ids[Stream.CUSTOMERS])
        for tag in ("First", "Second"):
            subject.connector.push([subject.change(account, tag)])

        subject.connector.push([subject.change(account, "First", TagAction.REMOVE)])
        subject.connector.push([subject.change(account, "Third")])

        assert {"Second", "Third"} <= set(subject.tags(account))
        assert "First" not in subject.tags(account)

    def test_one_batch_adds_and_removes(self, subject: Subject) -> None:
        """Changes of both kinds to several accounts each reach their own."""
        left, right = sorted(subject.ids[Stream.CUSTOMERS])[:2]
        subject.connector.push([subject.change(left, "Old")])

        changes = [
            subject.change(left, "Old", TagAction.REMOVE),
            subject.change(right, "New"),
            subject.change(left, "Kept"),
        ]
        results = subject.connector.push(changes)

        assert [result.outcome in DONE for result in results] == [True] * 3
        ours = {"Old", "New", "Kept"}
        assert (ours & set(subject.tags(left)), ours & set(subject.tags(right))) == ({"Kept"}, {"New"})

    def test_push_leaves_the_rest_of_the_account_alone(self, subject: Subject) -> None:
        """But for tags and update time, the account is what it was."""
        account = min(subject.ids[Stream.CUSTOMERS])
        before = subject.customer(account)

        subject.connector.push([subject.change(account, "VIP")])

        after = subject.customer(account)
        assert _without(before, "tags", "updated_at") == _without(after, "tags", "updated_at")

    def test_each_change_has_its_own_result_in_order(self, subject: Subject) -> None:
        """Among good changes, the one to an account that is gone is rejected in its place, with a reason."""
        gone, *kept = sorted(subject.ids[Stream.CUSTOMERS])[:4]
        subject.hand.remove(Stream.CUSTOMERS, gone)

        results = subject.connector.push([subject.change(account, "VIP") for account in (kept[0], gone, *kept[1:])])

        assert [result.outcome in DONE for result in results] == [True, False, True, True]
        assert results[1].outcome is PushOutcome.REJECTED
        assert results[1].reason

    def test_a_full_batch_is_taken(self, subject: Subject) -> None:
        """As many changes as the capabilities say go in one call."""
        changes = _batch(subject, subject.connector.capabilities.largest_push_batch)

        results = subject.connector.push(changes)

        assert len(results) == len(changes)
        assert {result.outcome for result in results} <= DONE

    def test_a_larger_batch_is_refused_whole(self, subject: Subject) -> None:
        """More changes than the capabilities say are refused before anything is written."""
        account = min(subject.ids[Stream.CUSTOMERS])
        change = subject.change(account, "VIP")

        with pytest.raises(RequestRefused):
            subject.connector.push([change] * (subject.connector.capabilities.largest_push_batch + 1))

        assert "VIP" not in subject.tags(account)

    def test_no_changes_give_no_results(self, subject: Subject) -> None:
        """An empty batch is nothing to do."""
        assert list(subject.connector.push([])) == []

    def test_a_throttled_push_is_to_be_repeated(self, subject: Subject) -> None:
        """A platform that asks for a pause has taken nothing: the batch, or each change of it, is for later."""
        account = min(subject.ids[Stream.CUSTOMERS])
        subject.hand.throttle_next()

        assert _is_put_off(subject, [subject.change(account, "VIP")])

        subject.hand.mend()
        assert "VIP" not in subject.tags(account)

    def test_a_refused_push_is_told(self, subject: Subject) -> None:
        """A key that is refused stops the batch, and nothing of it counts as written."""
        account = min(subject.ids[Stream.CUSTOMERS])
        subject.hand.break_next()

        with pytest.raises(StopStore):
            subject.connector.push([subject.change(account, "VIP")])

        subject.hand.mend()
        assert "VIP" not in subject.tags(account)

    def test_the_longest_tag_is_taken(self, subject: Subject) -> None:
        """A tag as long as the capabilities say is stored whole."""
        account = min(subject.ids[Stream.CUSTOMERS])
        tag = "T" * subject.connector.capabilities.longest_tag

        results = subject.connector.push([subject.change(account, tag)])

        assert results[0].outcome in DONE
        assert tag in subject.tags(account)

    def test_tags_of_any_script_survive(self, subject: Subject) -> None:
        """A tag comes back as it was written, whatever its letters."""
        account = min(subject.ids[Stream.CUSTOMERS])

        subject.connector.push([subject.change(account, "Ünïcødé 客户 & <ok>")])

        assert "Ünïcødé 客户 & <ok>" in subject.tags(account)


def _batch(subject: Subject, count: int) -> list[PlatformChange]:
    """So many different additions, over all accounts."""
    accounts = sorted(subject.ids[Stream.CUSTOMERS])
    return [
        subject.change(accounts[number % len(accounts)], f"Tag {number // len(accounts)}") for number in range(count)
    ]


def _is_put_off(subject: Subject, changes: list[PlatformChange]) -> bool:
    try:
        results = subject.connector.push(changes)
    except RetryLater:
        return True
    return [result.outcome for result in results] == [PushOutcome.RETRY] * len(changes)


def _without(customer: Customer, *names: str) -> dict[str, Any]:
    return {name: getattr(customer, name) for name in customer.__slots__ if name not in names}
