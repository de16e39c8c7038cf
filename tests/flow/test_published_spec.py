"""The whole job against the sandbox's BigCommerce shop, judged exchange by exchange by the published specifications."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from syncd import cli
from syncd.sandbox import Sandbox, SandboxOptions

VERBS = ("backfill", "sync", "plan", "apply", "sync")
EXERCISED = ("GET /customers", "PUT /customers/attribute-values", "GET /orders", "payment_actions/refunds")


def _config(folder: Path, sandbox: Sandbox) -> Path:
    shop = sandbox.shops["b2b"]
    auth = f"{{token: {shop.credentials['admin'].access_token}}}"
    store = f"{{platform: bigcommerce, store_hash: {shop.store_hash}, base_url: {shop.url!r}, auth: {auth}}}"
    (folder / "segments.yaml").write_text("segments: {many: {when: 'orders_count >= 3', tag: Often}}\n")
    path = folder / "syncd.yaml"
    database = f"database: {{url: 'sqlite:///{folder}/b2b.db'}}"
    path.write_text(f"merchant: acme\n{database}\nstores:\n  b2b: {store}\nlog: {{level: error}}\n")
    return path


def test_every_exchange_of_the_whole_job_is_as_published(tmp_path: Path, shared: Path) -> None:
    """Backfill, sync, plan, apply and sync leave no exchange, question or answer, that the specifications forbid."""
    log = tmp_path / "log.jsonl"
    with Sandbox(SandboxOptions(log=log)) as sandbox:
        config = _config(tmp_path, sandbox)
        options = {"apply": ["--approve", "1000"]}
        codes = [cli.run(["--config", str(config), verb, "--json", *options.get(verb, [])]) for verb in VERBS]

    judge = [sys.executable, str(shared / "tools" / "check_openapi.py")]
    specs = ["--specs", str(shared / "specs" / "bigcommerce"), "--coverage", str(log)]
    verdict = subprocess.run([*judge, *specs], capture_output=True, text=True, check=False)

    assert codes == [0] * len(VERBS)
    assert verdict.returncode == 0, verdict.stdout[-3000:]
    assert " 0 violations" in verdict.stdout + verdict.stderr
    assert [name for name in EXERCISED if name not in verdict.stdout] == []
