"""The sandbox's Shopify: as strict as the platform about tokens, costs, searches, pages and personal data."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta

import orjson
import pytest

from syncd.sandbox import Fault, FaultKind, SandboxClock
from tests.clock import START
from tests.unit.sandbox.shopify_client import GraphClient, opened

PERSON = "id firstName lastName defaultEmailAddress { emailAddress } defaultPhoneNumber { phoneNumber }"


@pytest.fixture
def client() -> Iterator[GraphClient]:
    """A caller of a fresh shop whose clock stands still."""
    with opened(SandboxClock(START, frozen=True)) as made:
        yield made


def gid(kind: str, number: int) -> str:
    """A global id."""
    return f"gid://shopify/{kind}/{number}"


def since(moment: object) -> str:
    """A search argument for what changed since a time, quoted as it must be."""
    return f"query: \"updated_at:>='{moment:%Y-%m-%dT%H:%M:%SZ}'\""


class TestTokens:
    """Who may ask, and for what."""

    def test_only_the_shops_own_header_opens_it(self, client: GraphClient) -> None:
        """A bearer token is refused with an `errors` that is a string."""
        token = client.shop.credentials["admin"].access_token

        refused = client.post("{ shop { name } }", headers={"Authorization": f"Bearer {token}"})

        assert refused.status_code == 401
        assert refused.json()["errors"].startswith("[API] Invalid API key or access token")
        assert client.ask("{ shop { name } }") == {"shop": {"name": "Acme"}}

    @pytest.mark.parametrize(("asked", "served"), [("2026-10", "2026-10"), ("2024-01", "2026-01"), ("x", "2026-01")])
    def test_an_unsupported_version_falls_forward(self, client: GraphClient, asked: str, served: str) -> None:
        """The answer's header says which version it is."""
        client.version = asked

        assert client.post("{ shop { id } }").headers["X-Shopify-API-Version"] == served

    def test_the_token_tells_its_scopes(self, client: GraphClient) -> None:
        """What was granted can be asked for, and what was not is refused by name."""
        client.token_name = "no_customers"

        scopes = client.ask("{ currentAppInstallation { accessScopes { handle } } }")
        body = client.post("{ customers(first: 1) { nodes { id } } }").json()

        handles = [scope["handle"] for scope in scopes["currentAppInstallation"]["accessScopes"]]
        assert handles == ["read_all_orders", "read_orders"]
        assert body["data"] is None
        assert body["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
        assert "`read_customers` access scope" in body["errors"][0]["message"]

    def test_a_reader_may_not_tag(self, client: GraphClient) -> None:
        """Tags need the right to write."""
        client.token_name = "read_only"
        number = client.shop.add_customer("ann@example.com")

        assert client.codes(
            f'mutation {{ tagsAdd(id: "{gid("Customer", number)}", tags: ["a"]) {{ node {{ id }} }} }}'
        ) == ["ACCESS_DENIED"]

    def test_without_read_all_orders_older_ones_are_silently_missing(self, client: GraphClient) -> None:
        """Sixty days of orders, in lists, counts, by id and below their customer."""
        border = client.shop.clock.now() - timedelta(days=60)
        orders = client.shop.state.orders.values()
        recent = {gid("Order", each.id) for each in orders if each.created_at >= border}
        old = next(each.id for each in orders if each.created_at < border)
        client.token_name = "recent_orders"

        listed = client.walk("orders", "first: 50")
        counted = client.ask("{ ordersCount(limit: null) { count precision } }")["ordersCount"]

        assert set(listed) == recent
        assert counted == {"count": len(recent), "precision": "EXACT"}
        assert client.ask(f'{{ order(id: "{gid("Order", old)}") {{ id }} }}') == {"order": None}


class TestPages:
    """Lists, their order and their cursors."""

    def test_a_walk_meets_everything_once_though_many_share_a_second(self, client: GraphClient) -> None:
        """Pages by update time go on behind (time, id), also backwards."""
        shop = client.shop
        shop.touch_many(list(shop.state.orders)[:30])
        expected = [
            gid("Order", each.id) for each in sorted(shop.state.orders.values(), key=lambda o: (o.updated_at, o.id))
        ]

        assert client.walk("orders", "first: 7, sortKey: UPDATED_AT") == expected
        assert client.walk("orders", "first: 50, sortKey: UPDATED_AT, reverse: true") == expected[::-1]

    def test_a_cursor_names_the_last_row_in_base64(self, client: GraphClient) -> None:
        """Its id, and its time in milliseconds."""
        edge = client.ask(
            "{ customers(first: 1, sortKey: UPDATED_AT) { edges { cursor node { legacyResourceId } } pageInfo"
            " { hasNextPage hasPreviousPage startCursor endCursor } } }"
        )["customers"]
        account = min(client.shop.state.accounts.values(), key=lambda each: (each.updated_at, each.id))

        cursor = orjson.loads(base64.b64decode(edge["edges"][0]["cursor"]))
        assert cursor == {"last_id": account.id, "last_value": int(account.updated_at.timestamp() * 1000)}
        assert edge["edges"][0]["node"]["legacyResourceId"] == str(account.id)
        assert edge["pageInfo"]["hasNextPage"] is True
        assert edge["pageInfo"]["hasPreviousPage"] is False
        assert edge["pageInfo"]["startCursor"] == edge["pageInfo"]["endCursor"] == edge["edges"][0]["cursor"]

    @pytest.mark.parametrize("arguments", ["first: 251", "reverse: true", 'first: 1, after: "x"', "first: -1"])
    def test_pages_that_cannot_be_are_refused(self, client: GraphClient, arguments: str) -> None:
        """At most 250 rows, always a number of them, and no cursor of somebody else's."""
        assert client.codes(f"{{ customers({arguments}) {{ nodes {{ id }} }} }}") == ["BAD_REQUEST"]

    def test_a_changed_record_moves_to_the_end_and_is_seen_again(self, client: GraphClient) -> None:
        """Nothing is skipped when a row changes between two pages."""
        query = (
            "query($after: String) { customers(first: 10, sortKey: UPDATED_AT, after: $after)"
            " { nodes { legacyResourceId } pageInfo { endCursor } } }"
        )
        first = client.ask(query)["customers"]
        client.shop.edit_customer(int(first["nodes"][3]["legacyResourceId"]))

        last = client.ask("{ customers(first: 1, sortKey: UPDATED_AT, reverse: true) { nodes { legacyResourceId } } }")

        assert last["customers"]["nodes"] == [first["nodes"][3]]

    def test_counts_are_bounded_unless_told_otherwise(self, client: GraphClient) -> None:
        """A count past its limit is a lower bound."""
        count = "{ customersCount(limit: 2) { count precision } }"

        assert client.ask(count)["customersCount"] == {"count": 2, "precision": "AT_LEAST"}

    def test_nested_lists_are_cut_and_can_be_drained(self, client: GraphClient) -> None:
        """An order's lines go on by node."""
        number = client.shop.place_order(items=[(10, 1), (11, 1), (12, 1)])
        query = (
            "query($id: ID!, $after: String) { node(id: $id) { ... on Order { lineItems(first: 2, after: $after)"
            " { nodes { sku } pageInfo { hasNextPage endCursor } } } } }"
        )
        first = client.ask(query, id=gid("Order", number))["node"]["lineItems"]

        rest = client.ask(query, id=gid("Order", number), after=first["pageInfo"]["endCursor"])["node"]["lineItems"]

        assert [line["sku"] for line in (*first["nodes"], *rest["nodes"])] == ["SKU-010", "SKU-011", "SKU-012"]
        assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)


