"""Sockets under the transport: one deadline for a whole request, and no way to addresses that are not allowed.

`requests` counts its timeouts per read, so headers or a body that drip never end; here a watchdog shuts the socket.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from types import TracebackType
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from syncd.errors import PolicyRefused

_local = threading.local()


def is_loopback(host: str) -> bool:
    """Whether a host name or address stays on this machine."""
    return host == "localhost" or host.endswith(".localhost") or _is_loopback_address(host)


def host_of(address: str) -> str:
    """The host of an address, with or without a scheme; "" where none can be read."""
    try:
        return urlsplit(address if "//" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""


def address_fault(url: str, *, insecure: bool, allow_private: bool) -> str | None:
    """What is wrong with an address that credentials would be sent to, in words; None if nothing is."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        return "must be an address such as https://shop.example.com"
    if parts.username or parts.password or parts.query or parts.fragment:
        return "must be an address without user name, query or fragment"
    if parts.scheme == "http" and not (insecure or is_loopback(host)):
        return "must be https; `insecure: true` allows http"
    if not allow_private and _is_private(host):
        return "is a private address; `allow_private: true` allows it"
    return None


class Guard:
    """One request's watch: `expired` once the deadline has passed, `was_sent` once a byte may have left.

    Args:
        deadline_s: Seconds until the socket is shut, connecting, headers and body included.
    """

    def __init__(self, deadline_s: float, *, allow_private: bool) -> None:
        self.expired = False
        self.was_sent = False
        self._allow_private = allow_private
        self._deadline_s = deadline_s
        self._socket: socket.socket | None = None
        self._woken = threading.Event()
        self._done = threading.Event()

    def __enter__(self) -> Guard:
        _local.guard = self
        threading.Thread(target=self._watch, name="deadline", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self._woken.set()
        _local.guard = None

    def expire(self) -> None:
        """Let the deadline be now; safe to call from any thread."""
        self._woken.set()

    def admit(self, opened: socket.socket) -> None:
        """Refuse a connection to a private address before anything is sent on it, whatever the name resolved to."""
        self._socket = opened
        address = opened.getpeername()[0]
        if not self._allow_private and _is_private(address):
            opened.close()
            raise PolicyRefused(
                "the shop's name leads to a private address",
                hint="Correct the store's url, or set `allow_private: true` if it is meant",
            )

    def watch_send(self, used: socket.socket) -> None:
        """Note that bytes leave on this socket now."""
        self._socket = used
        self.was_sent = True

    def _watch(self) -> None:
        self._woken.wait(self._deadline_s)
        if self._done.is_set():
            return
        self.expired = True
        self._shut()
        while not self._done.wait(0.1):  # a socket opened or wrapped in TLS just now is shut in the next round
            self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            try:
                # not SSLSocket.shutdown: it takes the TLS layer off, and the reader would see clear bytes
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
            except OSError:
                return  # already closed: nothing can be read from it either


class _WatchedHTTP(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        opened = super()._new_conn()
        _admit(opened)
        return opened

    def send(self, data: object) -> None:
        _watch_send(self)
        super().send(data)  # type: ignore[arg-type]


class _WatchedHTTPS(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        opened = super()._new_conn()
        _admit(opened)
        return opened

    def send(self, data: object) -> None:
        _watch_send(self)
        super().send(data)  # type: ignore[arg-type]


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


class WatchedAdapter(HTTPAdapter):
    """Pooled connections that report to the guard of the request under way in their thread."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool: object) -> None:
        """Build the pools from watched connections."""
        super().init_poolmanager(connections, maxsize, block, **pool)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


def _admit(opened: socket.socket) -> None:
    _local.guard.admit(opened)


def _watch_send(connection: HTTPConnection) -> None:
    if connection.sock is None:
        connection.connect()
    if connection.sock is not None:
        _local.guard.watch_send(connection.sock)


def _is_loopback_address(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_private(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return not address.is_global and not address.is_loopback
