"""The histories would notice: each bug that loses or invents records is sown into the real code, and caught."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from syncd import sync
from syncd.connectors import idwalk
from syncd.connectors.base import Capabilities, Page
from syncd.connectors.bigcommerce import walks as bigcommerce_walks
from syncd.connectors.bigcommerce.connector import BigCommerce
from syncd.connectors.shopify import connector as shopify
from syncd.connectors.shopify.connector import Shopify
from syncd.connectors.woocommerce import connector as woocommerce
from syncd.connectors.woocommerce.connector import WooCommerce
from syncd.connectors.woocommerce.statuses import OrderStatuses
from syncd.errors import RetryLater, StopStore
from syncd.model import Stream, Window
from syncd.sandbox import FaultKind
from syncd.store import pages, records, walks
from tests.clock import START, ManualClock
from tests.contracts.memory import MemoryConnector
from tests.property.histories import Cut, Databases, Do, Player, Run, Skew, Step, Wait, databases_in
from tests.property.served import ServedStage, served
from tests.property.shops import MemoryStage, Stage

Sow = Callable[[pytest.MonkeyPatch], None]
Pull = Callable[..., Iterator[Page]]


# -- connectors -------------------------------------------------------------------------------------------------------


def _woo_later_than(patch: pytest.MonkeyPatch) -> None:
    whole = woocommerce._modified
    patch.setattr(woocommerce, "_modified", lambda since: whole(since and since + timedelta(seconds=1)))


def _woo_local_time(patch: pytest.MonkeyPatch) -> None:
    def local(since: datetime | None) -> dict[str, str]:
        return {"modified_after": f"{since:%Y-%m-%dT%H:%M:%S}"} if since else {}

    patch.setattr(woocommerce, "_modified", local)


def _woo_any_status(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OrderStatuses, "names", lambda self, **_: ("any", "checkout-draft"))


def _woo_page_numbers(patch: pytest.MonkeyPatch) -> None:
    """Each page begins where the last one ended, whatever has vanished before it."""

    def next_position(place: idwalk.Place, size: int) -> idwalk.Position:
        return idwalk.Position(start=place.rows, size=size, by_page=True)

    patch.setattr(idwalk, "_next_position", next_position)
    patch.setattr(idwalk, "_step_back", lambda fetch, place, found: found)
    patch.setattr(idwalk, "_is_by_page", lambda place, found: True)


def _shopify_unquoted(patch: pytest.MonkeyPatch) -> None:
    whole = shopify._page_question

    def unquoted(asked: Any, place: Any, since: datetime | None) -> Any:
        question = whole(asked, place, since)
        query = question.variables["query"]
        return replace(question, variables={**question.variables, "query": query and str(query).replace("'", "")})

    patch.setattr(shopify, "_page_question", unquoted)


def _big_later_than(patch: pytest.MonkeyPatch) -> None:
    whole = bigcommerce_walks._modified
    later = timedelta(seconds=1)
    patch.setattr(bigcommerce_walks, "_modified", lambda name, since: whole(name, since and since + later))


def _no_overlap(connector: type[Any]) -> Sow:
    def sow(patch: pytest.MonkeyPatch) -> None:
        told: Capabilities = connector.capabilities
        streams = {stream: replace(traits, overlap_s=0) for stream, traits in told.streams.items()}
        patch.setattr(connector, "capabilities", replace(told, streams=streams))

    return sow


def _pulling(connector: type[Any], bug: Callable[[Pull], Pull]) -> Sow:
    return lambda patch: patch.setattr(connector, "pull", bug(connector.pull))


def _without_last_page(whole: Pull) -> Pull:
    def pull(self: Any, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        held: Page | None = None
        for page in whole(self, stream, window, resume):
            if held is not None:
                yield replace(held, is_last=page.is_last)
            elif page.is_last:
                yield page
            held = page

    return pull


def _skipping_at_resume(whole: Pull) -> Pull:
    def pull(self: Any, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        for number, page in enumerate(whole(self, stream, window, resume)):
            if number or not resume or page.is_last:
                yield page

    return pull


def _taking_failure_for_the_end(whole: Pull) -> Pull:
    def pull(self: Any, stream: Stream, window: Window, resume: str | None = None) -> Iterator[Page]:
        try:
            yield from whole(self, stream, window, resume)
        except RetryLater:
            yield Page(
                stream=stream, records=(), cursor="?", is_last=True, declared=None, server_time=None, asked_at=START
            )

    return pull


# -- windows, bookmarks, accounting -----------------------------------------------------------------------------------


def _bookmark_is_local_now(patch: pytest.MonkeyPatch) -> None:
    whole = sync._Run._walk_end
    patch.setattr(sync._Run, "_walk_end", lambda self: replace(whole(self), bookmark=self._tools.clock.now()))


def _signpost_of_last_page(patch: pytest.MonkeyPatch) -> None:
    whole = sync._Run._commit

    def commit(self: Any, page: Page) -> Any:
        self._signpost = self._signpost_of(page)
        return whole(self, page)

    patch.setattr(sync._Run, "_commit", commit)


def _signpost_of_resume(patch: pytest.MonkeyPatch) -> None:
    whole = sync._walk_to_do
    patch.setattr(sync, "_walk_to_do", lambda *asked: replace(whole(*asked), signpost=None))


def _no_accounting(patch: pytest.MonkeyPatch) -> None:
    whole = sync._Run._settle

    def settle(self: Any) -> Any:
        self._declared = self._counts.read
        return whole(self)

    patch.setattr(sync._Run, "_settle", settle)


def _incremental_deletes(patch: pytest.MonkeyPatch) -> None:
    whole = sync._Run._walk_end
    patch.setattr(sync._Run, "_walk_end", lambda self: replace(whole(self), delete_missing=True))


# -- the database -----------------------------------------------------------------------------------------------------


def _repeats_counted(patch: pytest.MonkeyPatch) -> None:
    whole = walks.first_meetings

    def meetings(connection: Any, walk_id: str, external_ids: Any) -> set[str]:
        whole(connection, walk_id, external_ids)
        return set(external_ids)

    patch.setattr(pages, "first_meetings", meetings)


def _same_second_is_stale(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(records, "_is_older", lambda left, right: left is not None and right is not None and left <= right)


@dataclass(frozen=True, kw_only=True)
class Bug:
    """A bug, and a history that shows it."""

    platform: str
    sow: Sow
    history: list[Step]


ORDERS = Stream.ORDERS
_SETTLED: list[Step] = [Do("burst"), Wait(1000), Run(ORDERS)]
_LATE: list[Step] = [*_SETTLED, Do("late_edit", 3)]
# one edit is seen and moves the bookmark, past another that is shown later
_LAGGING: list[Step] = [*_SETTLED, Wait(1000), Do("edit", 4), Wait(200), Do("edit", 3), Wait(1), Run(ORDERS)]
_RESUMED: list[Step] = [Do("burst"), Do("burst"), Wait(1000), Run(ORDERS, "sweep", cut=Cut(1)), Run(ORDERS)]
_LATE_RESUMED: list[Step] = [*_RESUMED[:-1], Wait(1000), Run(ORDERS)]
_WITHHELD: list[Step] = [*_SETTLED, Wait(1000), Run(ORDERS, "sweep", withheld=(0, 1))]
_PAGING: list[Step] = [Do("burst"), Wait(1000), Run(ORDERS, meanwhile=(None, Wait(400), Wait(400)))]

BUGS = {
    "woocommerce: later than the bookmark": Bug(platform="woocommerce", sow=_woo_later_than, history=_LATE),
    "woocommerce: no overlap": Bug(platform="woocommerce", sow=_no_overlap(WooCommerce), history=_LATE),
    "woocommerce: the shop's own time": Bug(
        platform="woocommerce", sow=_woo_local_time, history=[*_SETTLED, Do("complete", 3)]
    ),
    "woocommerce: any status is every status": Bug(
        platform="woocommerce", sow=_woo_any_status, history=[Do("open_draft"), Do("order")]
    ),
    "woocommerce: page after page over moving rows": Bug(
        platform="woocommerce",
        sow=_woo_page_numbers,
        history=[Do("burst"), Do("burst"), Wait(1000), Run(ORDERS, meanwhile=(None, None, None, Do("delete", 1)))],
    ),
    "woocommerce: without the last page": Bug(
        platform="woocommerce", sow=_pulling(WooCommerce, _without_last_page), history=_SETTLED
    ),
    "woocommerce: a page is skipped at the resume": Bug(
        platform="woocommerce", sow=_pulling(WooCommerce, _skipping_at_resume), history=_RESUMED
    ),
    "shopify: time without quotes": Bug(
        platform="shopify", sow=_shopify_unquoted, history=[*_SETTLED, Do("edit", 3), Wait(400)]
    ),
    "shopify: no overlap for a late index": Bug(platform="shopify", sow=_no_overlap(Shopify), history=_LAGGING),
    "shopify: without the last page": Bug(
        platform="shopify", sow=_pulling(Shopify, _without_last_page), history=_SETTLED
    ),
    "shopify: repeats are counted": Bug(
        platform="shopify",
        sow=_repeats_counted,
        history=[Do("burst"), Do("burst"), Wait(1000), Run(ORDERS, meanwhile=(None, None, Do("edit", 1)))],
    ),
    "bigcommerce: later than the bookmark": Bug(platform="bigcommerce", sow=_big_later_than, history=_LATE),
    "bigcommerce: no overlap": Bug(platform="bigcommerce", sow=_no_overlap(BigCommerce), history=_LATE),
    "bigcommerce: without the last page": Bug(
        platform="bigcommerce", sow=_pulling(BigCommerce, _without_last_page), history=[Do("order"), *_SETTLED]
    ),
    "bigcommerce: a page is skipped at the resume": Bug(
        platform="bigcommerce", sow=_pulling(BigCommerce, _skipping_at_resume), history=_RESUMED
    ),
    "a failure is taken for the end": Bug(
        platform="memory",
        sow=_pulling(MemoryConnector, _taking_failure_for_the_end),
        history=[*_SETTLED, Do("refund", 3), Run(ORDERS, cut=Cut(0, FaultKind.ANSWER))],
    ),
    "the bookmark is our own now": Bug(
        platform="memory", sow=_bookmark_is_local_now, history=[Do("order"), Skew(3000), Run(ORDERS)]
    ),
    "the bookmark is the shop's time at the end": Bug(platform="memory", sow=_signpost_of_last_page, history=_PAGING),
    "the bookmark is the shop's time at the resume": Bug(
        platform="memory", sow=_signpost_of_resume, history=_LATE_RESUMED
    ),
    "what the shop counts is not asked": Bug(platform="memory", sow=_no_accounting, history=_WITHHELD),
    "an incremental run deletes": Bug(
        platform="memory", sow=_incremental_deletes, history=[*_SETTLED, Wait(1000), Do("order"), Run(ORDERS)]
    ),
    "an edit in the same second is stale": Bug(
        platform="memory", sow=_same_second_is_stale, history=[Do("order"), Run(ORDERS), Do("refund", 3), Run(ORDERS)]
    ),
}


@pytest.fixture(scope="module")
def databases() -> Iterator[Databases]:
    """Empty databases, as many as wanted."""
    with databases_in() as opened:
        yield opened


@pytest.fixture(scope="module")
def stages() -> Iterator[Callable[[str], Stage]]:
    """The shop of a platform, as it was at first; each is served once."""
    with ExitStack() as stack:
        known: dict[str, ServedStage] = {}

        def stage_of(platform: str) -> Stage:
            if platform == "memory":
                return MemoryStage()
            if platform not in known:
                known[platform] = stack.enter_context(served(platform))
            known[platform].reset()
            return known[platform]

        yield stage_of


@pytest.mark.parametrize("name", BUGS)
def test_a_seeded_bug_is_caught(
    name: str, databases: Databases, stages: Callable[[str], Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A history that ends well in the code as it is does not with the bug in it."""
    bug = BUGS[name]
    _live(bug, databases, stages)
    bug.sow(monkeypatch)

    with pytest.raises((AssertionError, StopStore)):
        _live(bug, databases, stages)


