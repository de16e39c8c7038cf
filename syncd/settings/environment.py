"""What the environment overrides: `SYNCD_DATABASE__URL` and its like, each checked to be a setting that exists."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from syncd.settings.model import Settings
from syncd.settings.places import ENV_PREFIX, Fault, Place, suggest, value_at, variable
from syncd.settings.shape import options

RESERVED = ("SYNCD_CONFIG", "SYNCD_PUSH", "SYNCD_SHARED", "SYNCD_TEST_PG_BIN")


@dataclass(frozen=True, kw_only=True, slots=True)
class Overrides:
    """The file's values with those of the environment laid over them.

    Args:
        names: The variables that were used.
    """

    data: dict[str, object]
    names: frozenset[str] = frozenset()
    faults: tuple[Fault, ...] = field(default=())

    def gave(self, place: Place) -> bool:
        """Whether the value at a place, or something in it, came from the environment."""
        name = variable(place)
        return any(used == name or used.startswith(name + "__") for used in self.names)


def override(data: dict[str, object], environ: Mapping[str, str]) -> Overrides:
    """Lay the environment over the file's values; variables that are no settings are faults and change nothing."""
    ours = {name: value for name, value in environ.items() if name.startswith(ENV_PREFIX) and value}
    wanted = {name: value for name, value in ours.items() if name not in RESERVED}
    known = [variable(place) for place in options(Settings, _merged(data, _values(wanted)))]
    used = {name: value for name, value in wanted.items() if _is_setting(name, known)}
    merged = _merged(data, _values(used))
    return Overrides(
        data=_with_push_off(merged) if ours.get("SYNCD_PUSH") == "off" else merged,
        names=frozenset(used),
        faults=(*_unknown(wanted.keys() - used, known), *_bad_switch(ours)),
    )


class _Source(EnvSettingsSource):
    """Reads nested variables of one given environment; values that are no JSON stay texts, for the model to judge."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(Settings)
        self.env_vars = {name.lower(): value for name, value in environ.items()}

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: object) -> object:
        """The value of a list or mapping, which an environment can only hold as JSON."""
        try:
            return json.loads(str(value))
        except ValueError:
            return value


def _values(environ: Mapping[str, str]) -> dict[str, object]:
    """Nested values; a store's id is written with `_` for `-`, which no shell allows in a name."""
    values: dict[str, object] = dict(_Source(environ)())
    stores = values.get("stores")
    if isinstance(stores, dict):
        values["stores"] = {str(store_id).replace("_", "-"): store for store_id, store in stores.items()}
    return values


def _merged(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def _is_setting(name: str, known: list[str]) -> bool:
    return any(name == option or name.startswith(option + "__") for option in known)


def _unknown(names: set[str], known: list[str]) -> Iterator[Fault]:
    for name in sorted(names):
        nearest = suggest(name, [*known, *RESERVED], ENV_PREFIX)
        yield Fault(message=f"the environment variable {name} is no setting{nearest}")


def _bad_switch(environ: Mapping[str, str]) -> Iterator[Fault]:
    if environ.get("SYNCD_PUSH", "off") != "off":
        yield Fault(message='the environment variable SYNCD_PUSH can only be "off", which stops all pushes; unset it')


def _with_push_off(data: dict[str, object]) -> dict[str, object]:
    stores = value_at(data, ("stores",))
    off = {store_id: {"push": {"mode": "off"}} for store_id in stores} if isinstance(stores, Mapping) else {}
    return _merged(data, {"stores": off})
