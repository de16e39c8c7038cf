"""How everything of one merchant stands, and what is wrong and what to do: what `status` shows. No shop is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd import process
from syncd.app import App
from syncd.connectors.config import Schedule
from syncd.model import Stream
from syncd.notify import Trouble, troubles
from syncd.notify.troubles import NEWS, kind_of
from syncd.pausing import BY_HAND
from syncd.store.types import Daemon, Pause, Size, StreamStatus

_SILENCE = timedelta(minutes=5)  # daemons give a sign of life every minute
_OVERDUE = timedelta(minutes=5)
_LARGE_LOG = 256_000_000  # housekeeping empties it each hour
_NO_TIME = timedelta(0)

Place = tuple[str, Stream]


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamLine:
    """One stream of the configuration.

    Args:
        state: In a word or two.
        known: What the database knows of it; None before its first run.
        succeeded_at: When it was last read whole, up to its end.
        lag: Age of the newest moment up to which everything is here.
        next_at: When a daemon pulls it next; None where nobody will.
    """

    store_id: str
    stream: Stream
    state: str
    known: StreamStatus | None
    succeeded_at: datetime | None
    lag: timedelta | None
    next_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreLine:
    """One store of the configuration.

    Args:
        waiting: Tag changes that are planned or sent and not yet settled.
        next_sweep_at: When a complete walk of all its streams is due; None where one is due now.
    """

    store_id: str
    platform: str
    push_mode: str
    push_pause: Pause | None
    waiting: int
    next_sweep_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DaemonLine:
    """A daemon, and whether it still gives signs of life."""

    name: str
    started_at: datetime
    seen_at: datetime
    is_alive: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """One merchant at one moment; `troubles` has everything that is wrong, the oldest first."""

    at: datetime
    streams: tuple[StreamLine, ...]
    stores: tuple[StoreLine, ...]
    daemons: tuple[DaemonLine, ...]
    size: Size
    troubles: tuple[Trouble, ...]


def overview(app: App) -> Overview:
    """Look at everything now."""
    now = app.clock.now()
    daemons = tuple(_daemon(item, now) for item in app.database.daemons.all())
    has_daemon = any(daemon.is_alive for daemon in daemons)
    known = {(item.store_id, item.stream): item for item in app.database.runs.status()}
    streams = tuple(_stream_lines(app, known, now, has_daemon=has_daemon))
    size = app.database.size()
    told = [item for item in troubles(app, patience=_NO_TIME) if kind_of(item.topic) != NEWS]
    wrong = [
        *told,
        *_by_hand(app),
        *_unread(streams, _sick(told), now),
        *_late(app, streams, now, has_daemon=has_daemon),
        *_rejected(streams, now),
        *_unseen(streams, now),
        *_large_log(size, now),
    ]
    return Overview(
        at=now,
        streams=streams,
        stores=tuple(_store_lines(app, known)),
        daemons=daemons,
        size=size,
        troubles=tuple(sorted(wrong, key=lambda trouble: (trouble.since, trouble.topic))),
    )


# -- lines --------------------------------------------------------------------------------------------------------


def _daemon(daemon: Daemon, now: datetime) -> DaemonLine:
    is_alive = not process.is_gone(daemon.owner) and now - daemon.seen_at < _SILENCE
    return DaemonLine(
        name=process.shown(daemon.owner), started_at=daemon.started_at, seen_at=daemon.seen_at, is_alive=is_alive
    )


def _stream_lines(
    app: App, known: Mapping[Place, StreamStatus], now: datetime, *, has_daemon: bool
) -> Iterator[StreamLine]:
    readings, held_until = app.database.readings.now().streams, _held_until(known.values())
    for place in app.chosen_streams():
        status, reading = known.get(place), readings.get(place)
        is_pulled = has_daemon and not (status and status.pause and status.pause.by_hand)
        due_at = status.due_at if status and status.due_at else now
        yield StreamLine(
            store_id=place[0],
            stream=place[1],
            state=_state(status, is_held=held_until.get(place[0], now) > now),
            known=status,
            succeeded_at=reading.succeeded_at if reading else None,
            lag=now - status.fresh_until if status and status.fresh_until else None,
            next_at=max(due_at, held_until.get(place[0], due_at)) if is_pulled else None,
        )


def _held_until(known: Iterable[StreamStatus]) -> dict[str, datetime]:
    """When a daemon tries stores again that are sick as a whole."""
    held: dict[str, datetime] = {}
    for status in known:
        is_sick = status.pause.stream is None if status.pause else _state(status) == "failing"
        if is_sick and status.due_at is not None:
            held[status.store_id] = max(status.due_at, held.get(status.store_id, status.due_at))
    return held


def _state(status: StreamStatus | None, *, is_held: bool = False) -> str:
    """The gravest thing to be said of a stream; what only waits for its sick store is no thing of its own."""
    if status is None:
        return "never read"
    if status.pause is not None:
        return "paused by hand" if status.pause.by_hand else "paused"
    last = status.last_run.status if status.last_run else ""
    if last == "failed":
        return "failing"
    if status.walk is not None:
        return f"{'reading' if last == 'running' else 'half read'}{_share(status)}"
    return _rested_state(status, is_partial=last == "partial", is_held=is_held)


def _rested_state(status: StreamStatus, *, is_partial: bool, is_held: bool) -> str:
    if status.history_complete_since is None:
        return "partly read"
    if is_partial:
        return "incomplete"
    return "waiting" if is_held else "well"


def _share(status: StreamStatus) -> str:
    walk = status.walk
    return f", {min(100, 100 * walk.counts.read // walk.declared)} %" if walk and walk.declared else ""


def _store_lines(app: App, known: Mapping[Place, StreamStatus]) -> Iterator[StoreLine]:
    reading = app.database.readings.now()
    push_pauses = {pause.store_id: pause for pause in reading.pauses if pause.is_push}
    for store_id, config in app.settings.stores.items():
        swept = [
            known[store_id, stream].last_sweep_at if (store_id, stream) in known else None for stream in config.streams
        ]
        yield StoreLine(
            store_id=store_id,
            platform=config.platform,
            push_mode=config.push.mode,
            push_pause=push_pauses.get(store_id),
            waiting=sum(count for (place, _), count in reading.outbox.items() if place == store_id),
            next_sweep_at=_next_sweep(config.sweep, swept, app.settings.timezone),
        )


def _next_sweep(schedule: Schedule, swept: Sequence[datetime | None], timezone: str) -> datetime | None:
    done = [at for at in swept if at is not None]
    return schedule.after(min(done), timezone) if done and len(done) == len(swept) else None


# -- what is wrong ------------------------------------------------------------------------------------------------


def _by_hand(app: App) -> Iterator[Trouble]:
    for pause in app.database.pauses.all():
        if pause.by_hand and pause.store_id in app.settings.stores:
            place = f"{pause.store_id}/{pause.stream}" if pause.stream else pause.store_id
            what, option = ("writing tags", " --push") if pause.is_push else ("pulling", "")
            option = f" --stream {pause.stream}" if pause.stream else option
            yield Trouble(
                topic=f"by-hand:{place}{option}",
                words=f"{place}: {what} is paused by hand" + (f": {pause.reason}" if pause.reason != BY_HAND else ""),
                remedy=f"`syncd resume {pause.store_id}{option}` ends it",
                since=pause.since,
            )


def _sick(told: Iterable[Trouble]) -> set[str]:
    """The stores that cannot be pulled, as their troubles' topics name them."""
    places = (item.topic.partition(":")[2] for item in told if kind_of(item.topic) in ("failing", "paused"))
    return {place.partition("/")[0] for place in places}


