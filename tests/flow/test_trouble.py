"""What becomes of a store in trouble, and of its neighbour: told in words, and mended without a hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from syncd.app import Selection
from syncd.errors import ExitCode
from syncd.model import Stream
from syncd.sandbox import Sandbox, SandboxOptions
from syncd.sandbox.faults import Fault, FaultKind
from syncd.sync import Ask
from tests.flow.woo import config, opened

EVERYBODY = "segments:\n  all: {when: 'orders_count >= 0', tag: Everybody}\n"
ANY_NUMBER = "max_customers: 100000, max_percent: 100"
AUTO = ", push: {mode: auto, brake: {%s}}"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxOptions(seed=3, scale=0.03)) as served:
        yield served


def test_mended_key_writes_again(sandbox: Sandbox, database_url: str, tmp_path: Path) -> None:
    """A key without the right to write pauses the push; once it has the right, the next apply writes everything."""
    keys = ("read_only", "admin")
    barred, mended = (
        config(
            tmp_path / key,
            sandbox,
            database_url,
            stores=("us-woo",),
            key=key,
            options=AUTO % ANY_NUMBER,
            segments=EVERYBODY,
        )
        for key in keys
    )
    with opened(barred) as app:
        refused = app.sync().applied
        reason = app.database.runs.status()[0].push_paused_reason

    with opened(mended) as app:
        written = app.apply_automatic()
        left = app.database.runs.status()[0].push_paused_reason

    assert refused is not None
    assert (refused.confirmed, refused.stores[0].stopped) == (0, reason)
    assert str(reason).endswith("Give the key Read/Write permission")
    assert written is not None
    assert written.confirmed > 0
    assert left is None


def test_another_shop_under_a_known_id_fails_alone(sandbox: Sandbox, database_url: str, tmp_path: Path) -> None:
    """A store that turns out to be another shop is paused in words, with its exit code; its neighbour is pulled."""
    with opened(config(tmp_path, sandbox, database_url)) as app:
        app.backfill()
    stranger = replace(SandboxOptions(seed=4, scale=0.03), sites=sandbox.options.sites[:1])
    with Sandbox(stranger) as other:
        both = _Both(sandbox, other)
        with opened(config(tmp_path, both, database_url)) as app:  # type: ignore[arg-type]
            report = app.sync()
            paused = {status.store_id: status.paused_reason for status in app.database.runs.status()}

    by_store = {outcome.report.store_id: outcome.report.status for outcome in report.outcomes}
    assert report.exit_code is ExitCode.CONFIGURATION
    assert by_store == {"us-woo": "failed", "eu-woo": "succeeded"}
    assert "the shop that answers is" in (paused["us-woo"] or "")
    assert paused["eu-woo"] is None


class _Both:
    """The shops of one sandbox, with those of another in their place."""

    def __init__(self, first: Sandbox, second: Sandbox) -> None:
        self.shops = first.shops | second.shops


def test_brake_does_not_hide_what_was_pulled(sandbox: Sandbox, database_url: str, tmp_path: Path) -> None:
    """An automatic push past the brake writes nothing, and the sync still tells what it read."""
    options = AUTO % "max_customers: 1"
    with opened(config(tmp_path, sandbox, database_url, options=options, segments=EVERYBODY)) as app:
        report = app.sync()

    assert report.exit_code is ExitCode.APPROVAL
    assert "brake.max_customers" in str(report.brake)
    assert {outcome.report.status for outcome in report.outcomes} == {"succeeded"}


def test_cut_off_run_tells_what_it_stored(sandbox: Sandbox, database_url: str, tmp_path: Path) -> None:
    """A backfill told to stop reports the records that it stored until then, not none."""
    app = opened(config(tmp_path, sandbox, database_url, stores=("us-woo",)))
    app.connector("us-woo")._page_sizes = (10,)  # type: ignore[attr-defined]
    app.listener = lambda source, page, counts: app.stop.set() if page.stream is Stream.ORDERS else None
    with app:
        outcomes = app.pull(Selection(), lambda _: Ask(kind="backfill"))

    _, orders, carts = outcomes
    assert orders.report.counts.new == 10
    assert (orders.report.kind, orders.report.lane.value) == ("backfill", "backfill")
    assert orders.exit_code is ExitCode.TRY_AGAIN
    assert (carts.report.status, carts.report.counts.read) == ("failed", 0)


def test_backfill_comes_back_only_for_what_is_left(sandbox: Sandbox, database_url: str, tmp_path: Path) -> None:
    """A backfill that was cut off does not ask again for the streams that it had done; the one after that does."""
    path, shop = config(tmp_path, sandbox, database_url, stores=("us-woo",)), sandbox.shops["us-woo"]
    with opened(path) as app:
        app.listener = lambda source, page, counts: app.stop.set() if page.stream is Stream.CUSTOMERS else None
        app.backfill()
        shop.history.clear()

    with opened(path) as app:
        again = app.backfill()
        walks = [seen.path for seen in shop.history if "orderby=id" in seen.query]
        anew = app.backfill()

    assert [(outcome.report.status, outcome.report.pages) for outcome in again.outcomes] == [("succeeded", 1)] * 3
    assert not [walk for walk in walks if walk.endswith("/customers")]
    assert again.outcomes[0].report.run_id not in {outcome.report.run_id for outcome in anew.outcomes}


def test_outage_shows_in_history(sandbox: Sandbox, database_url: str, tmp_path: Path) -> None:
    """A store that could not even be checked leaves failed runs behind, with the reason."""
    sandbox.shops["us-woo"].faults.add(Fault(kind=FaultKind.ANSWER, status=403, times=None))
    with opened(config(tmp_path, sandbox, database_url, stores=("us-woo",))) as app:
        report = app.sync()
        runs = app.database.runs.history(10)

    assert report.exit_code is ExitCode.FAILED
    assert [run.status for run in runs] == ["failed"] * 3
    assert all(run.reason for run in runs)


def test_refused_change_rests_for_a_day(sandbox: Sandbox, database_url: str, tmp_path: Path) -> None:
    """What a shop refused is not sent again at every turn of an automatic push."""
    options = AUTO % ANY_NUMBER
    path = config(tmp_path, sandbox, database_url, stores=("us-woo",), options=options, segments=EVERYBODY)
    shop = sandbox.shops["us-woo"]
    with opened(path) as app:
        app.backfill()
        shop.delete_customer(max(shop.state.accounts))

        first, second = app.apply_automatic(), app.apply_automatic()

        assert first is not None
        assert [reason for _, reason in first.stores[0].rejected] == ["account no longer exists"]
        assert second is not None
        assert (second.queued, second.stores[0].rejected) == (0, ())
        assert len(app.plan().changes) == 1
