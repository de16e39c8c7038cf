"""Promise 22: a service told to read a wrong configuration says why it does not, and goes on with the old one."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.configs import BROKEN, ENVIRON
from tests.promises.service import running
from tests.promises.shops import config, sandbox_of

TRIED = 20


def test_broken_configurations_by_sighup_change_nothing(tmp_path: Path) -> None:
    """Twenty of them one after the other, each refused once and in words; then a good one is taken on."""
    with sandbox_of("us-woo") as sandbox:
        path = config(tmp_path, sandbox.shops.values(), f"sqlite:///{tmp_path / 'syncd.db'}")
        good = path.read_text()
        with running(path, environ=ENVIRON) as service:
            service.wait_for("stream_pulled", 3)
            for count, (text, _) in enumerate(list(BROKEN.values())[:TRIED], 1):
                path.write_text(text)
                service.send(signal.SIGHUP)
                service.wait_for("reload_refused", count)
            health, readiness = service.get("/healthz"), service.get("/readyz")
            path.write_text(good.replace("currency: EUR", "currency: EUR\ntimezone: Europe/Berlin"))
            service.send(signal.SIGHUP)
            service.wait_for("reloaded")

            code, _ = service.end()

    refusals = service.events("reload_refused")
    assert len(refusals) == TRIED
    assert all(line["reason"] for line in refusals)
    assert (health.status_code, readiness.status_code) == (200, 200)
    assert code == 0
