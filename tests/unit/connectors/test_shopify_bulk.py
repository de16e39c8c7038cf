"""Walks by bulk operations against a shop of the sandbox: what is asked, what is given, and what is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Any

import orjson
import pytest

from syncd.connectors.base import Page
from syncd.connectors.shopify.bulk_file import download, records_of, tally_of
from syncd.errors import CorruptAnswer, PolicyRefused, RateLimited, ScopeMissing, Unavailable
from syncd.mapping import content_hash, mapper_for
from syncd.mapping.base import MapperOptions
from syncd.model import Stream, Window
from syncd.sandbox import Fault, FaultKind, ShopifyShop
from syncd.sandbox.products import PRODUCTS
from syncd.sandbox.shopify.bulk import OUTPUTS
from tests.clock import ManualClock
from tests.shopify import answering, asked, config_of, opened, shopify_to

OTHERS = "{ products: customers { edges { node { id } } } }"
RUN = "mutation($query: String!) { bulkOperationRunQuery(query: $query, groupObjects: true) { bulkOperation { id } } }"


@pytest.fixture
def shop() -> Iterator[ShopifyShop]:
    """A small shop."""
    with opened() as served:
        yield served


def in_bulk(shop: ShopifyShop, **more: Any) -> Any:
    """A connector that takes bulk operations for every complete walk."""
    return shopify_to(shop, bulk_from=1, **more)


def ids(pages: Iterator[Page] | list[Page]) -> list[str]:
    """The external ids of a walk, in its order."""
    return [record.external_id for page in pages for record in page.records]


def begun(walk: Iterator[Page]) -> Page:
    """The page of a walk that tells of the operation just started."""
    next(walk)
    return next(walk)


def hashes(pages: Iterator[Page], stream: Stream) -> dict[str, bytes]:
    """What the records of a walk mean, by external id."""
    mapper = mapper_for("shopify", MapperOptions())
    records = [record for page in pages for record in page.records]
    return {each.external_id: content_hash(mapper.to_unified(stream, each), frozenset()) for each in records}


def names(shop: ShopifyShop) -> list[str]:
    """What was asked of a shop, by the names of the documents."""
    return [body["query"].split("(")[0].split()[-1] for body in asked(shop)]


def downloads(shop: ShopifyShop) -> list[Any]:
    """The requests for files that a shop has seen."""
    return [seen for seen in shop.history if seen.path.startswith(OUTPUTS)]


def others_take_all(shop: ShopifyShop) -> None:
    """Somebody else's operations take every place."""
    import requests

    token = shop.credentials["admin"].access_token
    for _ in range(5):
        requests.post(
            f"{shop.url}/admin/api/2026-10/graphql.json",
            json={"query": RUN, "variables": {"query": OTHERS}},
            headers={"X-Shopify-Access-Token": token},
            timeout=5,
        )


