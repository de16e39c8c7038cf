"""What is documented exists, and what exists is documented."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from pydoc import locate
from typing import TYPE_CHECKING, Any

import pytest
import typer.main
import yaml

from syncd import errors

if TYPE_CHECKING:
    from syncd.store import Database

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXPORTS = ("customers", "orders", "carts", "profiles", "members")
TABLES = ("profiles", "contacts", "customers", "orders", "order_lines", "carts", "facts", "memberships", "tag_state")
GLOSSARY = """
    stream, window, cursor, bookmark, signpost, checkpoint, incremental, backfill, lane, sweep, lease, raw record,
    upsert, store, contact, identifier, judgement, identity graph, profile, merge, split, segment, audience, tag,
    tag change, reach, brake, fact, outbox, ledger, rejected record, rejected write, run
"""


def _page(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def _section(text: str, heading: str) -> str:
    """What stands between a heading and the next one of its kind or above."""
    depth = heading.count("#")
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{depth}}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no heading {heading!r}"
    return found[1]


def _rows(text: str) -> list[list[str]]:
    """The cells of the tables in a text, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for number, row in enumerate(cells) if not _is_head(cells, number)]


def _is_head(cells: list[list[str]], number: int) -> bool:
    return any(set(row[0]) == {"-"} for row in cells[number : number + 2])


def _named(text: str) -> list[str]:
    """The names in backticks in the first column of the tables in a text, in order."""
    return [name for row in _rows(text) for name in re.findall(r"`(\w+)`", row[0])]


def _leaves(branch: type[errors.SyncdError]) -> set[str]:
    return {leaf.__name__ for leaf in branch.__subclasses__()}


@pytest.mark.parametrize("branch", errors.SyncdError.__subclasses__(), ids=lambda branch: branch.__name__)
def test_every_error_is_in_the_operators_table(branch: type[errors.SyncdError]) -> None:
    """The operations page names every leaf under its branch, and no other."""
    section = _section(_page("operations.md"), f"### {branch.__name__}")

    assert set(_named(section)) == _leaves(branch)


@pytest.mark.parametrize("branch", errors.SyncdError.__subclasses__(), ids=lambda branch: branch.__name__)
def test_every_error_is_drawn_in_the_tree(branch: type[errors.SyncdError]) -> None:
    """The tree at the head of the errors module shows every class."""
    tree = set(re.findall(r"\b[A-Z]\w+", errors.__doc__ or ""))

    assert {branch.__name__, *_leaves(branch)} <= tree


def test_every_exit_code_is_documented() -> None:
    """The operations page has every exit code with its name, and no other."""
    rows = _rows(_section(_page("operations.md"), "## Exit codes"))

    assert {(row[0].strip("`"), row[1].strip("`")) for row in rows} == {
        (str(int(code)), code.name) for code in errors.ExitCode
    }


def test_the_glossary_has_every_word() -> None:
    """The glossary defines each of the house's words once, and no other."""
    words = [row[0] for row in _rows(_page("glossary.md"))]

    assert sorted(words) == sorted(word.strip() for word in GLOSSARY.split(","))


@pytest.mark.parametrize("place", sorted(set(re.findall(r"`(syncd\.[\w.]+)`", _page("glossary.md")))))
def test_the_glossary_points_into_the_code(place: str) -> None:
    """What the glossary names in the code can be imported."""
    assert locate(place) is not None


def _commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        yield (*path, name), command
        if _is_group(command):
            yield from _commands(command, (*path, name))


def _is_group(command: Any) -> bool:
    return hasattr(command, "commands")


@cache
def _verbs() -> dict[tuple[str, ...], Any]:
    """Every command of the command line by its words; the root has none."""
    from syncd.cli import app

    root = typer.main.get_command(app)
    return {(): root, **dict(_commands(root))}


