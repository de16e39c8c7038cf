"""What a running service tells over HTTP: whether it lives, whether it can work, and what it has done.

`Meters` counts and reads the merchants' databases when somebody asks; `serving` answers `/healthz`, `/readyz` and
`/metrics`. No customer is named anywhere: labels are merchants, stores, streams and a few fixed words.
"""

from syncd.web.meters import Meters
from syncd.web.server import Server, Vitals, serve, serving

__all__ = ["Meters", "Server", "Vitals", "serve", "serving"]
