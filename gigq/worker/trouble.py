"""What keeps a worker from working: it is logged when that begins or ends, and the worker's employer is told."""

from __future__ import annotations

from gigq.clock import Clock
from gigq.errors import NotAQueue, QueueGone, StoreError
from gigq.logs import logger
from gigq.runtime.runner import Runner
from gigq.worker.employment import Employer
from gigq.worker.throttle import Throttle

log = logger("worker")

_BETWEEN_ERRORS = 60.0
"""Seconds between two failed transactions in the log."""


class Trouble:
    """Whether a worker can start jobs and write the file. Belongs to the loop's thread.

    Attributes:
        is_stuck: whether no job can be started.
    """

    def __init__(self, runner: Runner, employer: Employer, clock: Clock) -> None:
        self.is_stuck = False
        self._runner = runner
        self._employer = employer
        self._errors = Throttle(_BETWEEN_ERRORS, clock)

    @property
    def reason(self) -> str | None:
        """Why no job can be started; None if one can."""
        return self._runner.why_stuck if self.is_stuck else None

    def has_changed(self) -> bool:
        """Look whether jobs can be started, and return whether that has changed."""
        was_stuck, self.is_stuck = self.is_stuck, self._runner.is_stuck
        if self.is_stuck == was_stuck:
            return False
        if self.is_stuck:
            log.error("%s; until that changes, no jobs are claimed here", self._runner.why_stuck)
            self._employer.stuck(self._runner.why_stuck)
        else:
            log.warning("jobs are claimed here again")
        return True

    def note_failed(self, error: StoreError, *, kept: int) -> None:
        """Take note that a transaction has failed, and log that once a minute.

        Args:
            kept: how many results are still to be written.

        Raises:
            QueueGone, NotAQueue: waiting would not mend it.
        """
        if isinstance(error, QueueGone | NotAQueue):
            raise error
        if self._errors.allows():
            results = "1 result is" if kept == 1 else f"{kept} results are"
            log.error("%s; %s kept and will be written again", error, results)
        self._employer.failed(error)
