"""The screen of `status`: how everything stands, then what is wrong and what to do."""

from __future__ import annotations

from datetime import datetime, timedelta

from syncd.overview import DaemonLine, Overview, StoreLine, StreamLine
from syncd.screens.paper import Json, point, say, span, table
from syncd.screens.pausing import paused_json
from syncd.screens.pulling import run_json
from syncd.screens.stores import Place


def overview_json(place: Place, seen: Overview) -> Json:
    """Everything that the screen tells, with times and figures in full."""
    return {
        "config": str(place.config),
        "database": place.database,
        "database_bytes": seen.size.file_bytes,
        "wal_bytes": seen.size.wal_bytes,
        "merchant": place.merchant,
        "at": seen.at,
        "is_well": not seen.troubles,
        "daemons": [
            {"name": line.name, "is_alive": line.is_alive, "started_at": line.started_at, "seen_at": line.seen_at}
            for line in seen.daemons
        ],
        "stores": [_store_json(line) for line in seen.stores],
        "streams": [_stream_json(line) for line in seen.streams],
        "troubles": [
            {"topic": item.topic, "words": item.words, "remedy": item.remedy, "since": item.since}
            for item in seen.troubles
        ],
    }


def _store_json(line: StoreLine) -> Json:
    return {
        "store": line.store_id,
        "platform": line.platform,
        "push_mode": line.push_mode,
        "push_pause": paused_json(line.push_pause) if line.push_pause else None,
        "waiting": line.waiting,
        "next_sweep_at": line.next_sweep_at,
    }


def _stream_json(line: StreamLine) -> Json:
    known = line.known
    return {
        "store": line.store_id,
        "stream": line.stream,
        "state": line.state,
        "stored": known.stored_count if known else 0,
        "declared": known.declared if known else None,
        "rejected": known.rejected_count if known else 0,
        "bookmark": known.bookmark if known else None,
        "fresh_until": known.fresh_until if known else None,
        "lag_s": line.lag.total_seconds() if line.lag is not None else None,
        "succeeded_at": line.succeeded_at,
        "next_at": line.next_at,
        "history_complete_since": known.history_complete_since if known else None,
        "last_sweep_at": known.last_sweep_at if known else None,
        "last_run": run_json(known.last_run) if known and known.last_run else None,
        "pause": paused_json(known.pause) if known and known.pause else None,
        "remark": known.remark if known else "",
    }


def show_overview(place: Place, seen: Overview) -> None:
    """One screen: who works what, a line a stream, a line a store, then what is wrong in plain words."""
    size = ", ".join(
        [_bytes(seen.size.file_bytes), *([f"log {_bytes(seen.size.wal_bytes)}"] * bool(seen.size.wal_bytes))]
    )
    say(f"{place.merchant}: {place.database} ({size}) by {place.config}")
    for words in _daemon_words(seen):
        say(words)
    table(
        "Streams",
        ("store", "stream", "state", "stored", "shop has", "rejected", "succeeded", "lag", "next run"),
        [_stream_row(line, seen.at) for line in seen.streams],
    )
    table(
        "Stores",
        ("store", "platform", "writing tags", "changes waiting", "next sweep"),
        [_store_row(line, seen.at) for line in seen.stores],
    )
    say("What is wrong, and what to do" if seen.troubles else "Nothing is wrong.")
    for item in seen.troubles:
        age = f" (for {span(seen.at - item.since)})" if item.since < seen.at else ""
        point(f"{item.words.rstrip('.')}{age}.", f"{item.remedy.rstrip('.')}." if item.remedy else "")


def _daemon_words(seen: Overview) -> list[str]:
    alive = [line for line in seen.daemons if line.is_alive]
    if alive:
        return [
            f"Daemon: {line.name}, for {span(seen.at - line.started_at)}, {_seen(line, seen.at)}." for line in alive
        ]
    gone = [f" {line.name[0].upper()}{line.name[1:]} was {_seen(line, seen.at)}." for line in seen.daemons[:1]]
    return [f"No daemon is alive: streams are read when `syncd sync` is run.{''.join(gone)}"]


def _seen(line: DaemonLine, now: datetime) -> str:
    return f"last seen {_ago(line.seen_at, now)}"


def _stream_row(line: StreamLine, now: datetime) -> tuple[object, ...]:
    known = line.known
    return (
        line.store_id,
        line.stream.value,
        line.state,
        known.stored_count if known else 0,
        "" if known is None or known.declared is None else known.declared,
        known.rejected_count if known else 0,
        _ago(line.succeeded_at, now),
        "-" if line.lag is None else span(line.lag),
        _ahead(line.next_at, now),
    )


def _store_row(line: StoreLine, now: datetime) -> tuple[object, ...]:
    pause = line.push_pause
    resting = "" if pause is None else ", paused by hand" if pause.by_hand else ", paused"
    sweep = "due" if line.next_sweep_at is None else _ahead(line.next_sweep_at, now)
    return line.store_id, line.platform, f"{line.push_mode}{resting}", line.waiting, sweep


def _ago(at: datetime | None, now: datetime) -> str:
    return "-" if at is None else f"{span(now - at)} ago"


def _ahead(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "-"
    return "now" if at <= now + timedelta(seconds=1) else f"in {span(at - now)}"


def _bytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
