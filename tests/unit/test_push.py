"""The rules of a push without a database or a platform: what is due, what the brake says, what a plan file holds."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from syncd.condition import IsTrue, Term
from syncd.connectors.config import BrakeConfig
from syncd.errors import BrakeTripped, ConfigInvalid
from syncd.model import TagAction
from syncd.push import Brake, Held, HeldGroup, Plan, check_brakes, decide, load, save, to_document
from syncd.push.brake import measure
from syncd.segments import Segment
from syncd.store.types import AccountTag, PlannedChange, Reach

ADD, REMOVE = TagAction.ADD, TagAction.REMOVE
CONDITION = IsTrue(term=Term(name="can_email"))
LEAVE = Segment(name="vip", when="can_email", condition=CONDITION, tag="VIP")
RESTORE = Segment(name="vip", when="can_email", condition=CONDITION, tag="VIP", if_staff_removes_tag="restore")
NEEDS_CONSENT = Segment(name="vip", when="can_email", condition=CONDITION, tag="VIP", needs_consent="email")
POLICIES = (LEAVE, RESTORE, NEEDS_CONSENT, None)
AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


def row(**claims: bool) -> AccountTag:
    plain = {"is_wanted": False, "is_known": False, "is_ours": False}
    return AccountTag(store_id="eu", external_id="7", profile_id="p", segment="vip", tag="VIP", **plain | claims)


def change(action: TagAction = ADD, external_id: str = "7", store_id: str = "eu") -> PlannedChange:
    return PlannedChange(
        store_id=store_id, external_id=external_id, profile_id="p", action=action, tag="VIP", segment="vip"
    )


def outcome(account: AccountTag, segment: Segment | None) -> str | None:
    verdict = decide(account, segment)
    if isinstance(verdict, Held):
        return "held"
    return verdict.action.value if verdict else None


@pytest.mark.parametrize(
    ("is_wanted", "is_known", "is_ours", "leave", "restore"),
    [
        (True, True, True, None, None),
        (True, True, False, None, None),
        (True, False, True, "held", "add"),
        (True, False, False, "add", "add"),
        (False, True, True, "remove", "remove"),
        (False, True, False, None, None),
        (False, False, True, None, None),
        (False, False, False, None, None),
    ],
)
def test_what_is_due_follows_from_three_claims(
    is_wanted: bool, is_known: bool, is_ours: bool, leave: str | None, restore: str | None
) -> None:
    """Wanted, known and ours decide; staff's removal is left or mended as the segment says."""
    account = row(is_wanted=is_wanted, is_known=is_known, is_ours=is_ours)

    assert outcome(account, LEAVE) == leave
    assert outcome(account, RESTORE) == restore


@pytest.mark.parametrize("segment", POLICIES)
@pytest.mark.parametrize("claims", list(itertools.product((False, True), repeat=6)))
def test_no_combination_breaks_the_rules(claims: tuple[bool, ...], segment: Segment | None) -> None:
    """Over the whole truth table: ours alone is removed, what is so already is no change, doubt holds back."""
    names = ("is_wanted", "is_known", "is_ours", "is_pending", "is_consenting", "has_open_review")
    account = row(**dict(zip(names, claims, strict=True)))

    found = outcome(account, segment)

    if found == "remove":
        assert account.is_ours
        assert account.is_known
        assert not account.is_wanted
    if found == "add":
        assert account.is_wanted
        assert not account.is_known
        assert segment is not NEEDS_CONSENT or account.is_consenting
        assert segment is RESTORE or not account.is_ours
    if account.is_wanted == account.is_known:
        assert found is None or (found == "remove") is not account.is_wanted
    if account.is_pending or account.has_open_review:
        assert found in ("held", None)


@pytest.mark.parametrize("known", [True, False])
def test_a_change_names_account_profile_and_segment(known: bool) -> None:
    """What is planned carries all that delivery and explanation need."""
    verdict = decide(row(is_wanted=not known, is_known=known, is_ours=known), LEAVE)

    assert verdict == change(REMOVE if known else ADD)


@pytest.mark.parametrize(
    ("account", "segment", "words"),
    [
        (row(is_wanted=True, is_pending=True), LEAVE, "on its way"),
        (row(is_wanted=True, has_open_review=True), LEAVE, "open review"),
        (row(is_known=True, is_ours=True, has_open_review=True), LEAVE, "open review"),
        (row(is_wanted=True, is_consenting=False), NEEDS_CONSENT, "said no"),
        (row(is_wanted=True, is_ours=True), LEAVE, "staff took the tag off"),
    ],
)
def test_what_is_held_says_why(account: AccountTag, segment: Segment, words: str) -> None:
    """Each reason to hold a change back has its own words."""
    verdict = decide(account, segment)

    assert isinstance(verdict, Held)
    assert words in verdict.reason


def test_consent_does_not_stop_a_removal() -> None:
    """Who says no to e-mail does not keep a tag that the segment no longer wants."""
    account = row(is_known=True, is_ours=True, is_consenting=False)

    assert outcome(account, NEEDS_CONSENT) == "remove"


