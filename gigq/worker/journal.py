"""What a worker logs: its start and its end, and how each of its executions ended, and why."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gigq.claims import Claim
from gigq.clock import Clock, from_text
from gigq.durations import span
from gigq.logs import logger, say
from gigq.reports import Report
from gigq.runtime.runner import Ended
from gigq.status import ExecutionStatus, Move
from gigq.store.reading import ExecutionEnd
from gigq.version import VERSION
from gigq.worker import tally
from gigq.worker.options import WorkerOptions

log = logger("worker")

_DONE: Mapping[Move, str] = {
    Move.COMPLETE: "completed",
    Move.FAIL: "failed",
    Move.TIME_OUT: "timed out",
    Move.CANCEL: "cancelled",
    Move.RELEASE: "given back",
}
_ENDED = {ExecutionStatus.TIMEOUT: "timed out", ExecutionStatus.RELEASED: "given back"}  # and others as they are called
_COUNTED: Mapping[Move, str] = {
    Move.COMPLETE: tally.COMPLETED,
    Move.FAIL: tally.FAILED,
    Move.TIME_OUT: tally.FAILED,
    Move.RETRY: tally.RETRIED,
    Move.CANCEL: tally.CANCELLED,
    Move.RELEASE: tally.RELEASED,
}
"""What is counted for the line at the worker's end, in its order. What was given back unbegun is not."""
_LONGEST = 1000
"""The most characters of an error in a line; its traceback has all that is kept of it."""


