"""The events of a worker: what it sends to its listener after each commit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from gigq.claims import Claim
from gigq.clock import Clock, from_text
from gigq.reports import Progress, Report
from gigq.runtime.runner import Ended
from gigq.status import ExecutionStatus, JobStatus, Move
from gigq.store.reading import ExecutionEnd
from gigq.worker.events import Event, EventKind, Listener
from gigq.worker.inflight import Execution, Inflight
from gigq.worker.turn import Outcome, Turn

_KINDS: Mapping[Move, EventKind] = {
    Move.COMPLETE: "job.completed",
    Move.RETRY: "job.retrying",
    Move.RELEASE: "job.released",
    Move.FAIL: "job.failed",
    Move.TIME_OUT: "job.timeout",
    Move.CANCEL: "job.cancelled",
}

_KINDS_OF_OTHERS: Mapping[ExecutionStatus, EventKind] = {
    ExecutionStatus.COMPLETED: "job.completed",
    ExecutionStatus.FAILED: "job.failed",
    ExecutionStatus.TIMEOUT: "job.timeout",
    ExecutionStatus.CANCELLED: "job.cancelled",
    ExecutionStatus.LOST: "job.lost",
    ExecutionStatus.RELEASED: "job.released",
}
"""For executions that this worker has not ended itself."""


class Emitter:
    """Sends the events of each commit to a listener. An execution that has not begun is not worth an event.

    Belongs to the loop's thread, but for `progressed`. Each method is to be called while the worker still owns the
    executions that it names.

    Args:
        ends_of: looks up how others have ended executions.
    """

    def __init__(
        self,
        listener: Listener,
        inflight: Inflight,
        ends_of: Callable[[Collection[int]], Iterable[ExecutionEnd]],
        *,
        worker_id: str,
        clock: Clock,
    ) -> None:
        self._listener = listener
        self._inflight = inflight
        self._ends_of = ends_of
        self._worker_id = worker_id
        self._clock = clock
        self._is_known = False

    def turned(self, turn: Turn, outcome: Outcome) -> None:
        """Send what a turn has written."""
        now = self._clock.now()
        events = [] if self._is_known else [self._event("worker.started", now)]
        self._is_known = True
        events += self._starts(turn.begun, now)
        events += self._ends(turn.ended, outcome.moves, now)
        events += self._progress(outcome.progress, now)
        self._send(events)
        refused = [claim for (claim, _), move in zip(turn.ended, outcome.moves, strict=True) if move is None]
        self.taken([*(claim.execution_id for claim in refused), *outcome.lost])

    def claimed(self, claims: Sequence[Claim]) -> None:
        """Send the starts of those of these claims that begin at once."""
        now = self._clock.now()
        self._send(self._starts([claim.execution_id for claim in claims if not claim.is_ahead], now))

    def progressed(self, progress: Mapping[int, Progress]) -> None:
        """Send how far jobs are."""
        self._send(self._progress(progress, self._clock.now()))

    def taken(self, executions: Collection[int]) -> None:
        """Send how others have ended executions of this worker, or this worker those of a dead one."""
        now = self._clock.now()
        for end in self._ends_of(executions) if executions else ():
            execution = self._inflight.get(end.execution_id)
            kind = _KINDS_OF_OTHERS.get(end.ended)  # none if a person has deleted the worker's row
            if kind is not None and (execution is None or execution.is_start_sent):
                self._send([self._event(kind, now, end, attempt=end.attempt, status=end.status, error=end.error)])

    def left(self, running: Collection[int], last: Outcome) -> None:
        """Send that a worker which leaves has given back what was running, as far as it still was the worker's."""
        now = self._clock.now()
        own = () if last.standing is None else last.standing.own
        started = [each for execution in running if (each := self._inflight.get(execution)) and each.is_start_sent]
        released = [each.claim for each in started if each.claim.execution_id in own]
        self._send([self._of("job.released", claim, now, status=JobStatus.PENDING) for claim in released])
        self.taken([execution for execution in running if execution not in own])

    def stopped(self) -> None:
        """Send that the worker has stopped, if it had started."""
        if self._is_known:
            self._is_known = False
            self._send([self._event("worker.stopped", self._clock.now())])

    def _starts(self, executions: Iterable[int], now: datetime) -> list[Event]:
        owned = [each for each in map(self._inflight.get, executions) if each is not None]
        return [self._start(each, now) for each in owned if not each.is_start_sent]

    def _start(self, execution: Execution, at: datetime) -> Event:
        execution.is_start_sent = True
        return self._of("job.started", execution.claim, at, status=JobStatus.RUNNING)

    def _ends(self, ended: Sequence[Ended], moves: Sequence[Move | None], now: datetime) -> list[Event]:
        events = []
        for (claim, report), move in zip(ended, moves, strict=True):
            execution = self._inflight.get(claim.execution_id)
            if move is None or execution is None:
                continue
            if not execution.is_start_sent and report.started_at is not None:  # begun and ended since the last look
                events.append(self._start(execution, from_text(report.started_at)))
            if execution.is_start_sent:
                events.append(self._end(claim, report, move, now))
        return events

    def _end(self, claim: Claim, report: Report, move: Move, now: datetime) -> Event:
        return self._of(
            _KINDS[move],
            claim,
            now,
            status=move.target,
            # Its process may have died after it has completed its job itself.
            error=None if move is Move.COMPLETE else report.error,
            error_type=None if move is Move.COMPLETE else report.error_type,
            progress=report.progress and report.progress.as_dict(),
        )

    def _progress(self, progress: Mapping[int, Progress], now: datetime) -> list[Event]:
        return [
            self._of("job.progress", owned.claim, now, status=JobStatus.RUNNING, progress=each.as_dict())
            for execution, each in progress.items()
            if (owned := self._inflight.get(execution)) is not None
        ]

    def _of(self, kind: EventKind, claim: Claim, at: datetime, **values: Any) -> Event:
        return self._event(kind, at, claim, attempt=claim.attempt, **values)

    def _event(self, kind: EventKind, at: datetime, job: Claim | ExecutionEnd | None = None, **values: Any) -> Event:
        if job is not None:
            values |= {"job_id": job.job_id, "name": job.name, "queue": job.queue}
        return Event(kind=kind, at=at, worker_id=self._worker_id, **values)

    def _send(self, events: Sequence[Event]) -> None:
        if events:
            self._listener.send(events)
