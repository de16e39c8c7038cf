"""The endpoints over real HTTP: what they answer, what they refuse, and how they end."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse

import pytest

from syncd.errors import ConfigInvalid
from syncd.web import Server, serve, serving

FREE = "127.0.0.1:0"


class Patient:
    """Vitals that a test sets."""

    def __init__(self) -> None:
        self.ill: list[str] = []
        self.hindered: list[str] = []
        self.measure: Callable[[], bytes] = lambda: b"syncd_up 1\n"

    def faults(self) -> Sequence[str]:
        return self.ill

    def hindrances(self) -> Sequence[str]:
        return self.hindered

    def metrics(self) -> bytes:
        return self.measure()


@pytest.fixture
def patient() -> Patient:
    return Patient()


@pytest.fixture
def served(patient: Patient) -> Iterator[Server]:
    with serving(FREE, patient) as running:
        assert running is not None
        yield running


@contextmanager
def asked(running: Server, path: str, method: str = "GET") -> Iterator[HTTPResponse]:
    """The answer to one request, its connection closed after the block."""
    with closing(HTTPConnection(running.address, timeout=10)) as connection:
        connection.request(method, path)
        yield connection.getresponse()


def verdict(running: Server, path: str) -> tuple[int, str, list[str]]:
    with asked(running, path) as answer:
        told = json.load(answer)
    return answer.status, told["status"], told["reasons"]


def test_a_well_process_is_ok(served: Server) -> None:
    """Both questions are answered with 200 and no reason."""
    assert verdict(served, "/healthz") == (200, "ok", [])
    assert verdict(served, "/readyz") == (200, "ok", [])


def test_a_hindrance_is_no_reason_to_restart(served: Server, patient: Patient) -> None:
    """A process whose database is away is not ready, but well."""
    patient.hindered = ["acme: the database server does not serve us"]

    assert verdict(served, "/healthz") == (200, "ok", [])
    assert verdict(served, "/readyz") == (503, "failing", ["acme: the database server does not serve us"])


def test_a_fault_says_so_at_both(served: Server, patient: Patient) -> None:
    """A process that hangs is neither well nor ready, with its reason in words."""
    patient.ill = ["the ticker gave no sign of life for 30 s"]

    assert verdict(served, "/healthz") == (503, "failing", patient.ill)
    assert verdict(served, "/readyz") == (503, "failing", patient.ill)


def test_reasons_hold_no_mailbox(served: Server, patient: Patient) -> None:
    """Reasons are scrubbed as logs are."""
    patient.hindered = ["acme: ann@example.com cannot be read"]

    _, _, reasons = verdict(served, "/readyz")

    assert reasons == ["acme: <e-mail> cannot be read"]


def test_metrics_come_as_prometheus_reads_them(served: Server) -> None:
    """The page has the type that scrapers ask for."""
    with asked(served, "/metrics") as answer:
        page = answer.read()

    assert (answer.status, page) == (200, b"syncd_up 1\n")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_nothing_can_be_changed(served: Server, path: str, method: str) -> None:
    """Every method but GET and HEAD is refused."""
    with asked(served, path, method) as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] in ("GET, HEAD", "HEAD, GET")


def test_other_paths_are_not_there(served: Server) -> None:
    """There is no page about anything else."""
    for path in ("/", "/docs", "/metrics/", "/healthz/x"):
        with asked(served, path) as answer:
            assert answer.status in (307, 404), path


def test_a_slow_page_holds_up_no_health_check(served: Server, patient: Patient) -> None:
    """Health is told while a page of metrics waits for a database."""
    begun, go_on = threading.Event(), threading.Event()

    def measure() -> bytes:
        begun.set()
        go_on.wait(10)
        return b""

    patient.measure = measure
    with closing(HTTPConnection(served.address, timeout=10)) as slow:
        slow.request("GET", "/metrics")
        assert begun.wait(10)

        told = verdict(served, "/healthz")

        go_on.set()
        slow.getresponse().read()
    assert told == (200, "ok", [])


def test_a_mistake_of_ours_is_an_error_of_the_server(
    served: Server, patient: Patient, caplog: pytest.LogCaptureFixture
) -> None:
    """What metrics raise is answered with 500 without a word of it, and the server goes on."""

    def measure() -> bytes:
        raise ZeroDivisionError("canary")

    patient.measure = measure
    with asked(served, "/metrics") as answer:
        assert (answer.status, b"canary" in answer.read()) == (500, False)

    assert verdict(served, "/healthz") == (200, "ok", [])


def test_a_silent_visitor_is_shown_out(patient: Patient) -> None:
    """A connection on which nothing is asked ends by itself."""
    running = serve(FREE, patient, connection_s=0.05)

    with closing(running), socket.create_connection(_place(running), timeout=10) as visitor:
        assert _received(visitor, 1) == b""


def test_a_head_without_end_is_refused(served: Server) -> None:
    """More bytes of headers than a caller needs end the connection."""
    with socket.create_connection(_place(served), timeout=10) as visitor:
        visitor.sendall(b"GET /healthz HTTP/1.1\r\nX: " + b"x" * 70_000)
        assert _received(visitor, 12) in (b"HTTP/1.1 400", b"")


def test_it_closes_within_a_second(patient: Patient) -> None:
    """Closing cuts visitors who keep their connection and frees the port; closing again does nothing."""
    running = serve(FREE, patient)
    with socket.create_connection(_place(running), timeout=10) as visitor:
        verdict(running, "/healthz")
        began_s = time.monotonic()

        running.close()

        took_s = time.monotonic() - began_s
        assert visitor.recv(1) == b""
    running.close()
    assert took_s < 1
    serve(running.address, patient).close()


def test_a_taken_port_is_named_with_a_remedy(served: Server, patient: Patient) -> None:
    """A second process on the same address is told which and what to do."""
    with pytest.raises(
        ConfigInvalid, match=rf"{served.address} cannot be listened on: Address already in use\. End .*--listen"
    ):
        serve(served.address, patient)


@pytest.mark.parametrize("listen", ["", "9180", ":9180", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:70000", "on"])
def test_what_is_no_address_is_refused(listen: str, patient: Patient) -> None:
    """An address that cannot be meant is a mistake in the configuration, not one of the system's."""
    with pytest.raises(ConfigInvalid, match="is not an address"):
        serve(listen, patient)


def test_another_machines_address_is_named(patient: Patient) -> None:
    """An address that is not ours is a mistake in the configuration, too."""
    with pytest.raises(ConfigInvalid, match=r"192\.0\.2\.1:9180 cannot be listened on"):
        serve("192.0.2.1:9180", patient)


def test_off_serves_nothing(patient: Patient) -> None:
    """There is no server where none is wanted."""
    with serving("off", patient) as running:
        assert running is None


def _received(visitor: socket.socket, count: int) -> bytes:
    with suppress(ConnectionResetError):
        return visitor.recv(count)
    return b""


def _place(running: Server) -> tuple[str, int]:
    host, _, port = running.address.rpartition(":")
    return host, int(port)
