"""What every mapping is: the only place that knows both the platform's words and ours.

Pure: values in, values out. In comes a raw record, out comes a unified one; in comes a tag change, out comes the
platform's wording of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from syncd.model import PlatformChange, RawRecord, Stream, TagChange, Unified


@dataclass(frozen=True, kw_only=True, slots=True)
class MapperOptions:
    """What a store's configuration says about the meaning of its payloads.

    Args:
        country: The store's own country, for platforms whose addresses leave it out; "" when not configured.
        consent_meta_key: Where a platform without consent of its own keeps it; None when nowhere.
    """

    country: str = ""
    consent_meta_key: str | None = None


class Mapper(Protocol):
    """The two-way mapping of one store's platform. Not a base class."""

    @property
    def platform(self) -> str:
        """The registry's lower-case name of the platform."""
        ...

    @property
    def version(self) -> int:
        """Raised whenever the same payload would map to other values; kept with every raw record."""
        ...

    def to_unified(self, stream: Stream, raw: RawRecord) -> Unified:
        """Read one raw record of a stream.

        Raises:
            MappingFailed: The payload cannot be read; the message names the field, never its value.
        """
        ...

    def to_platform(self, change: TagChange) -> PlatformChange:
        """Word one tag change as the platform's `push` wants it."""
        ...
