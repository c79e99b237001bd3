"""The events that a worker sends to a program's listener, which it never waits for."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from gigq.clock import Clock, to_text
from gigq.logs import logger
from gigq.runtime.forks import end_fork
from gigq.status import JobStatus
from gigq.worker.relay import Relay
from gigq.worker.throttle import Throttle

log = logger("worker")

LISTENER_TIMEOUT = 5.0
"""Seconds that a worker waits, when it stops, for its listener to receive the remaining events."""

_SECONDS_BETWEEN_WARNINGS = 60.0

EventKind = Literal[
    "worker.started",
    "worker.stopped",
    "job.started",
    "job.progress",
    "job.completed",
    "job.failed",
    "job.timeout",
    "job.cancelled",
    "job.retrying",
    "job.released",
    "job.lost",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that has happened to a job or a worker, and is already in the file.

    Attributes:
        kind: ``worker.started``, ``worker.stopped``, ``job.started``, ``job.progress``, or how an execution ended:
            ``job.completed``, ``job.failed``, ``job.timeout``, ``job.cancelled``; ``job.retrying``, it did not
            complete and the job will be tried again; ``job.released``, it was given back and the attempt does not
            count; ``job.lost``, its worker died or was considered dead.
        at: when it happened, in UTC.
        worker_id: the worker that sends the event. A ``job.lost`` may come from another worker than the one that had
            the job.
        job_id: the id of the job; None for a worker's own events, like the following two.
        name: the name of the job.
        queue: the queue of the job.
        attempt: the number of the execution, from 1.
        status: the status of the job afterwards.
        error: why the execution did not complete.
        error_type: the class of the exception.
        progress: the progress that the function last reported, as in `JobRecord.progress`.

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

    kind: EventKind
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
    """Calls a function with events, one at a time, in a thread of its own. Events may be sent from any thread.

    An exception that the function raises is logged, and changes nothing.

    Args:
        listen: the function.
        clock: where time comes from.
    """

    def __init__(self, listen: Callable[[Event], object], *, clock: Clock) -> None:
        if not callable(listen):
            raise TypeError(f"on_event is {listen!r:.100}; it must be a function of one event")
        self._listen = listen
        self._failed = 0
        self._warnings = Throttle(_SECONDS_BETWEEN_WARNINGS, clock)
        self._relay = Relay(self._call, note_dropped=_warn_of_drops, name="gigq-events", clock=clock)

    def send(self, events: Sequence[Event]) -> None:
        """Queue events for the function. Never waits."""
        self._relay.send(events)

    def finish(self, timeout: float) -> None:
        """Wait until the function has returned from all events that were sent, at most `timeout` seconds."""
        left = self._relay.finish(timeout)
        if left:
            log.warning("on_event is too slow: %d events are not waited for", left)

    def close(self, timeout: float) -> None:
        """Finish, and end the thread when it has nothing left to do."""
        self.finish(timeout)
        self._relay.close()

    def _call(self, event: Event) -> None:
        try:
            self._tell(event)
        except (Exception, SystemExit):
            self._failed += 1
            if self._warnings.allows():
                log.exception("on_event has raised %d times by now; the events go on", self._failed)

    def _tell(self, event: Event) -> None:
        process = os.getpid()
        try:
            self._listen(event)
        finally:
            if os.getpid() != process:
                end_fork()


def _warn_of_drops(number: int) -> None:
    events = "1 event was" if number == 1 else f"{number} events were"
    log.warning("on_event is too slow: %s dropped, the oldest first", events)
