"""Where a walk stands, as the text by which another process takes it up."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Self

import orjson

from syncd.errors import RequestRefused


@dataclass(frozen=True, kw_only=True, slots=True)
class Resumable:
    """A place in a walk, whose fields are its cursor."""

    def to_cursor(self) -> str:
        """The place as a text to resume by."""
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def from_cursor(cls, cursor: str | None) -> Self:
        """The place that a text names, or the beginning.

        Raises:
            RequestRefused: It is no cursor of such a walk.
        """
        if cursor is None:
            return cls()
        try:
            return cls(**orjson.loads(cursor))
        except (ValueError, TypeError):
            raise RequestRefused("the saved cursor is not one of this walk", hint="Start the walk anew") from None