class TestSearch:
    """The query argument, its traps included."""

    def test_a_quoted_time_bounds_to_the_second(self, client: GraphClient) -> None:
        """At the second asked for and later."""
        border = sorted(each.updated_at for each in client.shop.state.accounts.values())[10]
        expected = {
            gid("Customer", each.id) for each in client.shop.state.accounts.values() if each.updated_at >= border
        }

        assert set(client.ids("customers", f"first: 250, {since(border)}")) == expected

    def test_an_unquoted_time_is_split_and_silently_wrong(self, client: GraphClient) -> None:
        """It is read in the shop's own zone, the rest is a term of its own, and only a warning says so."""
        body = client.post('{ orders(first: 1, query: "updated_at:>=2026-01-01T00:00:00Z") { nodes { id } } }').json()

        (said,) = body["extensions"]["search"]
        assert "errors" not in body
        assert said["path"] == ["orders"]
        assert said["parsed"]["and"] == [
            {"field": "updated_at", "range_gte": "2026-01-01T00:00:00+01:00"},
            {"field": "00", "match_all": "00Z"},
        ]
        assert said["warnings"] == [
            {"field": "00", "message": "Invalid search field for this query.", "code": "invalid_field"}
        ]

    def test_what_is_not_understood_is_left_out_with_a_warning(self, client: GraphClient) -> None:
        """An unknown field, and a time that is none."""
        everything = len(client.shop.state.accounts)

        body = client.post(
            '{ customersCount(query: "shoe_size:42") { count }'
            " orders(first: 1, query: \"updated_at:>='soon'\") { nodes { id } } }"
        ).json()

        codes = [said["warnings"][0]["code"] for said in body["extensions"]["search"]]
        assert body["data"]["customersCount"]["count"] == everything
        assert codes == ["invalid_field", "invalid_value"]

    def test_terms_join_alternate_and_negate(self, client: GraphClient) -> None:
        """Side by side all hold, OR is either, a dash is not."""
        shop = client.shop
        ann, bob = (
            shop.add_customer("ann@example.com", tags=["VIP"]),
            shop.add_customer("bob@example.com", tags=["vip"]),
        )

        both = client.ids("customers", 'first: 9, query: "tag:vip"')
        one = client.ids("customers", 'first: 9, query: "tag:VIP email:ann@example.com"')
        either = client.ids("customers", f'first: 9, query: "id:{ann} OR id:{bob}"')
        other = client.ids("customers", 'first: 9, query: "tag:vip -email:ann@example.com"')

        assert both == either == [gid("Customer", ann), gid("Customer", bob)]
        assert (one, other) == ([gid("Customer", ann)], [gid("Customer", bob)])

    def test_searches_lag_behind_and_reads_by_id_do_not(self, client: GraphClient) -> None:
        """A change is found once the index has it; until then the record is where it was."""
        shop, before = client.shop, client.shop.clock.now()
        shop.state.index_lag_s = 5
        number = next(iter(shop.state.accounts))
        shop.clock.advance(10)
        shop.edit_customer(number, note="new")
        born = shop.add_customer("new@example.com")
        early = client.ids("customers", f"first: 9, {since(before)}")
        read = client.ask(f'{{ customer(id: "{gid("Customer", number)}") {{ note }} }}')

        shop.clock.advance(5)

        assert early == []
        assert read == {"customer": {"note": "new"}}
        assert set(client.ids("customers", f"first: 9, {since(before)}")) == {
            gid("Customer", number),
            gid("Customer", born),
        }


