"""From a config file and the environment to settings, or to one error that tells every fault."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from syncd.errors import ConfigInvalid
from syncd.settings.document import Document, read
from syncd.settings.environment import Overrides, override
from syncd.settings.model import Settings
from syncd.settings.places import Fault, beyond, complaint, first_at_each_place, variable
from syncd.settings.secrets import prepare
from syncd.settings.words import faults_of

_PLACES = (Path("syncd.yaml"), Path("/etc/syncd/syncd.yaml"))


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check the configuration.

    Args:
        path: The file named on the command line; None looks where `find` looks.
        environ: Variables that fill in and override; None takes the process's own.

    Raises:
        ConfigInvalid: There is no file, or it has faults; all of them are named.
    """
    environ = os.environ if environ is None else environ
    file = find(path, environ)
    document = read(_text(file), environ)
    if document.faults and not document.data:
        raise complaint(document.faults, file)
    overrides = override(document.data, environ)
    faults = [*document.faults, *overrides.faults, *prepare(overrides, document, file.parent)]
    try:
        settings = Settings.model_validate(overrides.data)
    except ValidationError as error:
        faults += beyond(faults, faults_of(error, overrides.data))
        raise complaint(_placed(faults, document, overrides), file) from None
    if faults:
        raise complaint(_placed(faults, document, overrides), file)
    return settings


def find(path: Path | None, environ: Mapping[str, str]) -> Path:
    """The config file: the one named, then `SYNCD_CONFIG`, then `./syncd.yaml`, then `/etc/syncd/syncd.yaml`.

    Raises:
        ConfigInvalid: There is none.
    """
    named = path or (Path(environ["SYNCD_CONFIG"]) if environ.get("SYNCD_CONFIG") else None)
    candidates = (named,) if named else _PLACES
    for candidate in candidates:
        if candidate.is_file():
            return candidate.absolute()
    looked = " or ".join(str(candidate.absolute()) for candidate in candidates)
    hint = "Write one with `syncd init`, or name it with --config or SYNCD_CONFIG"
    raise ConfigInvalid(f"there is no config file {looked}", hint=hint)


def example_config(name: str = "syncd.yaml") -> str:
    """The text of a complete, commented example: `syncd.yaml` or `segments.yaml`."""
    packaged = resources.files("syncd").joinpath("config", name)
    checkout = Path(__file__).parents[2] / "config" / name
    return packaged.read_text(encoding="utf-8") if packaged.is_file() else checkout.read_text(encoding="utf-8")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigInvalid(f"the config file {file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigInvalid(f"the config file {file} is not UTF-8 text (byte {error.start})") from None


def _placed(faults: Iterable[Fault], document: Document, overrides: Overrides) -> Iterable[Fault]:
    """The faults with their lines, or with the variable that the value came from."""
    for fault in first_at_each_place(faults):
        if fault.place and overrides.gave(fault.place):
            yield Fault(message=f"{variable(fault.place)}: {fault.message}")
        else:
            yield replace(fault, line=fault.line or document.line_of(fault.place))
