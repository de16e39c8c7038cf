"""One merchant's app at work: what is due is pulled, derived and pushed, every store in threads of its own.

APScheduler is only the ticker. Due times, bookmarks, leases and pauses live in the database, so nothing is lost with
the process, and several processes share the work of one database.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from syncd import process
from syncd.app import PATIENCE_S, App, Selection
from syncd.clock import Clock, SystemClock
from syncd.daemon.pulls import Pulls
from syncd.daemon.pulse import Pulse, Watched
from syncd.errors import (
    BrakeTripped,
    ConfigInvalid,
    DatabaseBusy,
    DatabaseUnavailable,
    LockHeld,
    RetryLater,
    StopProcess,
    StopStore,
    SyncdError,
)
from syncd.logs import bound, get_logger
from syncd.meter import SILENT, Meter
from syncd.notify import Notifier
from syncd.segments import load_segments
from syncd.settings import Settings

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

TICK = timedelta(seconds=1)
_DERIVE_TICK = timedelta(seconds=5)
_DERIVE_EVERY = timedelta(minutes=1)  # what other processes stored, and what time alone changes
_PUSH_EVERY = timedelta(minutes=5)  # what staff changed in the shop, and what waits for another try
_CARE_EVERY = timedelta(minutes=1)
_HOUSEKEEPING_EVERY = timedelta(hours=1)
_PULL, _PUSH = "pull ", "push "  # begin the names of a store's jobs: no store's id has a space
_PULL_SILENCE_S = 600.0  # without a page or an exchange; twice what one request may take, waits included
_WORK_SILENCE_S = 3600.0  # of deriving or writing, which show no signs of life in between
_DATABASE_AWAY = (DatabaseBusy, DatabaseUnavailable)

log = get_logger(__name__)


class Works:
    """One merchant's jobs, from `start` until `close`.

    Args:
        pulse: Told of every sign of life.
        meter: Counts what is done.
        clock: What time it is and how to wait; the machine's if left out.
    """

    def __init__(self, settings: Settings, pulse: Pulse, meter: Meter = SILENT, clock: Clock | None = None) -> None:
        stop = threading.Event()
        watched = Watched(meter, self._beat)
        self.app = app = App(settings, clock=clock or SystemClock(stop), stop=stop, meter=watched)
        self.failure: StopProcess | None = None
        self._pulse = pulse
        self._merchant = settings.merchant
        self._notifier = Notifier(app, faults=pulse.silent)
        self._pulls = {store_id: Pulls(app, store_id) for store_id in settings.stores}
        self._stored = threading.Event()
        self._push_wanted: set[str] = set()
        self._last_s: dict[str, float] = {}
        self._troubles: dict[str, SyncdError] = {}
        self._started_at = app.clock.now()
        self._scheduler: BackgroundScheduler | None = None

    def open(self) -> None:
        """Make sure that database and segments are as the configuration says.

        Raises:
            StopProcess: They are not.
            DatabaseUnavailable, DatabaseBusy: The database cannot be reached now.
        """
        _ = self.app.database, self.app.segments

    def is_as_configured(self, settings: Settings) -> bool:
        """Whether settings, and the segments that they name, are those at work."""
        if settings != self.app.settings:
            return False
        with suppress(ConfigInvalid):
            return load_segments(settings.segments, tuple(settings.stores)) == self.app.segments
        return False

    def start(self) -> None:
        """Begin to work, in threads."""
        self._scheduler = self._ticker()
        self._scheduler.start()
        log.info("merchant_started", merchant=self._merchant, stores=len(self.app.settings.stores))

    def close(self) -> None:
        """Finish the pages in hand and give everything back."""
        self.app.stop.set()
        impatience = threading.Timer(PATIENCE_S, self.app.hang_up)
        impatience.start()
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)
            self._say_goodbye()
        impatience.cancel()
        self._pulse.forget(self._ticking)
        self.app.close()
        log.info("merchant_stopped", merchant=self._merchant)

    @property
    def hindrances(self) -> Sequence[str]:
        """Why nothing of this merchant can be worked now, in words; a sick store is no such reason."""
        away = (error for error in tuple(self._troubles.values()) if isinstance(error, _DATABASE_AWAY))
        return [f"{self._merchant}: {words}" for words in dict.fromkeys(str(error) for error in away)]

    def keep_ticking(self) -> None:
        """Bring jobs back whose next tick lies further off than it can: the wall clock stepped back."""
        if self._scheduler is None:
            return
        now = datetime.now(UTC)
        for job in self._scheduler.get_jobs():
            if job.next_run_time is not None and job.next_run_time > now + 2 * job.trigger.interval:
                job.modify(next_run_time=now)

    # -- jobs ---------------------------------------------------------------------------------------------------

    def pull(self, store_id: str) -> None:
        """Pull what is due of one store."""
        if self._pulls[store_id].work():
            self._stored.set()

    def derive(self) -> None:
        """Derive what pulls have touched, at once where they were ours; then let the stores' tags follow."""
        if not (self._stored.is_set() or self._is_time("derive", _DERIVE_EVERY)):
            return
        self._stored.clear()
        report = self.app.derive()
        if report.profiles or any(moves.entered or moves.left for moves in report.segments.values()):
            self._push_wanted.update(self._automatic())

    def push(self, store_id: str) -> None:
        """Bring one store's tags up to date where that is automatic."""
        if store_id not in self._push_wanted and not self._is_time(_PUSH + store_id, _PUSH_EVERY):
            return
        self._push_wanted.discard(store_id)
        self.app.apply_automatic(Selection(stores=(store_id,)))

    def take_care(self) -> None:
        """Tell that we live, and keep the house."""
        now = self.app.clock.now()
        self.app.database.daemons.seen(process.own_name(), now, self._started_at)
        if self._is_time("housekeeping", _HOUSEKEEPING_EVERY):
            self.app.database.keep_house(now, self.app.settings.housekeeping.keep_runs)

    # -- the ticker ---------------------------------------------------------------------------------------------

    def _beat(self, store_id: str) -> None:
        for job in (_PULL, _PUSH):
            self._pulse.beat(self._worker(job + store_id))

    @property
    def _ticking(self) -> str:
        return f"the ticker of {self._merchant}"

    def _worker(self, name: str) -> str:
        return f"{self._merchant}/{name}"

    def _ticker(self) -> BackgroundScheduler:
        from apscheduler.executors.pool import ThreadPoolExecutor
        from apscheduler.schedulers.background import BackgroundScheduler

        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns of each tick that finds its job at work
        scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

        def every(interval: timedelta, name: str, work: Callable[[], None], silence_s: float) -> None:
            scheduler.add_executor(ThreadPoolExecutor(1), name)
            scheduler.add_job(
                self._guarded,
                "interval",
                args=[name, work, silence_s],
                seconds=interval.total_seconds(),
                next_run_time=datetime.now(UTC),
                executor=name,
                id=name,
            )

        self._pulse.expect(self._ticking, 60.0)
        scheduler.add_job(self._pulse.beat, "interval", args=[self._ticking], seconds=TICK.total_seconds())
        for store_id in self.app.settings.stores:
            every(TICK, _PULL + store_id, partial(self.pull, store_id), _PULL_SILENCE_S)
        for store_id in self._automatic():
            every(_DERIVE_TICK, _PUSH + store_id, partial(self.push, store_id), _WORK_SILENCE_S)
        every(_DERIVE_TICK, "derive", self.derive, _WORK_SILENCE_S)
        every(_CARE_EVERY, "care", self.take_care, _WORK_SILENCE_S)
        every(_CARE_EVERY, "notices", self._notifier.round, _WORK_SILENCE_S)  # told also while the database is away
        return scheduler

    def _guarded(self, name: str, work: Callable[[], None], silence_s: float) -> None:
        """Run one job; the ticker's thread survives whatever happens in it."""
        if self.app.stop.is_set():
            return
        with bound(merchant=self._merchant), self._pulse.at_work(self._worker(name), silence_s):
            try:
                work()
            except (RetryLater, StopStore, BrakeTripped, ConfigInvalid, LockHeld) as error:
                self._tell(name, error)
            except StopProcess as error:
                self.failure = error
                self.app.stop.set()
            except Exception:
                log.exception("job_crashed", job=name)
            else:
                self._well(name)

    def _tell(self, name: str, error: SyncdError) -> None:
        """Log why a job cannot be done, once for as long as it is so."""
        known = self._troubles.get(name)
        self._troubles[name] = error
        if known is None or str(known) != str(error):
            log.warning("job_failing", job=name, error=type(error).__name__, reason=error.advice)

    def _well(self, name: str) -> None:
        if self._troubles.pop(name, None) is not None:
            log.info("job_well", job=name)

    def _automatic(self) -> list[str]:
        return [store_id for store_id, store in self.app.settings.stores.items() if store.push.mode == "auto"]

    def _is_time(self, what: str, every: timedelta) -> bool:
        """Whether so much time went by since this was last answered with yes; the first answer is yes."""
        now_s = self.app.clock.monotonic()
        if now_s - self._last_s.get(what, -math.inf) < every.total_seconds():
            return False
        self._last_s[what] = now_s
        return True

    def _say_goodbye(self) -> None:
        with suppress(RetryLater, StopProcess):
            self.app.database.daemons.gone(process.own_name())
