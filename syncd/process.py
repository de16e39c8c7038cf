"""Which process this is, in words that another process can check: leases of the dead need not run out.

A name is `host:boot:pid:start:salt`. On another host nothing can be known, so its leases are waited for. Where the
system tells neither boot nor start (no /proc), only a process id that is free is known to be gone.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

_SALT = secrets.token_hex(4)


def own_name() -> str:
    """This process's name, the same for as long as it lives."""
    return ":".join((os.uname().nodename, _boot(), str(os.getpid()), _start(os.getpid()), _SALT))


def shown(name: str) -> str:
    """The named process as an operator looks for it."""
    parts = name.split(":")
    return f"process {parts[2]} on {parts[0]}" if len(parts) == 5 else name


def is_gone(name: str) -> bool:
    """Whether the named process has surely ended: False where that cannot be known."""
    parts = name.split(":")
    if len(parts) != 5 or parts[0] != os.uname().nodename:
        return False
    boot, pid, start, salt = parts[1], int(parts[2]), parts[3], parts[4]
    if boot != _boot():
        return True
    if pid == os.getpid():
        return salt != _SALT
    return not _lives(pid) or start != _start(pid)


def _boot() -> str:
    return _read("/proc/sys/kernel/random/boot_id").strip()


def _start(pid: int) -> str:
    """When the process started, in clock ticks since boot: tells a new process from an old one of the same id."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 else ""


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
