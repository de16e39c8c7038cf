"""A first config file from a few answers, as `init` writes it: short, commented, and valid as soon as secrets are set.

In come answers, out comes text. Which questions a platform needs is read off its connector's config model.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from syncd.connectors import REGISTRY
from syncd.errors import ConfigInvalid
from syncd.settings.loading import example_config
from syncd.settings.places import Place, dotted, secret_variable
from syncd.settings.shape import Node, holds_settings, nodes


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreAnswers:
    """What was answered for one store.

    Args:
        values: By question, as `questions` names them.
    """

    store_id: str
    platform: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What was answered for the whole configuration; an empty currency leaves it out."""

    merchant: str
    stores: tuple[StoreAnswers, ...]
    currency: str = ""
    timezone: str = "UTC"
    database_url: str = "sqlite:///data/syncd.db"


def platforms() -> tuple[str, ...]:
    """The platforms that a store can be of."""
    return tuple(sorted(REGISTRY))


def write(answers: Answers, folder: Path) -> tuple[Path, Path]:
    """Write the config and, beside it, the example segments; where they went.

    Raises:
        ConfigInvalid: One of them is there already, or cannot be written.
    """
    texts = {folder / "syncd.yaml": config_text(answers), folder / "segments.yaml": example_config("segments.yaml")}
    for path in texts:
        if path.exists():
            raise ConfigInvalid(f"{path} is there already", hint="Move it away, or name another folder with --output")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigInvalid(f"{folder} cannot be written to: {error.strerror}") from None
    config, segments = texts
    return config, segments


def questions(platform: str) -> tuple[str, ...]:
    """What must be asked for a store of a platform, such as `url`; secrets are never asked for.

    Raises:
        ConfigInvalid: There is no such platform.
    """
    if platform not in REGISTRY:
        raise ConfigInvalid(f"{platform!r} is not a platform", hint=f"Known are {', '.join(platforms())}")
    return tuple(dotted(place) for place, is_secret in _required(platform) if not is_secret)


def variables(store: StoreAnswers) -> tuple[str, ...]:
    """The environment variables that the written file takes the store's secrets from."""
    return tuple(
        secret_variable(store.store_id, str(place[-1])) for place, is_secret in _required(store.platform) if is_secret
    )


def config_text(answers: Answers) -> str:
    """The config file's text."""
    wanted = [name for store in answers.stores for name in variables(store)]
    return _FILE.format(
        variables="\n".join(f"#   {name}" for name in wanted),
        merchant=_quoted(answers.merchant),
        currency=f"currency: {answers.currency}" if answers.currency else "# currency: EUR",
        timezone=answers.timezone,
        database=_quoted(answers.database_url),
        stores="\n".join(_store_text(store) for store in answers.stores),
    )


def _store_text(store: StoreAnswers) -> str:
    lines = [f"  {store.store_id}:", f"    platform: {store.platform}"]
    section: Place = ()
    for place, is_secret in _required(store.platform):
        if place[:-1] != section:
            section = place[:-1]
            lines.append(f"    {dotted(section)}:")
        name = str(place[-1])
        value = f"${{{secret_variable(store.store_id, name)}}}" if is_secret else store.values[dotted(place)]
        indent = "    " + "  " * len(section)
        lines.append(f"{indent}{name}: {_quoted(value)}")
        lines += (f"{indent}# {line}" for line in _instead(store, place))
    return "\n".join([*lines, _STORE_OPTIONS])


def _instead(store: StoreAnswers, place: Place) -> Iterator[str]:
    """The lines that would do in place of a secret that was taken as the first of a choice."""
    for node in nodes(REGISTRY[store.platform][0], {}):
        needed, plain = _fields(node)
        if not needed and (*node.place, *node.secrets[:1]) == place:
            others = [name for name in plain if name != place[-1]]
            yield from ["or instead:"] if others else []
            yield from (f"{name}: {_quoted(f'${{{secret_variable(store.store_id, name)}}}')}" for name in others)


def _required(platform: str) -> Iterator[tuple[Place, bool]]:
    """Every place of a store that has to be filled in, its platform left out, and whether it is a secret.

    A section without a setting that is required by itself, where one of several secrets will do, gets the first.
    """
    for node in nodes(REGISTRY[platform][0], {}):
        needed, _ = _fields(node)
        for name in needed or node.secrets[:1]:
            yield (*node.place, name), name in node.secrets


def _fields(node: Node) -> tuple[list[str], list[str]]:
    """The values of a section that are required by themselves, and all its values."""
    fields = node.model.model_fields
    plain = [name for name, field in fields.items() if name != "platform" and not holds_settings(field.annotation)]
    return [name for name in plain if fields[name].is_required()], plain


def _quoted(text: str) -> str:
    """The text as YAML takes it literally."""
    return json.dumps(text, ensure_ascii=False)


_STORE_OPTIONS = """\
    push: {mode: review}              # off, review (changes wait for `syncd apply`) or auto (within the brake)
    # streams: {customers: {every: 5m}, orders: {every: 5m}, carts: {every: 5m}}
    # sweep: {every: 24h}             # when everything is walked, to find deletions; or {cron: "30 3 * * *"}"""

_FILE = """\
# The configuration of syncd. Set these variables, or name a file for each secret (..._file: /run/secrets/...):
{variables}
# Then `syncd config check`, `syncd check` (asks the shops), `syncd backfill`, `syncd plan`.
# Relative paths begin at the folder of this file.

version: 1
merchant: {merchant}
{currency:<38}# what money is compared in; other currencies by rates: {{USD: "0.92"}}
timezone: {timezone:<28}# for reports; inside everything is UTC

database:
  url: {database}

stores:
{stores}

segments: segments.yaml               # who gets which tag

# notify: {{urls: ["mailto://shop:${{MAIL_PASSWORD}}@example.com"]}}   # who is told of trouble

log: {{level: info, format: auto}}      # debug, info, warning, error; json, console, auto
"""
