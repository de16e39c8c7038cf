"""What every store's settings share, whatever its platform; each connector file adds its own on top."""

from __future__ import annotations

import random
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
)

from syncd.connectors.cron import checked, next_after
from syncd.model import Stream

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _duration(value: object) -> object:
    match = re.fullmatch(r"\s*(\d+)\s*([smhd])\s*", value) if isinstance(value, str) else None
    if match:
        return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    if isinstance(value, timedelta):
        return value
    raise ValueError("a time span is a number and a unit s, m, h or d, such as 5m or 24h")


def _some_time(value: timedelta) -> timedelta:
    if not value:
        raise ValueError("must be 1s or more")
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Interval = Annotated[Duration, AfterValidator(_some_time)]
CronLine = Annotated[str, AfterValidator(checked)]


class Frozen(BaseModel):
    """A settings node: unknown keys are faults, values never change, inputs are never shown in errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Schedule(Frozen):
    """When something is done again: every so often, or at the times of a cron line.

    Args:
        cron: Minute, hour, day of the month, month, weekday by the merchant's time zone; stands instead of `every`.
        jitter: Up to this much later, so that not all of it happens at once; at most a tenth of `every`.
    """

    every: Interval
    cron: CronLine | None = None
    jitter: Duration = timedelta(seconds=10)

    @model_validator(mode="after")
    def _has_one_clock(self) -> Self:
        if self.cron is not None and "every" in self.model_fields_set:
            raise ValueError('has "every" and "cron"; keep one of the two')
        return self

    @model_serializer(mode="wrap")
    def _in_force(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What holds of the two clocks."""
        silent = "cron" if self.cron is None else "every"
        return {name: value for name, value in handler(self).items() if name != silent}

    def after(self, moment: datetime, timezone: str) -> datetime:
        """When it is next due, done at the moment; the same moment always gives the same answer."""
        share = random.Random(moment.timestamp()).random()
        return self._next(moment, timezone) + share * self._slack

    def latest(self, moment: datetime, timezone: str) -> datetime:
        """The latest time that `after` gives for this moment or an earlier one: past it a clock has stepped back."""
        return self._next(moment, timezone) + self._slack

    def _next(self, moment: datetime, timezone: str) -> datetime:
        return moment + self.every if self.cron is None else next_after(self.cron, moment, timezone)

    @property
    def _slack(self) -> timedelta:
        return min(self.jitter, self.every / 10) if self.cron is None else self.jitter


class StreamConfig(Schedule):
    """When one stream is pulled."""

    every: Interval = timedelta(minutes=5)


class SweepConfig(Schedule):
    """When a complete walk compares hashes and finds deletions."""

    every: Interval = timedelta(hours=24)


class BrakeConfig(Frozen):
    """The limit past which a plan waits for approval: customers of one store, or percent of its accounts."""

    max_customers: int = Field(default=1000, ge=0)
    max_percent: float = Field(default=20.0, ge=0, le=100)


class PushConfig(Frozen):
    """Whether tags are written: off, after review (the default), or automatically within the brake."""

    mode: Literal["off", "review", "auto"] = "review"
    brake: BrakeConfig = BrakeConfig()


class HttpConfig(Frozen):
    """How requests leave for one store."""

    headers: dict[str, str] = Field(default={}, repr=False)
    ca_file: Path | None = None
    deadline_s: float = Field(default=60.0, gt=0)
    max_body_mb: int = Field(default=64, ge=1)
    concurrency: int = Field(default=2, ge=1, le=16)
    leave_quota: float = Field(default=0.0, ge=0, le=0.9)

    @field_serializer("headers")
    def _masked(self, headers: dict[str, str]) -> dict[str, str]:
        """A header that lets us through a firewall is as good as a password."""
        return dict.fromkeys(headers, "**********")


def plain_address(value: str) -> str:
    """An address without the spaces and the slash that people leave at its end."""
    return value.strip().rstrip("/")


class StoreConfig(Frozen):
    """One store's settings as every platform has them.

    Args:
        base_url: Where bytes go (sandbox, proxy, staging) when that is not the store's own address.
        insecure: Allow http to other addresses than loopback.
        allow_private: Allow private addresses.
        country: Region for phone numbers written without one, ISO 3166-1 alpha-2; the store's own if left out.
    """

    platform: str
    base_url: str | None = None
    insecure: bool = False
    allow_private: bool = False
    country: str | None = Field(default=None, pattern="^[A-Z]{2}$", examples=["DE"])
    consent_meta_key: str | None = None
    streams: dict[Stream, StreamConfig] = {stream: StreamConfig() for stream in Stream}
    sweep: SweepConfig = SweepConfig()
    push: PushConfig = PushConfig()
    http: HttpConfig = HttpConfig()

    @field_validator("base_url")
    @classmethod
    def _plain_base_url(cls, value: str | None) -> str | None:
        return value if value is None else plain_address(value)

    def leaving_quota(self, share: float) -> Self:
        """The same settings, with at least this share of the platform's rate limit left to others."""
        http = self.http.model_copy(update={"leave_quota": max(self.http.leave_quota, share)})
        return self.model_copy(update={"http": http})
