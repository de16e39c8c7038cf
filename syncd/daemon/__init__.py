"""`syncd run`: every merchant's app on a schedule, in one process that tells whether it is well.

`Service` is the process: it opens merchants, watches them, reads the configuration again, and ends them in order.
`Works` is one merchant at work, and knows no other.
"""

from syncd.daemon.service import Configured, Service
from syncd.daemon.works import Works

__all__ = ["Configured", "Service", "Works"]
