"""The progress, the cursors and the logs of running jobs that a worker has yet to write."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from gigq.clock import Clock
from gigq.reports import Progress
from gigq.runtime.runner import Runner
from gigq.worker.inflight import Inflight

_SECONDS_BETWEEN_WRITES = 0.5


class ProgressWriter:
    """Decides what is to be written of the output of running jobs.

    Belongs to the loop's thread; another one may ask for progress only while that one runs a job itself.

    Attributes:
        logs: of executions that were taken from the worker, for the next turn to write.
    """

    def __init__(self, runner: Runner, inflight: Inflight, clock: Clock) -> None:
        self.logs: dict[int, str] = {}
        self._runner = runner
        self._inflight = inflight
        self._clock = clock
        self._next_at = clock.monotonic()

    def progress(self) -> Mapping[int, Progress]:
        """Return the progress that has changed since it was last written; nothing if that was a moment ago."""
        if self._clock.monotonic() < self._next_at:
            return {}
        return {
            execution: progress
            for execution, progress in self._runner.progress().items()
            if (owned := self._inflight.get(execution)) is not None and owned.progress != progress
        }

    def cursors(self) -> Mapping[int, str]:
        """Return the cursors that have changed since they were last written; nothing if that was a moment ago."""
        if self._clock.monotonic() < self._next_at:
            return {}
        return {
            execution: cursor
            for execution, cursor in self._runner.cursors().items()
            if (owned := self._inflight.get(execution)) is not None and owned.cursor != cursor
        }

    def note_written(self, progress: Mapping[int, Progress], cursors: Mapping[int, str]) -> None:
        """Take note of what is now in the file."""
        for execution, each in progress.items():
            if (owned := self._inflight.get(execution)) is not None:
                owned.progress = each
        for execution, cursor in cursors.items():
            if (owned := self._inflight.get(execution)) is not None:
                owned.cursor = cursor
        if progress or cursors:
            self._next_at = self._clock.monotonic() + _SECONDS_BETWEEN_WRITES

    def keep_logs(self, executions: Collection[int]) -> None:
        """Keep the logs of executions that are about to be stopped."""
        self.logs |= self._runner.logs(executions)

    def note_logs_written(self) -> None:
        """Take note that the logs are now in the file."""
        self.logs = {}
