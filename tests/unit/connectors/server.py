"""A server that misbehaves on order: each request takes the next scripted answer, the last one for ever."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Script = Callable[[socket.socket], None]


@dataclass
class Server:
    """A scripted server.

    Args:
        heads: What each request began with, up to the empty line.
    """

    port: int
    script: list[Script] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


def answer(status: int, body: bytes = b"", kind: str = "application/json", **headers: str) -> Script:
    """A whole answer; `retry_after` becomes Retry-After."""
    lines = [f"HTTP/1.1 {status} Word", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-').title()}: {value}" for name, value in headers.items()]
    return raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def raw(data: bytes) -> Script:
    """These bytes, and then the end of the connection."""
    return lambda peer: peer.sendall(data)


def reset(peer: socket.socket) -> None:
    """No byte at all."""


def drip(start: bytes) -> Script:
    """Some bytes, then one more every now and then for as long as the other side listens."""

    def play(peer: socket.socket) -> None:
        peer.sendall(start)
        quiet = threading.Event()
        for _ in range(500):
            quiet.wait(0.02)
            peer.sendall(b"X")

    return play


@contextmanager
def serving(*script: Script) -> Iterator[Server]:
    """A server on loopback that plays the script."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            head = b""
            while b"\r\n\r\n" not in head:
                head += self.request.recv(65536)
            server.heads.append(head.decode(errors="replace"))
            play = server.script.pop(0) if len(server.script) > 1 else server.script[0]
            try:
                play(self.request)
            except OSError:
                return

    class Threads(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Threads(("127.0.0.1", 0), Handler) as listening:
        server = Server(listening.server_address[1], list(script))
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
