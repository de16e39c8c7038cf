"""Screens of stores: what `check` found, where every stream stands, the configuration."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from syncd.screens.paper import Json, minute, plain, say, table
from syncd.screens.pulling import run_json
from syncd.store.types import StreamStatus

if TYPE_CHECKING:
    from syncd.app import StoreCheck


def checks_json(checks: Sequence[StoreCheck]) -> Json:
    """What `check` found, store by store."""
    return {"stores": [_check_json(check) for check in checks]}


def _check_json(check: StoreCheck) -> Json:
    document: Json = {"store": check.store_id, "platform": check.platform, "ok": check.is_well}
    if check.facts is None:
        return {**document, "error": type(check.error).__name__, "message": str(check.error)}
    facts = check.facts
    return {
        **document,
        "identity": facts.identity,
        "name": facts.name,
        "timezone": facts.timezone,
        "currency": facts.currency,
        "version": facts.version,
        "can_pull": sorted(facts.can_pull),
        "can_push": facts.can_push,
        "findings": [{"level": f.level, "message": f.message, "remedy": f.remedy} for f in facts.findings],
    }


def show_checks(checks: Sequence[StoreCheck]) -> None:
    """One paragraph a store: who it is, what may be read and written, what is wrong and what to do."""
    for check in checks:
        say(f"{check.store_id} ({check.platform}): {'ok' if check.is_well else 'needs attention'}")
        if check.facts is None:
            say(f"  {check.error}")
            continue
        facts = check.facts
        about = (facts.name, facts.identity, facts.timezone, facts.currency, facts.version)
        say(f"  {', '.join(text for text in about if text)}")
        reads, writes = ", ".join(sorted(facts.can_pull)) or "nothing", "tags" if facts.can_push else "nothing"
        say(f"  reads {reads}; writes {writes}")
        for finding in facts.findings:
            say(f"  {finding.level}: {finding.words}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Which config and which database a screen speaks of; `database` has no password in it."""

    config: Path
    database: str
    merchant: str


def status_json(place: Place, streams: Sequence[StreamStatus]) -> Json:
    """Where every stream stands."""
    return {
        "config": str(place.config),
        "database": place.database,
        "merchant": place.merchant,
        "streams": [_stream_json(stream) for stream in streams],
    }


def _stream_json(stream: StreamStatus) -> Json:
    last = stream.last_run
    return {
        "store": stream.store_id,
        "platform": stream.platform,
        "stream": stream.stream,
        "state": stream_state(stream),
        "stored": stream.stored_count,
        "declared": stream.declared,
        "rejected": stream.rejected_count,
        "bookmark": stream.bookmark,
        "fresh_until": stream.fresh_until,
        "history_complete_since": stream.history_complete_since,
        "last_sweep_at": stream.last_sweep_at,
        "last_run": run_json(last) if last else None,
        "paused": stream.paused_reason,
        "push_paused": stream.push_paused_reason,
        "remark": stream.remark,
    }


def stream_state(stream: StreamStatus) -> str:
    """A stream's state in one word or two."""
    if stream.paused_reason:
        return "paused"
    if stream.walk is not None:
        return "under way"
    if stream.history_complete_since is None:
        return "no complete history"
    return stream.last_run.status if stream.last_run else "well"


def show_status(place: Place, streams: Sequence[StreamStatus]) -> None:
    """One screen: per stream its state, counts and times, then what is wrong in words."""
    say(f"{place.merchant}: {place.database} by {place.config}")
    if not streams:
        say("Nothing was pulled yet: run `syncd check`, then `syncd backfill`.")
        return
    rows = [
        (
            s.store_id,
            s.stream.value,
            stream_state(s),
            s.stored_count,
            "" if s.declared is None else s.declared,
            s.rejected_count,
            minute(s.fresh_until),
            minute(s.last_sweep_at),
        )
        for s in streams
    ]
    table(
        "Streams, times in UTC",
        ("store", "stream", "state", "stored", "shop said", "rejected", "fresh until", "last sweep"),
        rows,
    )
    for stream in streams:
        _show_trouble(stream)
    for store_id, reason in {s.store_id: s.push_paused_reason for s in streams if s.push_paused_reason}.items():
        say(f"{store_id}: nothing is written to the shop: {reason}")


def _show_trouble(stream: StreamStatus) -> None:
    place = f"{stream.store_id}/{stream.stream}"
    if stream.paused_reason:
        say(f"{place} is paused: {stream.paused_reason}")
    elif stream.last_run and stream.last_run.reason:
        say(f"{place}: {stream.last_run.reason}")
    if stream.remark and not (stream.last_run and stream.last_run.reason == stream.remark):
        say(f"{place}: {stream.remark}")
    if stream.rejected_count:
        say(f"{place}: {stream.rejected_count:,} records could not be read, see `syncd rejected list`")


def show_config(document: Json) -> None:
    """The settings in force, secrets masked, as a tree of `name: value` lines."""
    say(f"{document['config']} has no fault. Settings in force:")
    _show_tree(document["settings"], "  ")
    say(f"Segments: {', '.join(document['segments']) or 'none'}")


def _show_tree(node: Json, indent: str) -> None:
    for name, value in node.items():
        if isinstance(value, dict) and value:
            say(f"{indent}{name}:")
            _show_tree(value, indent + "  ")
        else:
            say(f"{indent}{name}: {plain(value)}")


def show_scopes(scopes: Mapping[str, str]) -> None:
    """The scopes to ask a shop for, each with its reason; the last line is what to paste."""
    table("Scopes", ("scope", "why"), list(scopes.items()))
    say(",".join(scopes))


def show_sandbox(urls: Mapping[str, str]) -> None:
    """Where the shops are, and how to end them."""
    for store_id, url in urls.items():
        say(f"{store_id}: {url}")
    say("Serving invented shops until Ctrl-C; their keys are in the example config, config/syncd.yaml.")
    sys.stdout.flush()
