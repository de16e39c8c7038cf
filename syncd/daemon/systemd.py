"""What a service tells the system that started it, over the socket in NOTIFY_SOCKET; nothing where there is none."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress


def tell(*lines: str) -> None:
    """Send some `NAME=value` lines, such as READY=1, WATCHDOG=1 or STATUS=...; a deaf listener is no failure."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaker:
        speaker.setblocking(False)
        speaker.sendto("\n".join(lines).encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)


def tell_reloading() -> None:
    """Say that the configuration is being read again; READY=1 ends it."""
    tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
