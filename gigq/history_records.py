"""What was: executions, throughput, functions, failures and actions, as people read them."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from datetime import datetime
from typing import Any, NamedTuple

from gigq.plain import as_plain
from gigq.status import ExecutionStatus


class ExecutionSummary(NamedTuple):
    """An execution in a list: without its result, its traceback and its log. Instants are in UTC.

    Attributes:
        id: its number, unique in the file and never used again.
        job_id: the id of its job.
        name: the name of its job.
        function: what it called.
        queue: the name of its job's queue.
        attempt: which attempt it is, from 1.
        status: ``running`` while its worker owns the job; then how it ended.
        worker_id: the name of the worker that claimed it.
        claimed_at: when it was claimed, while it is running; otherwise None, because the file does not keep that.
        started_at: when its function was called; None if it has not been, or never was.
        completed_at: when it ended; None while it is running.
        error_type: the class of the exception; None if there was none.
        error: the first 500 characters of the message of the error; None without one.

    Example:
        >>> from calendar import isleap
        >>> from gigq import JobQueue
        >>> from gigq.testing import drain
        >>> with JobQueue(":memory:") as queue:
        ...     ids = [queue.enqueue(isleap, year) for year in (2027, 2028)]
        ...     executions = drain(queue)
        ...     [(each.id, each.function, each.status.value) for each in queue.history.executions()]
        [(2, 'calendar:isleap', 'completed'), (1, 'calendar:isleap', 'completed')]
    """

    id: int
    job_id: str
    name: str
    function: str
    queue: str
    attempt: int
    status: ExecutionStatus
    worker_id: str
    claimed_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    error_type: str | None
    error: str | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: words as text, instants as ISO-8601 text in UTC."""
        return as_plain(self)


class Throughput(NamedTuple):
    """How many executions ended in a short span of time, and how.

    Attributes:
        at: when the span began, in UTC.
        seconds: how long it is; less for the last one if that is not over.
        completed: how many completed.
        failed: how many raised.
        timeout: how many overran their time limit.
        cancelled: how many were cancelled while they ran.
        lost: how many died with their worker.
        released: how many were given back unfinished.

    Example:
        >>> from calendar import isleap
        >>> from gigq import JobQueue, ManualClock
        >>> from gigq.testing import drain
        >>> clock = ManualClock()
        >>> with JobQueue(":memory:", clock=clock) as queue:
        ...     for _ in range(3):
        ...         job_id, executions = queue.enqueue(isleap, 2028), drain(queue)
        ...         clock.advance(40)
        ...     [(each.at.strftime("%H:%M"), each.completed) for each in queue.history.throughput("2m", "1m")]
        [('00:00', 2), ('00:01', 1)]
    """

    at: datetime
    seconds: float
    completed: int
    failed: int
    timeout: int
    cancelled: int
    lost: int
    released: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: the instant as ISO-8601 text in UTC."""
        return as_plain(self)


class Percentiles(NamedTuple):
    """The middle and the upper end of many durations, in seconds, each one that occurred; None where there are none.

    Attributes:
        p50: half of them were no longer.
        p95: of twenty, nineteen were no longer.
        p99: of a hundred, ninety-nine were no longer.

    Example:
        >>> from gigq import JobQueue, ManualClock
        >>> clock = ManualClock()
        >>> with JobQueue(":memory:", clock=clock) as queue:
        ...     for seconds in (1, 2, 30):
        ...         job_id, claim = queue.enqueue("sleep"), queue.dequeue()
        ...         clock.advance(seconds)
        ...         queue.complete(claim)
        ...     queue.history.functions("1h")[0].running
        Percentiles(p50=2.0, p95=30.0, p99=30.0)
    """

    p50: float | None
    p95: float | None
    p99: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return the values by name."""
        return self._asdict()


class FunctionStats(NamedTuple):
    """What a function cost in a span of time: its executions that ended in it. Durations are seconds.

    Attributes:
        function: ``package.module:name``, or the name of a handler.
        runs: how many executions ended, without those that were given back unfinished.
        failures: how many of these failed, timed out or were lost.
        running: how long the function ran, lost executions aside.
        waiting: how long jobs that completed had been ready before it was called.
        slot_seconds: how long it occupied slots of workers, in all.
        share: its part of the slot seconds of all functions, from 0 to 1.
        wasted_seconds: its slot seconds in executions that failed, timed out, were lost or given back.

    Example:
        >>> from gigq import JobQueue, ManualClock
        >>> clock = ManualClock()
        >>> with JobQueue(":memory:", clock=clock) as queue:
        ...     job_id = queue.enqueue("fetch")
        ...     for outcome in (lambda claim: queue.fail(claim, "no"), queue.complete):
        ...         claim = queue.dequeue()
        ...         clock.advance(5)
        ...         outcome(claim)
        ...     (fetch,) = queue.history.functions("1h")
        ...     fetch.runs, fetch.failures, fetch.slot_seconds, fetch.wasted_seconds
        (2, 1, 10.0, 5.0)
    """

    function: str
    runs: int
    failures: int
    running: Percentiles
    waiting: Percentiles
    slot_seconds: float
    share: float
    wasted_seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return as_plain(self)


