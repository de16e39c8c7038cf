"""People: profiles that keep their ids through merges, splits, replays and deletions."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.errors import ConfigInvalid
from syncd.model import Cart, Customer, Identifier, IdentifierKind, IdentityCase, Order, Resolution, Stream, Verdict
from syncd.store import Database
from syncd.store.contacts import identifiers, judgements, shared_identifiers
from syncd.store.engine import upsert
from syncd.store.grouping import profile_events, profiles, touched_profiles
from tests.clock import START, ManualClock
from tests.unit.store.kit import SameMailbox, Worker, count, engines_of, groups, people, rows

LATER = START + timedelta(minutes=5)

Walks = Callable[..., Worker]


@pytest.fixture
def walk(database: Database, clock: ManualClock) -> Walks:
    """Begins a walk of a stream of a store."""

    def begin(stream: Stream, store: str = "shop") -> Worker:
        return Worker(database, clock, stream, store=store, owner=f"{store}-{stream}")

    return begin


def tombstones(url: str) -> dict[str, str]:
    """Merged profiles and where each went."""
    return {str(row["profile_id"]): str(row["merged_into"]) for row in rows(url, profiles) if row["merged_into"]}


def live_judgements(url: str) -> int:
    """How many judgements are in force."""
    return sum(row["superseded_at"] is None for row in rows(url, judgements))


def events(url: str, profile_id: str) -> list[str]:
    """What happened to a profile, in order."""
    return [str(row["kind"]) for row in rows(url, profile_events) if row["profile_id"] == profile_id]


def touched(database: Database, url: str) -> set[str]:
    """The profiles on the touched list."""
    return {str(row["profile_id"]) for row in rows(url, touched_profiles)}


def clear_touched(url: str) -> None:
    """Empty the touched list, as deriving does."""
    with engines_of(url) as engines, engines.write() as connection:
        connection.execute(touched_profiles.delete())


def judge_by_hand(url: str, left: str, right: str, verdict: Verdict) -> None:
    """A judgement by a person over two contacts, given by contact id."""
    first, second = sorted((left, right))
    row = {
        "judgement_id": f"hand-{first}",
        "left_id": first,
        "right_id": second,
        "verdict": verdict.value,
        "rule": "by hand",
        "score": 1.0,
        "evidence": "[]",
        "origin": "manual",
        "actor": "me",
        "created_at": START,
    }
    with engines_of(url) as engines, engines.write() as connection:
        upsert(connection, judgements, [row])


def test_contacts_of_one_person_become_one_profile(walk: Walks, database: Database) -> None:
    """An account, a guest order and a cart of two stores with one mailbox are one person."""
    walk(Stream.CUSTOMERS).page(Customer(external_id="1", email="a@x"), Customer(external_id="2", email="b@x"))
    walk(Stream.ORDERS, "other").page(Order(external_id="7", email="a@x"))
    walk(Stream.CARTS).page(Cart(external_id="9", email="a@x"))

    assert groups(database) == {frozenset({"account 1", "order 7", "cart 9"}), frozenset({"account 2"})}


def test_a_contact_without_identifiers_is_somebody(walk: Walks, database: Database) -> None:
    """A contact that shares nothing is a person of its own."""
    walk(Stream.CUSTOMERS).page(
        Customer(external_id="1", first_name="Ann"), Customer(external_id="2", first_name="Ann")
    )

    assert (database.people.contact_count(), database.people.profile_count()) == (2, 2)


def test_an_accounts_order_makes_no_contact(walk: Walks, database: Database) -> None:
    """An order of an account belongs to its account."""
    walk(Stream.ORDERS).page(Order(external_id="7", customer_id="1", email="a@x"))

    assert database.people.contact_count() == 0


def test_a_merge_keeps_the_older_id_and_leaves_a_tombstone(walk: Walks, database: Database, database_url: str) -> None:
    """A contact that joins two profiles gives both the older one's id; the other id still leads there."""
    customers = walk(Stream.CUSTOMERS)
    customers.page(Customer(external_id="1", email="a@x", updated_at=START))
    customers.page(Customer(external_id="2", email="b@x", updated_at=START))
    older, younger = people(database)["account 1"], people(database)["account 2"]

    customers.page(Customer(external_id="2", email="a@x", updated_at=LATER))

    assert set(people(database).values()) == {older}
    assert tombstones(database_url) == {younger: older}
    found = database.people.profile(younger)
    assert found is not None
    assert found.profile_id == older
    assert "merged" in events(database_url, older)


