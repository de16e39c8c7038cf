"""Logs: what a line holds, and what must never be in one."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from syncd import logs
from syncd.errors import ConfigInvalid

KEY = "ck_" + "0a1b" * 10
SECRET = "cs_" + "9f8e" * 10


class Output(io.StringIO):
    """A stream that keeps what was logged; a terminal if told so."""

    def __init__(self, *, is_terminal: bool = False) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        """Whether it claims to be a terminal."""
        return self._is_terminal

    @property
    def lines(self) -> list[str]:
        """What was logged, line by line."""
        return self.getvalue().splitlines()

    @property
    def events(self) -> list[dict[str, object]]:
        """What was logged as JSON."""
        return [json.loads(line) for line in self.lines]


@pytest.fixture
def output() -> Iterator[Output]:
    """Logs as JSON at info; everything is put back afterwards."""
    handlers, level = logging.root.handlers[:], logging.root.level
    stream = Output()
    logs.configure("info", "json", stream)
    yield stream
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    logging.raiseExceptions = True


log = logs.get_logger("syncd.sync")


def test_a_line_holds_event_facts_and_the_time_in_utc(output: Output) -> None:
    """An event is its name, its facts, where it was said, how grave it is, and when."""
    log.info("page_stored", record_count=7, is_last=True)

    (event,) = output.events
    at = datetime.fromisoformat(str(event.pop("timestamp")))
    assert event == {
        "event": "page_stored",
        "record_count": 7,
        "is_last": True,
        "module": "syncd.sync",
        "level": "info",
    }
    assert at.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)


def test_facts_that_are_bound_stand_in_every_line_of_the_block(output: Output) -> None:
    """Run, store and stream are said once; libraries' lines have them too."""
    with logs.bound(run_id="r1", store="us-woo", stream="orders"):
        log.info("page_stored")
        logging.getLogger("urllib3").warning("slow")
    log.info("derived")

    assert [event.get("run_id") for event in output.events] == ["r1", "r1", None]
    assert output.events[0]["store"] == "us-woo"


def test_the_level_is_a_floor(output: Output) -> None:
    """What is less grave than the level is not said."""
    logs.configure("warning", "json", output)

    log.info("page_stored")
    log.warning("store_paused")

    assert [event["event"] for event in output.events] == ["store_paused"]


def test_an_unknown_level_is_refused_with_those_there_are(output: Output) -> None:
    """A mistyped level changes nothing and is told in words."""
    with pytest.raises(ConfigInvalid, match=r'no log level "loud". Use one of: debug, info, warning, error'):
        logs.configure("loud", "json", output)


@pytest.mark.parametrize(
    ("format_", "is_terminal", "is_json"),
    [
        ("auto", False, True),
        ("auto", True, False),
        ("json", True, True),
        ("console", False, False),
    ],
)
def test_auto_is_console_on_a_terminal_and_json_elsewhere(
    output: Output, format_: str, is_terminal: bool, is_json: bool
) -> None:
    """The format follows the stream unless it is named."""
    stream = Output(is_terminal=is_terminal)
    logs.configure("info", format_, stream)

    log.info("page_stored")

    assert stream.lines[0].startswith("{") is is_json
    assert output.lines == []


def test_libraries_are_heard_from_warning_up(output: Output) -> None:
    """What libraries say takes the same way, even at debug never below warning: there they print keys."""
    logs.configure("debug", "json", output)
    library = logging.getLogger("urllib3.connectionpool")

    library.debug("GET /?oauth_signature=%s", "abc")
    library.warning("retry of %s", f"https://x/?consumer_key={KEY}&oauth_signature=abc%3D&page=2")

    (event,) = output.events
    assert event["event"] == "library_message"
    assert event["module"] == "urllib3.connectionpool"
    assert event["message"] == "retry of https://x/?consumer_key=***&oauth_signature=***&page=2"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"key {KEY} and {SECRET}.", "key *** and ***."),
        ("shpat_0123456789abcdef shpss_ABC", "*** ***"),
        ("Authorization: Basic Y2s6Y3M=", "Authorization: ***"),
        ("{'authorization': 'Bearer abc', 'Accept': 'x'}", "{'authorization': '***', 'Accept': 'x'}"),
        ("postgresql://syncd:pa:ss@db/x", "postgresql://syncd:***@db/x"),
        ("oauth_signature=a%2Bb&x=1", "oauth_signature=***&x=1"),
        ("mail to jo.o'neil+shop@mail.example.org now", "mail to jo.o'<e-mail> now"),
        ("one\r\ntwo\x1b[31m\x85\u2028\u202e", r"one\r\ntwo\x1b[31m\x85\u2028\u202e"),
        ("Müller, 東京, ck_short", "Müller, 東京, ck_short"),
    ],
)
def test_secrets_addresses_and_control_characters_are_scrubbed(output: Output, said: str, shown: str) -> None:
    """What looks like a secret or a mailbox is masked wherever it stands; what could forge a line is escaped."""
    log.info("said", text=said, deep=[{"text": (said,)}])

    (event,) = output.events
    assert event["text"] == shown
    assert event["deep"] == [{"text": [shown]}]


