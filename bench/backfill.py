"""How fast a backfill of one practice shop is: `python bench/backfill.py [--scale 10] [--store us-woo] [--json]`.

Serves the shop in a process of its own, runs the command line against it twice, and counts the CPU of the command
alone. The second run finds everything unchanged. Prints records, CPU seconds, records per CPU second, peak memory.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from syncd.sandbox import PORTS, Sandbox, SandboxOptions
from syncd.settings import example_config


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=10.0)
    parser.add_argument("--store", default="us-woo")
    parser.add_argument("--database", default="sqlite:///bench.db")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        mine, theirs = multiprocessing.Pipe()
        shop = multiprocessing.Process(target=_serve, args=(chosen.scale, theirs), daemon=True)
        shop.start()
        config = _config(Path(folder), chosen.store, mine.recv()[chosen.store], chosen.database)
        rows = {name: _measured(config) for name in ("first", "unchanged")}
        mine.send("stop")
        shop.join()
    if chosen.json:
        print(json.dumps(rows))
    else:
        for name, row in rows.items():
            print(f"{name:<10}", "  ".join(f"{key} {value:,}" for key, value in row.items()))


def _serve(scale: float, pipe: Any) -> None:
    with Sandbox(SandboxOptions(scale=scale)) as sandbox:
        pipe.send({name: shop.port for name, shop in sandbox.shops.items()})
        pipe.recv()


def _config(folder: Path, store: str, port: int, database: str) -> Path:
    config = yaml.safe_load(example_config("syncd.yaml").replace(f"127.0.0.1:{PORTS[store]}", f"127.0.0.1:{port}"))
    config["stores"] = {store: config["stores"][store]}
    config["database"]["url"] = database
    (folder / "segments.yaml").write_text(example_config("segments.yaml"))
    path = folder / "syncd.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def _measured(config: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "syncd", "--config", str(config), "--log-level", "error", "backfill", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    document = json.loads(process.stdout.read())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    records = sum(stream["read"] for stream in document["streams"])
    cpu_s = usage.ru_utime + usage.ru_stime
    return {
        "records": records,
        "cpu_s": round(cpu_s, 2),
        "records_per_cpu_s": round(records / cpu_s),
        "peak_mb": round(usage.ru_maxrss / 1024),
    }


if __name__ == "__main__":
    main()