class TestRecords:
    """What a walk gives."""

    @pytest.mark.parametrize("stream", [Stream.CUSTOMERS, Stream.ORDERS])
    @pytest.mark.parametrize("plan", ["Plus", "Basic"])
    @pytest.mark.parametrize("version", ["2026-10", "2026-07"])
    def test_records_mean_what_paged_ones_mean(self, stream: Stream, plan: str, version: str) -> None:
        """A sweep by bulk after a walk by pages changes nothing, whatever the shop shows."""
        with opened(plan=plan) as shop:
            number = shop.place_order()
            shop.refund(number)
            config = config_of(shop, api_version=version)

            paged = hashes(shopify_to(shop, config=config).pull(stream, Window()), stream)
            bulk = hashes(in_bulk(shop, config=config).pull(stream, Window()), stream)

        assert len(paged) > 20
        assert bulk == paged

    def test_refunds_come_with_their_orders(self, shop: ShopifyShop) -> None:
        """A list without connections in it is within the rules."""
        number = shop.place_order()
        shop.refund(number, 500, "torn")

        pages = list(in_bulk(shop).pull(Stream.ORDERS, Window()))

        payload = next(each.payload for page in pages for each in page.records if each.external_id == str(number))
        assert [refund["note"] for refund in payload["refunds"]] == ["torn"]
        assert payload["totalRefundedSet"]["shopMoney"]["amount"] == "5.0"

    def test_long_orders_come_whole(self, shop: ShopifyShop) -> None:
        """More lines than a page of lines holds need no further question."""
        number = shop.place_order(items=[(min(PRODUCTS), 1)] * 60)

        pages = list(in_bulk(shop).pull(Stream.ORDERS, Window()))

        payload = next(each.payload for page in pages for each in page.records if each.external_id == str(number))
        assert len(payload["lineItems"]["nodes"]) == 60
        assert not any("Rest" in name for name in names(shop))

    def test_short_streams_are_paged(self, shop: ShopifyShop) -> None:
        """Where there is little, no operation is started; nor for a window that is not complete, nor for carts."""
        list(shopify_to(shop, bulk_from=len(shop.state.orders) + 1).pull(Stream.ORDERS, Window()))
        list(in_bulk(shop).pull(Stream.ORDERS, Window(since=shop.clock.now())))
        list(in_bulk(shop).pull(Stream.CARTS, Window()))

        assert "BulkRun" not in names(shop)

    def test_asking_for_the_first_page_starts_nothing(self, shop: ShopifyShop) -> None:
        """Who wants to know how much there is has the count, and no operation runs for it."""
        page = next(in_bulk(shop).pull(Stream.ORDERS, Window()))

        assert (page.declared, page.records, page.is_last) == (len(shop.state.orders), (), False)
        assert shop.bulk.operations == {}

    def test_requests_are_few(self, shop: ShopifyShop) -> None:
        """One for the count, one for scopes, one to start, some looks and one file."""
        list(in_bulk(shop).pull(Stream.ORDERS, Window()))

        assert names(shop)[1:] == ["Orders", "BulkRun", "BulkLook", "BulkLook", "BulkLook"]
        assert len(downloads(shop)) == 1

    def test_every_page_is_dated_when_it_was_asked_for(self, shop: ShopifyShop) -> None:
        """What changed while the operation ran comes again with the next window."""
        clock = ManualClock(shop.clock.now())
        started_at = clock.now()

        pages = list(in_bulk(shop, clock=clock).pull(Stream.ORDERS, Window()))

        assert clock.now() > started_at
        assert {page.asked_at for page in pages} == {started_at}
        assert {page.declared for page in pages} == {len(shop.state.orders)}
        assert len({page.server_time for page in pages}) == 1


class TestFiles:
    """How the file comes."""

    def test_no_credentials_leave_for_the_file(self, shop: ShopifyShop) -> None:
        """The storage gets neither the token nor the headers that open the shop."""
        config = config_of(shop, http={"headers": {"X-Let-Me-In": "please"}})

        list(in_bulk(shop, config=config).pull(Stream.ORDERS, Window()))

        (seen,) = downloads(shop)
        assert not {name for name in seen.headers if name.startswith("x-") or name in ("authorization", "cookie")}

    def test_lost_lines_are_noticed_before_any_record_is_given(self, shop: ShopifyShop) -> None:
        """A file with fewer lines than were counted is no file; the walk then begins anew and is whole."""
        shop.bulk.lost_lines = 1
        given: list[Page] = []

        with pytest.raises(CorruptAnswer, match="lines of"):
            given.extend(in_bulk(shop).pull(Stream.ORDERS, Window()))
        pages = list(in_bulk(shop).pull(Stream.ORDERS, Window()))

        assert ids(given) == []
        assert sorted(ids(pages)) == sorted(map(str, shop.state.orders))

    def test_lost_lines_leave_a_cursor_that_begins_anew(self, shop: ShopifyShop) -> None:
        """The same bad file is not looked at for ever."""
        shop.bulk.lost_lines = 1
        walk = in_bulk(shop).pull(Stream.ORDERS, Window())
        cursors = [begun(walk).cursor, next(walk).cursor]

        pages = list(in_bulk(shop).pull(Stream.ORDERS, Window(), cursors[-1]))

        assert len(shop.bulk.operations) == 2
        assert sorted(ids(pages)) == sorted(map(str, shop.state.orders))

    def test_a_cut_file_is_not_stored(self, shop: ShopifyShop) -> None:
        """A connection that breaks gives no record, and the same operation serves the next run."""
        shop.faults.add(Fault(kind=FaultKind.CUT, path=OUTPUTS))
        walk = in_bulk(shop).pull(Stream.ORDERS, Window())
        cursor = begun(walk).cursor

        with pytest.raises((Unavailable, CorruptAnswer)):
            list(walk)
        pages = list(in_bulk(shop).pull(Stream.ORDERS, Window(), cursor))

        assert len(shop.bulk.operations) == 1
        assert sorted(ids(pages)) == sorted(map(str, shop.state.orders))

    def test_addresses_must_be_safe(self, shop: ShopifyShop) -> None:
        """Over plain http a file is fetched from this machine only."""
        with TemporaryFile() as file, pytest.raises(PolicyRefused, match="must be https"):
            download("http://files.example.com/x?Signature=1", config_of(shop), file)

    def test_the_file_is_ours_alone(self) -> None:
        """Neither others nor a later process can open it: it has no name, and only its owner's rights."""
        with TemporaryFile() as file:
            facts = os.fstat(file.fileno())

        assert facts.st_mode & 0o777 == 0o600
        assert facts.st_nlink == 0

    @pytest.mark.parametrize(
        "lines",
        [
            [{"id": "gid://shopify/Order/2"}, {"id": "gid://shopify/Order/1"}],
            [{"id": "gid://shopify/Order/1"}, {"id": "x", "__parentId": "gid://shopify/Order/9"}],
            [{"id": "x", "__parentId": "gid://shopify/Order/9"}],
            [{"name": "without id"}],
            [7],
        ],
    )
    def test_files_of_another_shape_are_refused(self, lines: list[Any]) -> None:
        """Out of order, rows apart from their records, or no records at all."""
        with TemporaryFile() as file:
            file.write(b"\n".join(map(orjson.dumps, lines)))

            with pytest.raises(CorruptAnswer):
                tally_of(file, 0)

    def test_rows_inside_join_their_records(self) -> None:
        """Behind a record's line come those inside it; what was given already is passed over."""
        lines = [{"id": "gid://shopify/Order/1"}]
        lines += [{"id": "gid://shopify/Order/2"}, {"id": "a", "__parentId": "gid://shopify/Order/2"}]
        with TemporaryFile() as file:
            file.write(b"\n".join(map(orjson.dumps, lines)))

            tally, found = tally_of(file, 1), list(records_of(file, 1, "rows"))

        assert (tally.lines, tally.roots, tally.further) == (3, 2, 1)
        assert [(number, row["rows"]["nodes"]) for number, row in found] == [(2, [{"id": "a"}])]


