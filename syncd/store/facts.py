"""Facts and memberships: what is known of each profile, and which segments it is in.

Every page leaves the profiles it touched; `recompute` takes them off that list in batches, one transaction each.
A segment is evaluated over all profiles, and then not again before something that it rests on changes; see `standing`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import BindParameter, Connection, bindparam, delete, exists, func, insert, select, union, update

from syncd.clock import Clock
from syncd.store.ageing import next_turn
from syncd.store.compile import members
from syncd.store.engine import Engines, insert_rows, table_of
from syncd.store.figures import Figures, figures, profiles
from syncd.store.following import follow
from syncd.store.ids import NewId
from syncd.store.memberships import differences, memberships, move, open_ones
from syncd.store.recent import Scope
from syncd.store.rows import Values, carts
from syncd.store.schema import wait_for_turn
from syncd.store.standing import Standing, basis_of, drop, facts_basis, forget, rest_facts, stand, states
from syncd.store.survivors import displays
from syncd.store.tables import FactsRow, SpendRow, TouchedProfile
from syncd.store.types import Moves, RevenuePolicy, Rule

BATCH = 500

_touched = table_of(TouchedProfile)
_facts = table_of(FactsRow)
_spend = table_of(SpendRow)


class Facts:
    """The figures of every profile and the segments they lead to.

    Args:
        new_id: Makes the ids of memberships.
    """

    def __init__(self, engines: Engines, clock: Clock, new_id: NewId) -> None:
        self._engines = engines
        self._clock = clock
        self._new_id = new_id

    def recompute(self, policy: RevenuePolicy, rules: Sequence[Rule] = ()) -> int:
        """Bring the facts of every touched profile up to date, of all where the policy is new; how many there were.

        Args:
            rules: Segments, each after those that it builds on. Where few profiles were touched, those that stand are
                evaluated for them alone and go on standing; all others are due from then on.
        """
        self._rest_on(policy)
        done = 0
        while self._is_touched():
            done += self._recompute_batch(policy, rules)
        return done

    def _rest_on(self, policy: RevenuePolicy) -> None:
        basis = basis_of(policy)
        with self._engines.read() as connection:
            if facts_basis(connection) == basis:
                return
        with self._engines.write() as connection:
            wait_for_turn(connection, "identity")
            wait_for_turn(connection, "segments")
            is_there = exists().where(_touched.c.profile_id == _facts.c.profile_id)
            others = select(_facts.c.profile_id).where(~is_there)
            connection.execute(insert(_touched).from_select(["profile_id"], others))
            rest_facts(connection, basis, self._clock.now())

    def _is_touched(self) -> bool:
        with self._engines.read() as connection:
            return connection.execute(select(_touched.c.profile_id).limit(1)).first() is not None

    def _recompute_batch(self, policy: RevenuePolicy, rules: Sequence[Rule]) -> int:
        now = self._clock.now()
        with self._engines.write() as connection:
            touched = _take_touched(connection)
            if touched:
                found = figures(connection, touched, policy, now)
                _replace(connection, touched, found)
                _show(connection, displays(connection, [row["profile_id"] for row in found.facts]))
                is_little = len(touched) < BATCH and _is_in_one_currency(found, policy)
                scope = Scope(now=now, policy=policy, currency=policy.currency, among=touched)
                follow(connection, rules if is_little else (), scope, self._new_id)  # begins with the turn on segments
                _close(connection, set(touched) - {row["profile_id"] for row in found.facts}, now)
        return len(touched)

    def due(self, rules: Iterable[Rule], now: datetime, policy: RevenuePolicy) -> set[str]:
        """The segments to be evaluated, or to be dropped because no rule is theirs; the others stand as they are."""
        wanted = {rule.segment: basis_of(policy, rule.condition) for rule in rules}
        with self._engines.read() as connection:
            found = states(connection, now)
        return {name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)}

    def evaluate(self, rule: Rule, now: datetime, policy: RevenuePolicy) -> Moves:
        """Let profiles enter and leave a segment so that it holds exactly those that the condition picks now.

        It then stands until what it rests on changes, or time alone moves somebody.

        Args:
            now: What relative dates in the condition count from.
            policy: Which orders the condition's figures count, and the currency of its amounts.
        """
        with self._engines.write() as connection, self._engines.read() as before:
            wait_for_turn(connection, "segments")
            scope = Scope(now=now, policy=policy, currency=policy.currency or _only_currency(before))
            changes = differences(before, members(rule.condition, scope), open_ones(rule.segment))
            entered, left = move(connection, rule.segment, changes, now, self._new_id)
            if entered or left:
                forget(connection, rule.builders)
            due_at = next_turn(before, rule.condition, scope)
            basis = basis_of(policy, rule.condition)
            stand(connection, Standing(segment=rule.segment, basis=basis, evaluated_at=now, due_at=due_at))
            return Moves(entered=entered, left=left, members=_size(connection, rule.segment))

    def drop_segments(self, keep: set[str]) -> None:
        """Let everybody leave the segments that are no longer configured; their history stays."""
        with self._engines.write() as connection:
            wait_for_turn(connection, "segments")
            drop(connection, keep)
            gone = memberships.c.left_at.is_(None) & memberships.c.segment.not_in(sorted(keep))
            connection.execute(update(memberships).where(gone).values(left_at=self._clock.now()))

    def sizes(self) -> dict[str, int]:
        """How many profiles are in each segment that has any."""
        with self._engines.read() as connection:
            return _sizes(connection)

    def currencies(self) -> set[str]:
        """Every currency that revenue or an open cart is in."""
        with self._engines.read() as connection:
            return _currencies(connection)


def _take_touched(connection: Connection) -> list[str]:
    # Pages store under the same turn. Otherwise one committed between our reading and this deletion would be forgotten.
    wait_for_turn(connection, "identity")
    query = select(_touched.c.profile_id).order_by(_touched.c.profile_id).limit(BATCH)
    taken = list(connection.execute(query).scalars())
    connection.execute(delete(_touched).where(_touched.c.profile_id.in_(taken)))
    return taken


def _is_in_one_currency(found: Figures, policy: RevenuePolicy) -> bool:
    amounts = ("spent_minor", "open_cart_minor")  # without a value where a rate is missing
    return policy.currency != "" and all(row[name] is not None for row in found.facts for name in amounts)


def _replace(connection: Connection, touched: Collection[str], found: Figures) -> None:
    for table, rows in ((_facts, found.facts), (_spend, found.spend)):
        connection.execute(delete(table).where(table.c.profile_id.in_(touched)))
        insert_rows(connection, table, rows)


def _show(connection: Connection, shown: Sequence[Values]) -> None:
    if not shown:
        return
    fields: dict[str, BindParameter[str]] = {name: bindparam(name) for name in shown[0] if name != "profile_id"}
    statement = update(profiles).where(profiles.c.profile_id == bindparam("shown_id")).values(fields)
    connection.execute(statement, [{**row, "shown_id": row["profile_id"]} for row in shown])


def _close(connection: Connection, profile_ids: Collection[str], now: datetime) -> None:
    gone = memberships.c.left_at.is_(None) & memberships.c.profile_id.in_(profile_ids)
    connection.execute(update(memberships).where(gone).values(left_at=now))


def _size(connection: Connection, segment: str) -> int:
    is_open = (memberships.c.segment == segment, memberships.c.left_at.is_(None))
    return connection.execute(select(func.count()).select_from(memberships).where(*is_open)).scalar_one()


def _sizes(connection: Connection) -> dict[str, int]:
    size = func.count().label("size")
    query = select(memberships.c.segment, size).where(memberships.c.left_at.is_(None))
    return {row.segment: row.size for row in connection.execute(query.group_by(memberships.c.segment))}


def _currencies(connection: Connection) -> set[str]:
    open_carts = select(carts.c.currency).where(carts.c.is_open, carts.c.deleted_at.is_(None))
    return set(connection.execute(union(select(_spend.c.currency), open_carts)).scalars())


def _only_currency(connection: Connection) -> str:
    found = _currencies(connection)
    return found.pop() if len(found) == 1 else ""
