"""Promise 7: an invalid answer is never stored and moves no cursor; the next run goes on behind the last good page.

HTML with 200, nothing, `null`, cut JSON, a short body, bad gzip; of GraphQL, `errors` beside `data`. Each comes in the
place of the second page of a stream, for as long as it is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from syncd.app import App, Selection
from syncd.errors import RetryLater
from syncd.model import Lane, Stream
from syncd.sandbox import Fault, FaultKind
from syncd.store.types import LaneKey, LaneState
from tests.promises.faulty import STORE, Trial, differences, on_trial, outcome_of, undisturbed
from tests.property.served import ServedStage

pytestmark = pytest.mark.usefixtures("quiet")

ORDERS = LaneKey(store_id=STORE, stream=Stream.ORDERS, lane=Lane.LIVE)
JSON = {"Content-Type": "application/json"}
LISTS = {"woocommerce": r"/wc/v3/orders\?.*processing", "shopify": "graphql", "bigcommerce": r"/v2/orders\?"}
BEFORE = {"woocommerce": 0, "shopify": 1, "bigcommerce": 0}  # requests to the same address before the first page


def _body(body: str, **headers: str) -> Fault:
    return Fault(kind=FaultKind.ANSWER, status=200, headers={**JSON, **headers}, body=body)


INVALID = {
    "HTML with 200": Fault(kind=FaultKind.HTML),
    "nothing": _body(""),
    "null": _body("null"),
    "cut JSON": Fault(kind=FaultKind.CUT_JSON),
    "a short body": Fault(kind=FaultKind.CUT),
    "a warning before the JSON": Fault(kind=FaultKind.WARNING),
    "bad gzip": _body("[]", **{"Content-Encoding": "gzip"}),
    "NaN": _body('[{"id": NaN}]'),
    "deep beyond reading": _body("[" * 100_000),
}
GRAPHQL = {
    "errors beside data": {"data": {"orders": {"nodes": []}}, "errors": [{"message": "One shard is away."}]},
    "neither data nor errors": {"extensions": {}},
    "data that is null": {"data": None},
    "a connection that is null": {"data": {"orders": None, "ordersCount": {"count": 0, "precision": "EXACT"}}},
    "nodes that are none": {"data": {"orders": {"nodes": None, "pageInfo": {"hasNextPage": False}}}},
}


def _named(invalid: Mapping[str, object], quick: set[str]) -> list[Any]:
    """All of them; some are tried in every run of the suite, the others in the soak."""
    return [pytest.param(name, marks=() if name in quick else pytest.mark.soak) for name in invalid]


@pytest.fixture
def trial(stage: ServedStage, database_url: str, tmp_path: Path) -> Iterator[Trial]:
    """A filled shop and an empty database of each engine."""
    with on_trial(stage, database_url, tmp_path) as opened:
        yield opened


def _breaks_at_the_second_page(trial: Trial, fault: Fault, fresh: Path) -> None:
    """Hold what a walk stores that meets an invalid answer against what it had before, then let it go on."""
    only, shop = Selection(streams=(Stream.ORDERS,)), trial.stage.shop
    platform = shop.platform
    with trial.app() as app:
        app.sync(Selection(streams=(Stream.CUSTOMERS,)))
        skip = BEFORE[platform] + 1
        values = {name: getattr(fault, name) for name in Fault.__dataclass_fields__}
        shop.faults.add(Fault(**{**values, "path": LISTS[platform], "skip": skip, "times": None}))

        (broken,) = app.sync(only).outcomes
        stopped = _state(app)
        (again,) = app.sync(only).outcomes

        assert isinstance(broken.error, RetryLater)
        assert stopped.walk is not None
        assert stopped.bookmark is None
        assert stopped.walk.counts.read == broken.report.counts.read == _stored(app) > 0
        assert (_state(app), again.report.counts.read) == (stopped, broken.report.counts.read)

        shop.faults.clear()
        before = len(shop.history)
        (mended,) = app.sync(only).outcomes
        asked = shop.history[before:]
        app.sync()

        assert mended.report.status == "succeeded"
        assert _is_resumed(asked, platform)
        assert differences(outcome_of(app), undisturbed(fresh, trial.stage, trial.clock)) == []


def _state(app: App) -> LaneState:
    return app.database.runs.state(ORDERS)


def _stored(app: App) -> int:
    return len(list(app.database.exports.rows("orders")))


def _is_resumed(history: list[Any], platform: str) -> bool:
    """Whether no page of the stream's beginning was asked for again."""
    first = {"woocommerce": "offset=0", "bigcommerce": "min_id=1&", "shopify": '"after":null'}[platform]
    asked = [f"{seen.path}?{seen.query} {seen.body.decode()}" for seen in history]
    pages = [
        text for text in asked if ("orders?" in text and "processing" in text) or "min_id" in text or "after" in text
    ]
    return bool(pages) and not any(first in text.replace(" ", "") for text in pages)


@pytest.mark.parametrize("name", _named(INVALID, {"null", "a short body", "bad gzip"}))
def test_an_invalid_answer_moves_nothing(trial: Trial, name: str, tmp_path: Path) -> None:
    """Rows, counts, cursor and bookmark are those of the page before, after one run and after a second."""
    _breaks_at_the_second_page(trial, INVALID[name], tmp_path / "fresh")


@pytest.mark.parametrize("name", _named(GRAPHQL, {"errors beside data", "data that is null"}))
@pytest.mark.parametrize("stage", ["shopify"], indirect=True)
def test_a_part_of_an_answer_moves_nothing(trial: Trial, name: str, tmp_path: Path) -> None:
    """The same of GraphQL, which tells with 200 that something is missing."""
    _breaks_at_the_second_page(trial, _body(json.dumps(GRAPHQL[name])), tmp_path / "fresh")
