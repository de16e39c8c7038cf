"""What every store's settings share, whatever its platform; each connector file adds its own on top."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_serializer, field_validator

from syncd.model import Stream

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _duration(value: object) -> object:
    match = re.fullmatch(r"\s*(\d+)\s*([smhd])\s*", value) if isinstance(value, str) else None
    if match:
        return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    if isinstance(value, timedelta):
        return value
    raise ValueError("a time span is a number and a unit s, m, h or d, such as 5m or 24h")


Duration = Annotated[timedelta, BeforeValidator(_duration)]


class Frozen(BaseModel):
    """A settings node: unknown keys are faults, values never change, inputs are never shown in errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class StreamConfig(Frozen):
    """How often one stream is pulled."""

    every: Duration = timedelta(minutes=5)


class SweepConfig(Frozen):
    """How often a complete walk compares hashes and finds deletions."""

    every: Duration = timedelta(hours=24)


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
