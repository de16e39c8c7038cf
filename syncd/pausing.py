"""Pauses by hand: a store, one stream of it or its tags rest until somebody says otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from syncd.app import App
from syncd.errors import ConfigInvalid
from syncd.model import Lane, Stream
from syncd.store.types import LaneKey, Pause

BY_HAND = "paused by hand"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rest:
    """What is to rest: the pulling of a store, of one stream of it, or the writing of its tags."""

    store_id: str
    stream: Stream | None = None
    push: bool = False

    @property
    def place(self) -> str:
        """Its store, or store and stream."""
        return f"{self.store_id}/{self.stream}" if self.stream else self.store_id


@dataclass(frozen=True, kw_only=True, slots=True)
class PauseReport:
    """What a pause changed; `before` is the pause that was there already."""

    rest: Rest
    reason: str
    before: Pause | None
    is_dry_run: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ResumeReport:
    """Which pauses ended, and which still keep something of the same store at rest."""

    rest: Rest
    lifted: tuple[Pause, ...]
    left: tuple[Pause, ...]
    is_dry_run: bool


def pause(app: App, rest: Rest, reason: str = "", *, dry_run: bool = False) -> PauseReport:
    """Let it rest until `resume`; what is being read meanwhile is read to its end.

    Raises:
        ConfigInvalid: The config has no such store, or does not pull the stream.
    """
    _check(app, rest)
    words = " ".join(reason.split()) or BY_HAND
    before = next((item for item in _pauses(app, rest) if item.stream is rest.stream), None)
    if not dry_run:
        app.database.pauses.put(rest.store_id, words, stream=rest.stream, push=rest.push, by_hand=True)
    return PauseReport(rest=rest, reason=words, before=before, is_dry_run=dry_run)


def resume(app: App, rest: Rest, *, dry_run: bool = False) -> ResumeReport:
    """End a pause, whoever began it; of a store, those of its streams, too. What rested is due at once.

    Raises:
        ConfigInvalid: The config has no such store, or does not pull the stream.
    """
    _check(app, rest)
    known = [item for item in app.database.pauses.all() if item.store_id == rest.store_id]
    lifted = tuple(item for item in known if item.is_push == rest.push and rest.stream in (None, item.stream))
    if lifted and not dry_run:
        app.database.pauses.lift(rest.store_id, stream=rest.stream, push=rest.push, by_hand=True)
        _hasten(app, rest)
    left = tuple(item for item in known if item not in lifted)
    return ResumeReport(rest=rest, lifted=lifted, left=left, is_dry_run=dry_run)


def _check(app: App, rest: Rest) -> None:
    streams = app.settings.store(rest.store_id).streams
    if rest.stream is not None and rest.stream not in streams:
        words = f"the config pulls no {rest.stream} of {rest.store_id}"
        raise ConfigInvalid(words, hint=f"Its streams are {', '.join(sorted(streams))}")


def _pauses(app: App, rest: Rest) -> list[Pause]:
    found = app.database.pauses.all()
    return [item for item in found if item.store_id == rest.store_id and item.is_push == rest.push]


def _hasten(app: App, rest: Rest) -> None:
    """Let a daemon pull what rested at its next turn, not when it was due before."""
    for stream in [] if rest.push else app.database.turns.due_at(rest.store_id):
        if rest.stream in (None, stream):
            key = LaneKey(store_id=rest.store_id, stream=stream, lane=Lane.LIVE)
            app.database.turns.put_off(key, app.clock.now())
