"""Pages: what becomes of records, and that a page is stored whole or not at all."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import event

from syncd.errors import LockHeld
from syncd.model import Address, Cart, Consent, Customer, Json, Order, OrderLine, OrderState, Refund, Stream
from syncd.store import Database
from syncd.store.deletion import raw_records
from syncd.store.engine import Engines
from syncd.store.knowntags import tag_state
from syncd.store.rows import addresses, carts, consents, customers, order_lines, orders, pack, refunds, unpack
from syncd.store.types import Counts, Remapped
from syncd.store.walks import walk_seen
from tests.clock import START, ManualClock
from tests.unit.store.kit import Worker, accept, count, engines_of, reject, rows

LATER = START + timedelta(minutes=5)


@pytest.fixture
def customer_page(database: Database, clock: ManualClock) -> Worker:
    """A walk of customers."""
    return Worker(database, clock, Stream.CUSTOMERS)


@pytest.fixture
def order_page(database: Database, clock: ManualClock) -> Worker:
    """A walk of orders."""
    return Worker(database, clock, Stream.ORDERS)


@pytest.fixture
def cart_page(database: Database, clock: ManualClock) -> Worker:
    """A walk of carts."""
    return Worker(database, clock, Stream.CARTS)


def changes(old: Counts, new: Counts) -> dict[str, int]:
    """What a page added to a walk's counts."""
    fields = Counts.__dataclass_fields__
    return {name: gain for name in fields if (gain := getattr(new, name) - getattr(old, name))}


def test_records_are_new_unchanged_changed_or_stale(customer_page: Worker) -> None:
    """A second walk tells each record by its content and its source time."""
    first = [Customer(external_id=key, email=f"{key}@x", updated_at=START) for key in "abc"]
    customer_page.page(*first)
    customer_page.finish()

    counts = customer_page.page(
        first[0],
        Customer(external_id="b", email="new@x", updated_at=LATER),
        Customer(external_id="c", email="old@x", updated_at=START - timedelta(seconds=1)),
        Customer(external_id="d", updated_at=START),
        reject("e"),
    )

    assert counts == Counts(read=5, new=1, changed=1, unchanged=1, stale=1, rejected=1)


def test_only_a_strictly_older_source_time_is_stale(customer_page: Worker, database_url: str) -> None:
    """Equal and unknown source times let the later fetch win."""
    customer_page.page(Customer(external_id="a", email="1@x", updated_at=START))

    customer_page.page(Customer(external_id="a", email="2@x", updated_at=START))
    customer_page.page(Customer(external_id="a", email="3@x"))
    customer_page.page(Customer(external_id="a", email="4@x", updated_at=START - timedelta(seconds=1)))

    assert [row["email"] for row in rows(database_url, customers)] == ["3@x"]


@pytest.mark.parametrize(
    ("version", "counts"), [("same", Counts(read=1, unchanged=1)), ("other", Counts(read=1, changed=1))]
)
def test_a_source_time_that_goes_back_is_believed_of_a_later_answer(
    customer_page: Worker, database_url: str, clock: ManualClock, version: str, counts: Counts
) -> None:
    """A shop whose clock was set back is read all the same: what it says now is what it holds."""
    customer_page.page(accept(Customer(external_id="a", email="old@x", updated_at=LATER), version="same"))
    customer_page.finish()
    clock.advance(60)

    sweep = customer_page.page(accept(Customer(external_id="a", email="new@x", updated_at=START), version=version))

    (row,) = rows(database_url, customers)
    assert sweep == counts
    assert (row["email"], row["updated_at"]) == ("new@x", START)
    assert [row["source_time"] for row in rows(database_url, raw_records)] == [START]