class TestCosts:
    """Points: what documents cost, who is admitted, and how points come back."""

    @pytest.mark.parametrize(
        ("query", "cost"),
        [
            ("{ orders(first: 250) { nodes { id name } pageInfo { hasNextPage } } }", 13),
            ("{ orders(first: 250) { nodes { id lineItems(first: 250) { nodes { id } } } } }", 156),
            ("{ customers(first: 2) { nodes { id defaultAddress { id } } pageInfo { hasNextPage } } }", 4),
            ("{ shop { name } customersCount { count } }", 11),
        ],
    )
    def test_costs_are_those_that_were_measured(self, client: GraphClient, query: str, cost: int) -> None:
        """Flat and nested pages, counts and objects."""
        told = client.post(query).json()["extensions"]["cost"]

        assert told["requestedQueryCost"] == cost
        assert 0 < told["actualQueryCost"] <= cost

    def test_each_mutation_costs_ten(self, client: GraphClient) -> None:
        """Whatever is asked back of it."""
        call = f'tagsAdd(id: "{gid("Customer", 1)}", tags: ["a"]) {{ node {{ id }} userErrors {{ message }} }}'

        told = client.post(f"mutation {{ {' '.join(f'c{number}: {call}' for number in range(25))} }}").json()

        assert told["extensions"]["cost"]["requestedQueryCost"] == 250

    def test_no_query_may_cost_more_than_a_thousand(self, client: GraphClient) -> None:
        """It is refused with status 200, the cost as a number and no word on the bucket."""
        lines = "lineItems(first: 250) { nodes { originalUnitPriceSet { shopMoney { amount } } } }"
        pages = " ".join(f"p{number}: orders(first: 250) {{ nodes {{ {lines} }} }}" for number in range(3))

        answer = client.post(f"{{ {pages} }}")

        (error,) = answer.json()["errors"]
        assert answer.status_code == 200
        assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"
        assert error["extensions"]["cost"] > error["extensions"]["maxCost"] == 1000
        assert "extensions" not in answer.json()

    def test_an_empty_bucket_throttles_with_status_200_and_fills_again(self, client: GraphClient) -> None:
        """No Retry-After; the answer says how many points there are and how fast they come back."""
        client.shop.bucket.available = 0.0
        query = "{ orders(first: 250) { nodes { id lineItems(first: 250) { nodes { id } } } } }"
        throttled = client.post(query)
        client.shop.clock.advance(2)

        body, later = throttled.json(), client.post(query).json()

        assert throttled.status_code == 200
        assert "Retry-After" not in throttled.headers
        assert body["errors"][0]["extensions"]["code"] == "THROTTLED"
        assert body["extensions"]["cost"]["actualQueryCost"] is None
        assert body["extensions"]["cost"]["throttleStatus"]["maximumAvailable"] == 2000
        assert body["extensions"]["cost"]["throttleStatus"]["restoreRate"] == 100
        assert "errors" not in later