def _code(text: str) -> Iterator[str]:
    """The pieces of a page that are set as code, a line each."""
    yield from _fenced(text)
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def _fenced(text: str) -> list[str]:
    """The lines of a page's blocks of code."""
    fences = re.findall(r"^```.*?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line for fence in fences for line in fence.splitlines()]


def _documented_calls(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every `syncd ...` set as code: its verb, and the whole; `a|b|c` are three."""
    for call in _code(text):
        for found in re.findall(r"(?:^|\s)syncd((?: (?:--config|-c) \S+| [a-z|]+(?=\s|$))+)", call.replace("\\|", "|")):
            words = re.sub(r" (--config|-c) \S+", "", found).split()
            for first in words[0].split("|") if words else ():
                yield _verb(first, words[1:]), call


def _verb(first: str, rest: list[str]) -> tuple[str, ...]:
    return (first, *rest[:1]) if _is_group(_verbs().get((first,))) else (first,)


def _all_calls() -> list[tuple[tuple[str, ...], str]]:
    return [call for page in PAGES for call in _documented_calls(page.read_text())]


def test_every_verb_is_documented() -> None:
    """The README or the docs show every command of the command line."""
    shown = {verb for verb, _ in _all_calls()}

    verbs = {path for path, command in _verbs().items() if path and not _is_group(command)}

    assert sorted(verbs - shown) == []


def test_every_documented_verb_exists() -> None:
    """A command shown in the README, the docs, the example config or a message of the code can be called."""
    places = [*(ROOT / "syncd").rglob("*.py"), *(ROOT / "config").glob("*.yaml")]
    sources = [path.read_text() for path in sorted(places)]
    in_code = [call for source in sources for call in _documented_calls(source)]

    unknown = {call for verb, call in [*_all_calls(), *in_code] if verb not in _verbs()}

    assert sorted(unknown) == []


def test_every_documented_option_exists() -> None:
    """An option shown after a command is one of that command's, or of all commands."""
    verbs = _verbs()

    unknown = [
        f"{call}: {option}"
        for verb, call in _all_calls()
        for option in re.findall(r"(?<=\s)--[a-z-]+", call)
        if verb in verbs and option not in {"--help"} | _options(verbs[verb]) | _options(verbs[()])
    ]

    assert unknown == []


def _options(command: Any) -> set[str]:
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


def _example() -> dict[str, object]:
    """The example config with the options in use that are commented out."""
    text = (ROOT / "config" / "syncd.yaml").read_text()
    data: dict[str, object] = yaml.safe_load(re.sub(r"^( +)# (?=\w+: )", r"\1", text, flags=re.MULTILINE))
    return data


def test_every_setting_is_in_the_example() -> None:
    """The commented example shows every setting where it belongs, in use or commented out, and no other."""
    from syncd.settings import Settings
    from syncd.settings.shape import nodes

    found = list(nodes(Settings, _example()))
    shown = {(_owner(node.model, name), name) for node in found for name in node.values}
    known = {(_owner(node.model, name), name) for node in found for name in node.model.model_fields}
    unknown = [(*node.place, name) for node in found for name in node.values if name not in node.known]

    assert sorted(name for _, name in known - shown if not name.endswith("_file")) == []
    assert unknown == []


def _owner(model: type, name: str) -> type | None:
    """The model that a setting comes from: what several sections or all platforms share is shown once."""
    bases = reversed(model.__mro__)
    return next((base for base in bases if name in getattr(base, "model_fields", ())), None)


def test_every_metric_is_documented() -> None:
    """The operations page has every metric with its labels, and no other; its rules ask for none that there is not."""
    from syncd.web.names import BUILD, COUNTERS, GAUGES

    section = _section(_page("operations.md"), "### Metrics")
    rules = yaml.safe_load("\n".join(_fenced(_section(_page("operations.md"), "### Alerts"))))["groups"][0]["rules"]

    known = {name: ", ".join(told.labels) for name, told in (COUNTERS | GAUGES).items()} | {BUILD: "version"}
    assert {row[0].strip("`"): row[1] for row in _rows(section)} == known
    assert {name for rule in rules for name in re.findall(r"syncd_\w+", rule["expr"])} <= known.keys()
    assert all(rule["annotations"]["summary"] for rule in rules)


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    """An empty database, for asking it what it exports."""
    from syncd.clock import SystemClock
    from syncd.store import Database

    with Database.open(sqlite_url, merchant="acme", clock=SystemClock()) as opened:
        yield opened


@pytest.mark.parametrize("kind", EXPORTS)
def test_every_export_column_is_documented(database: Database, kind: str) -> None:
    """The data page lists an export's columns in their order with the meanings that the code gives them."""
    rows = _rows(_section(_page("data.md"), f"### Export: {kind}"))

    assert [row[0].strip("`") for row in rows] == list(database.exports.columns(kind))
    assert {row[0].strip("`"): row[1] for row in rows} == database.exports.meanings(kind)


@pytest.mark.parametrize("name", TABLES)
def test_every_column_that_people_read_is_documented(name: str) -> None:
    """The data page lists the columns of every table that is meant to be read."""
    from syncd.store.tables import Merchant

    section = _section(_page("data.md"), f"### Table: {name}")

    assert sorted(_named(section)) == sorted(Merchant.metadata.tables[name].columns.keys())


@pytest.mark.parametrize("record", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda path: path.stem)
def test_a_decision_says_why_and_until_when(record: Path) -> None:
    """A decision record is short, numbered, and says context, choice and what would change our mind."""
    text = record.read_text()

    assert re.match(rf"# {record.stem[:3]}: ", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Choice", "What would change our mind"]
    assert text.count("\n") < 40
