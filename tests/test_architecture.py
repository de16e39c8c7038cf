"""The walls of the house: who may import whom, where platforms and SQL are known, how errors travel."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

import syncd
from syncd import errors

# Each layer may import those below it. Modules on one line do not know each other, except on the lines of LOOSE.
LAYERS = (
    {"model", "errors", "clock", "condition", "money", "process", "logs", "plugins", "meter"},
    {"connectors", "mapping", "identity", "segments", "store", "sandbox"},
    {"sync", "derive", "push", "settings"},
    {"app", "screens", "demo", "estimate", "notify", "upkeep", "pausing", "overview"},
    {"cli", "daemon", "web", "__main__"},
    {"testing"},  # for tests only: nothing of syncd may need it
)
LOOSE = (LAYERS[0], LAYERS[3], LAYERS[4])
RANK = {part: rank for rank, layer in enumerate(LAYERS) for part in layer}
KNOWS_SANDBOX = {"app", "cli", "demo", "sandbox"}
KNOWS_PLATFORMS = {"connectors", "mapping", "sandbox", "settings"}
PLATFORM_WORDS = re.compile(r"\b(shopify|woocommerce|bigcommerce)\b|_gmt\b|\bmeta_data\b|\bline_items\b", re.IGNORECASE)
SQL_PACKAGES = {"sqlalchemy", "sqlmodel", "alembic", "psycopg", "sqlite3"}
BRANCHES = {"SyncdError"} | {branch.__name__ for branch in errors.SyncdError.__subclasses__()}


class Import(NamedTuple):
    """One import of one module: its dotted target, whether loading the module runs it, and its line."""

    target: str
    is_at_load: bool
    line: int


class Module(NamedTuple):
    """One module of the package: its name without `syncd.`, its text and its tree."""

    name: str
    text: str
    tree: ast.Module

    @property
    def part(self) -> str:
        """The first word of the name: the room that the module is in."""
        return self.name.split(".")[0]

    @cache  # noqa: B019 - the package's modules are few, and each is asked by every rule
    def imports(self) -> Sequence[Import]:
        """Every import, those inside functions and for type checking included."""
        late = {inner for node in ast.walk(self.tree) if _is_late(node) for inner in ast.walk(node)}
        return [
            Import(target, node not in late, getattr(node, "lineno", 0))
            for node in ast.walk(self.tree)
            for target in _targets(node)
        ]

    def rooms(self) -> Iterator[tuple[str, Import]]:
        """The rooms of syncd that it imports from."""
        for item in self.imports():
            if item.target.startswith("syncd.") and item.target.split(".")[1] in RANK:
                yield item.target.split(".")[1], item

    def says(self, line: int, what: str) -> str:
        """A breach, with its place."""
        return f"{self.name}:{line} {what}"


def _is_late(node: ast.AST) -> bool:
    is_typing = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
    return is_typing or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))


def _targets(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names]
    return []


@cache
def _package() -> list[Module]:
    root = Path(syncd.__file__).parent
    paths = sorted(path for path in root.rglob("*.py") if "versions" not in path.parts)
    return [
        _module(path.relative_to(root).with_suffix("").as_posix().replace("/", "."), path.read_text()) for path in paths
    ]


def _module(name: str, text: str) -> Module:
    return Module(name.removesuffix(".__init__"), text, ast.parse(text, f"syncd/{name}"))


def _unplaced(module: Module) -> Iterator[str]:
    if module.part not in RANK and module.name != "__init__":
        yield module.says(1, "stands in no layer")
    yield from (module.says(item.line, "relative import") for item in module.imports() if item.target.startswith("."))


def _upward(module: Module) -> Iterator[str]:
    for room, item in module.rooms():
        if RANK[room] > RANK.get(module.part, -1):
            yield module.says(item.line, f"imports {room}, which stands above it")


def _sideways(module: Module) -> Iterator[str]:
    for room, item in module.rooms():
        is_level = RANK[room] == RANK.get(module.part) and LAYERS[RANK[room]] not in LOOSE
        if is_level and room not in (module.part, "sandbox"):
            yield module.says(item.line, f"imports its sibling {room}")


def _sandboxed(module: Module) -> Iterator[str]:
    for room, item in module.rooms():
        if room == "sandbox" and (
            module.part not in KNOWS_SANDBOX or (item.is_at_load and module.part in {"app", "cli"})
        ):
            yield module.says(item.line, "imports the sandbox, which is spoken to over HTTP")


def _platform_words(module: Module) -> Iterator[str]:
    lines = () if module.part in KNOWS_PLATFORMS else enumerate(module.text.splitlines(), 1)
    yield from (module.says(number, line.strip()) for number, line in lines if PLATFORM_WORDS.search(line))


def _sql(module: Module) -> Iterator[str]:
    for item in module.imports():
        if module.part != "store" and item.target.split(".")[0] in SQL_PACKAGES:
            yield module.says(item.line, f"imports {item.target}")


def _prints(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print" and module.part not in {"cli", "screens"}:
            yield module.says(node.lineno, "prints")


def _branch_raises(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and ast.unparse(node.exc.func) in BRANCHES:
            yield module.says(node.lineno, "raises a branch of the error tree, not a leaf")


def _for_tests(module: Module) -> Iterator[str]:
    for item in module.imports():
        if module.part != "testing" and item.target.split(".")[0] in {"pytest", "hypothesis"}:
            yield module.says(item.line, f"imports {item.target}, which users need not have")


RULES = [_unplaced, _upward, _sideways, _sandboxed, _platform_words, _sql, _prints, _branch_raises, _for_tests]
Rule = Callable[[Module], Iterator[str]]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__.strip("_"))
def test_no_module_breaks_the_rule(rule: Rule) -> None:
    """Every module of the package keeps the rule."""
    modules = _package()

    breaches = [breach for module in modules for breach in rule(module)]

    assert breaches == []


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (_unplaced, "helpers", "import os"),
        (_unplaced, "store.tags", "from . import tables"),
        (_upward, "store.tags", "def f():\n    from syncd.app import App"),
        (_upward, "model", "from syncd import store"),
        (_upward, "daemon", "from syncd.testing import ConnectorContract"),
        (_sideways, "mapping.base", "from syncd.connectors.base import Page"),
        (_sideways, "sync", "import syncd.push"),
        (_sandboxed, "connectors.base", "def f():\n    import syncd.sandbox"),
        (_sandboxed, "cli", "from syncd.sandbox import Sandbox"),
        (_platform_words, "sync", "if platform == 'woocommerce': pass"),
        (_sql, "push", "from sqlalchemy import text"),
        (_prints, "sync", "print(1)"),
        (_for_tests, "sync", "import pytest"),
        (_branch_raises, "sync", "raise StopStore('no')"),
    ],
)
def test_each_rule_can_fail(rule: Rule, name: str, text: str) -> None:
    """A module that breaks the rule is found."""
    module = _module(name, text)

    assert list(rule(module))


def test_loading_goes_round_in_no_circle() -> None:
    """No two modules need each other in order to load."""
    modules = _package()
    names = {f"syncd.{module.name}" for module in modules}

    graph = {
        f"syncd.{module.name}": {
            found
            for item in module.imports()
            for found in [item.target if item.target in names else item.target.rpartition(".")[0]]
            if item.is_at_load and found in names and found != f"syncd.{module.name}"
        }
        for module in modules
    }

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_everything_is_caught_at_one_place_only() -> None:
    """`except Exception` stands at the scheduler's job edge and nowhere else."""
    broad = {"Exception", "BaseException"}

    places = [
        module.name
        for module in _package()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or broad & {ast.unparse(part) for part in ast.walk(node.type) if isinstance(part, ast.Name)}
        )
    ]

    assert places == ["daemon.works"]
