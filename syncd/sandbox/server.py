"""The sandbox as a whole: which shops, on which ports, with which people; started and stopped in one place."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from syncd.sandbox.app import ShopApp
from syncd.sandbox.bigcommerce import BigShop, BigSite
from syncd.sandbox.clock import SandboxClock
from syncd.sandbox.log import ExchangeLog
from syncd.sandbox.people import populate
from syncd.sandbox.shop import Shop
from syncd.sandbox.shopify import ShopifyShop, ShopifySite
from syncd.sandbox.truth import write_truth
from syncd.sandbox.woocommerce import WooShop, WooSite

if TYPE_CHECKING:
    import uvicorn

B2B = BigSite(
    store="b2b",
    title="Acme Wholesale",
    store_hash="b2bsandbox",
    timezone="America/Chicago",
    country="US",
    currency="USD",
)
SITES = (
    WooSite(store="us-woo", title="Acme US", timezone="America/New_York", country="US", currency="USD"),
    WooSite(store="eu-woo", title="Acme Europe", timezone="Europe/Berlin", country="DE", currency="EUR"),
    ShopifySite(
        store="us-shopify",
        handle="acme-us",
        title="Acme Studio",
        timezone="America/Los_Angeles",
        country="US",
        currency="USD",
        index_lag_s=2.0,
    ),
    B2B,
)
PORTS: Mapping[str, int] = {"us-woo": 9101, "eu-woo": 9102, "us-shopify": 9103, "b2b": 9104}
_SHOPS: Mapping[type, Callable[..., Shop]] = {
    WooSite: WooShop,
    ShopifySite: ShopifyShop,
    BigSite: BigShop,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxOptions:
    """How a sandbox is set up.

    Args:
        seed: The same seed makes the same people and shops.
        scale: 1 is about 300 customers and 900 orders a shop.
        sites: Which shops.
        ports: Fixed ports by store; a store without one gets a free port.
        log: File to append exchanges to.
        truth: File to write who is who to, at the start and again at the end.
        tls: Certificate and key file, to serve https instead of http.
    """

    seed: int = 1
    scale: float = 1.0
    sites: Sequence[WooSite | ShopifySite | BigSite] = SITES
    ports: Mapping[str, int] | None = None
    log: Path | None = None
    truth: Path | None = None
    tls: tuple[Path, Path] | None = None


class Sandbox:
    """Serves shops on loopback while it is open; a context manager.

    Args:
        options: How it is set up; without them, `seed` and `scale` on free ports.
        clock: The time in all shops; the machine's, movable, if left out.

    Attributes:
        shops: The handle of each shop by store name.
        clock: The time in all of them.
        log: Where exchanges are appended.
    """

    def __init__(
        self,
        options: SandboxOptions | None = None,
        *,
        seed: int = 1,
        scale: float = 1.0,
        clock: SandboxClock | None = None,
    ) -> None:
        self.options = options or SandboxOptions(seed=seed, scale=scale)
        self.clock = clock or SandboxClock()
        self.log = ExchangeLog(self.options.log)
        population = populate(
            self.options.seed, stores=[site.store for site in self.options.sites], scale=self.options.scale
        )
        self.shops: dict[str, Any] = {
            site.store: _SHOPS[type(site)](site, self.clock, population) for site in self.options.sites
        }
        self._listeners: list[_Listener] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve every shop; returns once all accept connections.

        Raises:
            OSError: A port is taken.
        """
        ports = self.options.ports or {}
        with contextlib.ExitStack() as undo:
            undo.callback(self.stop)
            for shop in self.shops.values():
                self._listeners.append(_Listener(shop, self.log, port=ports.get(shop.name, 0), tls=self.options.tls))
            for listener in self._listeners:
                listener.wait_ready()
            self.write_truth()
            undo.pop_all()

    def stop(self) -> None:
        """Close every connection and port; safe to call twice."""
        for listener in self._listeners:
            listener.ask_to_stop()
        for listener in self._listeners:
            listener.join()
        if self._listeners:
            self.write_truth()
        self._listeners.clear()
        self.log.close()

    def truth(self) -> dict[str, str]:
        """Who is who now: person id by record id, over all shops."""
        return dict(itertools.chain.from_iterable(shop.truth() for shop in self.shops.values()))

    def write_truth(self) -> None:
        """Write the truth file, if one was asked for."""
        if self.options.truth is not None:
            write_truth(self.options.truth, self.truth().items())


class _Listener:
    """One shop's port, served by its own thread and event loop."""

    def __init__(self, shop: Shop, log: ExchangeLog, *, port: int, tls: tuple[Path, Path] | None) -> None:
        self._transports: dict[Any, asyncio.Transport] = {}
        self._app = ShopApp(shop, log, self._transports)
        self._socket = socket.create_server(("127.0.0.1", port))
        shop.port = self._socket.getsockname()[1]
        shop.url = f"{'https' if tls else 'http'}://127.0.0.1:{shop.port}"
        self._server = _server(self._app, self._transports, tls)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name=f"sandbox-{shop.name}", daemon=True)
        self._thread.start()

    def wait_ready(self) -> None:
        """Return once connections are accepted."""
        while self._thread.is_alive() and not self._server.started:
            time.sleep(0.002)
        if not self._server.started:
            raise OSError("the sandbox could not start to serve")

    def ask_to_stop(self) -> None:
        """End the serving soon; connections are cut."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._hang_up)

    def join(self) -> None:
        """Return once the port is closed."""
        self._thread.join()

    def _hang_up(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._app.stopping.set()
        for transport in list(self._transports.values()):
            transport.abort()

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._server.serve(sockets=[self._socket]))


def _server(app: ShopApp, transports: dict[Any, asyncio.Transport], tls: tuple[Path, Path] | None) -> uvicorn.Server:
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Protocol(H11Protocol):
        """Keeps each open connection's transport, so that faults can cut it."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            """Remember the connection."""
            super().connection_made(transport)
            transports[self.client] = transport
            # asyncio leaves this off for sockets it did not make: every answer would wait 40 ms for an ACK
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def connection_lost(self, exc: Exception | None) -> None:
            """Forget the connection."""
            super().connection_lost(exc)
            transports.pop(self.client, None)

    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=Protocol,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            ssl_certfile=str(tls[0]) if tls else None,
            ssl_keyfile=str(tls[1]) if tls else None,
        )
    )


def serve_forever(
    options: SandboxOptions,
    stop: threading.Event | None = None,
    *,
    announce: Callable[[Sandbox], None] | None = None,
) -> None:
    """Serve until `stop` is set or the process is interrupted, on the well-known ports unless others are given.

    Args:
        announce: Called once the shops accept connections.

    Raises:
        OSError: A port is taken.
    """
    stop = stop or threading.Event()
    with _interruptible(stop), Sandbox(replace(options, ports={**PORTS, **(options.ports or {})})) as sandbox:
        if announce is not None:
            announce(sandbox)
        stop.wait()


@contextlib.contextmanager
def _interruptible(stop: threading.Event) -> Iterator[None]:
    """Turn SIGINT and SIGTERM into a set event, where this thread may."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