class TestDocuments:
    """Documents that cannot be carried out: status 200, and an error that says why."""

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("{ shop {", "PARSE_ERROR"),
            ("{ shop { shoeSize } }", "undefinedField"),
            ("{ shop }", "invalidDocument"),
            ("query($id: ID!) { node(id: $id) { id } }", "INVALID_VARIABLE"),
            ('{ node(id: "7") { id } }', "argumentLiteralsIncompatible"),
        ],
    )
    def test_a_wrong_document_is_refused_by_code(self, client: GraphClient, query: str, code: str) -> None:
        """Syntax, fields, selections, variables, ids."""
        assert client.codes(query) == [code]

    def test_a_body_that_is_no_request_is_a_400(self, client: GraphClient) -> None:
        """Neither JSON nor a document."""
        token = client.shop.credentials["admin"].access_token

        answer = client.session.post(
            f"{client.shop.url}/admin/api/2026-10/graphql.json",
            data="}{",
            headers={"X-Shopify-Access-Token": token},
            timeout=5,
        )

        assert answer.status_code == 400

    def test_deprecated_fields_are_told_in_a_header(self, client: GraphClient) -> None:
        """By type and field."""
        answer = client.post("{ customers(first: 1) { nodes { email phone } } }")

        assert answer.headers["X-Shopify-API-Deprecated-Reason"] == "Customer.email, Customer.phone"

    def test_the_newer_version_has_what_the_older_lacks(self, client: GraphClient) -> None:
        """Consent to text messages moved into an object of its own."""
        number = client.shop.add_customer("ann@example.com", phone="+12125550100")
        consent = "defaultPhoneNumber { smsMarketingConsent { state } }"
        query = f'{{ customer(id: "{gid("Customer", number)}") {{ {consent} }} }}'

        newer = client.ask(query)
        client.version = "2026-07"

        assert newer["customer"]["defaultPhoneNumber"] == {"smsMarketingConsent": {"state": "NEVER_SUBSCRIBED"}}
        assert client.codes(query) == ["undefinedField"]


