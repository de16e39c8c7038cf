"""Screens of people: who was found, one person whole, records that could not be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from syncd.model import Contact, ContactKey, Judgement
from syncd.money import to_text
from syncd.screens.paper import Json, moment, plain, say, table
from syncd.store.types import ContactView, ProfileHit, ProfileView, RejectedRecordView

if TYPE_CHECKING:
    pass


def hits_json(hits: Sequence[ProfileHit]) -> Json:
    """The people that a search found."""
    return {"profiles": [asdict(hit) for hit in hits]}


def show_hits(text: str, hits: Sequence[ProfileHit], limit: int) -> None:
    """A line a person, and whether there may be more."""
    if not hits:
        say(f"Nobody known by {text!r}.")
        return
    rows = [
        (hit.profile_id, _full_name(hit), hit.email, hit.phone, hit.contact_count, " ".join(hit.store_ids))
        for hit in hits
    ]
    table("People", ("profile", "name", "e-mail", "phone", "records", "stores"), rows)
    if len(hits) == limit:
        say(f"The first {limit}; `--limit` shows more.")


def person_json(view: ProfileView) -> Json:
    """Everything known of one person."""
    return asdict(view)


def show_person(view: ProfileView) -> None:
    """One person: records, why they are one, what happened, facts, segments and tags."""
    say(f"{view.profile_id}  {view.first_name} {view.last_name}  {view.email}  {view.phone}".rstrip())
    rows = [
        (_source(item.contact.key), _name(item), item.email, item.phone, item.order_count, moment(item.created_at))
        for item in view.contacts
    ]
    table("Records", ("record", "name", "e-mail", "phone", "orders", "known since"), rows)
    edges = [
        (_source(edge.left), edge.verdict.value, _source(edge.right), edge.rule, _evidence(edge), edge.origin)
        for edge in view.judgements
    ]
    if edges:
        table("Why they are one", ("record", "is", "record", "rule", "evidence", "by"), edges)
    table("Facts", ("fact", "value"), _fact_rows(view.facts))
    say(f"Segments: {', '.join(view.segments) or 'none'}")
    say("Tags: " + (", ".join(f"{tag} on {store}/{account}" for store, account, tag in view.tags) or "none"))
    for at, kind, detail in view.events:
        say(f"  {moment(at)} {kind} {detail}")


def show_person_brief(view: ProfileView) -> None:
    """A person in a few lines: the name, then each account and guest order of theirs."""
    say(f"   {view.first_name} {view.last_name} ({view.profile_id})")
    for item in view.contacts[:_BRIEF_RECORDS]:
        say(f"     {_source(item.contact.key):<34} {_name(item):<24} {item.email:<36} {item.phone}".rstrip())
    if len(view.contacts) > _BRIEF_RECORDS:
        say(f"     and {len(view.contacts) - _BRIEF_RECORDS} more")


_BRIEF_RECORDS = 4


def _source(key: ContactKey) -> str:
    return f"{key.store_id} {key.kind.value} {key.external_id}"


def _name(item: ContactView) -> str:
    return _full_name(item.contact)


def _full_name(named: Contact | ProfileHit) -> str:
    return f"{named.first_name} {named.last_name}".strip()


def _evidence(edge: Judgement) -> str:
    return ", ".join(f"{item.kind.value} {item.value}" for item in edge.evidence)


def _fact_rows(facts: Mapping[str, object]) -> list[tuple[str, str]]:
    """Facts that have a value, amounts as people write them."""
    currency = str(facts.get("currency") or "")
    known = ((name, value) for name, value in facts.items() if value is not None)
    return [(name.removesuffix("_minor"), _shown(name, value, currency)) for name, value in known]


def _shown(name: str, value: object, currency: str) -> str:
    if isinstance(value, int) and name.endswith("_minor"):
        return f"{to_text(value, currency)} {currency}".rstrip()
    return moment(value) if isinstance(value, datetime) else plain(value)


def rejected_json(views: Sequence[RejectedRecordView]) -> Json:
    """Rejected records without their payloads, which hold personal data."""
    return {
        "rejected": [
            {
                "store": view.store_id,
                "stream": view.stream,
                "external_id": view.external_id,
                "reason": view.reason,
                "first_seen_at": view.first_seen_at,
                "last_seen_at": view.last_seen_at,
            }
            for view in views
        ]
    }


def show_rejected(views: Sequence[RejectedRecordView]) -> None:
    """A line a rejected record, with the reason."""
    if not views:
        say("Every record could be read.")
        return
    rows = [(v.store_id, v.stream.value, v.external_id, v.reason, moment(v.last_seen_at)) for v in views]
    table("Rejected records", ("store", "stream", "id", "why", "last seen"), rows)
    say("`syncd rejected show STORE STREAM ID` prints one; `syncd rejected replay` reads them again after a fix.")
