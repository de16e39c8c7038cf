"""Which settings exist: the configuration's models laid over the values given, node by node.

This is what knows that a place holds a secret, a file or nothing that exists, without naming any platform: the
model of a store is looked up by its `platform`.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from syncd.connectors import config_model
from syncd.connectors.config import StoreConfig
from syncd.settings.places import Place

FILE = "_file"


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """One mapping of the configuration and the model that says what may stand in it."""

    place: Place
    model: type[BaseModel]
    values: Mapping[str, object]

    @property
    def secrets(self) -> list[str]:
        """The keys whose values are secrets, or lists of them."""
        fields = self.model.model_fields.items()
        return [name for name, field in fields if SecretStr in _kinds(field.annotation) or name in self.secret_lists]

    @property
    def secret_lists(self) -> list[str]:
        """The keys whose values are lists of secrets."""
        fields = self.model.model_fields.items()
        return [name for name, field in fields if SecretStr in _item_kinds(field.annotation)]

    @property
    def paths(self) -> dict[str, FieldInfo]:
        """The keys whose values are paths of files, those of secrets left out."""
        of_secrets = {name + FILE for name in self.secrets}
        fields = self.model.model_fields.items()
        return {name: field for name, field in fields if Path in _kinds(field.annotation) and name not in of_secrets}

    @property
    def known(self) -> list[str]:
        """Every key that may stand here; a secret may also be given as the path of a file."""
        return list(dict.fromkeys([*self.model.model_fields, *(name + FILE for name in self.secrets)]))


def nodes(model: type[BaseModel], values: Mapping[str, object], place: Place = ()) -> Iterator[Node]:
    """Every mapping that has a model, given or not, from the top down; stores of an unknown platform are left out."""
    yield Node(place=place, model=model, values=values)
    for name, field in model.model_fields.items():
        yield from _below(field.annotation, values.get(name, {}), (*place, name))


def options(model: type[BaseModel], values: Mapping[str, object]) -> Iterator[Place]:
    """Every place that takes a value of its own, for the stores that are given."""
    for node in nodes(model, values):
        for name in node.known:
            field = node.model.model_fields.get(name)
            if field is None or not holds_settings(field.annotation):
                yield (*node.place, name)


def store_model(values: Mapping[str, object]) -> type[StoreConfig] | None:
    """The config model of a store's platform, None if there is no such platform."""
    return config_model(str(values.get("platform")))


def holds_settings(annotation: object) -> bool:
    """Whether further settings stand below, rather than a value."""
    kinds = [*_kinds(annotation), *(kind for inner in _value_kinds(annotation) for kind in _kinds(inner))]
    return any(isinstance(kind, type) and issubclass(kind, BaseModel) for kind in kinds)


def _below(annotation: object, value: object, place: Place) -> Iterator[Node]:
    if not isinstance(value, Mapping):
        return
    model = _model_for(annotation, value)
    if model is not None:
        yield from nodes(model, value, place)
    for inner in _value_kinds(annotation):
        for key, item in value.items():
            yield from _below(inner, item, (*place, key))


def _model_for(annotation: object, value: Mapping[str, object]) -> type[BaseModel] | None:
    for kind in _kinds(annotation):
        if isinstance(kind, type) and issubclass(kind, StoreConfig):
            return store_model(value)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _kinds(annotation: object) -> tuple[object, ...]:
    """The types an annotation allows, without its metadata."""
    if get_origin(annotation) is Annotated:
        return _kinds(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(kind for part in get_args(annotation) for kind in _kinds(part))
    return (annotation,)


def _value_kinds(annotation: object) -> tuple[object, ...]:
    """What a mapping with free keys holds as values."""
    return tuple(get_args(kind)[1] for kind in _kinds(annotation) if get_origin(kind) is dict)


def _item_kinds(annotation: object) -> tuple[object, ...]:
    """What a list holds."""
    lists = [get_args(kind) for kind in _kinds(annotation) if get_origin(kind) is tuple]
    return tuple(kind for arguments in lists for kind in _kinds(arguments[0]))
