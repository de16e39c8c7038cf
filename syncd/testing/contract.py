"""What every connector must do, whatever its platform; a connector's own test file supplies only the subject.

Departures are facts in `capabilities`, never skipped checks.
"""

from __future__ import annotations

from syncd.testing.facts import FactChecks
from syncd.testing.pulls import PullChecks
from syncd.testing.pushes import PushChecks
from syncd.testing.windows import WindowChecks


class ConnectorContract(FactChecks, PullChecks, WindowChecks, PushChecks):
    """Every check takes a fresh `subject`, for which the connector's test class has a fixture.

    Attributes:
        streams: The streams that the platform has; all of them unless the test class says otherwise.
    """
