"""Platforms from outside: what is built in, joined by what installed packages bring by an entry point group.

A package's code is loaded when its platform is asked for, so that a broken one harms only those who use it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from syncd.errors import ConfigInvalid

Part = TypeVar("Part")

_REMEDY = "Update or uninstall what does not belong here"


class Plugged(Mapping[str, Part]):
    """A platform's part by the platform's name.

    Args:
        group: Entry point group whose entries join; an entry's name is the platform.
        built_in: The parts that syncd brings itself.
        fault: What is wrong with a part that an entry led to, in words; None if nothing is.
    """

    def __init__(self, group: str, built_in: Mapping[str, Part], fault: Callable[[object], str | None]) -> None:
        self._built_in = built_in
        self._loaded: dict[str, Part] = {}
        self._fault = fault
        self._entries: dict[str, list[EntryPoint]] = {}
        for entry in entry_points(group=group):
            self._entries.setdefault(entry.name, []).append(entry)

    def __getitem__(self, platform: str) -> Part:
        if platform not in self._entries:
            return self._built_in[platform]
        if platform not in self._loaded:
            self._loaded[platform] = self._load(self._only_entry(platform))
        return self._loaded[platform]

    def __contains__(self, platform: object) -> bool:
        return platform in self._built_in or platform in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter({**self._built_in, **self._entries})

    def __len__(self) -> int:
        return len({**self._built_in, **self._entries})

    def _only_entry(self, platform: str) -> EntryPoint:
        entries = self._entries[platform]
        if platform in self._built_in:
            raise ConfigInvalid(
                f"syncd has the platform {platform} itself, and it comes from {_packages(entries)} too", hint=_REMEDY
            )
        if len(entries) > 1:
            raise ConfigInvalid(
                f"the platform {platform} comes from several packages: {_packages(entries)}", hint=_REMEDY
            )
        return entries[0]

    def _load(self, entry: EntryPoint) -> Part:
        try:
            part: Part = entry.load()
            fault = self._fault(part)
        except (ImportError, AttributeError, SyntaxError) as error:
            fault = f"{entry.value} cannot be loaded: {error}"
        if fault:
            where = f"the package {_packages([entry])} does not work as the platform {entry.name}"
            raise ConfigInvalid(f"{where}: {fault}", hint=_REMEDY)
        return part


def _packages(entries: Iterable[EntryPoint]) -> str:
    return ", ".join(sorted(entry.dist.name if entry.dist else entry.value for entry in entries))
