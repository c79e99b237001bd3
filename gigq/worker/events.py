"""What a worker tells a program of its jobs, and how it does so without ever waiting for it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from gigq.clock import Clock, to_text
from gigq.logs import logger
from gigq.status import JobStatus

log = logger("worker")

MOST_WAITING = 10_000
"""Events that wait for a slow listener; then the oldest are dropped, for the newest say how things are."""

LISTENER_TIMEOUT = 5.0
"""Seconds that a worker which stops waits for its listener to hear the rest."""

_SECONDS_BETWEEN_COMPLAINTS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that has happened to a job or a worker, and is in the file already.

    Attributes:
        kind: ``worker.started``, ``worker.stopped``, ``job.started``, ``job.progress``, and how an execution ended:
            ``job.completed``, ``job.failed``, ``job.timeout``, ``job.cancelled``; ``job.retrying``, it did not
            complete and the job will be tried again; ``job.released``, it was given back and does not count;
            ``job.lost``, its worker died or was held dead.
        at: when, in UTC.
        worker_id: the worker that tells; of ``job.lost`` it may be another one than the worker that had the job.
        job_id, name, queue: the job; None of a worker's events.
        attempt: the number of the execution, from 1.
        status: of the job, afterwards.
        error: why the execution did not complete.
        error_type: the class of the exception.
        progress: what the function has last said of it, as `JobRecord.progress`.

    Example:
        >>> from calendar import isleap
        >>> from tempfile import TemporaryDirectory
        >>> from gigq import JobQueue, Worker
        >>> events = []
        >>> with TemporaryDirectory() as folder, JobQueue(f"{folder}/jobs.db") as queue:
        ...     job_id = queue.enqueue(isleap, 2028)
        ...     with Worker(f"{folder}/jobs.db", burst=True, on_event=events.append) as worker:
        ...         worker.start()
        >>> [event.kind for event in events]
        ['worker.started', 'job.started', 'job.completed', 'worker.stopped']
    """

    kind: str
    at: datetime
    worker_id: str
    job_id: str | None = None
    name: str | None = None
    queue: str | None = None
    attempt: int | None = None
    status: JobStatus | None = None
    error: str | None = None
    error_type: str | None = None
    progress: dict[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return values | {"at": to_text(self.at), "status": None if self.status is None else self.status.value}


class Listener:
    """Calls a function with events, one after the other, from a thread of its own. Safe to tell from any thread.

    What the function raises is logged and changes nothing.

    Args:
        listen: the function.
        clock: where time comes from.
    """

    def __init__(self, listen: Callable[[Event], object], *, clock: Clock) -> None:
        if not callable(listen):
            raise TypeError(f"on_event is {listen!r:.100}; it must be a function of one event")
        self._listen = listen
        self._clock = clock
        self._turn = threading.Condition()
        self._events: deque[Event] = deque(maxlen=MOST_WAITING)
        self._is_busy = self._is_closed = False
        self._failed = self._dropped = 0
        self._complained_at: float | None = None
        self._thread: threading.Thread | None = None

    def send(self, events: Sequence[Event]) -> None:
        """Let the function hear these. Never waits."""
        with self._turn:
            self._dropped += max(0, len(self._events) + len(events) - MOST_WAITING)
            self._events.extend(events)
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="gigq-events", daemon=True)
                self._thread.start()
            self._turn.notify_all()

    def finish(self, patience: float) -> None:
        """Wait until all that was told has been heard, for so many seconds at most."""
        if threading.current_thread() is self._thread:
            return  # the listener itself has closed the worker
        with self._turn:
            if not self._turn.wait_for(self._is_done, patience):
                log.warning("on_event is too slow: %d events are not waited for", len(self._events) + 1)

    def close(self, patience: float) -> None:
        """Finish, and end the thread when it has nothing left to do."""
        self.finish(patience)
        with self._turn:
            self._is_closed = True
            self._turn.notify_all()

    def _is_done(self) -> bool:
        return not self._events and not self._is_busy

    def _serve(self) -> None:
        while (event := self._next()) is not None:
            try:
                self._listen(event)
            except (Exception, SystemExit):
                self._failed += 1
                self._complain_of_failures()
            if self._dropped:
                self._complain_of_drops()

    def _next(self) -> Event | None:
        with self._turn:
            self._is_busy = False
            self._turn.notify_all()
            self._turn.wait_for(lambda: self._events or self._is_closed)
            self._is_busy = bool(self._events)
            return self._events.popleft() if self._events else None

    def _complain_of_failures(self) -> None:
        if self._may_complain():
            log.exception("on_event has raised, for the %d. time; the events go on", self._failed)

    def _complain_of_drops(self) -> None:
        if self._may_complain():
            with self._turn:
                dropped, self._dropped = self._dropped, 0
            log.warning("on_event is too slow: %d events were dropped, the oldest first", dropped)

    def _may_complain(self) -> bool:
        now = self._clock.monotonic()
        if self._complained_at is not None and now - self._complained_at < _SECONDS_BETWEEN_COMPLAINTS:
            return False
        self._complained_at = now
        return True
