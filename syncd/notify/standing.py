"""Troubles that nobody can look up later: whoever meets one notes it, whoever sees it gone ends it.

The notes stand in the database's notices, whether or not anybody is to be told of them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from syncd.model import Finding
from syncd.store import Database

BRAKE = "brake"
FINDING = "finding"
STANDING = (BRAKE, FINDING)


def note_findings(database: Database, store_id: str, findings: Sequence[Finding], now: datetime) -> None:
    """Keep what a check found wrong with a store; what it no longer finds is over."""
    found = {_finding_topic(store_id, finding): finding for finding in findings if finding.level != "ok"}
    for topic, finding in found.items():
        words = f"{store_id}: {finding.message.rstrip('.')}"
        database.notices.claim(topic, words, now, remedy=finding.remedy)
    for notice in database.notices.all():
        if notice.topic.startswith(f"{FINDING}:{store_id}/") and notice.topic not in found:
            database.notices.end(notice.topic, now)


def note_brakes(database: Database, reasons: Mapping[str, str], store_ids: Collection[str], now: datetime) -> None:
    """Keep on which stores an automatic push waits for approval; on the others of them it does no longer.

    Args:
        reasons: Why it waits, by store.
        store_ids: Every store that was to be pushed to.
    """
    for store_id in store_ids:
        topic = f"{BRAKE}:{store_id}"
        if store_id in reasons:
            words = f"{store_id}: the brake holds the automatic push: {reasons[store_id]}. Nothing was written"
            database.notices.claim(topic, words, now, remedy=_APPROVE.format(store_id))
        else:
            database.notices.end(topic, now)


_APPROVE = "Look at `syncd plan --store {}`; if it is right, approve it as it says there"


def _finding_topic(store_id: str, finding: Finding) -> str:
    """The same for the same finding with other figures, such as how far a clock is off."""
    text = re.sub(r"\d+", "0", finding.message)
    return f"{FINDING}:{store_id}/{hashlib.sha256(text.encode()).hexdigest()[:12]}"
