"""Secrets read from their files, literal ones refused unless the connection stays on this machine, paths anchored."""

from __future__ import annotations

import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from syncd.connectors.wire import host_of, is_loopback
from syncd.settings.document import GIVEN, Document
from syncd.settings.dsn import anchored, host, passwords
from syncd.settings.environment import Overrides
from syncd.settings.model import DatabaseConfig, Settings
from syncd.settings.places import Fault, Place, secret_variable, value_at, variable
from syncd.settings.shape import FILE, Node, nodes

_READABLE_BY_OTHERS = stat.S_IRWXO | stat.S_IWGRP
_DATABASE_URL = ("database", "url")


def prepare(overrides: Overrides, document: Document, folder: Path) -> list[Fault]:
    """Make merged values ready for the model, in place: paths anchored at the folder, secrets read from their files.

    Returns:
        What is wrong with them.
    """
    preparation = _Preparation(overrides=overrides, document=document, folder=folder)
    preparation.run()
    return preparation.faults


@dataclass
class _Preparation:
    overrides: Overrides
    document: Document
    folder: Path
    faults: list[Fault] = field(default_factory=list)

    def run(self) -> None:
        """Go through every mapping that has a model, then the database."""
        data = self.overrides.data
        known = list(nodes(Settings, data))
        self._blame_unset({(*node.place, name) for node in known for name in node.secrets})
        for node in known:
            values = value_at(data, node.place)
            if isinstance(values, dict):
                self._anchor(node, values)
                self._fetch(node, values)
        self._prepare_database(data)

    def _blame_unset(self, secrets: Collection[Place]) -> None:
        for place, name in self.document.unset.items():
            secret = next((part for part in (place, place[:-1]) if part in secrets), None)
            remedy = f'give the path of a file as "{secret[-1]}{FILE}"' if secret else f"write ${{{name}:-default}}"
            self._blame(place, f"the environment variable {name} is not set; set it, or {remedy}")

    def _anchor(self, node: Node, values: dict[str, object]) -> None:
        for name, model_field in node.paths.items():
            given = values.get(name)
            path = self._path(given if given is not None else model_field.default)
            if path is None:
                continue
            values[name] = path
            if given is not None and not _exists(path):
                self._blame((*node.place, name), f"there is no file {path}")

    def _fetch(self, node: Node, values: dict[str, object]) -> None:
        for name in node.secrets:
            place, file_place = (*node.place, name), (*node.place, name + FILE)
            file = self._path(values.pop(name + FILE, None))
            if file and name in values:
                self._blame(file_place, f'stands beside "{name}"; keep one of the two')
            elif file and name in node.secret_lists:
                values[name] = self._lines(file, file_place)
            elif file:
                values[name] = self._line(file, file_place)
            elif not self.overrides.gave(place):
                self._check_literals(place, values.get(name))

    def _check_literals(self, place: Place, value: object) -> None:
        """A secret that stands in the file; one that is an address may have parts that are none."""
        if isinstance(value, list):
            for index, item in enumerate(value):
                self._check_literals((*place, index), item)
        if not isinstance(value, str):
            return
        template = self.document.templates.get(place, value)
        if "://" in value:
            if GIVEN not in template and not is_loopback(host_of(value)):
                self._blame(place, _ADDRESS_REMEDY)
        elif template.replace(GIVEN, "") and not self._stays_here(place[:-1]):
            self._blame(place, _literal_remedy(str(place[-1]), place))

    def _read(self, file: Path, place: Place) -> str:
        try:
            mode = stat.S_IMODE(file.stat().st_mode)
            text = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            self._blame(place, f"{file} cannot be read: {reason}")
            return ""
        if mode & _READABLE_BY_OTHERS:
            self._blame(place, f"{file} is open to other users (mode {mode:04o}); run: chmod 600 {file}")
        return text

    def _line(self, file: Path, place: Place) -> str:
        text = self._read(file, place)
        if not text or not text.isprintable():
            self._blame(place, f"{file} must hold the secret in one line, and nothing else")
        return text

    def _lines(self, file: Path, place: Place) -> list[str]:
        lines = [line.strip() for line in self._read(file, place).splitlines()]
        found = [line for line in lines if line and not line.startswith("#")]
        if not found:
            self._blame(place, f"{file} must hold a secret in every line that does not begin with #")
        return found

    def _path(self, value: object) -> Path | None:
        if not value or not isinstance(value, (str, Path)):
            return None
        return (self.folder / Path(value).expanduser()).resolve()

    def _stays_here(self, place: Place) -> bool:
        """Whether the nearest address around a place is on this machine."""
        for length in range(len(place), -1, -1):
            values = value_at(self.overrides.data, place[:length])
            address = (values.get("base_url") or values.get("url")) if isinstance(values, Mapping) else None
            if isinstance(address, str):
                return is_loopback(host_of(address))
        return False

    def _prepare_database(self, data: dict[str, object]) -> None:
        database = data.setdefault("database", {})
        if not isinstance(database, dict):
            return
        url = database.setdefault("url", DatabaseConfig.model_fields["url"].default)
        if isinstance(url, str):
            database["url"] = anchored(url, self.folder)
            self._check_database_password(url)

    def _check_database_password(self, url: str) -> None:
        template = self.document.templates.get(_DATABASE_URL, url)
        literal = "".join(passwords(template)).replace(GIVEN, "")
        server = host(url)
        if literal and not self.overrides.gave(_DATABASE_URL) and server and not is_loopback(server):
            remedy = f"write ${{NAME}} in its place, or set {variable(_DATABASE_URL)} in the environment"
            self._blame(_DATABASE_URL, f"holds a password, which may stand here only for this machine; {remedy}")

    def _blame(self, place: Place, message: str) -> None:
        self.faults.append(Fault(place=place, message=message))


_ADDRESS_REMEDY = (
    "an address with its keys may stand in the file only for this machine; "
    'write its secret parts as "${NAME}" and set that variable, or give the path of a file that holds it'
)


def _literal_remedy(name: str, place: Place) -> str:
    suggested = secret_variable(str(place[1]), name)
    return (
        "a secret may stand in the file only for a connection to this machine; "
        f'write "${{{suggested}}}" and set that variable, or give the path of a file as "{name}{FILE}"'
    )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name too long to be one, a folder we may not look into
        return False
