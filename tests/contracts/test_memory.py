"""The in-memory connector keeps the connector contract, so that flow tests stand on firm ground."""

from __future__ import annotations

import pytest

from syncd.testing import ConnectorContract, Subject
from tests.contracts.filled import memory_subject


class TestMemory(ConnectorContract):
    """The contract, on a shop of ten records a stream."""

    @pytest.fixture
    def subject(self) -> Subject:
        """A filled shop and an empty one."""
        return memory_subject()
