"""Promise 8: every wait has a total deadline, whatever a server does with its bytes, under TLS and on writes too.

Silence before and after the shop worked, headers that drip, a body that drips: `requests` alone would wait for ever.
Under TLS the same is tried beside the certificates, in `tests/unit/connectors`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from syncd.errors import RetryLater
from tests.promises.faulty import (
    DEADLINE_S,
    Trial,
    Witness,
    differences,
    on_trial,
    outcome_of,
    tagged,
    undisturbed,
    wanted,
)
from tests.promises.proxy import SLOW, Once, Script, Spoil
from tests.property.served import ServedStage

pytestmark = pytest.mark.usefixtures("quiet")

GRACE_S = 1.0  # aborted by the deadline and this
LISTS = {"woocommerce": ("GET", r"/orders\?"), "shopify": ("POST", "graphql"), "bigcommerce": ("GET", r"/v2/orders\?")}
WRITES = {"woocommerce": "POST", "shopify": "POST", "bigcommerce": "PUT"}


@contextmanager
def _takes_at_most(seconds: float) -> Iterator[None]:
    began_s = time.monotonic()
    yield
    assert time.monotonic() - began_s < seconds


def _sync_s(trial: Trial) -> float:
    """Seconds that a sync takes on this machine when nothing is wrong."""
    began_s = time.monotonic()
    trial.cycle()
    return time.monotonic() - began_s


@pytest.mark.parametrize("kind", sorted(SLOW))
def test_a_read_is_given_up_by_its_deadline(stage: ServedStage, kind: Spoil, sqlite_url: str, tmp_path: Path) -> None:
    """One slow answer costs its deadline; the same page is asked for again and the sync is whole."""
    method, path = LISTS[stage.shop.platform]
    with on_trial(stage, sqlite_url, tmp_path) as trial:
        trial.sync()
        usual_s = _sync_s(trial)
        trial.stage.deeds["order"](1)
        trial.proxy.script = Once(kind, 1, method=method, path=path)

        with _takes_at_most(3 * usual_s + DEADLINE_S + GRACE_S):
            trial.cycle()

        assert trial.proxy.done[kind] == 1
        with trial.app() as app:
            assert differences(outcome_of(app), undisturbed(tmp_path / "fresh", stage, trial.clock)) == []


@pytest.mark.parametrize("kind", [Spoil.STALL_AFTER, Spoil.DRIP_BODY])
def test_a_write_is_given_up_by_its_deadline(
    stage: ServedStage, kind: Spoil, database_url: str, tmp_path: Path
) -> None:
    """A write whose answer does not come is read back in time, and not written twice."""
    method, path = WRITES[stage.shop.platform], "batch|graphql|attribute-values"
    with on_trial(stage, database_url, tmp_path) as trial:
        witness = Witness(stage.shop)
        with trial.app() as app:
            app.backfill()
            text = b"tags" if stage.shop.platform == "shopify" else b""
            trial.proxy.script = Once(kind, 1, method=method, path=path, text=text)
            began_s = time.monotonic()
            app.sync()
            took_s = time.monotonic() - began_s

        done = trial.proxy.done[kind]
        trial.proxy.script = None
        usual_s = _sync_s(trial)
        assert done == 1
        assert took_s < 5 * usual_s + DEADLINE_S + GRACE_S
        assert witness.doubled == []
        assert tagged(stage.shop) == wanted(undisturbed(tmp_path / "fresh", stage, trial.clock), stage.shop)


@pytest.mark.parametrize("kind", sorted(SLOW))
@pytest.mark.parametrize("stage", ["woocommerce"], indirect=True)
def test_a_shop_that_is_always_slow_ends_the_run(
    stage: ServedStage, kind: Spoil, sqlite_url: str, tmp_path: Path
) -> None:
    """Eight deadlines at the most for one page, then the run ends; the next one tries again."""
    with on_trial(stage, sqlite_url, tmp_path) as trial:
        trial.sync()
        trial.proxy.script = Script(1, 1.0, frozenset({kind}))

        with trial.app() as app, _takes_at_most(8 * (DEADLINE_S + GRACE_S)):
            connector = app.connector("shop")
            with pytest.raises(RetryLater):
                connector.check()