class TestRecords:
    """What single records look like."""

    def test_numbers_are_texts(self, client: GraphClient) -> None:
        """Counts of orders, ids and amounts."""
        number = client.shop.add_customer("ann@example.com")
        order = client.shop.place_order(customer_id=number, items=[(10, 2)], shipping_fee=495)
        total = client.shop.state.orders[order].total

        seen = client.ask(
            f'{{ customer(id: "{gid("Customer", number)}")'
            " { legacyResourceId numberOfOrders amountSpent { amount } } }"
        )["customer"]

        assert seen["legacyResourceId"] == str(number)
        assert seen["numberOfOrders"] == "1"
        assert float(seen["amountSpent"]["amount"]) == total / 100

    def test_a_basic_shop_withholds_personal_data(self, client: GraphClient) -> None:
        """Names, mailboxes, telephones and streets are null, and nothing says that they were withheld."""
        client.shop.state.plan = "Basic"
        client.shop.add_customer(
            "ann@example.com", first_name="Ann", addresses=[{"address1": "1 High St", "city": "Ulm"}]
        )

        seen = client.ask(
            f"{{ customers(first: 1, reverse: true) {{ nodes {{ {PERSON} defaultAddress {{ address1 city }} }} }} }}"
        )["customers"]["nodes"][0]

        assert seen.pop("id")
        assert seen.pop("defaultAddress") == {"address1": None, "city": "Ulm"}
        assert set(seen.values()) == {None}

    def test_money_that_was_given_back_shows_in_the_order(self, client: GraphClient) -> None:
        """Total, current total, refund and its lines."""
        order = client.shop.place_order(items=[(10, 1)])
        total = client.shop.state.orders[order].total
        client.shop.refund(order)

        seen = client.ask(
            f'{{ order(id: "{gid("Order", order)}")'
            " { displayFinancialStatus totalPriceSet { ...M } currentTotalPriceSet { ...M }"
            " refunds { totalRefundedSet { ...M } refundLineItems(first: 5) { nodes { quantity } } } } }"
            " fragment M on MoneyBag { shopMoney { amount } }"
        )["order"]

        assert seen["displayFinancialStatus"] == "REFUNDED"
        assert float(seen["totalPriceSet"]["shopMoney"]["amount"]) == total / 100
        assert seen["currentTotalPriceSet"]["shopMoney"]["amount"] == "0.0"
        assert float(seen["refunds"][0]["totalRefundedSet"]["shopMoney"]["amount"]) == total / 100
        assert seen["refunds"][0]["refundLineItems"]["nodes"] == [{"quantity": 1}]

    def test_a_finished_checkout_is_an_order_that_nothing_ties_to_it(self, client: GraphClient) -> None:
        """Customer and lines are the same; the checkout only says that it was completed."""
        number = client.shop.add_customer("ann@example.com")
        checkout = client.shop.open_checkout(customer_id=number, items=[(12, 3)])

        order = client.shop.complete_checkout(checkout)

        seen = client.ask(
            f'{{ node(id: "{gid("AbandonedCheckout", checkout)}") {{ ... on AbandonedCheckout {{ completedAt }} }}'
            f' order(id: "{gid("Order", order)}")'
            " { customer { id } lineItems(first: 1) { nodes { sku quantity } } } }"
        )
        assert seen["node"]["completedAt"]
        assert seen["order"]["customer"] == {"id": gid("Customer", number)}
        assert seen["order"]["lineItems"]["nodes"] == [{"sku": "SKU-012", "quantity": 3}]

    def test_a_cancelled_order_says_when_and_why_and_is_paid_back(self, client: GraphClient) -> None:
        """Cancelling refunds what was paid."""
        order = client.shop.place_order()

        client.shop.cancel_order(order, "FRAUD")

        seen = client.ask(
            f'{{ order(id: "{gid("Order", order)}") {{ cancelReason cancelledAt displayFinancialStatus }} }}'
        )
        assert seen["order"]["cancelledAt"]
        assert (seen["order"]["cancelReason"], seen["order"]["displayFinancialStatus"]) == ("FRAUD", "REFUNDED")

    def test_gone_is_null_among_others(self, client: GraphClient) -> None:
        """Deleted customers leave their orders behind; unknown ids answer null in their place."""
        number = client.shop.add_customer("ann@example.com")
        order = client.shop.place_order(customer_id=number)
        client.shop.delete_customer(number)

        seen = client.ask(
            "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Order { customer { id } email } } }",
            ids=[gid("Customer", number), gid("Order", order)],
        )

        assert seen["nodes"] == [None, {"id": gid("Order", order), "customer": None, "email": "ann@example.com"}]


