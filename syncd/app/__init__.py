"""What syncd does, whoever asks: the command line, the daemon and the demo all call `App`.

`Merchant` is what all work shares; `Stores`, `Pulling` and `Pushing` are the rooms. Every method returns values;
printing is the caller's.
"""

from syncd.app.app import App
from syncd.app.values import (
    ALL_TIME,
    EVERYTHING,
    PATIENCE_S,
    Intent,
    Outcome,
    SegmentSize,
    Selection,
    StoreCheck,
    Summary,
    SyncReport,
)

__all__ = [
    "ALL_TIME",
    "EVERYTHING",
    "PATIENCE_S",
    "App",
    "Intent",
    "Outcome",
    "SegmentSize",
    "Selection",
    "StoreCheck",
    "Summary",
    "SyncReport",
]
