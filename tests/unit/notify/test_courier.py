"""The courier: quick whatever the other end does, silent about addresses."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from syncd import logs
from syncd.notify import Courier, Message
from tests.unit.notify.kit import Ears, listening

MESSAGE = Message(title="title", body="first line\nsecond <line> & `more` *of* it", kind="warning")


@pytest.fixture
def ears() -> Iterator[Ears]:
    with listening() as heard:
        yield heard


def test_a_message_arrives_as_it_is(ears: Ears) -> None:
    """Nothing in the text is taken for markup."""
    assert Courier([ears.url]).send(MESSAGE)

    [heard] = ears.heard
    assert (heard["title"], heard["message"], heard["type"]) == ("title", MESSAGE.body, "warning")


def test_each_address_is_told_of_by_its_place(ears: Ears) -> None:
    """Who tries the addresses learns which of them work, without seeing them."""
    courier = Courier([ears.url, "json://127.0.0.1:1/dead", "no-such-service://x"])

    assert courier.send_each(MESSAGE) == {"address 1": True, "address 2": False, "address 3": False}


def test_an_address_that_hangs_is_left_behind(ears: Ears) -> None:
    """After the deadline the message counts as not sent; while it hangs nothing more is put onto it."""
    ears.holds.clear()
    courier = Courier([ears.url], deadline_s=0.2)
    begun = time.monotonic()
    taken = [courier.send(MESSAGE) for _ in range(3)]
    took_s = time.monotonic() - begun
    hanging = [thread for thread in threading.enumerate() if thread.name == "notify address 1"]

    assert taken == [False, False, False]
    assert took_s < 3
    assert len(hanging) == 1


def test_the_end_of_the_process_is_not_waited_out(ears: Ears) -> None:
    """A process that is told to end does not wait for a silent address."""
    ears.holds.clear()
    stop = threading.Event()
    stop.set()
    begun = time.monotonic()

    assert not Courier([ears.url], stop=stop).send(MESSAGE)
    assert time.monotonic() - begun < 5


SENDER = """
import sys
from syncd.notify import Courier, Message
print(Courier([sys.argv[1]], deadline_s=0.1).send(Message(title="title", body="body", kind="info")))
"""


def test_a_process_ends_though_an_address_hangs(ears: Ears) -> None:
    """What hangs is left behind at the end of the process, too."""
    ears.holds.clear()
    address = f"{ears.url}?rto=60"  # how long the address itself wants to be waited for
    done = subprocess.run(
        [sys.executable, "-c", SENDER, address], capture_output=True, text=True, check=False, timeout=20
    )

    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "False")


def test_a_sign_of_life_is_one_request(ears: Ears) -> None:
    """It goes to its own address."""
    Courier([], ears.heartbeat_url).beat()

    assert (ears.beats, ears.heard) == (["/beat-for-no-others"], [])


def test_no_address_is_logged(ears: Ears) -> None:
    """A failure is logged once, and once that it is over, by the place of the address; its key appears nowhere."""
    out = io.StringIO()
    logs.configure("debug", "json", out)
    ears.status = 500
    courier = Courier([ears.url, "no-such-service://key-in-an-address"], ears.heartbeat_url)
    for _ in range(2):
        courier.send(MESSAGE)
        courier.beat()
    ears.status = 200
    courier.send(MESSAGE)
    courier.beat()

    words = out.getvalue()
    assert [word for word in ("nobody-may-see", "key-in-an-address", "no-others") if word in words] == []
    assert words.count("notify_failing") == 3
    assert words.count("notify_well") == 2
