"""The config file as plain values: YAML with the line of every key, and `${NAME}` filled in from the environment.

In comes text, out comes a document with the faults found on the way. Nothing is known here of what the keys mean.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from syncd.settings.places import Fault, Place

_VARIABLE = re.compile(r"\$\{(?P<name>[^}:]*)(?::-(?P<default>[^}]*))?\}")
GIVEN = "\0"  # stands for text that came from the environment; YAML allows no NUL in a file


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A config file that could be read.

    Args:
        lines: The line on which each place begins, counted from 1.
        templates: Texts that used `${NAME}`, with a NUL where the environment filled something in: what is left
            of them stands literally in the file.
        unset: The first variable that is not set and has no default, for each place that names one.
    """

    data: dict[str, object]
    lines: Mapping[Place, int]
    templates: Mapping[Place, str]
    unset: Mapping[Place, str]
    faults: tuple[Fault, ...]

    def line_of(self, place: Place) -> int:
        """The line of a place, or of the nearest thing around it; 0 if there is none."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 0) if place else 0


def read(text: str, environ: Mapping[str, str]) -> Document:
    """Read a config file's text; a text that is no YAML gives a document with nothing but that fault."""
    reader = _Reader(environ)
    data = reader.read(text)
    if data is not None and not isinstance(data, dict):
        reader.faults.append(Fault(message='must hold settings as "key: value" lines', line=1))
    return Document(
        data=data if isinstance(data, dict) else {},
        lines=reader.lines,
        templates=reader.templates,
        unset=reader.unset,
        faults=tuple(reader.faults),
    )


class _Loader(yaml.SafeLoader):
    """Fewer guesses than YAML 1.1 makes: `off`, `NO`, `2026-01-01`, `0049` and `12e5` are texts."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - declared by the base class


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?", "-+0123456789."),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


@dataclass
class _Reader:
    environ: Mapping[str, str]
    lines: dict[Place, int] = field(default_factory=dict)
    templates: dict[Place, str] = field(default_factory=dict)
    unset: dict[Place, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def read(self, text: str) -> object:
        """The whole text's value; None if it is empty or no YAML."""
        try:
            loader = _Loader(text)
            node = loader.get_single_node()
            return self._value(loader, node, ()) if node is not None else None
        except yaml.MarkedYAMLError as error:
            self.faults.append(_syntax_fault(error))
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            self.faults.append(Fault(message="holds a character that YAML does not allow", line=line))
        except RecursionError:
            self.faults.append(Fault(message="is nested too deeply, or an alias (*name) stands inside its own anchor"))
        return None

    def _value(self, loader: _Loader, node: yaml.Node, place: Place) -> object:
        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(loader, node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(loader, item, (*place, index)) for index, item in enumerate(node.value)]
        return self._scalar(loader, node, place)

    def _scalar(self, loader: _Loader, node: yaml.Node, place: Place) -> object:
        try:
            value = loader.construct_object(node)
        except (ValueError, LookupError):
            self.faults.append(Fault(place=place, message="is not what its YAML tag says", line=self.lines[place]))
            return None
        return self._expanded(value, place) if isinstance(value, str) else value

    def _mapping(self, loader: _Loader, node: yaml.MappingNode, place: Place) -> dict[str, object]:
        self._check_keys(node, place)
        loader.flatten_mapping(node)
        values: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            self.lines[*place, key] = key_node.start_mark.line + 1
            values[key] = self._value(loader, value_node, (*place, key))
        return values

    def _check_keys(self, node: yaml.MappingNode, place: Place) -> None:
        first_lines: dict[str, int] = {}
        for key_node, _ in node.value:
            key, line = key_node.value, key_node.start_mark.line + 1
            if not isinstance(key, str):
                raise yaml.MarkedYAMLError(problem="a key must be a word", problem_mark=key_node.start_mark)
            if key in first_lines:
                message = f"is given twice, first on line {first_lines[key]}; keep one"
                self.faults.append(Fault(place=(*place, key), message=message, line=line))
            first_lines.setdefault(key, line)

    def _expanded(self, text: str, place: Place) -> str:
        if "${" not in text:
            return text
        self.templates[place] = _VARIABLE.sub(lambda match: self._fill(match, place, GIVEN), text)
        return _VARIABLE.sub(lambda match: self._fill(match, place, None), text)

    def _fill(self, match: re.Match[str], place: Place, given: str | None) -> str:
        name, default = match["name"], match["default"]
        value = self.environ.get(name)
        if value is None and default is None and given is not None:
            self._miss(name, place)
        if value is None:
            return default or ""
        return value if given is None else given

    def _miss(self, name: str, place: Place) -> None:
        if re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
            self.unset.setdefault(place, name)
            return
        message = 'has a "${" without the name of a variable; write ${NAME} or ${NAME:-default}'
        self.faults.append(Fault(place=place, message=message, line=self.lines[place]))


def _syntax_fault(error: yaml.MarkedYAMLError) -> Fault:
    mark = error.problem_mark or error.context_mark
    where = f" in column {mark.column + 1}" if mark else ""
    remedy = '; a text that begins with * needs "quotes"' if "alias" in (error.context or "") else ""
    message = f"is not valid YAML{where}: {error.problem or error.context}{remedy}"
    return Fault(message=message, line=mark.line + 1 if mark else 0)