def test_a_page_that_comes_late_overwrites_nothing_newer(
    customer_page: Worker, database: Database, database_url: str, clock: ManualClock
) -> None:
    """Of two pages asked one after the other, the older record stays out whichever arrives last."""
    customer_page.begin()
    early = customer_page.page_of(Customer(external_id="a", email="old@x", updated_at=START))
    clock.advance(60)
    customer_page.page(Customer(external_id="a", email="new@x", updated_at=LATER))
    clock.advance(60)

    counts = database.pages.commit(early)

    assert counts == Counts(read=1, new=1)
    assert [row["email"] for row in rows(database_url, customers)] == ["new@x"]


def test_a_replayed_payload_is_no_later_answer(
    customer_page: Worker, database: Database, database_url: str, clock: ManualClock
) -> None:
    """What was set aside long ago overwrites nothing newer, however late it is read anew, listed still or not."""
    kept = (accept(Customer(external_id="a", email="old@x", updated_at=START)),)
    customer_page.page(Customer(external_id="a", email="new@x", updated_at=LATER))
    clock.advance(60)
    gone = database.pages.recommit("shop", Stream.CUSTOMERS, kept, (), 1)
    customer_page.page(reject("a"))
    clock.advance(60)

    listed = database.pages.recommit("shop", Stream.CUSTOMERS, kept, (), 1)

    assert gone == listed == Counts(read=1, stale=1)
    assert [row["email"] for row in rows(database_url, customers)] == ["new@x"]


def test_an_identical_page_rewrites_nothing(
    database: Database, database_url: str, customer_page: Worker, order_page: Worker
) -> None:
    """The second time, a page changes no row but its checkpoint and the ids that the walk met."""
    person = Customer(external_id="1", email="a@x", updated_at=START, tags=("vip",))
    order = Order(external_id="7", email="a@x", updated_at=START, lines=(OrderLine(external_id="1"),))
    customer_page.page(person)
    order_page.page(order)
    customer_page.finish()
    order_page.finish()
    customer_page.begin()
    order_page.begin()
    written: list[str] = []
    engine = database._engines._writer
    event.listen(engine, "before_cursor_execute", lambda *args: written.append(args[2]))

    customer_page.page(person)
    order_page.page(order)

    verbs = [text.split("FROM")[0] for text in written if text.startswith(("INSERT", "UPDATE", "DELETE"))]
    assert {text.split()[2 if text.startswith("INSERT") else 1] for text in verbs} == {"walk_seen", "checkpoints"}


def test_a_page_delivered_twice_counts_once(customer_page: Worker) -> None:
    """Ids that the walk met before are applied again but not counted again."""
    page = [Customer(external_id="1"), Customer(external_id="2"), reject("3")]

    once = customer_page.page(*page)
    twice = customer_page.page(*page)

    assert once == twice == Counts(read=3, new=2, rejected=1)


def test_of_a_record_that_comes_twice_in_a_page_the_newest_counts(customer_page: Worker, database_url: str) -> None:
    """Duplicates in one page are one record, whatever their order."""
    newer = Customer(external_id="1", email="new@x", updated_at=LATER)
    older = Customer(external_id="1", email="old@x", updated_at=START)

    counts = customer_page.page(newer, older)

    assert counts == Counts(read=1, new=1)
    assert rows(database_url, customers)[0]["email"] == "new@x"


def test_withheld_values_do_not_overwrite_known_ones(customer_page: Worker, database_url: str) -> None:
    """What the platform hides stays as it was known; what it empties is emptied."""
    customer_page.page(Customer(external_id="1", email="a@x", phone="1", first_name="Ann", updated_at=START))

    customer_page.page(Customer(external_id="1", email=None, phone="", first_name=None, updated_at=LATER))

    row = rows(database_url, customers)[0]
    assert (row["email"], row["phone"], row["first_name"]) == ("a@x", "", "Ann")


def test_a_record_first_seen_withheld_is_unknown(customer_page: Worker, database_url: str) -> None:
    """A value that was never told is NULL, not empty."""
    customer_page.page(Customer(external_id="1", email=None))

    assert rows(database_url, customers)[0]["email"] is None


