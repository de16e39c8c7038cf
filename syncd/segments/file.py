"""Reads the segments file: YAML, then shapes, then names and conditions; every fault is told, with its line."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from operator import itemgetter
from pathlib import Path

import yaml
from pydantic import ValidationError

from syncd.condition import AllOf, Condition, IsTrue, Term
from syncd.errors import ConfigInvalid
from syncd.model import Stream
from syncd.segments.definition import Segment, SegmentConfig, SegmentsFile
from syncd.segments.facts import fact_of, is_lasting, segments_asked, terms
from syncd.segments.faults import Names, suggestion
from syncd.segments.parse import read

_Place = tuple[str, ...]
_DEEPEST = 3  # file, segments, segment: a file that goes deeper (or refers to itself) is refused by its shape
_WORDS = {
    "missing": "is missing",
    "string_type": "must be a text; put it in quotes",
    "tuple_type": "must be a list, such as [one, two]",
    "dict_type": "must be a mapping of names to values",
    "model_type": "must be a mapping of names to values",
}


def load_segments(
    source: Path | str, store_ids: Collection[str], platforms: Collection[str] | None = None
) -> tuple[Segment, ...]:
    """The segments of a file, each after the segments that it builds on.

    Args:
        source: The file, or its text.
        store_ids: Stores of the configuration.
        platforms: Platforms that `on_platform` may name; None for any.

    Raises:
        ConfigInvalid: The file cannot be used; the message lists every fault with its line.
    """
    name = str(source) if isinstance(source, Path) else "segments"
    document = _Document.of(_text(source), name)
    names = Names(stores=store_ids, platforms=platforms, segments=document.names())
    loaded = _load(document, document.configs(), names)
    if document.faults:
        raise document.refusal()
    return loaded


def _text(source: Path | str) -> str:
    if isinstance(source, str):
        return source
    try:
        return source.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigInvalid(
            f"the segments file {source} cannot be read: {error.strerror}", hint="Correct `segments` in the config."
        ) from None
    except UnicodeDecodeError:
        raise ConfigInvalid(f"the segments file {source} is not UTF-8", hint="Save it as UTF-8.") from None


@dataclass(kw_only=True)
class _Document:
    """The file as YAML nodes, which know their lines, as plain values, and with the faults found so far."""

    name: str
    root: yaml.Node | None
    values: object
    faults: list[tuple[int, str]] = field(default_factory=list)

    @classmethod
    def of(cls, text: str, name: str) -> _Document:
        """The file's text, read as YAML; keys that stand twice are noted as faults."""
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
            document = cls(name=name, root=root, values=_without_nulls(yaml.safe_load(text) or {}))
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise ConfigInvalid(f"{name}, line {line}: this is not YAML that can be used: {error.problem}") from None
        except yaml.YAMLError as error:
            raise ConfigInvalid(f"{name}: this is not YAML: {str(error).splitlines()[0]}") from None
        if not text.strip():  # half written, perhaps: taken at its word it would take every tag off
            raise ConfigInvalid(f"{name} holds nothing", hint="Write `segments: {}` if there are to be none")
        document._find_repeats(root, ())
        return document

    def configs(self) -> Mapping[str, SegmentConfig]:
        """The segments whose shape is right; the others' faults are noted."""
        try:
            return SegmentsFile.model_validate(self.values).segments
        except ValidationError as error:
            faults = error.errors(include_input=False, include_url=False)
        places = [tuple(str(part) for part in fault["loc"] if part != "[key]") for fault in faults]
        for place, fault in zip(places, faults, strict=True):
            self.fault(place, _worded(fault["type"], place, fault["msg"], fault.get("ctx", {})))
        sound = [name for name in self.names() if not any(place[:2] == ("segments", name) for place in places)]
        return {name: SegmentConfig.model_validate(self.values["segments"][name]) for name in sound}  # type: ignore[index]

    def names(self) -> tuple[str, ...]:
        """All segments that the file means to define."""
        segments = self.values.get("segments") if isinstance(self.values, dict) else None
        return tuple(map(str, segments)) if isinstance(segments, dict) else ()

    def fault(self, place: _Place, message: str) -> None:
        """Note one fault at a place such as (segments, vip, when)."""
        self.faults.append((self._line(self.root, place), f"{'.'.join(place) or 'the file'} {message}"))

    def refusal(self) -> ConfigInvalid:
        """All faults as one error."""
        lines = [f"line {line}: {message}" for line, message in sorted(self.faults, key=itemgetter(0))]
        if len(lines) == 1:
            return ConfigInvalid(f"{self.name}, {lines[0]}")
        return ConfigInvalid("\n  ".join([f"{self.name} has {len(lines)} faults:", *lines]))

    def _find_repeats(self, node: yaml.Node | None, place: _Place) -> None:
        seen: set[str] = set()
        for key, value in _pairs(node) if len(place) < _DEEPEST else ():
            if key.value in seen:
                message = f"{'.'.join((*place, key.value))} stands here twice"
                self.faults.append((key.start_mark.line + 1, message))
            seen.add(key.value)
            self._find_repeats(value, (*place, key.value))

    def _line(self, node: yaml.Node | None, place: _Place) -> int:
        for key, value in reversed(tuple(_pairs(node))):  # of a key that stands twice, YAML takes the last
            if place and key.value == place[0]:
                return max(key.start_mark.line + 1, self._line(value, place[1:]))
        return node.start_mark.line + 1 if node and not place else 1


