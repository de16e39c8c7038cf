"""Two stores of one platform, each with its own token, worked side by side: no token ever reaches the other shop."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from urllib.parse import urlsplit

from syncd import cli
from syncd.sandbox import Sandbox, SandboxOptions
from tests.shopify import site

STORES = ("north", "south")


def _config(folder: Path, sandbox: Sandbox) -> Path:
    """Both shops, worked at the same time, tags written automatically."""
    segments = "segments: {all: {when: 'orders_count >= 0', tag: Known}}\n"
    (folder / "segments.yaml").write_text(segments)
    stores = [
        f"  {name}: {{platform: shopify, url: {name}-shop, base_url: {sandbox.shops[name].url!r}, "
        f"auth: {{token: {sandbox.shops[name].credentials['admin'].access_token}}}, "
        "push: {mode: auto, brake: {max_percent: 100}}}\n"
        for name in STORES
    ]
    path = folder / "syncd.yaml"
    url = f"sqlite:///{folder}/two.db"
    path.write_text(f"merchant: acme\ndatabase: {{url: {url!r}}}\nstores:\n{''.join(stores)}log: {{level: error}}\n")
    return path


def test_tokens_are_never_mixed(tmp_path: Path) -> None:
    """The exchange log holds exactly one token for each shop, and not the same one."""
    log = tmp_path / "log.jsonl"
    options = SandboxOptions(sites=[site(name) for name in STORES], scale=0.3, log=log)
    with Sandbox(options) as sandbox:
        ports = {shop.port: name for name, shop in sandbox.shops.items()}
        config = _config(tmp_path, sandbox)
        codes = [cli.run(["--config", str(config), "sync", "--sweep", "--json"]) for _ in range(2)]

    tokens: dict[str, set[str]] = {name: set() for name in STORES}
    writes = dict.fromkeys(STORES, 0)
    order = []
    for line in log.read_text().splitlines():
        exchange = json.loads(line)
        name = ports[urlsplit(exchange["url"]).port or 0]
        order.append(name)
        tokens[name].add(exchange["headers"]["x-shopify-access-token"])
        writes[name] += "tagsAdd" in exchange["body"]

    assert codes == [0, 0]
    assert [len(tokens[name]) for name in STORES] == [1, 1]
    assert tokens["north"] != tokens["south"]
    assert all(writes.values())
    assert sum(left != right for left, right in itertools.pairwise(order)) > len(order) // 10  # side by side
