"""Carries messages out of the house, and the sign of life; whatever the other end does, neither takes long."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from syncd.logs import get_logger

DEADLINE_S = 30.0
_BEAT_TIMEOUT_S = 10.0
_LOOK_EVERY_S = 0.05
_HEARTBEAT = "heartbeat"

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What is sent to people; `kind` chooses the sign or colour that it comes with."""

    title: str
    body: str
    kind: Literal["warning", "success", "info"]


class Courier:
    """Sends to addresses that are secrets: what it logs names them by their place in the configuration.

    Args:
        urls: Addresses as apprise writes them.
        heartbeat_url: Asked for at each sign of life; None where nobody listens.
        deadline_s: How long errands may take; what then still hangs is left behind and not begun again meanwhile.
        stop: Ends the waiting for them at once.
    """

    def __init__(
        self,
        urls: Sequence[str],
        heartbeat_url: str | None = None,
        *,
        deadline_s: float = DEADLINE_S,
        stop: threading.Event | None = None,
    ) -> None:
        self._urls = {f"address {number}": url for number, url in enumerate(urls, 1)}
        self._heartbeat_url = heartbeat_url
        self._deadline_s = deadline_s
        self._stop = stop or threading.Event()
        self._errands: dict[str, _Errand] = {}
        self._failing: set[str] = set()

    @property
    def has_addresses(self) -> bool:
        """Whether there is anybody to send to."""
        return bool(self._urls)

    def send(self, message: Message) -> bool:
        """Send a message; True if at least one address took it."""
        return any(self.send_each(message).values())

    def send_each(self, message: Message) -> dict[str, bool]:
        """Send a message; for each address whether it took it."""
        return self._run({name: lambda url=url: _deliver(url, message) for name, url in self._urls.items()})  # type: ignore[misc]

    def beat(self) -> dict[str, bool]:
        """Give a sign of life, where somebody waits for one; whether it was taken."""
        url = self._heartbeat_url
        return self._run({_HEARTBEAT: lambda: _fetch(url)}) if url is not None else {}

    def _run(self, works: Mapping[str, Callable[[], bool]]) -> dict[str, bool]:
        """Do errands side by side until all are done or it is too late; which of them went well."""
        for name, work in works.items():
            if name not in self._errands or not self._errands[name].is_alive():
                self._errands[name] = _Errand(name, work)
                self._errands[name].start()
        self._wait([self._errands[name] for name in works])
        return {name: self._noted(name, is_well=self._errands[name].ends_well(work)) for name, work in works.items()}

    def _wait(self, errands: Sequence[_Errand]) -> None:
        ends_at_s = time.monotonic() + self._deadline_s
        while any(errand.is_alive() for errand in errands) and time.monotonic() < ends_at_s:
            if self._stop.wait(_LOOK_EVERY_S):
                return

    def _noted(self, name: str, *, is_well: bool) -> bool:
        """Log once that an errand fails, and once that it does no longer."""
        if is_well and name in self._failing:
            log.info("notify_well", errand=name)
        if not is_well and name not in self._failing:
            log.warning("notify_failing", errand=name)
        (self._failing.discard if is_well else self._failing.add)(name)
        return is_well


class _Errand(threading.Thread):
    """A piece of work that may hang; the process ends without waiting for it."""

    def __init__(self, name: str, work: Callable[[], bool]) -> None:
        super().__init__(name=f"notify {name}", daemon=True)
        self._work = work
        self._is_done = False

    def run(self) -> None:
        """Do the work and keep whether it went well."""
        self._is_done = self._work()

    def ends_well(self, work: Callable[[], bool]) -> bool:
        """Whether it did this work, and not one that was begun before."""
        return self._is_done and self._work is work


def _deliver(url: str, message: Message) -> bool:
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it tells parts of addresses
    # Without a limit of its own it works in this thread; its own threads would be waited for at the process's end.
    service = apprise.Apprise(asset=apprise.AppriseAsset(service_timeout=0))
    if not service.add(url):
        return False
    sent = service.notify(title=message.title, body=message.body, notify_type=message.kind, body_format="text")
    return bool(sent)


def _fetch(url: str) -> bool:
    import requests

    try:
        with requests.get(url, timeout=_BEAT_TIMEOUT_S, allow_redirects=False, stream=True) as answer:
            return answer.ok and not answer.is_redirect
    except requests.RequestException:
        return False