def test_registered_secrets_are_masked_also_as_they_stand_in_urls(output: Output) -> None:
    """A secret that follows no pattern is masked once it is registered; a tiny one would eat ordinary words."""
    logs.register_secret("p/ss w?rd")
    logs.register_secret("on")

    log.info("said", text="p/ss w?rd p%2Fss%20w%3Frd", other="only")

    assert output.events[0]["text"] == "*** ***"
    assert output.events[0]["other"] == "only"


@pytest.mark.parametrize(
    "key", ["Authorization", "consumer_secret", "consumer_key", "password", "access_token", "Cookie"]
)
def test_a_fact_named_like_a_secret_is_masked(output: Output, key: str) -> None:
    """The value of a telling key is never shown, at any depth."""
    log.info("said", **{key: "abc", "headers": {key: ["abc"]}})

    assert output.events[0][key] == "***"
    assert output.events[0]["headers"] == {key: "***"}


def test_a_long_value_is_cut(output: Output) -> None:
    """One value cannot fill the disk, and a long run of letters is scrubbed in no time."""
    log.info("said", text="x" * 1_000_000)

    assert len(str(output.events[0]["text"])) == 4000


def test_an_exception_is_its_class_and_message(output: Output) -> None:
    """Without debug there is no traceback."""
    _fail_and_log()

    (event,) = output.events
    assert (event["error"], event["reason"]) == ("ValueError", "no *** here")
    assert "Traceback" not in output.getvalue()


def test_at_debug_an_exception_has_a_traceback_without_values(output: Output) -> None:
    """The traceback shows source lines, scrubbed, and no local variable."""
    logs.configure("debug", "json", output)

    _fail_and_log()

    trace = output.events[0]["traceback"]
    assert isinstance(trace, list)
    assert trace[0] == "Traceback (most recent call last):"
    assert trace[-1] == "ValueError: no *** here"
    assert "local-canary" not in output.getvalue()


def test_a_traceback_on_the_console_imitates_no_line(output: Output) -> None:
    """Each line of it is set apart, so that a message cannot pass for an event."""
    logs.configure("debug", "console", output)

    _fail_and_log()

    assert len(output.lines) > 2
    assert all(line.startswith("  | ") for line in output.lines[1:])


def _fail_and_log() -> None:
    local = "-".join(("local", "canary"))
    try:
        raise ValueError(f"no {KEY} here"[: 100 + len(local)])
    except ValueError:
        log.exception("job_crashed")


def test_a_librarys_exception_is_its_class_and_message(output: Output) -> None:
    """What a library logs with an exception has the same form."""
    error = KeyError(SECRET)

    logging.getLogger("apscheduler").error("job failed", exc_info=error)

    (event,) = output.events
    assert (event["error"], event["reason"]) == ("KeyError", "'***'")
    assert "Traceback" not in output.getvalue()


def test_a_pseudonym_is_the_same_within_one_installation_only() -> None:
    """The same person has one name under one salt, whatever the case, and another under another salt."""
    name = logs.pseudonym(" Jo@Example.org", b"salt")

    assert name == logs.pseudonym("jo@example.org", b"salt")
    assert name != logs.pseudonym("jo@example.org", b"other")
    assert name != logs.pseudonym("jo@example.com", b"salt")
    assert "jo" not in name


FULL_DISK = """
from syncd import logs
logs.configure("info", "json")
for number in range(3):
    logs.get_logger("syncd").info("page_stored", number=number)
    print(number)
"""


def test_a_log_on_a_full_disk_stops_nothing() -> None:
    """Lines that find no room are lost, and whoever logged them goes on."""
    with Path("/dev/full").open("wb", buffering=0) as full:
        done = subprocess.run(
            [sys.executable, "-c", FULL_DISK], stdout=subprocess.PIPE, stderr=full, text=True, check=False, timeout=60
        )

    assert (done.returncode, done.stdout.split()) == (0, ["0", "1", "2"])


CRASH = f"""
import sys, threading
from syncd import logs
logs.install_excepthook()
if sys.argv[1] == "debug":
    logs.configure("debug", "json")
local = "-".join(("local", "canary"))
thread = threading.Thread(target=lambda: {{}}["{KEY}"])
thread.start()
thread.join()
raise RuntimeError("at the end {SECRET}")
"""


@pytest.mark.parametrize("mode", ["early", "debug"])
def test_what_nobody_caught_is_one_event_without_values(mode: str) -> None:
    """A crash, in the main thread or another, even before logs are configured, leaks nothing and exits with 1."""
    done = subprocess.run([sys.executable, "-c", CRASH, mode], capture_output=True, text=True, check=False, timeout=60)

    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 1
    assert [(event["event"], event["error"]) for event in events] == [
        ("crashed", "KeyError"),
        ("crashed", "RuntimeError"),
    ]
    assert [event["reason"] for event in events] == ["'***'", "at the end ***"]
    assert all(("traceback" in event) == (mode == "debug") for event in events)
    assert "local-canary" not in done.stderr
    assert done.stdout == ""