def _live(bug: Bug, databases: Databases, stages: Callable[[str], Stage]) -> None:
    clock = ManualClock(START)
    with databases(clock) as database:
        player = Player(stages(bug.platform), database, clock)
        player.play(bug.history)
        player.rest()


@pytest.mark.parametrize("platform", ["memory", "woocommerce", "shopify", "bigcommerce"])
@pytest.mark.parametrize("kind", ["incremental", "sweep", "backfill"])
def test_a_withheld_row_is_told_and_healed(
    platform: str, kind: str, databases: Databases, stages: Callable[[str], Stage]
) -> None:
    """A run from which a counted row was withheld is not succeeded, deletes nothing, and the next sweep heals it."""
    clock = ManualClock(START)
    with databases(clock) as database:
        player = Player(stages(platform), database, clock)
        first_list = 1 if platform == "shopify" else 0  # which is asked for its scopes before
        player.play([Do("burst"), Wait(1000), Run(ORDERS, kind, withheld=(first_list, 1))])
        withheld = player.reports[-1]
        player.play([Run(ORDERS, "sweep")])

        assert withheld.status == "partial"
        assert "missing" in withheld.reason
        assert player.reports[-1].status == "succeeded"
        assert player.stored(ORDERS) == player.stage.truth()[ORDERS]
