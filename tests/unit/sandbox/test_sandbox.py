"""The sandbox as a whole: people, truth, log, control endpoint, start and stop."""

from __future__ import annotations

import csv
import hashlib
import re
import socket
import threading
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import orjson
import pytest
import requests

from syncd.sandbox import PORTS, Sandbox, SandboxOptions, serve_forever
from syncd.sandbox.people import Person, populate
from tests.unit.sandbox.client import Client


def test_people_shop_on_several_stores_under_different_spellings(still_sandbox: Sandbox) -> None:
    """Hundreds are on two or more stores, some differ in name or mailbox there; much of the orders are guests'."""
    people: dict[str, set[str]] = {}
    for record, person in still_sandbox.truth().items():
        people.setdefault(person, set()).add(record.split(":")[0])
    several = [person for person, stores in people.items() if len(stores) > 1]
    shops = [shop for shop in still_sandbox.shops.values() if shop.platform == "woocommerce"]
    orders = [order for shop in shops for order in shop.state.orders.values()]
    spellings = {(order.person_id, order.billing["email"].lower()) for order in orders}

    guests = sum(order.customer_id == 0 for order in orders) / len(orders)
    assert len(several) >= 300
    assert max(len(stores) for stores in people.values()) == len(still_sandbox.shops)
    assert len(spellings) > len({person for person, _ in spellings}) + 50
    assert 0.40 < guests < 0.52


@pytest.mark.parametrize("seed", [1, 2])
def test_families_on_several_stores_share_telephones_and_mailboxes(seed: int) -> None:
    """At least thirty telephones or mailboxes are those of two people who are both on several stores."""
    sandbox = Sandbox(seed=seed)
    seen: dict[str, set[str]] = {}
    for record, person in sandbox.truth().items():
        seen.setdefault(person, set()).add(record.split(":")[0])
    several = [
        person
        for person in populate(seed, stores=list(sandbox.shops)).people
        if len(seen.get(person.person_id, ())) > 1
    ]

    numbers = Counter(person.number for person in several)
    mailboxes = Counter(person.mailboxes[0] for person in several)

    assert sum(count > 1 for count in (*numbers.values(), *mailboxes.values())) >= 30


def test_nobody_in_a_household_is_another() -> None:
    """Who shares a telephone or a mailbox has the surname and another forename, or is marked as father or son."""
    homes: dict[object, list[Person]] = {}
    for person in populate(3, stores=["a", "b"]).people:
        homes.setdefault((person.number, person.address), []).append(person)

    shared = [home for home in homes.values() if len(home) > 1]

    assert len(shared) > 20
    assert all(len({(person.first_name, person.suffix) for person in home}) == len(home) for home in shared)
    assert all(len({person.last_name for person in home}) == 1 for home in shared)


def test_some_people_move_and_some_sons_bear_their_fathers_name() -> None:
    """An address does not tell one person for ever, nor does a name at an address tell one person alone."""
    people = populate(3, stores=["a", "b"]).people

    namesakes = [pair for pair in pairwise(people) if [person.suffix for person in pair] == ["Sr", "Jr"]]
    movers = [person for person in people if person.former_address not in (None, person.address)]

    assert len(namesakes) > 3
    assert all((father.first_name, father.address) == (son.first_name, son.address) for father, son in namesakes)
    assert 0.08 < len(movers) / len(people) < 0.25


def test_the_truth_file_has_the_columns_of_scorers(tmp_path: Path) -> None:
    """record_id and person_id; accounts, guest orders and guest carts, no order of an account, nothing trashed."""
    path = tmp_path / "truth.csv"
    with Sandbox(SandboxOptions(scale=0.1, truth=path)) as sandbox:
        shop = sandbox.shops["eu-woo"]
        guest, owned = shop.place_order(person_id="P1"), shop.place_order(customer_id=3)
        draft, trashed = shop.open_draft(person_id="P1"), shop.place_order()
        shop.trash_order(trashed)

    with path.open(newline="", encoding="utf-8") as handle:
        rows = {row["record_id"]: row["person_id"] for row in csv.DictReader(handle)}

    assert rows[f"eu-woo:order:{guest}"] == rows[f"eu-woo:cart:order:{draft}"] == "P1"
    assert "eu-woo:account:3" in rows
    assert not {f"eu-woo:order:{number}" for number in (owned, trashed, draft)} & rows.keys()


