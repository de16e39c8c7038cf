"""Fills a BigCommerce shop with two years of invented trade; the same seed and time give the same shop."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.sandbox.bigcommerce import attributes, customers, orders, subscribers
from syncd.sandbox.bigcommerce.products import PRODUCTS
from syncd.sandbox.bigcommerce.state import (
    CANCELLED,
    COMPLETED,
    INCOMPLETE,
    PARTIALLY_REFUNDED,
    REFUNDED,
    SHIPPED,
    Account,
    BigState,
    Order,
)
from syncd.sandbox.people import Face, Person, Population, appear

ORDERS_PER_SHOP = 700
ADDRESSES_OF_THE_LARGEST = 13
_ACCOUNT_SHARE = 0.6
_GUEST_ORDER_SHARE = 0.4
_SPAN = timedelta(days=730)
_STATUSES = {
    COMPLETED: 48, SHIPPED: 16, 11: 12, 7: 4, 1: 2, CANCELLED: 5, 6: 2, REFUNDED: 4, PARTIALLY_REFUNDED: 4, 12: 1,
    INCOMPLETE: 6,
}  # fmt: skip
_TIED_ORDERS = 40


def fill(state: BigState, population: Population) -> None:
    """Put accounts, subscribers and orders into an empty shop."""
    rng = random.Random(f"bigcommerce:{population.seed}:{state.site.store}")
    shoppers = population.shoppers(state.site.store)
    members = _add_accounts(state, rng, shoppers)
    known = {account.person_id for account, _ in members}
    guests = [person for person in shoppers if person.person_id not in known]
    _add_attributes(state, rng)
    trade = _Trade(members=members, guests=guests or shoppers, shoppers=shoppers)
    _add_orders(state, rng, trade, round(ORDERS_PER_SHOP * population.scale))
    _add_subscribers(state, rng, guests)
    _tie_some(state, rng)


def _add_accounts(state: BigState, rng: random.Random, shoppers: list[Person]) -> list[tuple[Account, Person]]:
    now = state.clock.second()
    registered = [person for person in shoppers if rng.random() < _ACCOUNT_SHARE]
    dates = sorted(now - timedelta(seconds=rng.randrange(3600, int(_SPAN.total_seconds()))) for _ in registered)
    members = []
    for person, date in zip(registered, dates, strict=True):
        face = appear(person, rng)
        if state.email_owner(face.email, 1) is None:
            members.append((_add_account(state, rng, face, date), person))
    if members:
        _add_branches(state, members[len(members) // 2][0])
        _add_twins(state, rng, members)
    return members


def _add_account(state: BigState, rng: random.Random, face: Face, date: datetime, *, channel_id: int = 1) -> Account:
    account = customers.new_account(state, face.email, person_id=face.person_id, channel_id=channel_id)
    account.created_at, account.modified_at = date, _later(state, rng, date, days=300)
    account.first_name, account.last_name, account.phone = face.first_name, face.last_name, face.phone
    account.company = f"{face.last_name} Ltd" if rng.random() < 0.3 else ""
    account.wants_reminders = rng.random() < 0.2
    account.store_credit = rng.choice((0, 0, 0, 0, 2500))
    for _ in range(rng.choice((0, 1, 1, 1, 2))):
        customers.new_address(state, account, _home(face) | {"company": account.company})
    return account


def _add_branches(state: BigState, account: Account) -> None:
    """One customer with more addresses than are ever included."""
    for number in range(len(account.addresses), ADDRESSES_OF_THE_LARGEST):
        place = {"street": f"{number} Branch Rd", "city": "Dayton", "state": "Ohio", "postcode": "45402"}
        customers.new_address(state, account, place | {"company": f"Branch {number}"})


def _add_twins(state: BigState, rng: random.Random, members: list[tuple[Account, Person]]) -> None:
    """Customers who opened a second account with the same e-mail on the shop's other channel."""
    for account, person in rng.sample(members, k=max(1, len(members) // 25)):
        face = appear(person, rng)
        twin = _add_account(state, rng, face, _later(state, rng, account.created_at, days=90), channel_id=2)
        twin.email = account.email


def _home(face: Face) -> dict[str, str]:
    home = face.address
    return {
        "first_name": face.first_name,
        "last_name": face.last_name,
        "street": home.street,
        "city": home.city,
        "state": home.state,
        "postcode": home.postcode,
        "country": home.country,
        "phone": face.phone,
    }


def _add_attributes(state: BigState, rng: random.Random) -> None:
    """Two fields of the merchant's own."""
    size = attributes.new_attribute(state, "Company size")
    points = attributes.new_attribute(state, "Loyalty points", "number")
    for account in state.accounts.values():
        if rng.random() < 0.3:
            attributes.write(state, account.id, size.id, rng.choice(("1-9", "10-99", "100+")))
        if rng.random() < 0.2:
            attributes.write(state, account.id, points.id, str(rng.randrange(10, 5000)))


def _add_subscribers(state: BigState, rng: random.Random, guests: list[Person]) -> None:
    """Some customers, some who only ever gave their mailbox."""
    for account in list(state.accounts.values()):
        if rng.random() < 0.4:
            names = {"first_name": account.first_name, "last_name": account.last_name}
            _subscribe(state, rng, account.email, account.created_at, **names)
    for person in guests:
        if rng.random() < 0.1:
            _subscribe(state, rng, appear(person, rng).email, state.clock.second() - timedelta(days=200))


def _subscribe(state: BigState, rng: random.Random, email: str, since: datetime, **names: str) -> None:
    consents = rng.choice((("marketing_newsletter",), ("marketing_newsletter", "abandoned_cart"), ("abandoned_cart",)))
    row = subscribers.subscribe(state, email, consents=consents, **names)
    row.created_at = row.modified_at = _later(state, rng, since, days=60)


def _later(state: BigState, rng: random.Random, date: datetime, *, days: int) -> datetime:
    """Some time after a date, but not after now."""
    latest = min(date + timedelta(days=days), state.clock.second() - timedelta(minutes=10))
    return date + timedelta(seconds=rng.randrange(max(1, int((latest - date).total_seconds()))))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Trade:
    """Who buys: account holders, guests, and account holders who did not log in."""

    members: list[tuple[Account, Person]]
    guests: list[Person]
    shoppers: list[Person]


def _add_orders(state: BigState, rng: random.Random, trade: _Trade, count: int) -> None:
    now, span = state.clock.second(), int(_SPAN.total_seconds())
    # The root leans towards the present: a shop that grows.
    for date in sorted(now - _SPAN + timedelta(seconds=int(span * rng.random() ** 0.7) - 1200) for _ in range(count)):
        status_id = rng.choices(list(_STATUSES), weights=list(_STATUSES.values()))[0]
        _add_order(state, rng, _buyer(rng, trade), (status_id, date))


def _buyer(rng: random.Random, trade: _Trade) -> tuple[Account | None, Person]:
    if trade.members and rng.random() > _GUEST_ORDER_SHARE:
        # A tenth of the members place most of the orders.
        return trade.members[int(len(trade.members) * rng.random() ** 1.8)]
    return None, rng.choice(trade.shoppers if rng.random() < 0.1 else trade.guests)


def _add_order(
    state: BigState, rng: random.Random, buyer: tuple[Account | None, Person], how: tuple[int, datetime]
) -> None:
    (account, person), (status_id, date) = buyer, how
    face = appear(person, rng)
    order = orders.new_order(state, customer_id=account.id if account else 0, person_id=person.person_id)
    order.status_id, order.created_at, order.channel_id = status_id, date, account.channel_id if account else 1
    order.cart_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    order.currency = rng.choices((state.site.currency, "EUR", "GBP"), weights=(93, 5, 2))[0]
    order.shown_currency = order.currency if rng.random() < 0.95 else "EUR"
    order.billing |= _home(face) | {"email": account.email if account else face.email}
    order.shipping |= order.billing
    _add_circumstances(rng, order)
    _add_lines(state, rng, order)
    _date_order(state, rng, order)


def _add_circumstances(rng: random.Random, order: Order) -> None:
    order.is_opt_in = rng.random() < 0.2
    if order.customer_id and rng.random() < 0.06:
        # Staff took it by telephone: the customer is known, the mailbox was not asked for.
        order.source, order.payment_method = "manual", "Manual"
        order.billing["email"] = order.shipping["email"] = ""
    if rng.random() < 0.1:
        order.external_order_id = f"PO-{order.id}"
    if order.status_id not in (INCOMPLETE, SHIPPED) and rng.random() < 0.02:
        order.is_deleted = True


def _add_lines(state: BigState, rng: random.Random, order: Order) -> None:
    percent_off = 10 if rng.random() < 0.1 else 0
    order.coupon = "BULK10" if percent_off else ""
    tax_percent = rng.choice((0, 0, 8))
    order.lines = [
        orders.new_line(state, product, rng.randrange(1, 6), percent_off=percent_off, tax_percent=tax_percent)
        for product in rng.sample(list(PRODUCTS), k=rng.choice((1, 1, 2, 4)))
    ]
    order.shipping_fee = 1500 if rng.random() < 0.7 else 0


def _date_order(state: BigState, rng: random.Random, order: Order) -> None:
    """Give an order the times and refunds that its status speaks of."""
    order.modified_at = order.created_at
    if order.status_id == INCOMPLETE:
        return
    order.modified_at = _later(state, rng, order.created_at, days=14)
    if order.status_id in (SHIPPED, COMPLETED, PARTIALLY_REFUNDED):
        order.shipped_at = order.created_at + (order.modified_at - order.created_at) / 2
        order.shipped_at = order.shipped_at.replace(microsecond=0)
    if order.status_id in (REFUNDED, PARTIALLY_REFUNDED):
        _seed_refund(state, order)


def _seed_refund(state: BigState, order: Order) -> None:
    modified_at = order.modified_at
    amount = order.total if order.status_id == REFUNDED else order.total // 5
    order.refunds.append(state.new_refund(order, amount, "Damaged", modified_at))


def _tie_some(state: BigState, rng: random.Random) -> None:
    """A bulk edit of the past: many orders share one modification second."""
    moment = state.clock.second() - timedelta(days=90)
    old = [order for order in state.orders.values() if order.modified_at < moment]
    for order in rng.sample(old, k=min(_TIED_ORDERS, len(old))):
        order.modified_at = moment
