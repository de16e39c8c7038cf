"""A plan as a JSON document: printed by `plan --json`, kept by `plan -o FILE`, done by `apply FILE`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from syncd.errors import ConfigInvalid
from syncd.model import Json, TagAction
from syncd.push.brake import Brake
from syncd.push.planning import HeldGroup, Plan
from syncd.store.types import PlannedChange, Reach

VERSION = 1


class _Saved(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class _SavedChange(_Saved):
    store: str
    external_id: str
    profile_id: str
    action: TagAction
    tag: str = Field(min_length=1)
    segment: str


class _SavedPlan(_Saved):
    """What of a saved plan is read back: the rest of the document explains it to people."""

    version: Literal[1]
    merchant: str
    created_at: AwareDatetime
    changes: tuple[_SavedChange, ...]


def to_document(plan: Plan) -> dict[str, Json]:
    """A plan as JSON values: `changes`, `total`, `held`, `reach`, `brakes`, `notes`, and whose plan it is."""
    return {
        "version": VERSION,
        "merchant": plan.merchant,
        "created_at": plan.created_at.isoformat(),
        "total": plan.total,
        "changes": [_change(change) for change in plan.changes],
        "held": [_held(group) for group in plan.held],
        "reach": [_reach(reach, plan) for reach in plan.reach],
        "brakes": [_brake(brake) for brake in plan.brakes],
        "notes": list(plan.notes),
    }


def save(plan: Plan, path: Path) -> None:
    """Write a plan to a file that only its owner can read, for it names people's accounts.

    Raises:
        ConfigInvalid: The file cannot be written.
    """
    import orjson

    try:
        path.touch(mode=0o600)
        path.write_bytes(orjson.dumps(to_document(plan), option=orjson.OPT_INDENT_2) + b"\n")
    except OSError as error:
        raise ConfigInvalid(f"the plan cannot be written to {path}: {error.strerror}") from None


def load(path: Path, merchant: str) -> Plan:
    """The changes of a saved plan, as they were planned.

    Raises:
        ConfigInvalid: The file cannot be read, is no plan of this version, or is another merchant's.
    """
    try:
        saved = _SavedPlan.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigInvalid(f"the plan {path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in fault["loc"]) or "the document"
        raise ConfigInvalid(
            f"{path} is no plan that this version can do: {place}: {fault['msg']}",
            hint="Make it again with `syncd plan -o FILE`",
        ) from None
    if saved.merchant != merchant:
        raise ConfigInvalid(
            f"{path} is a plan for the merchant {saved.merchant!r}, the config names {merchant!r}",
            hint="Name the config that the plan was made with",
        )
    return Plan(
        merchant=merchant, created_at=saved.created_at.astimezone(UTC), changes=tuple(map(_planned, saved.changes))
    )


def _change(change: PlannedChange) -> dict[str, Json]:
    values = asdict(change)
    return {"store": values.pop("store_id"), **values}


def _planned(saved: _SavedChange) -> PlannedChange:
    values = dict(saved)
    return PlannedChange(store_id=values.pop("store"), **values)


def _held(group: HeldGroup) -> dict[str, Json]:
    values = asdict(group)
    return {"store": values.pop("store_id"), **values}


def _reach(reach: Reach, plan: Plan) -> dict[str, Json]:
    key = (reach.segment, reach.store_id)
    return {
        "segment": reach.segment,
        "store": reach.store_id,
        "members": reach.members,
        "with_account": reach.with_account,
        "without_account": reach.members - reach.with_account,
        "tagged": reach.tagged,
        "changes": sum((change.segment, change.store_id) == key for change in plan.changes),
    }


def _brake(brake: Brake) -> dict[str, Json]:
    return {
        "store": brake.store_id,
        "customers": brake.customers,
        "accounts": brake.accounts,
        "is_tripped": brake.is_tripped,
        "reason": brake.reason,
    }
