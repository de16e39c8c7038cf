"""What a connector's author tests with: the contract that every connector keeps, and a clock that stands still.

Needs pytest, which syncd itself does not install; nothing of syncd imports this.
"""

import pytest

pytest.register_assert_rewrite(*(f"syncd.testing.{name}" for name in ("base", "facts", "pulls", "windows", "pushes")))

from syncd.testing.base import Hand, Subject  # noqa: E402 - asserts tell their values only in modules named before
from syncd.testing.clock import START, ManualClock  # noqa: E402
from syncd.testing.contract import ConnectorContract  # noqa: E402

__all__ = ["START", "ConnectorContract", "Hand", "ManualClock", "Subject"]
