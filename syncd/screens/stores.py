"""Screens of stores: what `check` found, the configuration."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from syncd.screens.paper import Json, plain, say, table

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