def test_a_split_gives_both_parts_their_ids_back(walk: Walks, database: Database, database_url: str) -> None:
    """After merge and split everything is as before: the ids, no tombstone, no judgement in force."""
    customers = walk(Stream.CUSTOMERS)
    customers.page(Customer(external_id="1", email="a@x"), Customer(external_id="2", email="b@x", updated_at=START))
    before = people(database)
    customers.page(Customer(external_id="2", email="a@x", updated_at=LATER))

    customers.page(Customer(external_id="2", email="b@x", updated_at=LATER + timedelta(minutes=1)))

    assert people(database) == before
    assert tombstones(database_url) == {}
    assert live_judgements(database_url) == 0
    assert count(database_url, judgements) == 1
    assert "split" in events(database_url, before["account 1"])


def test_a_judgement_keeps_its_evidence(walk: Walks, database: Database) -> None:
    """A profile shows why its contacts are one person."""
    walk(Stream.CUSTOMERS).page(Customer(external_id="1", email="a@x"), Customer(external_id="2", email="a@x"))

    view = database.people.profile(people(database)["account 1"])

    assert view is not None
    assert [(item.rule, item.evidence[0].value, item.origin) for item in view.judgements] == [
        ("same value", "a@x", "auto")
    ]


def test_a_replay_changes_no_id_and_no_judgement(walk: Walks, database: Database, database_url: str) -> None:
    """The same records under new content leave profiles and judgements as they are."""
    customers = walk(Stream.CUSTOMERS)
    customers.page(*(Customer(external_id=str(key), email=f"{key % 3}@x", updated_at=START) for key in range(9)))
    before = (people(database), rows(database_url, judgements), count(database_url, profile_events))

    customers.page(
        *(Customer(external_id=str(key), email=f"{key % 3}@x", locale="de", updated_at=LATER) for key in range(9))
    )

    assert (people(database), rows(database_url, judgements), count(database_url, profile_events)) == before


def test_an_unchanged_contact_asks_nobody(walk: Walks, resolver: SameMailbox) -> None:
    """A change that is none of identity's business brings up no case."""
    customers = walk(Stream.CUSTOMERS)
    customers.page(Customer(external_id="1", email="a@x", updated_at=START))
    asked = len(resolver.cases)

    customers.page(Customer(external_id="1", email="a@x", role="vip", updated_at=LATER))

    assert len(resolver.cases) == asked


def test_a_case_is_closed(walk: Walks, resolver: SameMailbox) -> None:
    """With a contact come, over several steps, all that it is connected to, and nobody else."""
    customers = walk(Stream.CUSTOMERS)
    customers.page(Customer(external_id="1", email="a@x"), Customer(external_id="9", email="z@x"))
    orders = walk(Stream.ORDERS)
    orders.page(Order(external_id="2", email="a@x"), Order(external_id="3", email="a@x"))

    orders.page(Order(external_id="4", email="a@x"))

    assert [contact.key.external_id for contact in resolver.cases[-1].contacts] == ["1", "2", "3", "4"]


def test_a_shared_value_is_learned_and_joins_nobody(
    walk: Walks, database: Database, database_url: str, resolver: SameMailbox
) -> None:
    """Past its limit a value parts those that it had joined, and later carriers do not bring up the crowd."""
    resolver.shared_past = 3
    customers = walk(Stream.CUSTOMERS)
    for key in range(4):
        customers.page(Customer(external_id=str(key), email="shop@x"))

    customers.page(Customer(external_id="4", email="shop@x"))

    assert database.people.profile_count() == 5
    assert [row["value"] for row in rows(database_url, shared_identifiers)] == ["shop@x"]
    assert live_judgements(database_url) == 0
    assert len(resolver.cases[-1].contacts) == 1


def test_what_a_contact_lets_go_of_is_looked_at_again(database_url: str, clock: ManualClock) -> None:
    """When the third carrier of a value goes elsewhere, the two that are left are judged anew."""

    class AtMostTwo(SameMailbox):
        def judge(self, case: IdentityCase) -> Resolution:
            answer = super().judge(case)
            if max(len(group) for group in answer.groups) <= 2:
                return answer
            unsure = tuple(replace(judgement, verdict=Verdict.UNSURE) for judgement in answer.judgements)
            return Resolution(judgements=unsure, groups=tuple((contact.key,) for contact in case.contacts))

    with Database.open(database_url, merchant="acme", clock=clock, resolver=AtMostTwo()) as database:
        customers = Worker(database, clock, Stream.CUSTOMERS)
        customers.page(*(Customer(external_id=key, email="a@x", updated_at=START) for key in "123"))
        apart = database.people.profile_count()
        customers.page(Customer(external_id="3", email="b@x", updated_at=LATER))

        assert apart == 3
        assert groups(database) == {frozenset({"account 1", "account 2"}), frozenset({"account 3"})}
        assert live_judgements(database_url) == 1


