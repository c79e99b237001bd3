"""Queues, workers and schedules of the file as people read them."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from datetime import datetime
from typing import Any, NamedTuple

from gigq.plain import as_plain

# Named tuples for the reason that `records` gives.


class HeldJob(NamedTuple):
    """A job that a worker holds, as the file held it when it was read.

    Attributes:
        id: the id of the job.
        name: its name, for people.
        function: ``package.module:name``, or the name of a handler.
        queue: the name of its queue.
        attempt: which attempt it is, from 1.
        started_at: when its function was called, in UTC; None if it is prefetched, and waits for a slot.
        timeout: the time limit of the execution, in seconds; None for no limit.
        progress: ``current``, ``total``, ``percentage`` and ``message``, as its function last said; None if it did not.

    Example:
        >>> from gigq import Job, JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     job_id = queue.submit(Job("nightly", "make_report"))
        ...     claim = queue.dequeue("importer")
        ...     [(job.name, job.function, job.attempt) for worker in queue.workers() for job in worker.jobs]
        [('nightly', 'make_report', 1)]
    """

    id: str
    name: str
    function: str
    queue: str
    attempt: int
    started_at: datetime | None
    timeout: float | None
    progress: dict[str, Any] | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: words as text, instants as ISO-8601 text in UTC."""
        return as_plain(self)


class WorkerRecord(NamedTuple):
    """A worker, as the file held it when it was read. Instants are in UTC.

    Attributes:
        id: its name.
        mode: ``thread``, ``process`` or ``inline``; ``manual`` is a program that takes jobs without a Worker.
        concurrency: how many jobs it runs at a time.
        queues: the names of the queues that it serves; None for all.
        pid: the number of its process.
        running: how many jobs it holds, prefetched ones included.
        completed: how many executions it has completed, as of its last heartbeat.
        failed: how many jobs failed for good or ran into their last timeout, as of its last heartbeat.
        started_at: when it was entered in the file.
        seen_at: its last heartbeat.
        stop: ``graceful`` or ``now`` if it was asked to stop; otherwise None.
        missing: the functions that it does not find, and why. It leaves their jobs to other workers.
        trouble: why it can start no job at present, as of its last heartbeat; None if it can.
        jobs: the jobs that it holds, those that began first first, and prefetched ones last.
        state: ``alive``; ``stopping`` if it was asked to stop; ``stuck`` if it can start no job at present; ``dead`` if
            its process has certainly ended; ``silent`` after 15 seconds without a heartbeat; ``manual`` for a program
            that takes jobs without a Worker.

    Example:
        >>> from gigq import JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     claim = queue.dequeue("importer")
        ...     [(worker.id, worker.mode) for worker in queue.workers()]
        [('importer', 'manual')]
    """

    id: str
    mode: str
    concurrency: int
    queues: tuple[str, ...] | None
    pid: int
    running: int
    completed: int
    failed: int
    started_at: datetime
    seen_at: datetime
    stop: str | None
    missing: dict[str, str]
    trouble: str | None
    jobs: tuple[HeldJob, ...]
    state: str

    @property
    def free(self) -> int:
        """How many more jobs could begin in it now; 0 if it is not alive."""
        return max(0, self.concurrency - self.running) if self.state == "alive" else 0

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: words as text, instants as ISO-8601 text in UTC."""
        return as_plain(self)


class QueueRecord(NamedTuple):
    """A named queue, as the file held it when it was read.

    Attributes:
        name: its name.
        is_paused: whether it is paused, by its name or with all others.
        paused_at: since when; None if it is not paused.
        ready: how many jobs could start now, but for a pause or a limit.
        scheduled: how many jobs wait for a certain time, retries included.
        running: how many jobs are claimed.
        oldest_ready_at: when the oldest ready job was submitted, in UTC; None if none is ready.
        max_running: how many of its jobs may run at a time; None for no limit.
        rate_limit: how many of its jobs may start within `rate_period`; None for no limit.
        rate_period: the length of that period, in seconds; None without a rate limit.

    Example:
        >>> from gigq import Job, JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     job_id = queue.submit(Job("greet", "send_mail", queue="mail"))
        ...     mail = queue.configure("mail", max_running=2)
        ...     [(each.name, each.ready, each.max_running) for each in queue.queues()]
        [('mail', 1, 2)]
    """

    name: str
    is_paused: bool
    paused_at: datetime | None
    ready: int
    scheduled: int
    running: int
    oldest_ready_at: datetime | None
    max_running: int | None
    rate_limit: int | None
    rate_period: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: words as text, instants as ISO-8601 text in UTC."""
        return as_plain(self)


class ScheduleRecord(NamedTuple):
    """A schedule, as the file held it when it was read. Instants are in UTC.

    Attributes:
        name: its name, and that of its jobs.
        cron: the cron line by which it ticks; None if it ticks by `every`.
        every: the seconds from one tick to the next; None if it ticks by `cron`.
        timezone: the time zone of the cron line.
        missed: what happens to ticks that no worker saw in time: ``once``, ``skip`` or ``all``.
        overlap: whether a tick submits a job while the last one is unfinished.
        is_paused: whether it is paused.
        next_at: the next tick; None if none will come.
        last_at: the last tick that submitted a job; None if none has.
        last_job: the id of that job.
        created_at: when it was added.
        function: what its jobs call: ``package.module:name``, or the name of a handler.
        queue: the queue of its jobs.

    Example:
        >>> from gigq import JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     schedule = queue.schedules.add("refresh", "package.module:refresh", every=600)
        ...     schedule.every, schedule.missed, schedule.last_job
        (600.0, 'once', None)
    """

    name: str
    cron: str | None
    every: float | None
    timezone: str
    missed: str
    overlap: bool
    is_paused: bool
    next_at: datetime | None
    last_at: datetime | None
    last_job: str | None
    created_at: datetime
    function: str
    queue: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: words as text, instants as ISO-8601 text in UTC."""
        return as_plain(self)


class BackupRecord(NamedTuple):
    """A copy of a queue, as it was made and checked.

    Attributes:
        path: where it is, from the root on.
        size: its bytes.
        jobs: how many jobs it has.
        taken_at: the moment of which it is, in UTC: what was committed before is in it, and nothing else.
        problems: what of it is damaged or missing, in sentences; empty for a whole file. The queue itself has the same
            problems, and `JobQueue.check` looks for more.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from gigq import JobQueue
        >>> with TemporaryDirectory() as folder, JobQueue(":memory:") as queue:
        ...     copy = queue.backup(f"{folder}/copy.db")
        ...     copy.jobs, copy.problems
        (0, ())
    """

    path: str
    size: int
    jobs: int
    taken_at: datetime
    problems: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: instants as ISO-8601 text in UTC."""
        return as_plain(self)
