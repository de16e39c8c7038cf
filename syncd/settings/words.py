"""What the models refuse, in plain words; the value itself is never shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from syncd.settings.model import Settings
from syncd.settings.places import Fault, Place, listed, suggest
from syncd.settings.shape import Node, nodes

_WORDS = {
    "missing": "is required",
    "string_type": 'must be text; put it in "quotes"',
    "string_sub_type": 'must be text; put it in "quotes"',
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "decimal_type": "must be a number",
    "decimal_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": 'must hold "key: value" lines',
    "model_type": 'must hold "key: value" lines',
    "model_attributes_type": 'must hold "key: value" lines',
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "set_type": "must be a list",
    "frozen_set_type": "must be a list",
    "path_type": "must be the path of a file",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must not be empty",
}


def faults_of(error: ValidationError, data: Mapping[str, object]) -> Iterator[Fault]:
    """Every fault of a refused configuration, without line numbers."""
    known = {node.place: node for node in nodes(Settings, data)}
    for details in error.errors(include_url=False, include_input=False):
        place = tuple(part for part in details["loc"] if part != "[key]")
        yield Fault(place=place, message=_in_words(details, known.get(place[:-1]), place))


def _in_words(details: ErrorDetails, node: Node | None, place: Place) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(str(place[-1]), node)
    if kind == "string_pattern_mismatch":
        return _wrong_form(_field(node, place), context)
    if kind in _WORDS:
        return _WORDS[kind].format(**context)
    if kind == "value_error":
        return str(context["error"])
    return details["msg"].replace("Input should be", "must be")


def _unknown_key(key: str, node: Node | None) -> str:
    if node is None:
        return "is not a setting"
    nearest = suggest(key, node.known)
    return f"is not a setting{nearest or f'; known here are {listed(node.known)}'}"


def _wrong_form(field: FieldInfo | None, context: Mapping[str, object]) -> str:
    examples = (field.examples if field else None) or ()
    form = f'must look like "{examples[0]}"' if examples else "does not have the right form"
    return f"{form} (pattern {context['pattern']})"


def _field(node: Node | None, place: Place) -> FieldInfo | None:
    return node.model.model_fields.get(str(place[-1])) if node else None