def test_people_joined_by_hand_come_with_the_case(
    walk: Walks, database: Database, database_url: str, resolver: SameMailbox
) -> None:
    """A judgement by a person survives whatever arrives later."""
    customers = walk(Stream.CUSTOMERS)
    customers.page(Customer(external_id="1", email="a@x"), Customer(external_id="2", email="b@x", updated_at=START))
    ids = people(database)
    judge_by_hand(database_url, ids["account 1"], ids["account 2"], Verdict.SAME)

    customers.page(Customer(external_id="2", email="c@x", updated_at=LATER))

    assert groups(database) == {frozenset({"account 1", "account 2"})}
    assert [judgement.rule for judgement in resolver.cases[-1].manual] == ["by hand"]


def test_a_guest_order_claimed_by_an_account_is_no_contact_any_more(
    walk: Walks, database: Database, database_url: str
) -> None:
    """The guest's profile goes into the account's, and its identifiers are let go."""
    orders = walk(Stream.ORDERS)
    orders.page(Order(external_id="7", email="old@x", updated_at=START))
    guest = people(database)["order 7"]
    walk(Stream.CUSTOMERS).page(Customer(external_id="1", email="a@x"))

    orders.page(Order(external_id="7", customer_id="1", email="old@x", updated_at=LATER))

    account = people(database)["account 1"]
    assert groups(database) == {frozenset({"account 1"})}
    assert tombstones(database_url) == {guest: account}
    assert [row["value"] for row in rows(database_url, identifiers)] == ["a@x"]
    assert {guest, account} <= touched(database, database_url)


def test_a_claimed_order_that_opened_a_profile_hands_its_id_on(
    walk: Walks, database: Database, database_url: str
) -> None:
    """When the oldest contact goes, the profile's former id leads to those who stay."""
    orders = walk(Stream.ORDERS)
    orders.page(Order(external_id="7", email="a@x", updated_at=START))
    former = people(database)["order 7"]
    walk(Stream.CUSTOMERS).page(Customer(external_id="1", email="a@x"), Customer(external_id="2", email="a@x"))

    orders.page(Order(external_id="7", customer_id="1", email="a@x", updated_at=LATER))

    remaining = set(people(database).values())
    assert len(remaining) == 1
    assert tombstones(database_url) == {former: remaining.pop()}
    assert live_judgements(database_url) == 1


def test_an_order_given_back_to_a_guest_is_a_contact_again(walk: Walks, database: Database) -> None:
    """A contact that returns has the id that it had."""
    orders = walk(Stream.ORDERS)
    orders.page(Order(external_id="7", email="a@x", updated_at=START))
    before = people(database)
    orders.page(Order(external_id="7", customer_id="1", email="a@x", updated_at=LATER))

    orders.page(Order(external_id="7", email="a@x", updated_at=LATER + timedelta(minutes=1)))

    assert people(database) == before


def test_orders_touch_their_accounts_profile(walk: Walks, database: Database, database_url: str) -> None:
    """An account's order, its cart, and an order taken from it make the account's facts out of date."""
    customers, orders, carts = walk(Stream.CUSTOMERS), walk(Stream.ORDERS), walk(Stream.CARTS)
    customers.page(Customer(external_id="1", email="a@x"), Customer(external_id="2", email="b@x"))
    first, second = people(database)["account 1"], people(database)["account 2"]
    seen = []
    for page in (
        lambda: orders.page(Order(external_id="7", customer_id="1", updated_at=START)),
        lambda: orders.page(Order(external_id="7", customer_id="1", updated_at=START)),
        lambda: orders.page(Order(external_id="7", customer_id="2", updated_at=LATER)),
        lambda: carts.page(Cart(external_id="order:8", customer_id="1")),
        lambda: orders.page(Order(external_id="8", customer_id="2", left_cart="order:8")),
    ):
        clear_touched(database_url)
        page()
        seen.append(touched(database, database_url))

    assert seen == [{first}, set(), {first, second}, {first}, {first, second}]