def _pairs(node: yaml.Node | None) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        yield from ((key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode))


def _without_nulls(value: object, depth: int = 0) -> object:
    """A key without a value (all under it commented out) counts as left out."""
    if not isinstance(value, dict) or depth > _DEEPEST:
        return value
    return {key: _without_nulls(inner, depth + 1) for key, inner in value.items() if inner is not None}


def _worded(kind: str, place: _Place, message: str, context: Mapping[str, object]) -> str:
    if kind == "extra_forbidden":
        known = SegmentsFile.model_fields if len(place) == 1 else SegmentConfig.model_fields
        return f"is unknown; {suggestion(place[-1], list(known))}"
    if kind == "literal_error":
        return f"must be {context['expected']}"
    if kind == "value_error":
        return f"cannot be used: {context['error']}"
    return _WORDS.get(kind, f"cannot be used: {message}")


def _load(document: _Document, configs: Mapping[str, SegmentConfig], names: Names) -> tuple[Segment, ...]:
    segments = {name: _segment(document, name, config, names) for name, config in configs.items()}
    _check_tags(document, segments)
    asked = {name: segments_asked(segment.condition) for name, segment in segments.items()}
    try:
        order = tuple(name for name in TopologicalSorter(asked).static_order() if name in segments)
    except CycleError as error:
        ring = " -> ".join(reversed(error.args[1]))
        document.fault(("segments", error.args[1][0], "when"), f"goes in a circle: {ring}")
        return ()
    if document.faults:
        return ()
    return _with_needs(tuple(segments[name] for name in order))


def _segment(document: _Document, name: str, config: SegmentConfig, names: Names) -> Segment:
    condition, faults = read(config.when, names)
    for fault in faults:
        document.fault(("segments", name, "when"), f"at {fault}")
    return Segment(
        name=name,
        when=config.when,
        condition=_consenting(condition, config),
        tag=config.tag or "",
        stores=_stores(document, name, config, names.stores or ()),
        if_staff_removes_tag=config.if_staff_removes_tag,
        needs_consent=config.needs_consent,
        label=config.label or name,
        description=config.description,
    )


def _consenting(condition: Condition, config: SegmentConfig) -> Condition:
    """Consent is part of membership, so that a person who takes it back also loses the tag."""
    if config.needs_consent is None:
        return condition
    return AllOf(items=(condition, IsTrue(term=Term(name=f"can_{config.needs_consent}"))))


def _stores(document: _Document, name: str, config: SegmentConfig, known: Collection[str]) -> tuple[str, ...]:
    place = ("segments", name, "stores")
    if config.stores is None:
        return tuple(known)
    if not config.stores:
        document.fault(place, "names no store; leave it out for all stores")
    for store_id in config.stores:
        if store_id not in known:
            document.fault(place, f"names the unknown store {store_id!r}; {suggestion(store_id, known)}")
    return tuple(dict.fromkeys(config.stores))


def _check_tags(document: _Document, segments: Mapping[str, Segment]) -> None:
    """Two segments with one tag on one store would take turns adding and removing it."""
    owners: dict[tuple[str, str], str] = {}
    for segment in segments.values():
        for store_id in segment.stores if segment.tag else ():
            other = owners.setdefault((store_id, _squeezed(segment.tag)), segment.name)
            if other != segment.name:
                message = f"{segment.tag!r} is already the tag of {other} on {store_id}; give each segment its own"
                document.fault(("segments", segment.name, "tag"), message)
                break


def _squeezed(tag: str) -> str:
    """A tag as platforms tell tags apart: without case, and with only letters and digits counting."""
    return "".join(char for char in tag.casefold() if char.isalnum()) or tag


def _with_needs(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """The segments with what they need to be trusted, which they take over from the segments that they build on."""
    done: dict[str, Segment] = {}
    for segment in segments:
        own = (fact_of(term).streams for term in terms(segment.condition))
        below = (done[name].streams for name in segments_asked(segment.condition))
        lasting = {name for name, other in done.items() if other.is_lasting}
        done[segment.name] = replace(
            segment,
            streams=frozenset({Stream.CUSTOMERS}).union(*own, *below),
            is_lasting=is_lasting(segment.condition, lasting),
        )
    return tuple(done.values())
