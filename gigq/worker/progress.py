"""What a worker has yet to write of its running jobs: progress that has changed, and logs of what was taken from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from gigq.clock import Clock
from gigq.reports import Progress
from gigq.runtime.runner import Runner

_SECONDS_BETWEEN_WRITES = 0.5


class ProgressWriter:
    """A worker's memory of what it has written of its running jobs.

    Belongs to the loop's thread; another one may ask for progress only while that one is kept by a job.

    Attributes:
        logs: of executions that were taken away, for the next turn to write.
    """

    def __init__(self, runner: Runner, clock: Clock) -> None:
        self.logs: dict[int, str] = {}
        self._runner = runner
        self._clock = clock
        self._written: dict[int, Progress] = {}
        self._next_at = clock.monotonic()

    def progress(self) -> Mapping[int, Progress]:
        """Return what has been said since it was last written; nothing if that was a moment ago."""
        if self._clock.monotonic() < self._next_at:
            return {}
        said = self._runner.progress()
        self._written = {execution: each for execution, each in self._written.items() if execution in said}
        return {execution: each for execution, each in said.items() if self._written.get(execution) != each}

    def note_written(self, progress: Mapping[int, Progress]) -> None:
        """Take note of what is now in the file."""
        if progress:
            self._written |= progress
            self._next_at = self._clock.monotonic() + _SECONDS_BETWEEN_WRITES

    def note_taken(self, executions: Collection[int]) -> None:
        """Save the logs of what is about to be stopped."""
        self.logs |= self._runner.logs(executions)
