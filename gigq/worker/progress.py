"""The progress, the cursors and the logs of running jobs that a worker has yet to write."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Collection, Iterator, Mapping
from typing import TypedDict

from gigq.clock import Clock
from gigq.reports import Progress
from gigq.runtime.output import LOG_LIMIT, Log
from gigq.runtime.runner import Runner
from gigq.worker.inflight import Execution, Inflight

_SECONDS_BETWEEN_WRITES = 0.5

_LOGS_AT_A_TIME = 1_000_000 // LOG_LIMIT
"""How many logs of running jobs are written in one transaction: at most 1 MB, for which others wait a few ms."""

_PAUSE_AFTER_ERROR = 30.0
"""Seconds for which no logs of running jobs are written after a transaction with some has failed, perhaps because the
disk is full: heartbeats and results take less room."""


class Outputs(TypedDict):
    """What is to be written of the output of running jobs, by their executions."""

    progress: Mapping[int, Progress]
    cursors: Mapping[int, str]
    logs: Mapping[int, str]


class ProgressWriter:
    """Decides what is to be written of the output of running jobs.

    Belongs to the loop's thread; another one may ask for outputs only while that one runs a job itself.

    Attributes:
        last_logs: of executions that were taken from the worker, for the next turn to write.
    """

    def __init__(self, runner: Runner, inflight: Inflight, clock: Clock) -> None:
        self.last_logs: dict[int, str] = {}
        self._runner = runner
        self._inflight = inflight
        self._clock = clock
        self._next_at = self._next_logs_at = clock.monotonic()
        self._offered: dict[int, tuple[str, str, int]] = {}  # what is kept of logs that are not known to be written

    def of_turn(self, *, is_beat: bool) -> Outputs:
        """Return what has changed since it was last written; nothing if that was a moment ago.

        Args:
            is_beat: whether the turn renews the heartbeat; to write anything for another one would cost a transaction.
        """
        if not is_beat or self._clock.monotonic() < self._next_at:
            return {"progress": {}, "cursors": {}, "logs": {}}
        return {
            "progress": {
                execution: progress
                for execution, progress in self._runner.progress().items()
                if (owned := self._inflight.get(execution)) is not None and owned.progress != progress
            },
            "cursors": {
                execution: cursor
                for execution, cursor in self._runner.cursors().items()
                if (owned := self._inflight.get(execution)) is not None and owned.cursor != cursor
            },
            "logs": self._logs(),
        }

    def note_written(
        self, progress: Mapping[int, Progress], cursors: Mapping[int, str], logs: Mapping[int, str]
    ) -> None:
        """Take note of what is now in the file."""
        now = self._clock.monotonic()
        for execution, each in progress.items():
            if (owned := self._inflight.get(execution)) is not None:
                owned.progress = each
        for execution, cursor in cursors.items():
            if (owned := self._inflight.get(execution)) is not None:
                owned.cursor = cursor
        for execution in logs:
            if (owned := self._inflight.get(execution)) is not None:
                owned.log, owned.log_written_at = self._offered[execution], now
        self._offered = {}
        if progress or cursors or logs:
            self._next_at = now + _SECONDS_BETWEEN_WRITES

    def keep_logs(self, executions: Collection[int]) -> None:
        """Keep the logs of executions that are about to be stopped."""
        logs = self._runner.logs().items()
        self.last_logs |= {each: text for each, log in logs if each in executions and (text := log.text())}

    def note_logs_written(self) -> None:
        """Take note that the last logs are now in the file."""
        self.last_logs = {}

    def _logs(self) -> dict[int, str]:
        """Return logs that have changed, those first that were not written for longest."""
        now = self._clock.monotonic()
        if self._offered:
            self._offered, self._next_logs_at = {}, now + _PAUSE_AFTER_ERROR
        if now < self._next_logs_at:
            return {}
        changed = sorted(self._changed_logs(), key=lambda each: each[0].log_written_at)[:_LOGS_AT_A_TIME]
        # Read before the text is made, which may then have more.
        self._offered = {owned.claim.execution_id: log.kept for owned, log in changed}
        return {owned.claim.execution_id: log.text() or "" for owned, log in changed}

    def _changed_logs(self) -> Iterator[tuple[Execution, Log]]:
        for execution, log in self._runner.logs().items():
            if (owned := self._inflight.get(execution)) is not None and owned.log != log.kept:
                yield owned, log
