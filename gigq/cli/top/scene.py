"""What the screen shows of a queue: plain values of one instant, from which everything is drawn."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from datetime import datetime
from typing import NamedTuple

from gigq.history_records import FailureGroup
from gigq.status import Phase


class QueueLine(NamedTuple):
    """A queue.

    Attributes:
        name: its name.
        is_paused: whether it is paused.
        ready: how many jobs could start now.
        scheduled: how many wait for a certain time, retries included.
        running: how many are claimed.
        max_running: how many may run at a time; None for no limit.
        ready_since: when its oldest ready job was submitted; None if none is ready.
    """

    name: str
    is_paused: bool
    ready: int
    scheduled: int
    running: int
    max_running: int | None
    ready_since: datetime | None


class JobLine(NamedTuple):
    """A job: one that runs, one that matches the filter, or one that runs next.

    Attributes:
        id: its id.
        name: its name.
        phase: its phase.
        function: what it calls.
        queue: its queue.
        worker: the worker that runs it, or ran it last; empty before the first.
        at: when it started, ended, or will start, as `phase` says; None if that is not known.
        seconds: how long it took; None while it is unfinished.
        share: how much of it is done, from 0 to 1, as its function has said; None if it has not.
        priority: its priority.
        reason: why nobody can tell when it starts; empty if that can be told.
    """

    id: str
    name: str
    phase: Phase
    function: str
    queue: str
    worker: str = ""
    at: datetime | None = None
    seconds: float | None = None
    share: float | None = None
    priority: int = 0
    reason: str = ""


class FailureLine(NamedTuple):
    """Failures with one cause.

    Attributes:
        key: the name of the group.
        function: the function that failed.
        error: class and message of the error, without numbers and ids.
        times: how many executions failed so.
        dead: how many jobs have no attempt left because of them.
        last_at: when the last of them ended.
        example: the id of a job that failed so.
        group: the group itself, for `requeue_jobs`.
        bound: the number of the newest job when this was read: later ones are not meant. 0 for all.
    """

    key: str
    function: str
    error: str
    times: int
    dead: int
    last_at: datetime
    example: str
    group: FailureGroup | None = None
    bound: int = 0


class Minute(NamedTuple):
    """What ended in a minute: executions that completed, and that failed or ran into their timeouts."""

    completed: int
    failed: int


class Crew(NamedTuple):
    """The workers: how many there are, how many jobs they can run at a time, and how many slots are taken."""

    workers: int = 0
    slots: int = 0
    taken: int = 0


class Scene(NamedTuple):
    """A queue at one instant.

    Attributes:
        at: the instant.
        path: the file.
        crew: the workers.
        sentences: what is not getting on, or one that says that all is well.
        troubles: those of them that a person should do something about.
        queues: the queues, by name.
        running: the jobs that run, or those that match the filter.
        running_count: how many there are of these, in words.
        failures: the failures of the last day by cause, the most frequent first.
        next: the jobs that run next, in order.
        minutes: what ended in each of the last minutes, the current one last.
        is_empty: whether no job has been submitted yet.
        filter: the filter that `running` matches, as it was typed; empty without one.
        searched: how many of the newest jobs were looked at for the filter before the time for it was over; 0 for all.
        unread: the names of those for which there was no time. What they hold was read before, or never.
        trouble: why the file cannot be read at present; empty if it can. Then everything else is what was read last.
    """

    at: datetime
    path: str
    crew: Crew = Crew()
    sentences: tuple[str, ...] = ()
    troubles: frozenset[str] = frozenset()
    queues: tuple[QueueLine, ...] = ()
    running: tuple[JobLine, ...] = ()
    running_count: str = "0"
    failures: tuple[FailureLine, ...] = ()
    next: tuple[JobLine, ...] = ()
    minutes: tuple[Minute, ...] = ()
    is_empty: bool = False
    filter: str = ""
    searched: int = 0
    unread: frozenset[str] = frozenset()
    trouble: str = ""