class Journal:
    """Writes the log of one worker. Belongs to its loop's thread.

    Args:
        options: what the worker was asked to be.
        path: its file.
        clock: where time comes from.
    """

    def __init__(self, options: WorkerOptions, *, path: str, clock: Clock) -> None:
        self._options = options
        self._path = path
        self._clock = clock
        self._counts: Counter[str] = Counter()
        self._started_at: float | None = None

    @property
    def tells_all(self) -> bool:
        """Whether it logs more than what goes wrong for good: also what is tried again, or is taken from the worker."""
        return log.isEnabledFor(logging.INFO)

    def started(self) -> None:
        """Log that the worker is in the file, the first time."""
        if self._started_at is None and self._options.mode != "inline":  # whoever drains a queue needs no such lines
            self._started_at = self._clock.monotonic()
            options = self._options
            names = ", ".join(map(_shown, options.queues or ()))
            whose = f"the queue{'' if len(options.queues or ()) == 1 else 's'} {names}" if names else "all queues"
            say(
                log, logging.INFO, "worker %s started: gigq %s runs jobs of %s in %s, %d at a time, in %s",
                _shown(options.worker_id), VERSION, whose, _shown(self._path), options.concurrency,
                "threads" if options.mode == "thread" else "child processes",
                worker_id=options.worker_id,
            )  # fmt: skip

    def finished(self, given_back: Sequence[Claim]) -> None:
        """Log that the worker has left the file, and what it has done.

        Args:
            given_back: the jobs that it was still running.
        """
        for claim in given_back:
            which = f"attempt {claim.attempt} of {claim.max_attempts}"
            self._say(
                logging.INFO, claim, f"given back, {which}, which does not count: the worker stopped",
                status=ExecutionStatus.RELEASED.value,
            )  # fmt: skip
        if self._started_at is not None:
            took = self._clock.monotonic() - self._started_at
            self._started_at = None
            counts: dict[str, Any] = {name: self._counts[name] for name in dict.fromkeys(_COUNTED.values())}
            counts["released"] += len(given_back)
            if self._options.tally:
                self._options.tally.counts[tally.RELEASED] += len(given_back)
            done = [f"{number} {name}" for name, number in counts.items() if number or name in ("completed", "failed")]
            say(
                log, logging.INFO, "worker %s finished after %s: %s", _shown(self._options.worker_id), span(took),
                ", ".join(done).replace("released", "given back"),
                worker_id=self._options.worker_id, duration=round(took, 3), **counts,
            )  # fmt: skip
            self._counts.clear()

    def ended(self, ended: Iterable[Ended], moves: Iterable[Move | None], next_attempts: Mapping[int, str]) -> None:
        """Log how executions ended, and what became of their jobs.

        Args:
            ended: the reports that were settled.
            moves: the moves of their jobs; None for a report that was refused.
            next_attempts: when jobs that are tried again may run, by their execution, where that is not at once.
        """
        # Most workers log nothing of jobs that complete, and most jobs do.
        tells_all = self.tells_all
        for (claim, report), move in zip(ended, moves, strict=True):
            if move is not None and (move is not Move.RELEASE or report.started_at is not None):
                self._counts[_COUNTED[move]] += 1
                if self._options.tally:
                    self._options.tally.note(claim, report, _COUNTED[move])
            if tells_all or move is not Move.COMPLETE:
                self._log_end(claim, report, move, next_attempts.get(claim.execution_id))

    def taken(self, claims: Iterable[Claim], ends: Iterable[ExecutionEnd]) -> None:
        """Log which jobs were taken from the worker while it had them, and what others have made of them."""
        how = {end.execution_id: end for end in ends}
        for claim in claims:
            end = how.get(claim.execution_id)
            now = "it was deleted" if end is None else f"it is {end.status} now"
            why = f": {_line(end.error)}" if end and end.error else ""
            which = f"attempt {claim.attempt} of {claim.max_attempts}"
            self._say(
                logging.INFO, claim, f"was taken from this worker, {which}; {now}{why}",
                status=end and end.ended.value, error=end and end.error,
            )  # fmt: skip

    def _log_end(self, claim: Claim, report: Report, move: Move | None, next_attempt: str | None) -> None:
        if move is Move.COMPLETE:  # also where its process died after it had completed its job itself
            report = report._replace(status=ExecutionStatus.COMPLETED, error=None, error_type=None, traceback=None)
        took = self._seconds_since(report.started_at)
        done = _ENDED.get(report.status, report.status.value) if move in (None, Move.RETRY) else _DONE[move]
        if move is Move.FAIL and claim.attempt < claim.max_attempts:
            done = "failed for good"
        which = f"attempt {claim.attempt} of {claim.max_attempts}" + ", which does not count" * (move is Move.RELEASE)
        after = "" if took is None else f", after {span(took)}"
        why = f": {_line(report.error.removeprefix('given back: '))}" if report.error else ""
        self._say(
            self._level(move, has_begun=took is not None), claim,
            f"{done}, {which}{after}{why}{self._then(move, report, next_attempt)}",
            below=report.traceback if log.isEnabledFor(logging.DEBUG) else None,
            status=report.status.value, duration=took, error=report.error, error_type=report.error_type,
            next_attempt_at=next_attempt,
        )  # fmt: skip

    def _level(self, move: Move | None, *, has_begun: bool) -> int:
        # An employer hears of each end, and raises it where it is waited for.
        if move in (None, Move.FAIL, Move.TIME_OUT) and self._options.employment is None:
            return logging.WARNING
        # What was given back before it began cost nothing.
        return logging.INFO if has_begun or move is not Move.RELEASE else logging.DEBUG

    def _then(self, move: Move | None, report: Report, next_attempt: str | None) -> str:
        if move is None:
            return "; this late report is refused, for the job was taken from this worker"
        if move not in (Move.RETRY, Move.RELEASE):
            return ""
        if report.is_missing:  # the next attempt may start now, but not here
            return ""
        if next_attempt is None:
            return "; the next attempt may start now"
        wait = (from_text(next_attempt) - self._clock.now()).total_seconds()
        return f"; the next attempt may start in {span(wait)}"

    def _say(self, level: int, claim: Claim, text: str, *, below: str | None = None, **fields: Any) -> None:
        say(
            log, level, "job %s (%s) %s", _shown(claim.job_id), _shown(claim.name), text, below=below,
            worker_id=self._options.worker_id, job_id=claim.job_id, job_name=claim.name, queue=claim.queue,
            function=claim.function, attempt=claim.attempt, max_attempts=claim.max_attempts, **fields,
        )  # fmt: skip

    def _seconds_since(self, started_at: str | None) -> float | None:
        if started_at is None:
            return None
        return round(max(0.0, (self._clock.now() - from_text(started_at)).total_seconds()), 6)


def _shown(text: str) -> str:
    """A name as it is, unless it could pass for something else in a line."""
    text = f"{text}"  # somebody may have put bytes into the file
    return text if text.isprintable() else repr(text)


def _line(text: str) -> str:
    """The beginning of a text, in one line."""
    first, *more = text.strip().splitlines() or [""]
    is_cut = bool(more) or len(first) > _LONGEST
    return _shown(first[:_LONGEST]) + (" …" if is_cut else "")
