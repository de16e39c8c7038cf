"""Fills a WooCommerce shop with two years of invented trade; the same seed and time give the same shop."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.sandbox.people import Face, Person, Population, appear
from syncd.sandbox.products import PRODUCTS
from syncd.sandbox.woocommerce import customers, orders
from syncd.sandbox.woocommerce.access import ADMIN_ID, MANAGER_ID
from syncd.sandbox.woocommerce.state import Account, Meta, Order, Refund, WooState

ORDERS_PER_SHOP = 900
_ACCOUNT_SHARE = 0.54
_GUEST_ORDER_SHARE = 0.45
_SPAN = timedelta(days=730)
_STATUSES = {
    "completed": 62, "processing": 12, "on-hold": 4, "pending": 4, "failed": 3, "cancelled": 6, "refunded": 4,
    "checkout-draft": 4, "trash": 1,
}  # fmt: skip
_TIED_ORDERS = 40


def fill(state: WooState, population: Population) -> None:
    """Put staff, accounts and orders into an empty shop."""
    rng = random.Random(f"woocommerce:{population.seed}:{state.site.store}")
    shoppers = population.shoppers(state.site.store)
    _add_staff(state)
    members = _add_accounts(state, rng, shoppers)
    guests = [person for person in shoppers if person.person_id not in members]
    _add_orders(state, rng, _Trade(members=list(members.values()), guests=guests or shoppers, shoppers=shoppers),
                round(ORDERS_PER_SHOP * population.scale))  # fmt: skip
    _tie_some(state, rng)


def _add_staff(state: WooState) -> None:
    start = state.clock.second() - _SPAN
    for number, role, name in ((ADMIN_ID, "administrator", "admin"), (MANAGER_ID, "shop_manager", "manager")):
        account = customers.new_account(state, f"{name}@{state.site.store}.example")
        account.role, account.created_at, account.modified_at = role, start, None
        account.person_id = f"staff:{state.site.store}:{number}"


def _add_accounts(state: WooState, rng: random.Random, shoppers: list[Person]) -> dict[str, tuple[Account, Person]]:
    now = state.clock.second()
    registered = [person for person in shoppers if rng.random() < _ACCOUNT_SHARE]
    dates = sorted(now - timedelta(seconds=rng.randrange(3600, int(_SPAN.total_seconds()))) for _ in registered)
    taken: set[str] = set()
    members = {}
    for person, date in zip(registered, dates, strict=True):
        face = appear(person, rng)
        if face.email.lower() in taken:
            continue
        taken.add(face.email.lower())
        members[person.person_id] = (_add_account(state, rng, face, date), person)
    return members


def _add_account(state: WooState, rng: random.Random, face: Face, date: datetime) -> Account:
    account = customers.new_account(state, face.email, person_id=face.person_id)
    account.created_at = date
    account.modified_at = None if rng.random() < 0.04 else _later(state, rng, date, days=300)
    suffix = " & Sons" if rng.random() < 0.02 else ""
    account.first_name = customers.encoded(face.first_name)
    account.last_name = customers.encoded(face.last_name + suffix)
    account.role = rng.choices(("customer", "subscriber"), weights=(92, 8))[0]
    if rng.random() > 0.05:
        account.billing |= _billing(face) | {"last_name": face.last_name + suffix}
        if rng.random() < 0.3:
            account.shipping |= _shipping(face)
    _add_account_meta(state, rng, account)
    return account


def _add_account_meta(state: WooState, rng: random.Random, account: Account) -> None:
    if rng.random() < 0.15:
        tier = rng.choice(("bronze", "silver", "gold"))
        account.meta.append(Meta(id=state.next_id("meta"), key="loyalty_tier", value=tier))
    if rng.random() < 0.10:
        value = {"optin": rng.random() < 0.7, "source": "newsletter", "tags": ["a", "b"]}
        account.meta.append(Meta(id=state.next_id("meta"), key="marketing", value=value))


def _billing(face: Face) -> dict[str, str]:
    return {**_shipping(face), "email": face.email, "phone": face.phone}


def _shipping(face: Face) -> dict[str, str]:
    home = face.address
    return {
        "first_name": face.first_name,
        "last_name": face.last_name,
        "address_1": home.street,
        "city": home.city,
        "postcode": home.postcode,
        "country": home.country,
        "state": home.state,
    }


def _later(state: WooState, rng: random.Random, date: datetime, *, days: int) -> datetime:
    """Some time after a date, but not after now."""
    latest = min(date + timedelta(days=days), state.clock.second() - timedelta(minutes=10))
    return date + timedelta(seconds=rng.randrange(max(1, int((latest - date).total_seconds()))))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Trade:
    """Who buys: account holders, guests, and account holders who did not log in."""

    members: list[tuple[Account, Person]]
    guests: list[Person]
    shoppers: list[Person]


def _add_orders(state: WooState, rng: random.Random, trade: _Trade, count: int) -> None:
    now = state.clock.second()
    span = int(_SPAN.total_seconds())
    # The square root leans towards the present: a shop that grows.
    dates = sorted(now - _SPAN + timedelta(seconds=int(span * rng.random() ** 0.7) - 1200) for _ in range(count))
    for date in dates:
        status = rng.choices(list(_STATUSES), weights=list(_STATUSES.values()))[0]
        if status != "checkout-draft":
            _add_order(state, rng, _buyer(rng, trade), (status, date))
    drafts = round(count * _STATUSES["checkout-draft"] / sum(_STATUSES.values()))
    for hours in sorted((rng.uniform(0.5, 20) for _ in range(drafts)), reverse=True):
        _add_order(state, rng, _buyer(rng, trade), ("checkout-draft", now - timedelta(seconds=int(hours * 3600))))


def _buyer(rng: random.Random, trade: _Trade) -> tuple[Account | None, Person]:
    if trade.members and rng.random() > _GUEST_ORDER_SHARE:
        # A tenth of the members place most of the orders.
        return trade.members[int(len(trade.members) * rng.random() ** 1.8)]
    return None, rng.choice(trade.shoppers if rng.random() < 0.1 else trade.guests)


def _add_order(
    state: WooState, rng: random.Random, buyer: tuple[Account | None, Person], how: tuple[str, datetime]
) -> None:
    (account, person), (status, date) = buyer, how
    face = appear(person, rng)
    order = orders.new_order(state, customer_id=account.id if account else 0, person_id=person.person_id)
    order.status, order.created_at = status, date
    order.currency = _currency(state, rng)
    order.billing |= dict(account.billing) if account and account.billing["email"] else _billing(face)
    if rng.random() < 0.3:
        order.shipping |= _shipping(face)
    _add_lines(state, rng, order)
    _add_order_meta(state, rng, order)
    _date_order(state, rng, order)
    if account is not None and status == "completed":
        account.is_paying = True


def _currency(state: WooState, rng: random.Random) -> str:
    home = state.site.currency
    return rng.choices((home, "GBP", "JPY"), weights=(92, 5, 3))[0]


def _add_lines(state: WooState, rng: random.Random, order: Order) -> None:
    percent_off = 10 if rng.random() < 0.1 else 0
    order.coupon = "WELCOME10" if percent_off else ""
    order.lines = [
        orders.new_line(state, product, rng.randrange(1, 4), percent_off=percent_off)
        for product in rng.sample(list(PRODUCTS), k=rng.choice((1, 1, 2, 3)))
    ]
    order.shipping_fee = 495 if rng.random() < 0.8 else 0


def _add_order_meta(state: WooState, rng: random.Random, order: Order) -> None:
    order.created_via = "store-api" if order.status == "checkout-draft" else "checkout"
    order.payment_method = "" if order.status == "checkout-draft" else rng.choice(("bacs", "stripe"))
    source = rng.choice(("google", "newsletter", "direct"))
    for key, value in (("_wc_order_attribution_source_type", "utm"), ("_wc_order_attribution_utm_source", source)):
        order.meta.append(Meta(id=state.next_id("meta"), key=key, value=value))


def _date_order(state: WooState, rng: random.Random, order: Order) -> None:
    """Give an order the times and refunds that its status speaks of."""
    order.modified_at = order.created_at
    if order.status == "checkout-draft":
        return
    order.modified_at = _later(state, rng, order.created_at, days=14)
    if order.status in ("completed", "processing", "refunded"):
        order.paid_at = order.created_at + (order.modified_at - order.created_at) / 4
        order.paid_at = order.paid_at.replace(microsecond=0)
    if order.status in ("completed", "refunded"):
        order.completed_at = order.modified_at
    if order.status == "refunded":
        _seed_refund(state, order, order.total, "Full refund")
    elif order.status == "completed" and rng.random() < 0.05:
        _seed_refund(state, order, order.total // 5, "Partial: damaged")


def _seed_refund(state: WooState, order: Order, amount: int, reason: str) -> None:
    number = state.next_id("order")
    order.refunds.append(
        Refund(id=number, order_id=order.id, amount=amount, reason=reason, created_at=order.modified_at)
    )


def _tie_some(state: WooState, rng: random.Random) -> None:
    """A bulk edit of the past: many orders share one modification second."""
    moment = state.clock.second() - timedelta(days=90)
    old = [order for order in state.orders.values() if order.modified_at < moment]
    for order in rng.sample(old, k=min(_TIED_ORDERS, len(old))):
        order.modified_at = moment