def test_an_echo_is_no_change_but_its_time_is_kept(
    customer_page: Worker, database: Database, database_url: str
) -> None:
    """The same content under a later source time counts as unchanged, and the older content stays stale."""
    customer_page.page(accept(Customer(external_id="1", email="a@x", updated_at=START), version="same"))

    echo = customer_page.page(accept(Customer(external_id="1", email="a@x", updated_at=LATER), version="same"))
    customer_page.finish()
    late = customer_page.page(Customer(external_id="1", email="b@x", updated_at=START + timedelta(minutes=1)))

    assert echo == Counts(read=1, new=1)
    assert late == Counts(read=1, stale=1)
    assert rows(database_url, customers)[0]["updated_at"] == LATER


def test_the_raw_payload_is_kept(customer_page: Worker, database_url: str) -> None:
    """The latest payload can be read back as it was."""
    item = accept(Customer(external_id="1"))
    customer_page.page(item)

    kept = rows(database_url, raw_records)[0]["payload"]

    assert isinstance(kept, bytes)
    assert json.loads(unpack(kept)) == item.raw.payload


@pytest.mark.parametrize("value", ["Zoë", "\ud800", "a\x00b", 2**80, [1.5, None, {"x": True}]])
def test_any_payload_can_be_packed(value: Json) -> None:
    """Lone surrogates, NULs and huge integers come back as they went in."""
    assert json.loads(unpack(pack({"value": value}))) == {"value": value}


def test_children_are_replaced_with_their_record(order_page: Worker, customer_page: Worker, database_url: str) -> None:
    """Lines, refunds, addresses and consents are those of the latest version, and only this record's."""
    other = Order(external_id="8", lines=(OrderLine(external_id="1", sku="other"),))
    places = (Address(kind="billing", city="Bonn"), Address(kind="shipping", city="Ulm"))
    lines = tuple(OrderLine(external_id=str(number), sku=f"s{number}") for number in range(3))
    order_page.page(Order(external_id="7", lines=lines, addresses=places, updated_at=START), other)
    customer_page.page(
        Customer(
            external_id="7",
            addresses=places[:1],
            consents=(Consent(channel="email", state="yes"), Consent(channel="sms", state="no")),
            updated_at=START,
        )
    )

    back = (Refund(external_id="r", amount_minor=5),)
    order_page.page(Order(external_id="7", lines=lines[1:2], refunds=back, addresses=places[1:], updated_at=LATER))
    customer_page.page(Customer(external_id="7", consents=(Consent(channel="email", state="no"),), updated_at=LATER))

    assert [(row["order_id"], row["sku"]) for row in rows(database_url, order_lines)] == [("7", "s1"), ("8", "other")]
    assert [row["amount_minor"] for row in rows(database_url, refunds)] == [5]
    assert [(row["owner"], row["city"]) for row in rows(database_url, addresses)] == [("order", "Ulm")]
    assert [(row["channel"], row["state"]) for row in rows(database_url, consents)] == [("email", "no")]


def test_the_checkpoint_goes_with_the_page(order_page: Worker, database: Database) -> None:
    """Cursor, counts, signpost and the smallest declared total are kept for the resumption."""
    order_page.page(Order(external_id="1"), cursor="one", declared=3)
    order_page.page(Order(external_id="2"), cursor="two", declared=2)

    walk = database.runs.state(order_page.key).walk

    assert walk is not None
    assert (walk.cursor, walk.declared, walk.signpost) == ("two", 2, START)
    assert walk.counts == Counts(read=2, new=2)


def test_a_walk_is_resumed_by_a_new_owner(order_page: Worker, database: Database, clock: ManualClock) -> None:
    """After a kill the next worker goes on with the walk's id and counts."""
    order_page.page(Order(external_id="1"))
    clock.advance(301)
    heir = Worker(database, clock, Stream.ORDERS, owner="heir")
    heir.walk_id = order_page.walk_id

    counts = heir.page(Order(external_id="1"), Order(external_id="2"))

    assert counts == Counts(read=2, new=2)


