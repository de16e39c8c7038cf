"""The process behind `syncd run`: merchants at work, their health, and an orderly end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from syncd import web
from syncd.clock import SystemClock
from syncd.daemon import systemd
from syncd.daemon.pulse import Pulse
from syncd.daemon.works import Works
from syncd.errors import ConfigInvalid, ExitCode, RetryLater, StopProcess, SyncdError
from syncd.logs import get_logger
from syncd.settings import Settings

_TURN_S = 1.0
_RETRY_S = 30.0  # a database that was away, one that is to be upgraded

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Configured:
    """Every merchant's settings by name, and what is wrong with those that cannot be read."""

    settings: Mapping[str, Settings]
    faults: Mapping[str, ConfigInvalid] = field(default_factory=dict)


class Service:
    """Works every configured merchant until its stop event is set. No merchant sees another one's app.

    Args:
        load: Reads the configuration, at the start and whenever `reload` is called.
        stop: Ends the service; pages in hand are finished first.
        listen: HOST:PORT for health and metrics, or "off".
    """

    def __init__(self, load: Callable[[], Configured], *, stop: threading.Event, listen: str = "off") -> None:
        self._load = load
        self._stop = stop
        self._listen = listen
        self._clock = SystemClock(stop)
        self._pulse = Pulse(self._clock)
        self._meters = web.Meters()
        self._configured = Configured(settings={})
        self._at_work: dict[str, Works] = {}
        self._waiting: dict[str, SyncdError] = {}
        self._changing = threading.Lock()  # of who is at work: one thread at a time opens and closes
        self._wants_reload = threading.Event()
        self._failure: StopProcess | None = None

    def reload(self) -> None:
        """Read the configuration again soon; safe to call from a signal handler."""
        self._wants_reload.set()

    def run(self) -> ExitCode:
        """Work until told to stop.

        Returns:
            OK after an orderly end.

        Raises:
            StopProcess: No merchant can be worked until somebody acts: the configuration or the database is wrong.
        """
        self._configured = self._load()
        with web.serving(self._listen, self):
            self._open_all()
            systemd.tell("READY=1")
            self._turn_until_stopped()
            systemd.tell("STOPPING=1")
            with self._changing:
                self._close(list(self._at_work))
        if self._failure is not None:
            raise self._failure
        return ExitCode.OK

    # -- health -------------------------------------------------------------------------------------------------

    def faults(self) -> Sequence[str]:
        """Why the process should be started again, in words; none while every thread shows that it lives."""
        return self._pulse.silent()

    def hindrances(self) -> Sequence[str]:
        """Why some merchant cannot be worked now, in words."""
        waiting = [f"{name}: {error}" for name, error in tuple(self._waiting.items())]
        return waiting + [words for works in tuple(self._at_work.values()) for words in works.hindrances]

    def metrics(self) -> bytes:
        """Everything counted, as Prometheus reads it."""
        away = {self._configured.settings[name].merchant for name in self._waiting if name in self._configured.settings}
        return self._meters.page(away)

    # -- turns --------------------------------------------------------------------------------------------------

    def _turn_until_stopped(self) -> None:
        """Once a second: notice what died, what is to be read again, what can be tried again; then tell that we live.

        What may take long is done in threads, so that a missing sign of life always means that something hangs.
        """
        retry_at_s = self._clock.monotonic() + _RETRY_S
        while not self._stop.wait(_TURN_S):
            for works in tuple(self._at_work.values()):
                works.keep_ticking()
            self._part_with_failed()
            if self._wants_reload.is_set() and not self._changing.locked():
                self._wants_reload.clear()
                self._aside(self._reload)
            if self._waiting and self._clock.monotonic() > retry_at_s and not self._changing.locked():
                retry_at_s = self._clock.monotonic() + _RETRY_S
                self._aside(self._open_waiting)
            if not self.faults():
                systemd.tell("WATCHDOG=1")

    def _aside(self, work: Callable[[], None]) -> None:
        threading.Thread(target=self._exclusively, args=[work], name=work.__name__, daemon=True).start()

    def _exclusively(self, work: Callable[[], None]) -> None:
        with self._changing:
            if not self._stop.is_set():
                work()

    def _part_with_failed(self) -> None:
        """A merchant whose database is damaged stops alone; the only merchant takes the process with it."""
        failed = {name: works.failure for name, works in tuple(self._at_work.items()) if works.failure is not None}
        for name, failure in failed.items():
            if len(self._configured.settings) == 1:
                self._failure = failure
                self._stop.set()
            elif name not in self._waiting:
                self._wait(name, failure)
                self._aside(lambda name=name: self._close([name]))  # type: ignore[misc]

    # -- merchants ----------------------------------------------------------------------------------------------

    def _open_all(self) -> None:
        for name, fault in self._configured.faults.items():
            self._wait(name, fault)
        self._exclusively(self._open_waiting)
        if not self._at_work and not any(isinstance(error, RetryLater) for error in self._waiting.values()):
            raise next(iter(self._waiting.values()))

    def _open_waiting(self) -> None:
        """Open every merchant that is configured and not at work."""
        for name, settings in self._configured.settings.items():
            if name not in self._at_work and (works := self._opened(name, settings)) is not None:
                self._begin(name, works)

    def _opened(self, name: str, settings: Settings) -> Works | None:
        """A merchant's works with its database open; None, with the reason kept, where that cannot be had."""
        works = Works(settings, self._pulse, self._meters.of(settings.merchant))
        try:
            works.open()
        except (StopProcess, RetryLater) as error:
            works.close()
            self._wait(name, error)
            return None
        return works

    def _begin(self, name: str, works: Works) -> None:
        self._waiting.pop(name, None)
        self._at_work[name] = works
        self._meters.watch(works.app)
        works.start()

    def _wait(self, name: str, error: SyncdError) -> None:
        if str(self._waiting.get(name)) != str(error):
            log.error("merchant_waits", config=name, error=type(error).__name__, reason=error.advice)
        self._waiting[name] = error

    def _close(self, names: Sequence[str]) -> None:
        """Let merchants finish their pages in hand, all at the same time."""
        ending = [self._at_work.pop(name) for name in names]
        for works in ending:
            works.app.stop.set()
            self._meters.unwatch(works.app)
        closers = [threading.Thread(target=works.close, name="close") for works in ending]
        for closer in closers:
            closer.start()
        for closer in closers:
            closer.join()

    def _reload(self) -> None:
        """Take on what changed in the configuration; a merchant whose new configuration is wrong keeps the old one."""
        systemd.tell_reloading()
        try:
            configured = self._load()
        except StopProcess as error:
            log.error("reload_refused", reason=error.advice)
        else:
            self._configured = self._merged(configured)
            self._take_on()
        systemd.tell("READY=1")

    def _merged(self, configured: Configured) -> Configured:
        """What is read now, with what is at work in the place of what cannot be read any more."""
        for name, fault in configured.faults.items():
            log.error("reload_refused", config=name, reason=fault.advice)
        kept = {name: self._at_work[name].app.settings for name in configured.faults if name in self._at_work}
        return Configured(settings={**kept, **configured.settings}, faults=configured.faults)

    def _take_on(self) -> None:
        self._waiting = dict(self._configured.faults.items())
        self._close([name for name in self._at_work if name not in self._configured.settings])
        for name, settings in self._configured.settings.items():
            old = self._at_work.get(name)
            if old is None or not old.is_as_configured(settings):
                self._exchange(name, settings)

    def _exchange(self, name: str, settings: Settings) -> None:
        new = self._opened(name, settings)
        if new is not None and name in self._at_work:
            self._close([name])
        if new is not None:
            self._begin(name, new)
            log.info("reloaded", merchant=settings.merchant)