@pytest.mark.parametrize(
    ("customers", "accounts", "words"),
    [
        (10, 100, ""),
        (11, 1000, "more than brake.max_customers 10"),
        (5, 25, ""),
        (6, 25, "6 of 25 customers would change, more than brake.max_percent 20"),
        (1, 0, "brake.max_percent"),
        (0, 0, ""),
    ],
)
def test_the_brake_trips_just_past_its_limits(customers: int, accounts: int, words: str) -> None:
    """At the limit a plan may go, one customer or part of a percent more and it waits."""
    limits = BrakeConfig(max_customers=10, max_percent=20)
    brake = Brake(store_id="eu", customers=customers, accounts=accounts, limits=limits)

    assert brake.is_tripped is bool(words)
    assert words in brake.reason


def test_the_brake_counts_customers_not_changes() -> None:
    """Two tags on one account are one customer; each store is measured by itself."""
    changes = [change(), change(REMOVE), change(external_id="8"), change(store_id="us")]
    limits = dict.fromkeys(("eu", "us"), BrakeConfig())

    brakes = measure(changes, {"eu": 50, "us": 4}, limits)

    assert [(brake.store_id, brake.customers, brake.is_tripped) for brake in brakes] == [
        ("eu", 2, False),
        ("us", 1, True),
    ]


def test_a_tripped_brake_names_the_command_that_approves() -> None:
    """The message says what is too much, that nothing was written, and what to do."""
    brakes = (
        Brake(store_id="eu", customers=30, accounts=40, limits=BrakeConfig()),
        Brake(store_id="us", customers=2, accounts=900, limits=BrakeConfig()),
    )

    with pytest.raises(BrakeTripped) as caught:
        check_brakes(brakes)

    assert "eu: 30 of 40 customers" in str(caught.value)
    assert "Nothing was written" in str(caught.value)
    assert "`syncd apply --approve 32`" in str(caught.value)


@pytest.mark.parametrize(("approved", "is_let_go"), [(31, False), (32, True), (33, True)])
def test_an_approval_is_good_for_so_many_customers(approved: int, is_let_go: bool) -> None:
    """What grew past the approval after it was given waits again."""
    brakes = (Brake(store_id="eu", customers=32, accounts=40, limits=BrakeConfig()),)

    if is_let_go:
        check_brakes(brakes, approved)
    else:
        with pytest.raises(BrakeTripped):
            check_brakes(brakes, approved)


def a_plan() -> Plan:
    return Plan(
        merchant="acme",
        created_at=AT,
        changes=(change(), change(REMOVE, "8")),
        held=(HeldGroup(store_id="eu", segment="vip", tag="VIP", reason="because", count=3),),
        reach=(Reach(segment="vip", store_id="eu", members=9, with_account=5, tagged=1),),
        brakes=(Brake(store_id="eu", customers=2, accounts=4, limits=BrakeConfig()),),
        notes=("us: push.mode is off, nothing is planned",),
    )


def test_a_plan_is_one_document() -> None:
    """Programs find every change with its store, account, action, tag and segment, and what explains them."""
    document = to_document(a_plan())

    assert document["total"] == 2
    assert document["changes"][0] == {  # type: ignore[index]
        "store": "eu",
        "external_id": "7",
        "profile_id": "p",
        "action": "add",
        "tag": "VIP",
        "segment": "vip",
    }
    assert document["held"] == [{"store": "eu", "segment": "vip", "tag": "VIP", "reason": "because", "count": 3}]
    assert document["reach"] == [
        {
            "segment": "vip",
            "store": "eu",
            "members": 9,
            "with_account": 5,
            "without_account": 4,
            "tagged": 1,
            "changes": 2,
        }
    ]


def test_a_saved_plan_loads_as_the_same_changes(tmp_path: Path) -> None:
    """What is done later is what was looked at, and nobody else can read whom it names."""
    path = tmp_path / "plan.json"

    save(a_plan(), path)
    loaded = load(path, "acme")

    assert (loaded.changes, loaded.created_at) == (a_plan().changes, AT)
    assert path.stat().st_mode & 0o077 == 0


def test_another_merchants_plan_is_refused(tmp_path: Path) -> None:
    """A plan made with another config touches other people's accounts."""
    path = tmp_path / "plan.json"
    save(a_plan(), path)

    with pytest.raises(ConfigInvalid, match=r"'acme'.*'other'"):
        load(path, "other")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda document: document | {"version": 2}, "version"),
        (lambda document: document | {"changes": [{"store": "eu"}]}, "changes"),
        (lambda document: document | {"created_at": "2026-01-31T12:00:00"}, "created_at"),
        (lambda document: {}, "version"),
        (lambda document: [], "the document"),
    ],
)
def test_what_is_no_plan_is_refused_in_words(spoil: object, words: str, tmp_path: Path) -> None:
    """The message names the file, the place in it and how to make a new one."""
    path = tmp_path / "plan.json"
    path.write_bytes(orjson.dumps(spoil(to_document(a_plan()))))  # type: ignore[operator]

    with pytest.raises(ConfigInvalid) as caught:
        load(path, "acme")

    assert f"{path} is no plan that this version can do: {words}" in str(caught.value)
    assert "syncd plan -o" in str(caught.value)


def test_a_cut_plan_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    """Half a document is no smaller plan."""
    path = tmp_path / "plan.json"
    save(a_plan(), path)
    path.write_bytes(path.read_bytes()[:-40])

    with pytest.raises(ConfigInvalid, match="is no plan"):
        load(path, "acme")
    with pytest.raises(ConfigInvalid, match="cannot be read"):
        load(tmp_path / "nowhere.json", "acme")