class TestRestarts:
    """What a walk finds again."""

    def test_a_killed_walk_finds_its_operation(self, shop: ShopifyShop) -> None:
        """The first cursor is given before the operation has ended."""
        first = begun(in_bulk(shop).pull(Stream.ORDERS, Window()))

        pages = list(in_bulk(shop).pull(Stream.ORDERS, Window(), first.cursor))

        assert first.records == ()
        assert not first.is_last
        assert len(shop.bulk.operations) == 1
        assert sorted(ids(pages)) == sorted(map(str, shop.state.orders))

    def test_a_walk_goes_on_behind_its_last_page(self) -> None:
        """In the same file, fetched again, nothing is given twice."""
        with opened() as shop:
            walk = in_bulk(shop).pull(Stream.ORDERS, Window())
            before = [begun(walk), next(walk)]
            walk.close()

            after = list(in_bulk(shop).pull(Stream.ORDERS, Window(), before[-1].cursor))

            assert len(ids(before)) == 7
            assert ids([*before, *after]) == sorted(map(str, shop.state.orders))
            assert len(shop.bulk.operations) == 1

    def test_a_file_that_is_gone_is_asked_for_anew(self, shop: ShopifyShop) -> None:
        """After a week a new operation takes the place of the old one."""
        cursor = begun(in_bulk(shop).pull(Stream.ORDERS, Window())).cursor
        shop.faults.add(Fault(kind=FaultKind.ANSWER, path=OUTPUTS, status=403, body="<Error/>"))

        pages = list(in_bulk(shop).pull(Stream.ORDERS, Window(), cursor))

        assert len(shop.bulk.operations) == 2
        assert sorted(ids(pages)) == sorted(map(str, shop.state.orders))

    def test_expired_operations_are_replaced(self, shop: ShopifyShop) -> None:
        """The shop itself calls an operation of a week ago expired."""
        walk = in_bulk(shop).pull(Stream.ORDERS, Window())
        cursor = begun(walk).cursor
        next(walk)
        shop.clock.advance(8 * 86400)

        pages = list(in_bulk(shop).pull(Stream.ORDERS, Window(), cursor))

        assert len(shop.bulk.operations) == 2
        assert sorted(ids(pages)) == sorted(map(str, shop.state.orders))