def test_an_account_that_comes_after_its_order_is_touched(walk: Walks, database: Database, database_url: str) -> None:
    """An order may arrive first: the account's own arrival touches its profile."""
    walk(Stream.ORDERS).page(Order(external_id="7", customer_id="1"))
    walk(Stream.CUSTOMERS).page(Customer(external_id="1", email="a@x"))

    assert touched(database, database_url) == {people(database)["account 1"]}


def test_a_deleted_account_leaves_its_profile(
    walk: Walks, database: Database, database_url: str, clock: ManualClock
) -> None:
    """What a complete walk no longer met is marked deleted, and its person regrouped."""
    customers = walk(Stream.CUSTOMERS)
    kept, gone = Customer(external_id="1", email="a@x"), Customer(external_id="2", email="a@x")
    customers.page(gone, kept)
    customers.finish(delete_missing=True)
    clock.advance(60)

    customers.page(kept)
    deleted = customers.finish(delete_missing=True)

    assert deleted == 1
    assert groups(database) == {frozenset({"account 1"})}
    assert live_judgements(database_url) == 0


def test_a_person_deleted_whole_leaves_no_profile(
    walk: Walks, database: Database, database_url: str, clock: ManualClock
) -> None:
    """The last contact takes the profile's row with it; coming back it has its old id."""
    customers = walk(Stream.CUSTOMERS)
    customers.page(Customer(external_id="1", email="a@x"))
    before = people(database)
    customers.finish()
    clock.advance(60)
    customers.begin()
    customers.finish(delete_missing=True)
    emptied = count(database_url, profiles)

    counts = customers.page(Customer(external_id="1", email="a@x"))

    assert emptied == 0
    assert counts.changed == 1
    assert people(database) == before


def test_pages_of_two_stores_at_once_make_one_person_each(
    database: Database, clock: ManualClock, database_url: str
) -> None:
    """Two stores with the same people, worked at the same time, end with as many profiles as people."""
    workers = [Worker(database, clock, Stream.CUSTOMERS, store=name, owner=name) for name in ("east", "west")]
    for worker in workers:
        worker.begin()
    barrier = threading.Barrier(2)

    def work(worker: Worker) -> None:
        barrier.wait()
        for start in range(0, 40, 8):
            worker.page(*(Customer(external_id=str(key), email=f"{key}@x") for key in range(start, start + 8)))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (database.people.contact_count(), database.people.profile_count()) == (80, 40)


def test_contacts_need_a_resolver(database_url: str, clock: ManualClock) -> None:
    """A database opened only to look at does not store people."""
    with Database.open(database_url, merchant="acme", clock=clock) as database:
        worker = Worker(database, clock, Stream.CUSTOMERS)

        with pytest.raises(ConfigInvalid, match="resolver"):
            worker.page(Customer(external_id="1"))


def test_people_are_found(walk: Walks, database: Database) -> None:
    """E-mail in any case, part of a name, an external id, a normalised value and a profile id all lead to them."""
    walk(Stream.CUSTOMERS).page(
        Customer(external_id="41", email="Ann@X.org", first_name="Ann", last_name="Lee"),
        Customer(external_id="42", email="bob@x.org", first_name="Bob_", last_name="100%"),
    )
    ann, bob = people(database)["account 41"], people(database)["account 42"]
    plain = Identifier(kind=IdentifierKind.MAILBOX, value="Ann@X.org")

    def found(text: str, *normalised: Identifier) -> list[str]:
        return [hit.profile_id for hit in database.people.find(text, identifiers=normalised)]

    assert found("ann@x.ORG") == found("nn le") == found("41") == found("?", plain) == found(ann) == [ann]
    assert found("_") == found("0%") == [bob]
    assert found("nobody") == []


def test_the_widest_profiles_span_most_stores(walk: Walks, database: Database) -> None:
    """People of several stores come before people of one."""
    walk(Stream.CUSTOMERS).page(Customer(external_id="1", email="a@x"), Customer(external_id="2", email="b@x"))
    walk(Stream.CUSTOMERS, "other").page(Customer(external_id="1", email="b@x"))

    widest = database.people.widest(2)

    view = database.people.profile(widest[0])
    assert view is not None
    assert {item.contact.key.store_id for item in view.contacts} == {"shop", "other"}