class FailureGroup(NamedTuple):
    """Failures that have one cause, as far as their messages tell. Instants are in UTC.

    Attributes:
        key: a short name of the group, the same for as long as its function, error and message are.
        function: the function that failed.
        error_type: the class of the exception; None if it was none, as when a worker died.
        message: the error without what differs from one to the next: numbers, ids, quoted values, addresses.
        failures: how many executions failed like this.
        jobs: of how many jobs.
        dead: how many of these have no attempt left; they are what a requeue of the group sends back.
        first_at: when the first of them failed.
        last_at: when the last of them failed.
        job_id: the id of the job that failed last.
        error: the first 500 characters of its message.

    Example:
        >>> from gigq import JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     for order in (17, 18):
        ...         job_id = queue.enqueue("send", order)
        ...         queue.fail(queue.dequeue(), f"no order {order} of 'ada'", retry=False)
        ...     (group,) = queue.history.failures()
        ...     group.failures, group.message, group.error
        (2, "no order … of '…'", "no order 18 of 'ada'")
    """

    key: str
    function: str
    error_type: str | None
    message: str
    failures: int
    jobs: int
    dead: int
    first_at: datetime
    last_at: datetime
    job_id: str
    error: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: instants as ISO-8601 text in UTC."""
        return as_plain(self)


class AsOf(NamedTuple):
    """The queue as it was at an instant, as far as the file still tells.

    Attributes:
        at: the instant, in UTC.
        statuses: the number of jobs of each status then. A job counts as running from the call of its function on; one
            that a worker had claimed ahead counts as pending.
        running: the executions that were running, the newest first, as they ended later.
        blurred: a sentence for each reason why it may have been otherwise; empty if it was just so.

    Example:
        >>> from gigq import JobQueue, ManualClock
        >>> clock = ManualClock()
        >>> with JobQueue(":memory:", clock=clock) as queue:
        ...     job_id, claim = queue.enqueue("sleep"), queue.dequeue()
        ...     then = clock.now()
        ...     clock.advance(60)
        ...     queue.complete(claim)
        ...     past = queue.history.as_of(then)
        ...     past.statuses["running"], past.running[0].status.value, past.blurred
        (1, 'completed', ())
    """

    at: datetime
    statuses: dict[str, int]
    running: tuple[ExecutionSummary, ...]
    blurred: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: words as text, instants as ISO-8601 text in UTC."""
        return as_plain(self)


class ActionRecord(NamedTuple):
    """Something that a person did to the queue. Instants are in UTC.

    Attributes:
        id: its number, never used again.
        at: when it was begun.
        ended_at: when the last of it was done: many jobs take several transactions.
        actor: who did it.
        face: by which program or page, such as ``cli``.
        verb: what it was: the name of the method, such as ``requeue_jobs``.
        filter: to what it was done: filters of jobs, or an id or a name.
        options: how: the other arguments of the method that were given.
        bound: only jobs up to this one, by the order of submission; None where that does not apply.
        done: to how many jobs, workers or rules it was done.
        changed: how many jobs had changed meanwhile, so that it could not be done.
        skipped: to how many jobs it could not be done for another reason.

    Example:
        >>> from gigq import Job, JobQueue
        >>> with JobQueue(":memory:") as queue, queue.acting_as("ada", "admin page"):
        ...     job_id = queue.submit(Job("greet", "package.module:greet"))
        ...     [(action.verb, action.options["name"], action.done) for action in queue.history.actions()]
        [('submit', 'greet', 1)]
    """

    id: int
    at: datetime
    ended_at: datetime
    actor: str
    face: str
    verb: str
    filter: dict[str, Any]
    options: dict[str, Any]
    bound: int | None
    done: int
    changed: int
    skipped: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: instants as ISO-8601 text in UTC."""
        return as_plain(self)