def test_a_lost_lease_stores_nothing(
    order_page: Worker, database: Database, database_url: str, clock: ManualClock
) -> None:
    """A worker whose lease another took cannot commit, however late it wakes."""
    order_page.page(Order(external_id="1"))
    clock.advance(301)
    Worker(database, clock, Stream.ORDERS, owner="heir")

    with pytest.raises(LockHeld, match="lease lost"):
        order_page.page(Order(external_id="2"), cursor="behind")

    assert [row["external_id"] for row in rows(database_url, orders)] == ["1"]
    assert count(database_url, walk_seen) == 1


def test_a_page_of_a_dropped_walk_stores_nothing(order_page: Worker, database: Database, database_url: str) -> None:
    """A page belongs to the walk under way and to no other."""
    order_page.begin()
    page = order_page.page_of(Order(external_id="1"))
    database.runs.drop_walk(order_page.lease)

    with pytest.raises(LockHeld, match="another walk"):
        database.pages.commit(page)

    assert count(database_url, orders) == 0


def test_a_failing_resolver_leaves_nothing_of_the_page(database_url: str, clock: ManualClock) -> None:
    """Whatever goes wrong in the last step takes the whole page with it."""

    class Broken:
        version = "broken"

        def judge(self, case: object) -> object:
            raise ZeroDivisionError

    with Database.open(database_url, merchant="acme", clock=clock, resolver=Broken()) as database:  # type: ignore[arg-type]
        worker = Worker(database, clock, Stream.CUSTOMERS)
        with pytest.raises(ZeroDivisionError):
            worker.page(Customer(external_id="1"))

    assert count(database_url, raw_records) == count(database_url, customers) == count(database_url, walk_seen) == 0


def test_rejected_records_are_kept_until_they_can_be_read(
    order_page: Worker, database: Database, clock: ManualClock
) -> None:
    """A record set aside keeps when it was first seen, and leaves when it is accepted."""
    order_page.page(reject("1", "no total"), reject("2"))
    clock.advance(60)
    order_page.page(reject("1", "no currency"))

    kept = database.pages.rejected("shop", Stream.ORDERS, "1")[0]
    order_page.page(Order(external_id="1"))

    assert (kept.reason, kept.first_seen_at, kept.last_seen_at) == ("no currency", START, START + timedelta(minutes=1))
    assert json.loads(kept.payload) == {"id": "1"}
    assert [view.external_id for view in database.pages.rejected()] == ["2"]


def test_recommitted_records_need_no_walk(order_page: Worker, database: Database, database_url: str) -> None:
    """Kept records mapped anew are stored, or stay rejected; doing it twice changes nothing more."""
    order_page.page(reject("1"), reject("2"))
    repaired = (accept(Order(external_id="1", email="a@x")),)

    once = database.pages.recommit("shop", Stream.ORDERS, repaired, (reject("2", "still"),), 2)
    twice = database.pages.recommit("shop", Stream.ORDERS, repaired, (reject("2", "still"),), 2)

    assert (once, twice) == (Counts(read=2, new=1, rejected=1), Counts(read=2, unchanged=1, rejected=1))
    assert [(view.external_id, view.mapper_version) for view in database.pages.rejected()] == [("2", 2)]
    assert count(database_url, orders) == 1


def present(url: str) -> set[str]:
    """The tags known to be on accounts."""
    return {str(row["tag"]) for row in rows(url, tag_state) if row["is_present"]}


def test_tags_are_known_as_the_page_shows_them(customer_page: Worker, database_url: str, clock: ManualClock) -> None:
    """Tags come and go with the account; withheld tags say nothing."""
    customer_page.page(Customer(external_id="1", tags=("a", "b"), updated_at=START))
    clock.advance(1)
    customer_page.page(Customer(external_id="1", tags=("b", "c"), updated_at=START))
    clock.advance(1)
    customer_page.page(Customer(external_id="1", tags=None, updated_at=START))

    assert present(database_url) == {"b", "c"}


