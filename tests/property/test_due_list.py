"""Evaluating only what is due says at every moment what evaluating everything would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from syncd import derive
from syncd.condition import AllOf, AnyOf, Between, Compare, Condition, IsNull, IsTrue, Not, OneOf, Term
from syncd.segments import Segment
from syncd.store import Database, tables
from syncd.store.ageing import next_turn
from syncd.store.compile import members
from syncd.store.engine import Engines, table_of
from syncd.store.recent import Scope
from syncd.store.types import RevenuePolicy
from tests.clock import START, ManualClock
from tests.unit.store.seed import Seed

PEOPLE = ("P1", "P2", "P3", "P4")
POLICIES = (
    RevenuePolicy(currency="EUR", rates={"USD": Decimal("0.92")}),
    RevenuePolicy(currency="EUR", rates={"USD": Decimal("1.1")}, include_shipping=False),
)
SIGNS = ("=", "<>", "<", "<=", ">", ">=")
_SEED = (
    tables.ProfileRow,
    tables.TouchedProfile,
    tables.FactsRow,
    tables.SpendRow,
    tables.ContactRow,
    tables.CustomerRow,
    tables.OrderRow,
    tables.CartRow,
    tables.Membership,
    tables.SegmentState,
    tables.TagState,
)


@dataclass
class World:
    """A database, its clock, and the deeds that change what its people are."""

    database: Database
    engines: Engines
    clock: ManualClock
    seed: Seed = field(init=False)
    policy: RevenuePolicy = POLICIES[0]
    count: int = 0

    def begin(self) -> None:
        """Nothing but four people with an account each."""
        self.set_clock(START)
        self.seed = Seed(self.engines)
        self.policy = POLICIES[0]
        with self.engines.write() as connection:
            for model in _SEED:
                connection.execute(table_of(model).delete())
        for number, person in enumerate(PEOPLE):
            self.seed.profile(person)
            self.seed.account(person, str(number))

    def set_clock(self, moment: datetime) -> None:
        """Make it this moment."""
        self.clock.step((moment - self.clock.now()).total_seconds())

    def order(self, person: int, ago: timedelta, amount: int) -> None:
        """An order, placed before now or after."""
        self.count += 1
        currency = ("EUR", "USD")[amount % 3 % 2]  # 450 are euros
        placed_at = self.clock.now() - ago
        amounts = {"currency": currency, "total_minor": amount, "shipping_minor": 100}
        self.seed.order(f"O{self.count}", "eu", customer_id=str(person), placed_at=placed_at, **amounts)
        self._touch(person)

    def cart(self, person: int, ago: timedelta) -> None:
        """An open cart."""
        self.count += 1
        self.seed.cart(f"C{self.count}", customer_id=str(person), is_open=True, created_at=self.clock.now() - ago)
        self._touch(person)

    def tag(self, person: int, is_present: bool) -> None:
        """A tag comes or goes in the shop."""
        self.database.tags.see_tags("eu", str(person), ["vip"] if is_present else [], self.clock.now())

    def due_at(self) -> datetime | None:
        """The next moment that is due, of all segments."""
        states = table_of(tables.SegmentState)
        with self.engines.read() as connection:
            return connection.execute(select(func.min(states.c.due_at))).scalar()

    def derive(self, segments: list[Segment]) -> derive.DeriveReport:
        """One run as the daemon does it."""
        return derive.run(self.database, segments, self.policy, self.clock)

    def differing(self, segments: list[Segment]) -> dict[str, tuple[set[str], set[str]]]:
        """The segments that do not hold who their condition picks now."""
        scope = self._scope(self.clock.now())
        with self.engines.read() as connection:
            found = {
                segment.name: (
                    set(connection.execute(members(segment.condition, scope)).scalars()),
                    {row.profile_id for row in self.seed.rows(tables.Membership, segment=segment.name, left_at=None)},
                )
                for segment in segments
            }
        return {name: (wanted, there) for name, (wanted, there) in found.items() if wanted != there}

    def next_turn(self, condition: Condition, now: datetime) -> datetime | None:
        """When time alone next moves somebody."""
        with self.engines.read() as connection:
            return next_turn(connection, condition, self._scope(now))

    def picked(self, condition: Condition, moments: set[datetime]) -> set[frozenset[str]]:
        """Who is picked at some moments: as many groups as differ."""
        with self.engines.read() as connection:
            queries = [members(condition, self._scope(moment)) for moment in moments]
            return {frozenset(connection.execute(query).scalars()) for query in queries}

    def _scope(self, now: datetime) -> Scope:
        return Scope(now=now, policy=self.policy, currency="EUR")

    def _touch(self, person: int) -> None:
        if not self.seed.rows(tables.TouchedProfile, profile_id=PEOPLE[person]):
            self.seed.touch(PEOPLE[person])


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """A world of each database."""
    clock, engines = ManualClock(), Engines(database_url)
    with Database.open(database_url, merchant="acme", clock=clock) as database:
        Seed(engines).store()
        yield World(database, engines, clock)
    engines.close()


_people = st.integers(0, len(PEOPLE) - 1)
_numbers = st.integers(-2, 6).map(Decimal) | st.sampled_from([Decimal("2.5"), Decimal(10**9), Decimal(-(10**9))])
_spans = st.builds(
    timedelta,
    days=st.integers(-2, 8),
    hours=st.sampled_from([0, 0, 1, 13]),
    microseconds=st.sampled_from([0, 0, -1, 1]),
)
_ages = st.sampled_from(["days_since_last_order", "days_since_first_order", "days_since_open_cart"])
_sums = st.builds(
    lambda name, days: Term(name=name, args=(days,)),
    st.sampled_from(["orders_in_last", "spent_in_last"]),
    st.integers(1, 6),
)
_terms = _ages.map(lambda name: Term(name=name)) | _sums
_pairs = st.tuples(_numbers, _numbers).map(sorted)
_leaves: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Compare, term=_terms, operator=st.sampled_from(SIGNS), value=_numbers),
    st.builds(Compare, term=_terms, operator=st.sampled_from(SIGNS), value=_numbers),
    st.builds(lambda term, ends: Between(term=term, low=ends[0], high=ends[1]), _terms, _pairs),
    st.builds(OneOf, term=_terms, values=st.lists(_numbers, max_size=2).map(tuple)),
    st.builds(IsNull, term=_terms),
    st.just(IsTrue(term=Term(name="has_tag", args=("vip",)))),
    st.just(Compare(term=Term(name="spent"), operator=">=", value=Decimal(3))),
)
_near_leaves: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Compare, term=_terms, operator=st.sampled_from(SIGNS), value=st.integers(0, 4).map(Decimal)),
    st.builds(lambda term, low: Between(term=term, low=low, high=low + 1), _terms, st.integers(0, 3).map(Decimal)),
    st.builds(OneOf, term=_terms, values=st.lists(st.integers(0, 3).map(Decimal), max_size=2).map(tuple)),
)
_SEGMENTS = ("first", "second", "third")


def _conditions(below: tuple[str, ...]) -> st.SearchStrategy[Condition]:
    asks = [IsTrue(term=Term(name="in_segment", args=(name,))) for name in below]
    leaves = _leaves | st.sampled_from(asks) if asks else _leaves
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(Not, item=inner),
            st.builds(AllOf, items=st.lists(inner, min_size=1, max_size=2).map(tuple)),
            st.builds(AnyOf, items=st.lists(inner, min_size=1, max_size=2).map(tuple)),
        ),
        max_leaves=4,
    )


_segments = st.tuples(*(_conditions(_SEGMENTS[:place]) for place in range(len(_SEGMENTS)))).map(
    lambda found: [
        Segment(name=name, when="", condition=condition) for name, condition in zip(_SEGMENTS, found, strict=True)
    ]
)
_orders = st.tuples(st.just("order"), _people, _spans, st.integers(1, 900))
_deeds = st.one_of(
    _orders,
    st.tuples(st.just("cart"), _people, _spans),
    st.tuples(st.just("tag"), _people, st.booleans()),
    st.tuples(st.just("wait"), _spans.filter(lambda span: span > timedelta())),
    st.tuples(st.just("wait until due")),
    st.tuples(st.just("wait until due")),
    st.tuples(st.just("wait until almost due")),
    st.tuples(st.just("clock stepped back"), st.integers(1, 90000)),
    st.tuples(st.just("policy"), st.integers(0, 1)),
)


def _do(world: World, deed: tuple[object, ...]) -> None:
    match deed:
        case ("order", int(person), timedelta() as ago, int(amount)):
            world.order(person, ago, amount)
        case ("cart", int(person), timedelta() as ago):
            world.cart(person, ago)
        case ("tag", int(person), bool(is_present)):
            world.tag(person, is_present)
        case ("wait", timedelta() as span):
            world.clock.step(span.total_seconds())
        case ("clock stepped back", int(seconds)):
            world.clock.step(-seconds)
        case ("policy", int(number)):
            world.policy = POLICIES[number]
        case (str(word),):
            _wait_for(world, timedelta(microseconds=-1 if "almost" in word else 0))


def _wait_for(world: World, before: timedelta) -> None:
    due_at = world.due_at()
    if due_at is not None and due_at.year < 3000:
        world.set_clock(max(world.clock.now(), due_at + before))


@settings(
    max_examples=settings.default.max_examples // 8 if settings.default else 12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(segments=_segments, stock=st.lists(_orders, max_size=6), deeds=st.lists(_deeds, max_size=8))
def test_what_is_due_is_all_that_changes(
    world: World, segments: list[Segment], stock: list[tuple[object, ...]], deeds: list[tuple[object, ...]]
) -> None:
    """After every step of clock or data one run leaves everybody where evaluating all would, and a second rests."""
    world.begin()
    for order in stock:
        _do(world, order)
    world.derive(segments)
    assert world.differing(segments) == {}

    for deed in deeds:
        _do(world, deed)
        world.derive(segments)

        assert world.differing(segments) == {}
        assert world.derive(segments) == derive.DeriveReport()


@settings(
    max_examples=settings.default.max_examples // 4 if settings.default else 25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(condition=_near_leaves, ages=st.lists(_spans, min_size=1, max_size=6), offset=_spans)
def test_nobody_moves_before_the_moment_told(
    world: World, condition: Condition, ages: list[timedelta], offset: timedelta
) -> None:
    """Of all the moments at which somebody could move, none before the one told moves anybody; a comparison's does."""
    world.begin()
    for number, age in enumerate(ages):
        world.order(number // 5, age, 100 * number + 50)
    world.cart(0, ages[0])
    world.database.facts.recompute(world.policy)
    now = START + offset

    told = world.next_turn(condition, now)

    moments = {
        START - age + timedelta(days=days, microseconds=tick) for age in ages for days in range(9) for tick in (0, 1)
    }
    before = {moment for moment in moments if now < moment < (told or START + timedelta(days=99))}
    assert world.picked(condition, {now, *before}) == world.picked(condition, {now})
    if told and isinstance(condition, Compare):
        assert len(world.picked(condition, {now, told})) == 2


def test_nobody_is_late_by_more_than_a_tick(world: World) -> None:
    """A member leaves at the moment that the days are over, and stays through the last moment before."""
    recent = Compare(term=Term(name="orders_in_last", args=(90,)), operator=">=", value=Decimal(1))
    fresh = Compare(term=Term(name="days_since_last_order"), operator="<", value=Decimal(90))
    segments = [Segment(name="fresh", when="", condition=fresh), Segment(name="recent", when="", condition=recent)]
    world.begin()
    world.order(0, timedelta(days=1), 500)
    world.derive(segments)

    left = {}
    for microseconds in (-1, 0, 1):
        world.set_clock(START + timedelta(days=89, microseconds=microseconds))
        left[microseconds] = {name for name, moves in world.derive(segments).segments.items() if moves.left}

    assert left == {-1: set(), 0: {"fresh"}, 1: {"recent"}}


def test_a_run_that_ends_between_facts_and_segments_loses_nothing(world: World) -> None:
    """What was worked out before a crash is evaluated by the next run, though nobody is touched any more."""
    segments = [Segment(name="spender", when="", condition=_leaf("spent", ">=", 3))]
    world.begin()
    world.derive(segments)
    world.order(0, timedelta(days=1), 7000)

    world.database.facts.recompute(world.policy)
    after_crash = world.derive(segments)

    assert (after_crash.profiles, after_crash.segments["spender"].entered) == (0, 1)


def test_a_segment_that_builds_on_another_follows_it_after_a_crash(world: World) -> None:
    """Whoever moved in a segment moves in those that ask about it, even if the process ended in between."""
    below = Segment(name="below", when="", condition=_leaf("days_since_last_order", "<", 3))
    above = Segment(name="above", when="", condition=Not(item=IsTrue(term=Term(name="in_segment", args=("below",)))))
    world.begin()
    world.order(0, timedelta(days=1), 500)
    world.derive([below, above])

    world.clock.step(timedelta(days=2).total_seconds())
    rules = derive.rules_of([below, above])
    moved = world.database.facts.evaluate(rules[0], world.clock.now(), world.policy)
    after_crash = world.derive([below, above])

    assert (moved.left, list(after_crash.segments)) == (1, ["above"])
    assert after_crash.segments["above"].entered == 1


def test_segments_that_are_gone_are_dropped_once(world: World) -> None:
    """A segment taken out of the file loses its members at the next run, though no other is due."""
    here = Segment(name="here", when="", condition=_leaf("spent", ">=", 0))
    gone = Segment(name="gone", when="", condition=_leaf("spent", ">=", 0))
    world.begin()
    world.derive([here, gone])

    world.derive([here])

    assert {row.segment for row in world.seed.rows(tables.Membership, left_at=None)} == {"here"}
    assert {row.segment for row in world.seed.rows(tables.SegmentState)} == {"", "here"}


def _leaf(name: str, operator: str, value: int) -> Condition:
    return Compare(term=Term(name=name), operator=operator, value=Decimal(value))


def test_a_clock_that_stepped_back_takes_its_moves_back(world: World) -> None:
    """Who left by a clock that went wrong is in again once it is right."""
    segments = [Segment(name="fresh", when="", condition=_leaf("days_since_last_order", "<", 3))]
    world.begin()
    world.order(0, timedelta(days=1), 500)
    world.clock.step(timedelta(days=400).total_seconds())
    world.derive(segments)

    world.set_clock(START)
    report = world.derive(segments)

    assert report.segments["fresh"].members == 1


def test_a_tag_that_comes_or_goes_is_news(world: World) -> None:
    """A segment that asks about a tag follows it, though nobody's facts have changed."""
    segments = [Segment(name="tagged", when="", condition=IsTrue(term=Term(name="has_tag", args=("vip",))))]
    world.begin()
    world.derive(segments)

    sizes = []
    for is_present in (True, False):
        world.clock.advance(1)
        world.tag(0, is_present)
        sizes.append(world.derive(segments).segments["tagged"].members)

    assert sizes == [1, 0]


def test_a_new_policy_is_a_new_beginning(world: World) -> None:
    """What counts as revenue is worked out anew for everybody when the config says so, and segments follow."""
    segments = [Segment(name="spender", when="", condition=_leaf("spent", ">=", 4))]
    world.begin()
    world.order(0, timedelta(days=1), 450)
    world.derive(segments)

    world.policy = RevenuePolicy(currency="EUR", include_shipping=False)
    report = world.derive(segments)

    assert (report.profiles, report.segments["spender"].left) == (len(PEOPLE), 1)
