"""Answers /healthz, /readyz and /metrics over HTTP, in a thread of its own; nothing can be changed through it.

Every connection serves one request and ends soon, so that callers who stay, or who never ask, cannot pile up.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from syncd.errors import ConfigInvalid
from syncd.logs import get_logger, scrub

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.responses import Response

OFF = "off"
_CONNECTIONS = 32
_CONNECTION_S = 15.0
_HEAD_BYTES = 16_384
_CLOSE_S = 1  # for answers under way
_HEADERS = {"Connection": "close", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

log = get_logger(__name__)


class Vitals(Protocol):
    """What the server is asked about; both lists of reasons come at once, without asking a database or a store."""

    def faults(self) -> Sequence[str]:
        """Why the process should be started again, in words; empty while it is well."""
        ...

    def hindrances(self) -> Sequence[str]:
        """Why it cannot work now, in words; starting it again would not help."""
        ...

    def metrics(self) -> bytes:
        """Everything measured, as Prometheus reads it."""
        ...


class Server:
    """Serves until it is closed."""

    def __init__(self, listener: socket.socket, server: uvicorn.Server) -> None:
        self.address: str = _shown(listener)
        self._server = server
        self._thread = threading.Thread(target=self._serve, args=[listener], name="web", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish the answers under way, for a second at most, and free the port; safe to call twice."""
        self._server.should_exit = True
        self._thread.join(2 * _CLOSE_S)

    def _serve(self, listener: socket.socket) -> None:
        asyncio.run(self._server.serve(sockets=[listener]))


def serve(listen: str, vitals: Vitals, *, connection_s: float = _CONNECTION_S) -> Server:
    """Answer on an address of this machine; requests are taken from now on.

    Args:
        listen: HOST:PORT; port 0 takes a free one, told by the server's `address`.
        connection_s: After so many seconds a connection is cut, whatever came of it.

    Raises:
        ConfigInvalid: That is no address, or it cannot be listened on.
    """
    server = Server(_listener(listen), _uvicorn(_routes(vitals), connection_s))
    log.info("web_listening", address=server.address)
    return server


@contextmanager
def serving(listen: str, vitals: Vitals) -> Iterator[Server | None]:
    """Serve within the block; nothing where `listen` is "off"."""
    server = None if listen == OFF else serve(listen, vitals)
    try:
        yield server
    finally:
        if server is not None:
            server.close()


def _listener(listen: str) -> socket.socket:
    host, separator, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (separator and host and port.isascii() and port.isdigit() and int(port) < 65536):
        raise ConfigInvalid(f"{listen!r} is not an address to listen on", hint="Write HOST:PORT as in 127.0.0.1:9180")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family)
    except OSError as error:
        hint = "End what listens there, or choose another address: --listen HOST:PORT, or off"
        reason = str(error.strerror).partition(" (")[0]
        raise ConfigInvalid(f"{listen} cannot be listened on: {reason}", hint=hint) from None


def _shown(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _routes(vitals: Vitals) -> Starlette:
    from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def healthz(_: Request) -> Response:
        return _verdict(vitals.faults())

    async def readyz(_: Request) -> Response:
        return _verdict([*vitals.faults(), *vitals.hindrances()])

    async def metrics(_: Request) -> Response:
        page = await asyncio.to_thread(vitals.metrics)
        return Response(page, headers={**_HEADERS, "Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    endpoints = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}
    return Starlette(routes=[Route(path, endpoint, methods=["GET"]) for path, endpoint in endpoints.items()])


def _verdict(reasons: Sequence[str]) -> Response:
    from starlette.responses import JSONResponse

    content = {"status": "failing" if reasons else "ok", "reasons": [scrub(reason) for reason in reasons]}
    return JSONResponse(content, status_code=503 if reasons else 200, headers=_HEADERS)


def _uvicorn(app: Starlette, connection_s: float) -> uvicorn.Server:
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Brief(H11Protocol):
        """A connection that ends by itself, also where nothing was ever asked on it."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            """Begin to wait for its end."""
            super().connection_made(transport)
            self._end = self.loop.call_later(connection_s, transport.abort)

        def connection_lost(self, exc: Exception | None) -> None:
            """Wait no more."""
            self._end.cancel()
            super().connection_lost(exc)

    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=Brief,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_CONNECTIONS,
            h11_max_incomplete_event_size=_HEAD_BYTES,
            timeout_graceful_shutdown=_CLOSE_S,
        )
    )