def test_a_page_asked_for_before_a_tag_was_confirmed_does_not_undo_it(
    customer_page: Worker, database: Database, database_url: str, clock: ManualClock
) -> None:
    """Knowledge newer than the page's own question stays."""
    customer_page.begin()
    early = customer_page.page_of(Customer(external_id="1", tags=("gone",)))
    clock.advance(10)
    database.tags.see_tags("shop", "1", {"vip"}, clock.now())
    database.pages.commit(early)

    after_early = present(database_url)
    clock.advance(10)
    customer_page.page(Customer(external_id="1", tags=()))

    assert "vip" in after_early
    assert present(database_url) == set()


def test_an_order_closes_the_cart_that_it_was(cart_page: Worker, order_page: Worker, database_url: str) -> None:
    """A cart ends when its order has left it: recovered if it was paid, only closed if it was cancelled."""
    cart_page.page(*(Cart(external_id=f"order:{key}", email="a@x", updated_at=START) for key in "123"))

    order_page.page(
        Order(external_id="1", left_cart="order:1", state=OrderState.COMPLETED, updated_at=LATER),
        Order(external_id="2", left_cart="order:2", state=OrderState.CANCELLED, updated_at=LATER),
        Order(external_id="3", state=OrderState.PENDING, updated_at=LATER),
    )

    found = [(row["is_open"], row["recovered_order_id"]) for row in rows(database_url, carts)]
    assert found == [(False, "1"), (False, None), (True, None)]


def test_a_late_cart_does_not_reopen(cart_page: Worker, order_page: Worker, database_url: str) -> None:
    """A cart that arrives after its order has left it is stored closed; one whose order still waits is open."""
    order_page.page(
        Order(external_id="1", left_cart="order:1", state=OrderState.OPEN, updated_at=LATER),
        Order(external_id="2", state=OrderState.FAILED, updated_at=LATER),
    )

    cart_page.page(*(Cart(external_id=f"order:{key}", updated_at=START) for key in "12"))

    found = [(row["is_open"], row["recovered_order_id"]) for row in rows(database_url, carts)]
    assert found == [(False, "1"), (True, None)]


def test_a_cart_newer_than_its_order_is_open_again(cart_page: Worker, order_page: Worker, database_url: str) -> None:
    """An order set back to pending is a cart again, even while its older state is what is stored."""
    order_page.page(Order(external_id="1", left_cart="order:1", state=OrderState.OPEN, updated_at=START))

    cart_page.page(Cart(external_id="order:1", updated_at=LATER))

    assert [row["is_open"] for row in rows(database_url, carts)] == [True]


def test_an_order_back_within_a_second_is_a_cart_again(
    cart_page: Worker, order_page: Worker, database_url: str
) -> None:
    """A cart that is unchanged but for its order, which left and came back in one second, is open again."""
    cart = Cart(external_id="order:1", updated_at=START)
    cart_page.page(cart)
    order_page.page(Order(external_id="1", left_cart="order:1", state=OrderState.OPEN, updated_at=START))
    order_page.page(Order(external_id="1", state=OrderState.PENDING, updated_at=START))

    cart_page.page(cart)

    assert [(row["is_open"], row["recovered_order_id"]) for row in rows(database_url, carts)] == [(True, None)]


def test_an_order_older_than_its_cart_does_not_close_it(
    cart_page: Worker, order_page: Worker, database_url: str
) -> None:
    """What an order was before it became a cart again does not end the cart."""
    cart_page.page(Cart(external_id="order:1", updated_at=LATER))

    order_page.page(Order(external_id="1", left_cart="order:1", state=OrderState.OPEN, updated_at=START))

    assert [row["is_open"] for row in rows(database_url, carts)] == [True]


