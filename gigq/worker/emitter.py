"""Which events follow from what a worker has committed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from gigq.claims import Claim
from gigq.clock import Clock
from gigq.reports import Progress, Report
from gigq.runtime.runner import Ended
from gigq.status import JobStatus, Move
from gigq.store.reading import ExecutionEnd
from gigq.worker.duties import Turn
from gigq.worker.events import Event, Listener

_KINDS = {
    Move.COMPLETE: "job.completed",
    Move.RETRY: "job.retrying",
    Move.RELEASE: "job.released",
    Move.FAIL: "job.failed",
    Move.TIME_OUT: "job.timeout",
    Move.CANCEL: "job.cancelled",
}


class Emitter:
    """Tells a listener, after each commit, what it has changed. An execution that has not begun is not worth an event.

    Belongs to the loop's thread, but for `progressed`.
    """

    def __init__(self, listener: Listener, *, worker_id: str, clock: Clock) -> None:
        self._listener = listener
        self._worker_id = worker_id
        self._clock = clock
        self._held: dict[int, Claim] = {}
        self._started: set[int] = set()
        self._is_known = False

    def turned(self, turn: Turn) -> None:
        """Tell of a whole turn. What others have ended is left for `taken`."""
        now = self._clock.now()
        events = [] if self._is_known else [Event(kind="worker.started", at=now, worker_id=self._worker_id)]
        self._is_known = True
        events += [self._start(self._held[each], now) for each in turn.begun if each in self._held]
        events += self._ends(turn.ended, turn.moves, now)
        events += self._progress(turn.progress, now)
        self._held |= {claim.execution_id: claim for claim in turn.claims}
        events += [self._start(claim, now) for claim in turn.claims if not claim.is_ahead]
        self._tell(events)

    def progressed(self, progress: Mapping[int, Progress]) -> None:
        """Tell how far jobs are."""
        self._tell(self._progress(progress, self._clock.now()))

    def taken(self, ends: Iterable[ExecutionEnd]) -> None:
        """Tell of executions that others have ended, and of those of a worker that this one has found dead."""
        now = self._clock.now()
        events = []
        for end in ends:
            was_held, was_started = self._forget(end.execution_id)
            if was_started or not was_held:
                events.append(
                    self._event(end, f"job.{end.ended}", now, attempt=end.attempt, status=end.status, error=end.error)
                )
        self._tell(events)

    def left(self, ended: Sequence[Ended], moves: Sequence[Move | None]) -> None:
        """Tell of the last reports, and that all else was given back."""
        now = self._clock.now()
        events = self._ends(ended, moves, now)
        released = [self._held[execution] for execution in sorted(self._started)]
        events += [
            self._event(claim, "job.released", now, attempt=claim.attempt, status=JobStatus.PENDING)
            for claim in released
        ]
        self._held.clear()
        self._started.clear()
        self._tell(events)

    def stopped(self) -> None:
        """Tell that the worker has stopped, if it had started."""
        if self._is_known:
            self._is_known = False
            self._tell([Event(kind="worker.stopped", at=self._clock.now(), worker_id=self._worker_id)])

    def _start(self, claim: Claim, at: datetime) -> Event:
        self._started.add(claim.execution_id)
        return self._event(claim, "job.started", at, attempt=claim.attempt, status=JobStatus.RUNNING)

    def _ends(self, ended: Sequence[Ended], moves: Sequence[Move | None], now: datetime) -> list[Event]:
        events = []
        for (claim, report), move in zip(ended, moves, strict=True):
            if move is None:
                continue
            _, was_started = self._forget(claim.execution_id)
            if not was_started and report.started_at is not None:  # begun and ended since the last look
                events.append(self._start(claim, report.started_at))
                was_started = True
                self._forget(claim.execution_id)
            if was_started:
                events.append(self._end(claim, report, move, now))
        return events

    def _end(self, claim: Claim, report: Report, move: Move, now: datetime) -> Event:
        return self._event(
            claim,
            _KINDS[move],
            now,
            attempt=claim.attempt,
            status=move.target,
            error=report.error,
            error_type=report.error_type,
            progress=report.progress and report.progress.as_dict(),
        )

    def _progress(self, progress: Mapping[int, Progress], now: datetime) -> list[Event]:
        return [
            self._event(
                claim, "job.progress", now, attempt=claim.attempt, status=JobStatus.RUNNING, progress=each.as_dict()
            )
            for execution, each in progress.items()
            if (claim := self._held.get(execution)) is not None
        ]

    def _event(self, job: Claim | ExecutionEnd, kind: str, at: datetime, **values: Any) -> Event:
        return Event(
            kind=kind, at=at, worker_id=self._worker_id, job_id=job.job_id, name=job.name, queue=job.queue, **values
        )

    def _forget(self, execution: int) -> tuple[bool, bool]:
        """Whether the worker had it, and whether its start was told."""
        was_started = execution in self._started
        self._started.discard(execution)
        return self._held.pop(execution, None) is not None, was_started

    def _tell(self, events: Sequence[Event]) -> None:
        if events:
            self._listener.tell(events)