class TestTrouble:
    """Operations that do not end well."""

    def test_a_part_is_used_and_continued(self, shop: ShopifyShop) -> None:
        """What a failed operation found is given but for its last record; the next one begins behind it."""
        shop.bulk.failures = [20]

        pages = list(in_bulk(shop).pull(Stream.ORDERS, Window()))

        assert ids(pages) == sorted(map(str, shop.state.orders))
        second = list(shop.bulk.operations.values())[1]
        assert f"id:>{ids(pages)[18]}" in second.query
        assert second.root_count < len(shop.state.orders) - 15
        lines = {each.external_id: each.payload["lineItems"]["nodes"] for page in pages for each in page.records}
        assert {int(key): len(rows) for key, rows in lines.items()} == {
            key: len(order.lines) for key, order in shop.state.orders.items()
        }

    def test_failures_without_data_end_the_run_not_the_walk(self, shop: ShopifyShop) -> None:
        """After three in a row the run gives up; the next goes on."""
        shop.bulk.failures = [0, 0, 0]
        walk = in_bulk(shop).pull(Stream.ORDERS, Window())
        given = [next(walk) for _ in range(4)]

        with pytest.raises(Unavailable, match="without data"):
            next(walk)
        pages = list(in_bulk(shop).pull(Stream.ORDERS, Window(), given[-1].cursor))

        assert ids(given) == []
        assert sorted(ids(pages)) == sorted(map(str, shop.state.orders))

    def test_others_operations_are_waited_for_and_left_alone(self, shop: ShopifyShop) -> None:
        """With every place taken, the walk waits a while, then leaves it to the next run."""
        shop.bulk.looks = 10_000
        others_take_all(shop)
        clock = ManualClock(shop.clock.now())

        with pytest.raises(RateLimited, match="other bulk operations"):
            list(in_bulk(shop, clock=clock).pull(Stream.ORDERS, Window()))

        assert clock.slept[:4] == [1.0, 2.0, 5.0, 5.0]
        assert "BulkCancel" not in names(shop)
        assert {each.status for each in shop.bulk.operations.values()} == {"RUNNING"}

    def test_a_long_wait_shows_signs_of_life(self, shop: ShopifyShop) -> None:
        """Pages without records keep the lease while an operation runs."""
        shop.bulk.looks = 40
        clock = ManualClock(shop.clock.now())

        pages = list(in_bulk(shop, clock=clock).pull(Stream.ORDERS, Window()))

        empty = [page for page in pages if not page.records]
        assert clock.slept[:5] == [1.0, 2.0, 5.0, 5.0, 5.0]
        assert len(empty) == 5
        assert not any(page.is_last for page in empty)

    def test_an_operation_that_hangs_is_cancelled(self, shop: ShopifyShop) -> None:
        """Our own, after a day; then another is started."""
        shop.bulk.looks = 10_000
        cursor = begun(in_bulk(shop).pull(Stream.ORDERS, Window())).cursor
        shop.bulk.looks = 0
        shop.clock.advance(25 * 3600)

        pages = list(in_bulk(shop).pull(Stream.ORDERS, Window(), cursor))

        assert [each.status for each in shop.bulk.operations.values()] == ["CANCELED", "COMPLETED"]
        assert sorted(ids(pages)) == sorted(map(str, shop.state.orders))

    def test_records_deleted_meanwhile_are_not_missing(self, shop: ShopifyShop) -> None:
        """Where fewer are found than were counted, the count is asked for anew."""
        walk = in_bulk(shop).pull(Stream.ORDERS, Window())
        first = begun(walk)
        shop.delete_order(max(shop.state.orders))

        *_, last = walk

        assert first.declared == len(shop.state.orders) + 1
        assert last.declared == len(shop.state.orders)

    def test_a_record_that_is_missing_is_told(self, shop: ShopifyShop) -> None:
        """The shop's count outside the operation stands against what the operation found."""
        walk = in_bulk(shop).pull(Stream.ORDERS, Window())
        begun(walk)
        operation = next(iter(shop.bulk.operations.values()))
        work = operation.work
        operation.work = lambda: iter(list(work())[1:])

        pages = list(walk)

        assert len(ids(pages)) == len(shop.state.orders) - 1
        assert pages[-1].declared == len(shop.state.orders)

    def test_a_scope_that_is_missing_is_named(self, shop: ShopifyShop) -> None:
        """An operation that the token may not run stops the store."""
        shown = {"id": "gid://shopify/BulkOperation/1", "createdAt": "2026-03-01T00:00:00Z", "objectCount": "0"}
        denied = {**shown, "status": "FAILED", "errorCode": "ACCESS_DENIED", "rootObjectCount": "0"}
        cursor = orjson.loads(begun(in_bulk(shop).pull(Stream.CUSTOMERS, Window())).cursor)
        answering(shop, {"data": {"bulkOperation": denied}})
        connector = in_bulk(shop)

        with pytest.raises(ScopeMissing):
            list(connector.pull(Stream.CUSTOMERS, Window(), orjson.dumps({**cursor, "personal": False}).decode()))
