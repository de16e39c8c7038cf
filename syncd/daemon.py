"""`syncd run`: the app on a schedule.

APScheduler is only the ticker; due times, bookmarks, leases and pauses live in the database, so nothing is lost with
the process. Every store has its own single worker thread: a slow or sick store delays nobody else.
"""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from syncd.app import App, Selection
from syncd.errors import BrakeTripped, ConfigInvalid, ExitCode, LockHeld, RetryLater, StopProcess, StopStore, SyncdError
from syncd.logs import get_logger
from syncd.model import Stream

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

DRAIN_S = 20.0
_DERIVE_EVERY = timedelta(minutes=1)
_PAUSED_RETRY = timedelta(minutes=10)

log = get_logger(__name__)


class Daemon:
    """Runs one merchant's app until its stop event is set.

    Args:
        app: Opened from the configuration; its stop event ends the daemon.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._failure: StopProcess | None = None
        self._retry_at: dict[str, datetime] = {}
        self._told: set[str] = set()

    def run(self) -> ExitCode:
        """Work on schedule until told to stop, then finish the pages in hand.

        Returns:
            OK after an orderly end. A process that cannot end within `DRAIN_S` leaves with TRY_AGAIN.

        Raises:
            StopProcess: A job met a failure that the whole process must stop for.
        """
        _ = self._app.database, self._app.segments  # a wrong database or segment ends the daemon before it starts
        scheduler = self._scheduler()
        scheduler.start()
        log.info("daemon_started", stores=len(self._app.settings.stores))
        self._app.stop.wait()
        self._drain(scheduler)
        if self._failure is not None:
            raise self._failure
        return ExitCode.OK

    def _scheduler(self) -> BackgroundScheduler:
        from apscheduler.executors.pool import ThreadPoolExecutor
        from apscheduler.schedulers.background import BackgroundScheduler

        workers = {store_id: ThreadPoolExecutor(1) for store_id in self._app.settings.stores}
        scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={**workers, "derive": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        now = self._app.clock.now()
        for store_id, config in self._app.settings.stores.items():
            for stream, schedule in config.streams.items():
                scheduler.add_job(
                    self._guarded,
                    "interval",
                    args=[self._pull, store_id, stream],
                    seconds=schedule.every.total_seconds(),
                    next_run_time=now,
                    executor=store_id,
                    id=f"{store_id}/{stream}",
                )
        scheduler.add_job(
            self._guarded,
            "interval",
            args=[self._derive_and_push],
            seconds=_DERIVE_EVERY.total_seconds(),
            executor="derive",
            id="derive",
        )
        return scheduler

    def _drain(self, scheduler: BackgroundScheduler) -> None:
        """Let the pages in hand be committed; a job that hangs does not hold the process for ever."""
        log.info("daemon_stopping")
        deadline = threading.Timer(DRAIN_S - 2, os._exit, args=[int(ExitCode.TRY_AGAIN)])
        deadline.daemon = True
        deadline.start()
        scheduler.shutdown(wait=True)
        deadline.cancel()
        log.info("daemon_stopped")

    def _guarded(self, job: object, *arguments: object) -> None:
        """Run one job; the scheduler's thread survives whatever happens in it."""
        try:
            job(*arguments)  # type: ignore[operator]
        except (RetryLater, StopStore, BrakeTripped, ConfigInvalid, LockHeld) as error:
            self._tell(error)  # one store's trouble, a plan that waits for approval: the others go on
        except StopProcess as error:
            self._failure = error
            self._app.stop.set()
        except Exception:
            log.exception("job_crashed", job=getattr(job, "__name__", ""))

    def _tell(self, error: SyncdError) -> None:
        """Log why a job could not be done, once for each reason."""
        if str(error) not in self._told:
            self._told.add(str(error))
            log.warning("job_failed", error=type(error).__name__, reason=error.advice)

    def _pull(self, store_id: str, stream: Stream) -> None:
        now = self._app.clock.now()
        if self._app.stop.is_set() or self._retry_at.get(store_id, now) > now:
            return
        selection = Selection(stores=(store_id,), streams=(stream,))
        outcomes = self._app.pull(selection, self._app.live_ask)
        if any(isinstance(outcome.error, (StopStore, ConfigInvalid)) for outcome in outcomes):
            self._retry_at[store_id] = now + _PAUSED_RETRY

    def _derive_and_push(self) -> None:
        self._app.derive()
        self._app.apply_automatic()
