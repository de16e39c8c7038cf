"""Every metric of ours: its labels behind the merchant's, and what it says, in words for somebody new to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Told:
    """What a metric says, and by which labels beside `merchant`."""

    words: str
    labels: tuple[str, ...] = ()


_STREAM = ("store", "stream")

COUNTERS: Mapping[str, Told] = {
    "syncd_records_total": Told(
        "Records read from stores, each once in its walk, by what became of them: new, changed, unchanged, stale"
        " (older than what is stored) or rejected (cannot be read).",
        (*_STREAM, "result"),
    ),
    "syncd_api_requests_total": Told(
        "HTTP requests sent to stores, retries included, by the answer's status or by what came instead of an answer"
        " (unreachable, deadline, cut, unreadable, oversized, certificate).",
        ("store", "code"),
    ),
    "syncd_api_throttled_total": Told("How often a store asked us to wait because of its rate limit.", ("store",)),
    "syncd_push_rows_total": Told(
        "Tag changes sent to stores, by outcome: confirmed, rejected by the store, waiting for a later try, planned"
        " (the answer was lost and the tag is not there, so that it is sent again).",
        ("store", "outcome"),
    ),
}

GAUGES: Mapping[str, Told] = {
    "syncd_database_up": Told(
        "Whether the merchant's database can be read: 1 or 0. While it is 0, its gauges are missing."
    ),
    "syncd_stream_lag_seconds": Told(
        "Age of what is known of a stream: everything that changed in the store before that is here. Missing until the"
        " stream was read whole once.",
        _STREAM,
    ),
    "syncd_last_success_timestamp_seconds": Told(
        "When a run of the stream last accounted for every record, in seconds since 1970; 0 if never.", _STREAM
    ),
    "syncd_stored_records": Told("Live records of a stream in the database; counted once a minute at most.", _STREAM),
    "syncd_rejected_records": Told(
        "Records that cannot be read and wait for a fix, see `syncd rejected list`; counted once a minute at most.",
        _STREAM,
    ),
    "syncd_paused": Told(
        "Whether a store rests, 1 or 0: by stream for the pull lane, without a stream for the push lane. The reason is"
        " in `syncd status`.",
        (*_STREAM, "lane"),
    ),
    "syncd_outbox_rows": Told(
        "Tag changes that are not settled, by state: planned, sending, sent, waiting.", ("store", "state")
    ),
    "syncd_database_bytes": Told("Room that the merchant's database takes, without its write-ahead log."),
    "syncd_wal_bytes": Told("Size of SQLite's write-ahead log; always 0 on PostgreSQL."),
}

BUILD = "syncd_build_info"
BUILD_WORDS = "The version of syncd that runs; always 1."
