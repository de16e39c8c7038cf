"""Whether a process that held a lease is surely gone."""

from __future__ import annotations

import os
import subprocess
import sys

from syncd.process import is_gone, own_name, shown

NAME = "from syncd.process import own_name; print(own_name(), flush=True); input()"


def test_a_living_process_is_not_gone_and_a_dead_one_is() -> None:
    """Another process on this machine is gone once it has ended, not before."""
    other = subprocess.Popen([sys.executable, "-c", NAME], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    name = other.stdout.readline().strip()

    while_alive = is_gone(name)
    other.communicate("\n")

    assert not while_alive
    assert is_gone(name)


def test_a_new_process_with_an_old_id_is_not_taken_for_the_old_one() -> None:
    """The start time tells two processes of one id apart, a restarted container's included."""
    host, boot, pid, start, salt = own_name().split(":")

    assert is_gone(":".join((host, boot, pid, start, "other")))
    assert is_gone(":".join((host, "another-boot", pid, start, salt)))
    assert not is_gone(own_name())


def test_nothing_is_known_of_other_machines_or_other_names() -> None:
    """A lease from elsewhere is waited for."""
    assert not is_gone("elsewhere:boot:1:2:salt")
    assert not is_gone("worker")


def test_a_process_is_shown_as_one_looks_for_it() -> None:
    """Of its name an operator sees the process id and the host."""
    assert shown(own_name()) == f"process {os.getpid()} on {os.uname().nodename}"
    assert shown("a worker") == "a worker"
