"""Fills a Shopify shop with two years of invented trade; the same seed and time give the same shop."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from syncd.sandbox.people import Face, Person, Population, appear, dialled
from syncd.sandbox.products import PRODUCTS
from syncd.sandbox.shopify.state import (
    Account,
    Checkout,
    Consent,
    Line,
    Order,
    Piece,
    Place,
    Refund,
    ShopifyState,
)

ORDERS_PER_SHOP = 600
CHECKOUTS_PER_SHOP = 60
_ACCOUNT_SHARE = 0.72
_GUEST_SHARE = 0.15
_SPAN = timedelta(days=730)
_OUTCOMES = {
    ("PAID", "FULFILLED"): 62, ("PAID", "UNFULFILLED"): 14, ("PENDING", "UNFULFILLED"): 5, ("VOIDED", "UNFULFILLED"): 3,
    ("PARTIALLY_REFUNDED", "FULFILLED"): 6, ("REFUNDED", "FULFILLED"): 6, ("PAID", "PARTIALLY_FULFILLED"): 4,
}  # fmt: skip
_CONSENTS = (
    (Consent(), 30),
    (Consent(state="SUBSCRIBED", level="SINGLE_OPT_IN"), 45),
    (Consent(state="SUBSCRIBED", level="CONFIRMED_OPT_IN"), 10),
    (Consent(state="UNSUBSCRIBED", level="SINGLE_OPT_IN"), 12),
    (Consent(state="PENDING", level="CONFIRMED_OPT_IN"), 3),
)
_STAFF_TAGS = ("wholesale", "Newsletter", "press", "do-not-call")


def fill(state: ShopifyState, population: Population) -> None:
    """Put customers, orders and left checkouts into an empty shop."""
    rng = random.Random(f"shopify:{population.seed}:{state.site.store}")
    shoppers = population.shoppers(state.site.store)
    seeder = _Seeder(state, rng, shoppers)
    seeder.add_accounts()
    for moment in seeder.moments(round(ORDERS_PER_SHOP * population.scale), days=_SPAN.days):
        seeder.add_order(moment)
    for moment in seeder.moments(round(CHECKOUTS_PER_SHOP * population.scale), days=80):
        seeder.add_checkout(moment)


class _Seeder:
    """Invents one shop's past."""

    def __init__(self, state: ShopifyState, rng: random.Random, shoppers: list[Person]) -> None:
        self._state = state
        self._rng = rng
        self._now = state.clock.second()
        self._shoppers = shoppers
        self._members: list[tuple[Account, Person]] = []
        self._guests = shoppers

    def moments(self, count: int, *, days: int) -> list[datetime]:
        """So many past times, more of them lately: a shop that grows."""
        span = days * 86400
        ago = (span - int(span * self._rng.random() ** 0.7) + 1200 for _ in range(count))
        return sorted(self._now - timedelta(seconds=seconds) for seconds in ago)

    def add_accounts(self) -> None:
        """Customers; a shop knows no mailbox and no telephone twice."""
        members = [person for person in self._shoppers if self._rng.random() < _ACCOUNT_SHARE]
        taken: set[str] = set()
        for person, moment in zip(members, self.moments(len(members), days=_SPAN.days), strict=True):
            face = appear(person, self._rng)
            if face.email.lower() not in taken:
                account = self._account(person, face, moment)
                account.phone = None if account.phone in taken else account.phone
                taken |= {face.email.lower(), account.phone or ""}
                self._members.append((account, person))
        known = {person.person_id for _, person in self._members}
        self._guests = [person for person in self._shoppers if person.person_id not in known] or self._shoppers

    def _account(self, person: Person, face: Face, moment: datetime) -> Account:
        rng, state = self._rng, self._state
        account = Account(
            id=state.next_id("account"),
            created_at=moment,
            updated_at=moment,
            changed_at=moment,
            person_id=person.person_id,
            first_name=face.first_name,
            last_name=face.last_name,
            email=face.email.lower(),
            phone=dialled(person) if face.phone and rng.random() < 0.5 else None,
            email_consent=self._consent(moment),
            sms_consent=self._consent(moment) if rng.random() < 0.3 else Consent(),
            tags=sorted(rng.sample(_STAFF_TAGS, k=rng.choice((1, 2))), key=str.lower) if rng.random() < 0.15 else [],
            state="ENABLED" if rng.random() < 0.4 else "DISABLED",
            locale=rng.choice(("en", "en", "de", "fr")),
        )
        account.addresses = [self._place(face)] if rng.random() > 0.08 else []
        self._date(account, moment)
        state.accounts[account.id] = account
        return account

    def _consent(self, moment: datetime) -> Consent:
        choice = self._rng.choices([each for each, _ in _CONSENTS], weights=[weight for _, weight in _CONSENTS])[0]
        at = None if choice.state == "NOT_SUBSCRIBED" else moment
        return Consent(state=choice.state, level=choice.level, at=at)

    def _place(self, face: Face) -> Place:
        home = face.address
        return Place(
            id=self._state.next_id("place"),
            first_name=face.first_name,
            last_name=face.last_name,
            address1=home.street,
            city=home.city,
            province_code=home.state.removeprefix(f"{home.country}-") or None,
            zip=home.postcode,
            country=home.country,
            phone=face.phone or None,
        )

    def _date(self, record: Account | Order | Checkout, moment: datetime, *, days: int = 200) -> None:
        """Give a record a later change, but none after now."""
        latest = min(moment + timedelta(days=days), self._now - timedelta(minutes=10))
        seconds = max(1, int((latest - moment).total_seconds()))
        record.updated_at = record.changed_at = moment + timedelta(seconds=self._rng.randrange(seconds))

    def _buyer(self) -> tuple[Account | None, Person]:
        if self._members and self._rng.random() > _GUEST_SHARE:
            # A tenth of the members place most of the orders.
            return self._members[int(len(self._members) * self._rng.random() ** 1.8)]
        return None, self._rng.choice(self._guests)

    def _lines(self, percent_off: int) -> list[Line]:
        chosen = self._rng.sample(list(PRODUCTS), k=self._rng.choice((1, 1, 2, 3)))
        return [self._line(product, percent_off) for product in chosen]

    def _line(self, product: int, percent_off: int) -> Line:
        quantity, price = self._rng.randrange(1, 4), PRODUCTS[product].price
        discount = price * quantity * percent_off // 100
        number = self._state.next_id("line")
        return Line(id=number, product=product, quantity=quantity, price=price, discount=discount)

    def add_order(self, moment: datetime) -> None:
        """An order with lines, money and a fate."""
        rng, state = self._rng, self._state
        account, person = self._buyer()
        face = appear(person, rng)
        percent_off = 10 if rng.random() < 0.1 else 0
        financial, fulfillment = rng.choices(list(_OUTCOMES), weights=list(_OUTCOMES.values()))[0]
        order = Order(
            id=state.next_id("order"),
            created_at=moment,
            updated_at=moment,
            changed_at=moment,
            person_id=person.person_id,
            number=state.next_number(),
            customer_id=account.id if account else None,
            email=account.email if account else face.email,
            phone=face.phone or None if rng.random() < 0.4 else None,
            presentment=rng.choices((state.site.currency, "GBP", "JPY"), weights=(92, 5, 3))[0],
            lines=self._lines(percent_off),
            discount_code="WELCOME10" if percent_off else None,
            shipping_fee=495 if rng.random() < 0.8 else 0,
            financial=financial,
            fulfillment=fulfillment,
            billing=self._place(face) if account is None or rng.random() > 0.05 else None,
            test=rng.random() < 0.01,
        )
        order.shipping = order.billing if rng.random() < 0.8 else None
        self._date(order, moment, days=14)
        self._settle(order)
        state.orders[order.id] = order

    def _settle(self, order: Order) -> None:
        """The refund, the cancellation or the closing that an order's state speaks of."""
        if order.financial == "REFUNDED":
            self._refund(order, order.total, "Full refund")
        elif order.financial == "PARTIALLY_REFUNDED":
            line = order.lines[0]
            self._refund(order, (line.net + line.tax) // line.quantity, "Damaged")
        elif order.financial == "VOIDED":
            order.cancelled_at, order.cancel_reason = order.updated_at, "CUSTOMER"
        elif order.fulfillment == "FULFILLED":
            order.closed_at = order.updated_at

    def _refund(self, order: Order, amount: int, note: str) -> None:
        line = order.lines[0]
        line.refunded_quantity = 1
        order.refunds.append(
            Refund(
                id=self._state.next_id("refund"),
                amount=amount,
                created_at=order.updated_at,
                note=note,
                pieces=(Piece(id=line.id, quantity=1),),
            )
        )

    def add_checkout(self, moment: datetime) -> None:
        """A left checkout; some are finished later."""
        rng, state = self._rng, self._state
        account, person = self._buyer()
        place = self._place(appear(person, rng))
        checkout = Checkout(
            id=state.next_id("checkout"),
            created_at=moment,
            updated_at=moment,
            changed_at=moment,
            person_id=person.person_id,
            customer_id=account.id if account else None,
            lines=self._lines(0),
            billing=place if account is None or rng.random() < 0.7 else None,
            shipping=place if rng.random() < 0.5 else None,
        )
        self._date(checkout, moment, days=2)
        if rng.random() < 0.2:
            checkout.completed_at = checkout.updated_at
        state.checkouts[checkout.id] = checkout
