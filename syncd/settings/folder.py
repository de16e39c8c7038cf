"""Several merchants' configurations, one folder each: every one by itself, and none that reaches into another's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from syncd.errors import ConfigInvalid
from syncd.settings.dsn import address
from syncd.settings.environment import RESERVED
from syncd.settings.loading import load
from syncd.settings.model import Settings
from syncd.settings.places import ENV_PREFIX, listed

_NAME = "syncd.yaml"


def load_folder(
    folder: Path, environ: Mapping[str, str] | None = None
) -> tuple[dict[str, Settings], dict[str, ConfigInvalid]]:
    """Read every FOLDER/<name>/syncd.yaml.

    Args:
        environ: Variables that fill in `${NAME}`; overrides are refused. None takes the process's own.

    Returns:
        By the name of their folder, in its order: the configurations that hold, and why the others do not.

    Raises:
        ConfigInvalid: The folder cannot be read or has no merchant in it, or a variable overrides settings.
    """
    environ = os.environ if environ is None else environ
    _refuse_overrides(folder, environ)
    loaded: dict[str, Settings] = {}
    refused: dict[str, ConfigInvalid] = {}
    for name in _names(folder):
        try:
            loaded[name] = load(folder / name / _NAME, environ)
        except ConfigInvalid as error:
            refused[name] = error
    shared = dict([*_shared(loaded, "database", _database), *_shared(loaded, "merchant", _merchant)])
    return {name: loaded[name] for name in loaded if name not in shared}, refused | shared


def _refuse_overrides(folder: Path, environ: Mapping[str, str]) -> None:
    names = listed(name for name in environ if name.startswith(ENV_PREFIX) and environ[name] and name not in RESERVED)
    if names:
        hint = f"Unset it, and write the setting into the {_NAME} of the merchant that it is meant for"
        raise ConfigInvalid(f"the environment sets {names}, which would hold for every merchant in {folder}", hint=hint)


def _names(folder: Path) -> list[str]:
    try:
        names = sorted(place.name for place in folder.iterdir() if place.is_dir() and not place.name.startswith("."))
    except OSError as error:
        raise ConfigInvalid(f"the folder {folder} cannot be read: {error.strerror}") from None
    if not names:
        hint = f"Write each merchant's configuration as {folder}/<merchant>/{_NAME}"
        raise ConfigInvalid(f"the folder {folder} has no merchant in it", hint=hint)
    return names


def _shared(
    loaded: Mapping[str, Settings], what: str, key: Callable[[Settings], str]
) -> Iterator[tuple[str, ConfigInvalid]]:
    """Those that name the same as another does; which of them is right only their owner knows, so neither runs."""
    for name, settings in loaded.items():
        others = [other for other in loaded if other != name and key(loaded[other]) == key(settings)]
        if others:
            words = f"{name} and {listed(others)} name the same {what}"
            yield name, ConfigInvalid(words, hint=f"Give each merchant a {what} of its own")


def _merchant(settings: Settings) -> str:
    return settings.merchant


def _database(settings: Settings) -> str:
    return address(settings.database.url)
