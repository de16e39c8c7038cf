"""The fourth platform of docs/connectors.md is real: what the page shows passes the contract and is worked by syncd."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from syncd.connectors.base import Connector
from syncd.mapping.base import Mapper

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "connectors.md").read_text()
FILES = dict(re.findall(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
PLATFORM = ("corner/connector.py", "corner/mapping.py")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The page's files, and the folder that an installer would have left for its package."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    project = tomllib.loads(FILES["pyproject.toml"])["project"]
    info = tmp_path / f"{project['name']}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    (info / "entry_points.txt").write_text("".join(_group(*item) for item in project["entry-points"].items()))
    return tmp_path


@pytest.fixture
def run(site: Path) -> Run:
    """Runs a module of Python beside the page's package, with further variables."""

    def call(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{site}{os.pathsep}{ROOT}", **variables}
        command = [sys.executable, "-m", *arguments]
        return subprocess.run(command, cwd=site, env=environ, capture_output=True, text=True, check=False)

    return call


def test_the_page_passes_the_contract(run: Run) -> None:
    """The contract test that the page ends with is green, and tries more than a hundred things."""
    done = run("pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:xdist", "tests/test_contract.py")

    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) > 100
    assert "skipped" not in done.stdout


def test_the_page_is_worked_by_the_command_line(site: Path, run: Run) -> None:
    """Backfill, plan and apply work the shop by the page's configuration; a tag of another hand stays."""
    practice = _practice(site / "tests" / "practice.py")
    (site / "segments.yaml").write_text("segments: {vip: {when: 'spent >= 750', tag: VIP}}\n")

    with practice.filled() as shop:
        for verb in (["check"], ["backfill"], ["plan", "-o", "plan.json"], ["apply", "plan.json", "--yes", "--json"]):
            done = run("syncd", *verb, CORNER_URL=shop.url, CORNER_KEY=practice.KEY)
            assert done.returncode == 0, done.stdout + done.stderr
        tags = {number: row["tags"] for number, row in shop.rows["customers"].items() if row["tags"] != ["Regular"]}

    assert json.loads(done.stdout)
    assert tags == {"c8": ["Regular", "VIP"]}


def test_a_package_that_cannot_be_loaded_is_named(site: Path, run: Run) -> None:
    """A store of a platform whose package is broken is a configuration error that names the package."""
    (site / "corner" / "__init__.py").write_text("import nowhere_to_be_found\n")

    done = run("syncd", "config", "check", CORNER_URL="http://127.0.0.1:1", CORNER_KEY="x")

    assert done.returncode == 4
    assert "the package corner does not work as the platform corner" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_page_counts_right() -> None:
    """The figures that the page promises are those of its code."""
    figures = [int(found) for found in re.findall(r"^\| [^|]+ \| (\d+)", PAGE, re.MULTILINE)]
    lines = sum(len(FILES[name].splitlines()) for name in PLATFORM)
    project = tomllib.loads(FILES["pyproject.toml"])["project"]
    test_lines = _code_lines(FILES["tests/test_contract.py"])

    assert figures == [len(PLATFORM), lines, len(_members(Connector)), len(project["entry-points"]), test_lines]
    assert f"{len(_members(Mapper))} of the mapping" in PAGE
    assert _members_of("corner/connector.py", "Corner") == _members(Connector)
    assert _members_of("corner/mapping.py", "CornerMapper") == _members(Mapper)


def test_the_page_is_written_as_the_house_is(site: Path) -> None:
    """The page's code is formatted, linted and typed as syncd's own."""
    ruff = [sys.executable, "-m", "ruff"]
    config = ["--config", str(ROOT / "pyproject.toml")]
    for command in (
        [*ruff, "format", "--check", *config, *PLATFORM],
        [*ruff, "check", "--no-cache", "--ignore=I001", *config, *PLATFORM],  # whose package is whose, it cannot know
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=/dev/null", *PLATFORM],
    ):
        done = subprocess.run(command, cwd=site, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def _group(group: str, entries: dict[str, str]) -> str:
    return f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())


def _practice(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("practice", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _code_lines(text: str) -> int:
    """Lines of code, imports and blank lines left out."""
    imports = {
        number
        for node in ast.parse(text).body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for number in range(node.lineno, (node.end_lineno or 0) + 1)
    }
    return sum(bool(line.strip()) and number not in imports for number, line in enumerate(text.splitlines(), 1))


def _members(protocol: Any) -> set[str]:
    return {name for name in vars(protocol) if not name.startswith("_")}


def _members_of(file: str, class_name: str) -> set[str]:
    """The public members that a class of the page writes down."""
    tree = ast.parse(FILES[file])
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == class_name)
    methods = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    values = {ast.unparse(node.targets[0]) for node in body if isinstance(node, ast.Assign)}
    return {name for name in methods | values if not name.startswith("_")}