def test_the_loser_of_a_conflict_begins_anew(postgres_url: str, clock: ManualClock, resolver: object) -> None:
    """A page that PostgreSQL breaks off once is stored by its second attempt."""

    class ConflictOnce:
        version = "conflict"
        connection_breaks = 1

        def __init__(self, inner: object, engines: Engines) -> None:
            self._inner = inner
            self._engines = engines

        def judge(self, case: object) -> object:
            if self.connection_breaks:
                self.connection_breaks -= 1
                with self._engines.write() as connection:
                    connection.exec_driver_sql("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")
            return self._inner.judge(case)  # type: ignore[attr-defined]

    with engines_of(postgres_url) as engines:
        broken = ConflictOnce(resolver, engines)
        with Database.open(postgres_url, merchant="acme", clock=clock, resolver=broken) as database:  # type: ignore[arg-type]
            counts = Worker(database, clock, Stream.CUSTOMERS).page(Customer(external_id="1"))

    assert counts == Counts(read=1, new=1)
    assert len(clock.slept) == 1


class TestRemap:
    """Kept records mapped anew."""

    @staticmethod
    def remapped(database: Database, *records: Customer) -> Remapped:
        """What a newer mapping makes of the kept records."""
        kept = database.pages.kept("shop", Stream.CUSTOMERS)
        return Remapped(
            store_id="shop",
            stream=Stream.CUSTOMERS,
            accepted=tuple(accept(record) for record in records),
            rejected=(),
            mapper_version=2,
            fetched_at={record.external_id: record.fetched_at for record in kept},
        )

    def test_what_a_run_stored_meanwhile_is_left_alone(
        self, database: Database, customer_page: Worker, clock: ManualClock, database_url: str
    ) -> None:
        """A payload read before a run stored a newer one does not come back over it."""
        customer_page.page(Customer(external_id="a", email="old@x"), Customer(external_id="b", email="b@x"))
        late = self.remapped(database, Customer(external_id="a", email="read anew@x"))
        clock.advance(60)
        customer_page.page(Customer(external_id="a", email="new@x"))

        counts = database.pages.remap(late)

        assert counts == Counts()
        assert [row["email"] for row in rows(database_url, customers)] == ["new@x", "b@x"]

    def test_newer_payload_among_the_rejected_is_not_lost(
        self, database: Database, customer_page: Worker, database_url: str
    ) -> None:
        """A record whose newer payload waits to be replayed is not read from its older one."""
        customer_page.page(Customer(external_id="a", email="old@x"))
        late = self.remapped(database, Customer(external_id="a", email="old@x, read anew"))
        customer_page.page(reject("a"))

        counts = database.pages.remap(late)

        assert counts == Counts()
        assert database.pages.kept("shop", Stream.CUSTOMERS) == []
        assert len(database.pages.rejected()) == 1

    def test_kept_records_are_read_in_order_without_deleted_ones(
        self, database: Database, customer_page: Worker
    ) -> None:
        """Walking behind the last id meets every live record once."""
        customer_page.page(*(Customer(external_id=f"{n:04}") for n in range(700)), Customer(external_id="9999"))
        customer_page.finish()
        customer_page.clock.advance(1)
        customer_page.page(*(Customer(external_id=f"{n:04}") for n in range(700)))
        customer_page.finish(delete_missing=True)

        first = database.pages.kept("shop", Stream.CUSTOMERS)
        second = database.pages.kept("shop", Stream.CUSTOMERS, behind=first[-1].external_id)
        third = database.pages.kept("shop", Stream.CUSTOMERS, behind=second[-1].external_id)

        assert [item.external_id for item in (*first, *second)] == [f"{n:04}" for n in range(700)]
        assert third == []

    def test_rejected_again_is_as_old_as_it_was(
        self, database: Database, customer_page: Worker, clock: ManualClock
    ) -> None:
        """A replay that fails does not make an old payload look as if the shop had just sent it."""
        customer_page.page(reject("a"))
        clock.advance(3600)

        database.pages.recommit("shop", Stream.CUSTOMERS, (), (reject("a", "still unreadable"),), 2)

        (view,) = database.pages.rejected()
        assert (view.reason, view.last_seen_at) == ("still unreadable", START)
