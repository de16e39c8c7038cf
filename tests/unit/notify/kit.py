"""Somebody who listens on loopback, and an app without a shop to ask."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from syncd.app import App
from syncd.model import StoreFacts, Stream
from syncd.settings import Settings
from syncd.store.types import RunReport
from tests.clock import ManualClock

STORES = ("us-woo", "eu-woo")


class Ears:
    """Hears what is sent to it and answers with `status`, as soon as `holds` is set."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.beats: list[str] = []
        self.status = 200
        self.holds = threading.Event()
        self.holds.set()
        self.port = 0

    @property
    def url(self) -> str:
        """The address to send to, as apprise writes it."""
        return f"json://127.0.0.1:{self.port}/a-token-nobody-may-see"

    @property
    def heartbeat_url(self) -> str:
        """Where signs of life go."""
        return f"http://127.0.0.1:{self.port}/beat-for-no-others"

    @property
    def titles(self) -> list[str]:
        """What the messages are about."""
        return [message["title"] for message in self.heard]

    @property
    def text(self) -> str:
        """Everything that was heard."""
        return "\n".join(f"{message['title']}\n{message['message']}" for message in self.heard)


@contextmanager
def listening() -> Iterator[Ears]:
    """Ears on a free port."""
    ears = Ears()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            ears.holds.wait(30)
            if ears.status < 300:
                ears.heard.append(json.loads(body))
            self._answer()

        def do_GET(self) -> None:
            ears.beats.append(self.path)
            self._answer()

        def _answer(self) -> None:
            self.send_response(ears.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        ears.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield ears
        finally:
            ears.holds.set()
            server.shutdown()
            thread.join()


def app_of(url: str, clock: ManualClock, notify: dict[str, Any], **settings: Any) -> App:
    """An app of two shops that nobody asks."""
    auth = {"consumer_key": "ck_" + 40 * "0", "consumer_secret": "cs_" + 40 * "0"}
    stores = {
        name: {"platform": "woocommerce", "url": f"http://127.0.0.1:1/{name}", "auth": auth, "country": "DE"}
        for name in STORES
    }
    given = {"merchant": "acme", "database": {"url": url}, "stores": stores, "notify": notify} | settings
    return App(Settings.model_validate(given), clock=clock)


def register(app: App) -> None:
    """Make the database know the stores."""
    for name in STORES:
        app.database.runs.register_store(name, "woocommerce", StoreFacts(identity=f"http://127.0.0.1:1/{name}"))


def ended(
    app: App, status: str, reason: str = "", *, kind: str = "incremental", stream: Stream = Stream.ORDERS
) -> None:
    """Note a run of the first store that ended now."""
    from syncd.model import Lane

    now = app.clock.now()
    app.database.runs.finish_run(
        RunReport(
            run_id=app.database.new_id(),
            store_id=STORES[0],
            platform="woocommerce",
            stream=stream,
            lane=Lane.LIVE,
            kind=kind,
            status=status,
            started_at=now,
            ended_at=now,
            reason=reason,
        )
    )