class TestTags:
    """tagsAdd and tagsRemove."""

    @staticmethod
    def change(client: GraphClient, field_name: str, number: int, tags: list[str]) -> dict[str, object]:
        """Change a customer's tags; the payload."""
        payload: dict[str, object] = client.ask(
            f"mutation($id: ID!, $tags: [String!]!) {{ p: {field_name}(id: $id, tags: $tags)"
            " { node { ... on Customer { tags } } userErrors { field message } } }",
            id=gid("Customer", number),
            tags=tags,
        )["p"]
        return payload

    def test_tags_split_at_commas_keep_their_first_casing_and_are_sorted(self, client: GraphClient) -> None:
        """Adding is no setting."""
        number = client.shop.add_customer("ann@example.com", tags=["VIP"])

        added = self.change(client, "tagsAdd", number, ["vip, b", "a"])
        removed = self.change(client, "tagsRemove", number, ["Vip", "never there"])

        assert added == {"node": {"tags": ["a", "b", "VIP"]}, "userErrors": []}
        assert removed == {"node": {"tags": ["a", "b"]}, "userErrors": []}

    def test_a_change_moves_the_update_time_and_no_change_does_not(self, client: GraphClient) -> None:
        """The shop's echo of what was pushed."""
        number = client.shop.add_customer("ann@example.com", tags=["a"])
        born = client.shop.state.accounts[number].updated_at
        client.shop.clock.advance(60)
        self.change(client, "tagsAdd", number, ["A"])
        same = client.shop.state.accounts[number].updated_at

        self.change(client, "tagsAdd", number, ["b"])

        assert same == born
        assert client.shop.state.accounts[number].updated_at == client.shop.clock.second()

    def test_refusals_are_user_errors_with_status_200(self, client: GraphClient) -> None:
        """Nobody there, too many, too long: nothing is changed."""
        full = client.shop.add_customer("ann@example.com", tags=[f"t{number:03d}" for number in range(250)])

        unknown = self.change(client, "tagsAdd", 1, ["a"])
        many = self.change(client, "tagsAdd", full, ["one more"])
        long = self.change(client, "tagsAdd", full, ["x" * 256])

        assert unknown == {"node": None, "userErrors": [{"field": ["id"], "message": "Customer does not exist"}]}
        assert many["userErrors"] == [{"field": ["tags"], "message": "Tags cannot be more than 250"}]
        assert long["node"] is None
        assert len(client.shop.state.accounts[full].tags) == 250


class TestFaults:
    """Scripted faults reach into GraphQL."""

    def test_a_row_can_be_dropped_and_a_filter_ignored(self, client: GraphClient) -> None:
        """One node is missing from a page; a search finds everything."""
        shop = client.shop
        whole = client.ids("customers", "first: 5")
        shop.faults.add(Fault(kind=FaultKind.DROP_ROW, row=1))
        shop.faults.add(Fault(kind=FaultKind.IGNORE_FILTER, params=("query",)))

        dropped = client.ids("customers", "first: 5")
        ignored = client.ids("customers", 'first: 5, query: "id:1"')

        assert dropped == [whole[0], *whole[2:]]
        assert ignored == whole