def test_the_log_has_exactly_the_agreed_keys_and_no_secret(tmp_path: Path) -> None:
    """One JSON object per exchange; keys, signatures and Authorization are 8 hex digits of their SHA-256."""
    path = tmp_path / "log.jsonl"
    with Sandbox(SandboxOptions(scale=0.1, log=path)) as sandbox:
        caller = Client(sandbox.shops["us-woo"])
        url = caller.signed("GET", "customers", per_page=1)
        caller.session.get(url, headers={"Authorization": "Basic abc"}, timeout=5)
        caller.put("customers/3", {"consumer_secret": caller.key.consumer_secret})
        caller.close()

    text = path.read_text()
    lines = [orjson.loads(line) for line in text.splitlines()]

    assert [set(line) for line in lines] == [
        {"method", "url", "headers", "body", "status", "response_headers", "response_body"}
    ] * 2
    assert caller.key.consumer_key not in text
    assert caller.key.consumer_secret not in text
    assert re.search("oauth_signature=([^&]*)", url)[1] not in text  # type: ignore[index]
    assert f"oauth_consumer_key={hashlib.sha256(caller.key.consumer_key.encode()).hexdigest()[:8]}" in lines[0]["url"]
    assert lines[0]["headers"]["authorization"] == hashlib.sha256(b"Basic abc").hexdigest()[:8]
    assert (lines[0]["method"], lines[0]["status"]) == ("GET", 200)
    assert orjson.loads(lines[0]["response_body"])[0]["id"]


def test_a_second_terminal_acts_through_the_control_endpoint(client: Client) -> None:
    """Merchant actions, faults and clock moves are POSTs; what is not known is a 400 in words."""
    base = f"{client.shop.url}/_sandbox"

    def post(action: str, **arguments: object) -> requests.Response:
        return client.session.post(f"{base}/{action}", json=arguments, timeout=5)

    number = post("add_customer", email="ann@example.com", first_name="Ann").json()["result"]
    post("faults", kind="answer", path="customers", status=503)
    before = client.shop.clock.now()
    post("clock", advance_s=3600)
    unknown, wrong = post("rob_the_till"), post("edit_customer", customer_id=number, shoe_size=42)

    assert client.shop.state.accounts[number].first_name == "Ann"
    assert client.get("customers").status_code == 503
    assert (client.shop.clock.now() - before).total_seconds() >= 3600
    assert (unknown.status_code, wrong.status_code) == (400, 400)
    assert "shoe_size" in wrong.json()["error"]
    assert "place_order" in client.session.get(base, timeout=5).json()["actions"]


def test_the_date_header_is_the_sandboxs_clock(client: Client) -> None:
    """A moved clock shows in the Date header, which is what signposts are made of."""
    client.shop.clock.advance(86400 * 365)

    answer = client.get("customers")

    assert str(client.shop.clock.now().year) in answer.headers["Date"]
    assert client.shop.history[-1].at >= client.shop.history[0].at


def test_it_starts_and_stops_fast_and_a_page_of_100_is_cheap() -> None:
    """Four shops are up in 3 s and down in 1 s; a page of 100 orders takes little."""
    began = time.monotonic()
    sandbox = Sandbox()
    with sandbox:
        started = time.monotonic()
        caller = Client(sandbox.shops["us-woo"])
        answers = [caller.get("orders", per_page=100, orderby="id", page=page) for page in (1, 2, 3)]
        asked = time.monotonic()
    stopped = time.monotonic()
    caller.close()

    assert started - began < 3
    assert [len(answer.json()) for answer in answers] == [100] * 3
    assert asked - started < 1.5
    assert stopped - asked < 1


def test_a_taken_port_is_an_error_and_leaves_nothing_behind() -> None:
    """If one shop cannot be served, the others are taken down again."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sandbox = Sandbox(SandboxOptions(scale=0.05, ports={"eu-woo": port}))

        with pytest.raises(OSError, match="in use"):
            sandbox.start()

    free = sandbox.shops["us-woo"].port
    with socket.create_server(("127.0.0.1", free)):
        pass


def test_serve_forever_serves_until_told_to_stop() -> None:
    """The command's loop: announces, serves, ends when the event is set."""
    stop, seen = threading.Event(), []

    def announce(sandbox: Sandbox) -> None:
        seen.append(requests.get(f"{sandbox.shops['us-woo'].url}/wp-json/", timeout=5).status_code)
        stop.set()

    serve_forever(SandboxOptions(scale=0.05, ports=dict.fromkeys(PORTS, 0)), stop, announce=announce)

    assert seen == [200]
