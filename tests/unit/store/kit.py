"""What the store's tests share: a resolver of one rule, and one stream worked page by page."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from sqlalchemy import Table, func, select

from syncd.model import (
    Cart,
    Contact,
    ContactKey,
    ContactKind,
    Customer,
    Identifier,
    IdentifierKind,
    IdentityCase,
    Judgement,
    Lane,
    Order,
    RawRecord,
    Resolution,
    Stream,
    Unified,
    Verdict,
    Window,
)
from syncd.store import Database
from syncd.store.engine import Engines
from syncd.store.types import Accepted, Counts, LaneKey, Lease, PageCommit, Rejected, Walk, WalkEnd
from tests.clock import ManualClock

STREAMS = {Customer: Stream.CUSTOMERS, Order: Stream.ORDERS, Cart: Stream.CARTS}
KINDS = {Customer: ContactKind.ACCOUNT, Order: ContactKind.ORDER, Cart: ContactKind.CART}


@dataclass
class SameMailbox:
    """The same identifier, the same person; past `shared_past` contacts a value is shared."""

    version: str = "test"
    shared_past: int = 100
    cases: list[IdentityCase] = field(default_factory=list)

    def judge(self, case: IdentityCase) -> Resolution:
        """Chains the contacts of each identifier, and obeys people."""
        self.cases.append(case)
        carriers: dict[Identifier, list[ContactKey]] = defaultdict(list)
        for contact in case.contacts:
            for identifier in contact.identifiers:
                carriers[identifier].append(contact.key)
        shared = case.shared | {item for item, keys in carriers.items() if len(keys) > self.shared_past}
        judged = [
            Judgement(left=left, right=right, verdict=Verdict.SAME, rule="same value", score=1.0, evidence=(item,))
            for item, keys in carriers.items()
            if item not in shared
            for left, right in pairwise(sorted(keys))
        ]
        distinct = {(judgement.left, judgement.right): judgement for judgement in judged}
        edges = [*distinct, *((hand.left, hand.right) for hand in case.manual if hand.verdict is Verdict.SAME)]
        groups = components([contact.key for contact in case.contacts], edges)
        return Resolution(judgements=tuple(distinct.values()), groups=groups, shared=shared)


def components(
    keys: Iterable[ContactKey], edges: Iterable[tuple[ContactKey, ContactKey]]
) -> tuple[tuple[ContactKey, ...], ...]:
    """The connected components of a graph."""
    home = {key: {key} for key in keys}
    for left, right in edges:
        joined = home[left] | home[right]
        home |= dict.fromkeys(joined, joined)
    return tuple({id(group): tuple(sorted(group)) for group in home.values()}.values())


def mailbox(address: str) -> Identifier:
    """A mailbox as an identifier."""
    return Identifier(kind=IdentifierKind.MAILBOX, value=address)


def accept(record: Unified, *, store: str = "shop", version: str | None = None) -> Accepted:
    """A record as the driver hands it over; its e-mail is its identifier, `version` stands for its content."""
    text = version or repr(record)
    is_person = isinstance(record, Customer) or record.customer_id is None
    contact = Contact(
        key=ContactKey(store_id=store, kind=KINDS[type(record)], external_id=record.external_id),
        identifiers=(mailbox(record.email),) if record.email else (),
        first_name=record.first_name or "",
        last_name=record.last_name or "",
    )
    return Accepted(
        raw=RawRecord(external_id=record.external_id, payload={"id": record.external_id, "text": text}),
        unified=record,
        content_hash=hashlib.sha256(text.encode()).digest(),
        source_time=record.updated_at,
        contact=contact if is_person else None,
    )


def reject(external_id: str, reason: str = "unreadable") -> Rejected:
    """A record that could not be mapped."""
    return Rejected(raw=RawRecord(external_id=external_id, payload={"id": external_id}), reason=reason)


class Worker:
    """Works one stream of one store as a driver would: leases it, walks it, commits pages."""

    def __init__(
        self, database: Database, clock: ManualClock, stream: Stream, *, store: str = "shop", owner: str = "me"
    ) -> None:
        self.database = database
        self.clock = clock
        self.store = store
        self.owner = owner
        self.key = LaneKey(store_id=store, stream=stream, lane=Lane.LIVE)
        self.lease: Lease = database.runs.acquire(self.key, owner, 300.0)
        self.walk_id = ""

    def begin(self, kind: str = "sweep") -> None:
        """Start a walk over everything."""
        self.walk_id = self.database.new_id()
        walk = Walk(
            walk_id=self.walk_id, kind=kind, window=Window(), signpost=None, started_at=self.clock.now(), declared=None
        )
        self.database.runs.begin_walk(self.lease, walk)

    def page(self, *items: Unified | Accepted | Rejected, cursor: str = "next", declared: int | None = None) -> Counts:
        """Commit one page of the walk; the walk's counts so far."""
        if not self.walk_id:
            self.begin()
        return self.database.pages.commit(self.page_of(*items, cursor=cursor, declared=declared))

    def page_of(
        self, *items: Unified | Accepted | Rejected, cursor: str = "next", declared: int | None = None
    ) -> PageCommit:
        """A page, ready to be committed."""
        accepted = (item for item in items if not isinstance(item, Rejected))
        return PageCommit(
            lease=self.lease,
            walk_id=self.walk_id,
            accepted=tuple(item if isinstance(item, Accepted) else accept(item, store=self.store) for item in accepted),
            rejected=tuple(item for item in items if isinstance(item, Rejected)),
            mapper_version=1,
            asked_at=self.clock.now(),
            cursor=cursor,
            declared=declared,
            signpost=self.clock.now(),
        )

    def finish(self, *, delete_missing: bool = False) -> int:
        """End the walk whole."""
        self.walk_id = ""
        end = WalkEnd(bookmark=self.clock.now(), history_complete=True, is_sweep=True, delete_missing=delete_missing)
        return self.database.runs.finish_walk(self.lease, end)


def people(database: Database) -> dict[str, str]:
    """Which profile each contact is in, as `kind id` of whatever store."""
    return {f"{key.kind} {key.external_id}": profile_id for key, profile_id in database.people.partition()}


def groups(database: Database) -> set[frozenset[str]]:
    """The contacts parted into people, without ids."""
    parted: dict[str, set[str]] = defaultdict(set)
    for contact, profile_id in people(database).items():
        parted[profile_id].add(contact)
    return {frozenset(members) for members in parted.values()}


@contextmanager
def engines_of(url: str) -> Iterator[Engines]:
    """A second way into a database, for looking at its tables."""
    engines = Engines(url)
    try:
        yield engines
    finally:
        engines.close()


def rows(url: str, table: Table) -> list[dict[str, object]]:
    """All rows of a table by key."""
    with engines_of(url) as engines, engines.read() as connection:
        return [dict(row._mapping) for row in connection.execute(select(table).order_by(*table.primary_key))]


def count(url: str, table: Table) -> int:
    """How many rows a table has."""
    with engines_of(url) as engines, engines.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()