def _unread(streams: Sequence[StreamLine], sick: Collection[str], now: datetime) -> Iterator[Trouble]:
    """What was never read to its end, is not just being read, and could be."""
    missing: dict[str, list[str]] = {}
    for line in streams:
        is_whole = line.known is not None and line.known.history_complete_since is not None
        if not (is_whole or _is_being_read(line) or line.store_id in sick):
            missing.setdefault(line.store_id, []).append(line.stream)
    if missing:
        names = ", ".join(f"{store_id} ({', '.join(found)})" for store_id, found in missing.items())
        option = f" --store {next(iter(missing))}" if len(missing) == 1 else ""
        remedy = f"`syncd backfill{option}` reads it, and goes on where an earlier one stopped"
        yield Trouble(topic="unread", words=f"not read from beginning to end yet: {names}", remedy=remedy, since=now)


def _late(app: App, streams: Sequence[StreamLine], now: datetime, *, has_daemon: bool) -> Iterator[Trouble]:
    """Streams that nothing keeps from being read, and nobody reads."""
    busy = {line.store_id for line in streams if _is_being_read(line)}
    late = [line for line in streams if line.state == "well" and line.store_id not in busy and _is_late(app, line, now)]
    if not late:
        return
    names = ", ".join(f"{line.store_id}/{line.stream}" for line in late)
    if has_daemon:
        words = f"{names}: due, and no daemon has its turn"
        remedy = "Look at the daemon's log and its /healthz; start it again"
    else:
        words = f"no daemon is alive, and too old is what is here of {names}"
        remedy = "Start `syncd run` as a service, or `syncd sync` once"
    yield Trouble(topic="late", words=words, remedy=remedy, since=min(line.succeeded_at or now for line in late))


def _is_being_read(line: StreamLine) -> bool:
    return bool(line.known and line.known.last_run and line.known.last_run.status == "running")


def _is_late(app: App, line: StreamLine, now: datetime) -> bool:
    """Whether it missed a whole turn and some minutes on top."""
    schedule, timezone = app.settings.store(line.store_id).streams[line.stream], app.settings.timezone
    if line.succeeded_at is None:
        return False
    return schedule.latest(schedule.latest(line.succeeded_at, timezone), timezone) + _OVERDUE < now


def _rejected(streams: Sequence[StreamLine], now: datetime) -> Iterator[Trouble]:
    for line in streams:
        if line.known is not None and line.known.rejected_count:
            yield Trouble(
                topic=f"rejected:{line.store_id}/{line.stream}",
                words=f"{line.store_id}/{line.stream}: {line.known.rejected_count:,} records could not be read",
                remedy="`syncd rejected list` says why; after a fix `syncd rejected replay`",
                since=now,
            )


def _unseen(streams: Sequence[StreamLine], now: datetime) -> Iterator[Trouble]:
    """What complete walks could not see, in the words of the last one."""
    for line in streams:
        if line.known is not None and line.known.remark:
            place = f"{line.store_id}/{line.stream}"
            yield Trouble(topic=f"unseen:{place}", words=f"{place}: {line.known.remark}", remedy="", since=now)


def _large_log(size: Size, now: datetime) -> Iterator[Trouble]:
    if size.wal_bytes > _LARGE_LOG:
        yield Trouble(
            topic="log",
            words=f"the database's write-ahead log has grown to {size.wal_bytes // 1_000_000:,} MB",
            remedy="Some program holds the database open: end it; the daemon's housekeeping then empties the log",
            since=now,
        )
