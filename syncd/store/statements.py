"""SQL compiled once for all databases of this process that speak alike, and kept once.

SQLAlchemy keeps what it compiled for each way into a database. A file has two ways in and a process may serve many
merchants, whose statements are the same.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Compiled, Dialect
from sqlalchemy.util import LRUCache

_MOST = 2_000  # all of ours are a few hundred for a dialect; conditions of segments come on top


class Statements(LRUCache[Any, Compiled]):
    """What was compiled, by statement and by how its database speaks; safe to share between threads.

    SQLAlchemy asks and adds, no more.
    """

    def get(self, key: Any, default: Any = None) -> Any:
        """What was compiled for a statement."""
        return super().get(_shared(key), default)

    def __setitem__(self, key: Any, compiled: Compiled) -> None:
        """Keep what was compiled for one."""
        super().__setitem__(_shared(key), compiled)


def _shared(key: Any) -> Any:
    """A key of SQLAlchemy's, which is a tuple with the engine's own dialect, for all engines that speak alike."""
    if not isinstance(key, tuple):
        return key
    return tuple(
        (part.name, part.driver, part.server_version_info) if isinstance(part, Dialect) else part for part in key
    )


COMPILED = Statements(_MOST)
