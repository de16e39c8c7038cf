"""What the command line prints: each result as one screen for people and as one JSON document for programs."""

from syncd.screens.overview import overview_json, show_overview
from syncd.screens.paper import Json, moment, say, table
from syncd.screens.pausing import pause_json, paused_json, resume_json, show_pause, show_resume
from syncd.screens.people import (
    hits_json,
    person_json,
    rejected_json,
    show_hits,
    show_person,
    show_person_brief,
    show_rejected,
)
from syncd.screens.progress import progress, silence
from syncd.screens.pulling import (
    intents_json,
    run_json,
    show_history,
    show_intents,
    show_runs,
    show_segments,
    show_sync,
    sync_json,
)
from syncd.screens.pushing import apply_json, show_apply, show_plan
from syncd.screens.stores import (
    Place,
    checks_json,
    show_checks,
    show_config,
    show_sandbox,
    show_scopes,
)
from syncd.screens.upkeep import (
    estimates_json,
    orphans_json,
    remap_json,
    removal_json,
    show_estimates,
    show_orphans,
    show_remap,
    show_removal,
)

__all__ = [
    "Json",
    "Place",
    "apply_json",
    "checks_json",
    "estimates_json",
    "hits_json",
    "intents_json",
    "moment",
    "orphans_json",
    "overview_json",
    "pause_json",
    "paused_json",
    "person_json",
    "progress",
    "rejected_json",
    "remap_json",
    "removal_json",
    "resume_json",
    "run_json",
    "say",
    "show_apply",
    "show_checks",
    "show_config",
    "show_estimates",
    "show_history",
    "show_hits",
    "show_intents",
    "show_orphans",
    "show_overview",
    "show_pause",
    "show_person",
    "show_person_brief",
    "show_plan",
    "show_rejected",
    "show_remap",
    "show_removal",
    "show_resume",
    "show_runs",
    "show_sandbox",
    "show_scopes",
    "show_segments",
    "show_sync",
    "silence",
    "sync_json",
    "table",
]
