"""The clock of the testing kit, under the name that tests know."""

from syncd.testing.clock import START, ManualClock

__all__ = ["START", "ManualClock"]
