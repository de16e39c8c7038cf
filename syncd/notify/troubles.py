"""What is wrong now, and what good news there is, as the database and the settings know it."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from syncd.model import Lane, Stream
from syncd.notify.standing import FINDING, STANDING
from syncd.store.types import LaneKey, Notice, Pause, RunReport
from syncd.sync import STOPPED

if TYPE_CHECKING:
    from syncd.app import App

NEWS = "done"
_FRESH = timedelta(days=1)  # older news is none
_MB = 1_000_000
_MARGIN = 1.1  # so much more than the least must be free before a full disk is over


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """Something that is wrong, or one piece of good news.

    Args:
        topic: Its kind and its place, the same for as long as it lasts: `paused:eu-woo`.
        words: Store and stream, and what is wrong.
        remedy: What to do; empty where nothing need be done.
        since: When it began.
    """

    topic: str
    words: str
    remedy: str
    since: datetime


def troubles(app: App, *, patience: timedelta | None = None) -> list[Trouble]:
    """Everything that is wrong for so long that somebody has to know, the oldest first.

    Args:
        patience: How long something may rest or fail before it counts; `notify.paused_after` if left out.

    Raises:
        RetryLater: The database cannot be asked.
    """
    patience = app.settings.notify.paused_after if patience is None else patience
    limit = app.clock.now() - patience
    standing = [notice for notice in app.database.notices.all() if _still_stands(app, notice)]
    found = [
        *_paused(app, standing, limit),
        *_failing(app, patience),
        *map(_as_trouble, standing),
        *_incomplete(app),
        *_short_of_room(app),
        *_complete(app),
    ]
    return sorted(found, key=lambda trouble: (trouble.since, trouble.topic))


def kind_of(topic: str) -> str:
    """The first word of a topic."""
    return topic.partition(":")[0]


def _still_stands(app: App, notice: Notice) -> bool:
    """Whether it is one that was met, not over, and of a store that there still is."""
    kind, _, place = notice.topic.partition(":")
    return kind in STANDING and notice.over_at is None and place.partition("/")[0] in app.settings.stores


def _as_trouble(notice: Notice) -> Trouble:
    return Trouble(topic=notice.topic, words=notice.words, remedy=notice.remedy, since=notice.raised_at)


def _streams(app: App) -> Iterator[tuple[str, Stream]]:
    for store_id, store in app.settings.stores.items():
        yield from ((store_id, stream) for stream in store.streams)


# -- what rests ---------------------------------------------------------------------------------------------------


def _paused(app: App, standing: list[Notice], limit: datetime) -> Iterator[Trouble]:
    found = " ".join(notice.words for notice in standing if kind_of(notice.topic) == FINDING)
    for pause in app.database.pauses.all():
        if pause.since <= limit and _matters(app, pause) and not (pause.is_push and _is_told(pause, found)):
            yield _pause_trouble(pause)


def _matters(app: App, pause: Pause) -> bool:
    """Whether it is of the config, keeps anything from being done, and is nobody's own wish."""
    store = app.settings.stores.get(pause.store_id)
    if store is None or pause.by_hand:
        return False
    return store.push.mode != "off" if pause.is_push else pause.stream is None or pause.stream in store.streams


def _is_told(pause: Pause, found: str) -> bool:
    """Whether a check's finding, which is told by itself, is all there is to it."""
    return pause.reason.partition(". ")[0] in found


def _pause_trouble(pause: Pause) -> Trouble:
    place = f"{pause.store_id}/{pause.stream}" if pause.stream else pause.store_id
    what, kind = ("writing tags", "push-paused") if pause.is_push else ("pulling", "paused")
    remedy = f"syncd goes on by itself once that is mended; `syncd check --store {pause.store_id}` looks at once"
    return Trouble(
        topic=f"{kind}:{place}", words=f"{place}: {what} is paused: {pause.reason}", remedy=remedy, since=pause.since
    )


def _failing(app: App, patience: timedelta) -> Iterator[Trouble]:
    """Stores that were tried again and again in vain, for so long that nothing of them is up to date."""
    resting, failed = _resting(app), defaultdict[str, list[RunReport]](list)
    for store_id, stream in _streams(app):
        found = None if (store_id, stream) in resting else app.database.runs.failed(store_id, stream)
        if found is not None and found[1].started_at - found[0].started_at >= patience:
            failed[store_id].append(found[0])
    yield from (_failing_trouble(store_id, runs) for store_id, runs in failed.items())


def _resting(app: App) -> set[tuple[str, Stream]]:
    pauses = [pause for pause in app.database.pauses.all() if not pause.is_push]
    return {(pause.store_id, stream) for pause in pauses for stream in Stream if pause.stream in (None, stream)}


def _failing_trouble(store_id: str, runs: list[RunReport]) -> Trouble:
    streams = ", ".join(run.stream for run in runs)
    first = min(runs, key=lambda run: run.started_at)
    return Trouble(
        topic=f"failing:{store_id}",
        words=f"{store_id}: {streams} cannot be pulled: {first.reason}",
        remedy=f"syncd keeps trying; `syncd history --store {store_id}` has every try",
        since=first.started_at,
    )


# -- what is missing, and what is there -----------------------------------------------------------------------------


def _incomplete(app: App) -> Iterator[Trouble]:
    for store_id, stream in _streams(app):
        last = app.database.runs.last_whole(store_id, stream, unless=STOPPED)
        if last is not None and last.status == "partial":
            yield Trouble(
                topic=f"incomplete:{store_id}/{stream}",
                words=f"{store_id}/{stream}: {last.reason}",
                remedy=f"If it stays so, look whether the shop hides some of them: `syncd check --store {store_id}`",
                since=last.ended_at or last.started_at,
            )


def _complete(app: App) -> Iterator[Trouble]:
    """The stores whose whole history has come in of late."""
    for store_id, store in app.settings.stores.items():
        keys = [LaneKey(store_id=store_id, stream=stream, lane=Lane.LIVE) for stream in store.streams]
        known = [app.database.runs.state(key).history_complete_since for key in keys]
        since = [at for at in known if at is not None]
        if keys and len(since) == len(keys) and max(since) > app.clock.now() - _FRESH:
            yield Trouble(topic=f"{NEWS}:{store_id}", words=_complete_words(keys), remedy="", since=max(since))


def _complete_words(keys: list[LaneKey]) -> str:
    streams = ", ".join(key.stream for key in keys)
    return f"{keys[0].store_id}: the whole history is in the database ({streams})"


# -- the disk -------------------------------------------------------------------------------------------------------


def _short_of_room(app: App) -> Iterator[Trouble]:
    path = app.database.path
    if path is None:
        return
    is_noted = any(kind_of(notice.topic) == "disk" for notice in app.database.notices.all())
    least_mb = app.settings.housekeeping.min_free_mb * (_MARGIN if is_noted else 1)
    free_mb = shutil.disk_usage(path.parent).free / _MB
    if free_mb < least_mb:
        yield _disk_trouble(path, free_mb, app.clock.now())


def _disk_trouble(path: Path, free_mb: float, now: datetime) -> Trouble:
    return Trouble(
        topic="disk",
        words=f"only {free_mb:,.0f} MB are free on the disk under the database ({path.parent})",
        remedy="Free some space or move the database; syncd stops storing when the disk is full, and loses nothing",
        since=now,
    )
