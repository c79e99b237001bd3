"""Jobs and executions of the file as people read them."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from datetime import datetime
from typing import Any, NamedTuple

from gigq.plain import as_plain
from gigq.status import ExecutionStatus, JobStatus, Phase

# Named tuples: dataclasses load `inspect`, a fifth of the time of `gigq list`, and a frozen one of this size takes 5 us
# to make.


class ExecutionRecord(NamedTuple):
    """One execution of a job, as the file held it when it was read. Instants are in UTC.

    Attributes:
        id: its number, unique in the file and never used again.
        job_id: the id of its job.
        attempt: which attempt it is, from 1. One that is given back does not count: the next has the same number.
        status: ``running`` while its worker owns the job; then how it ended.
        worker_id: the name of the worker that claimed it.
        started_at: when its function was called; None if it has not been, or never was.
        completed_at: when it ended; None while it is running.
        result: what its function returned, if it completed; otherwise None.
        error: the message of the error; None without one.
        error_type: the class of the exception; None if there was none.
        traceback: the traceback of the exception; None if there was none.
        log: what the function logged, if the worker has `capture_logs`; otherwise None. Of one that runs, so far. None
            in what lists return, too: `get_job` has it.

    Example:
        >>> from calendar import isleap
        >>> from gigq import JobQueue
        >>> from gigq.testing import drain
        >>> with JobQueue(":memory:") as queue:
        ...     job_id = queue.enqueue(isleap, year="soon")
        ...     executions = drain(queue)
        ...     queue.get_job(job_id).executions[0].error_type
        'TypeError'
    """

    id: int
    job_id: str
    attempt: int
    status: ExecutionStatus
    worker_id: str
    started_at: datetime | None
    completed_at: datetime | None
    result: Any
    error: str | None
    error_type: str | None
    traceback: str | None
    log: str | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: words as text, instants as ISO-8601 text in UTC."""
        return as_plain(self)


class JobRecord(NamedTuple):
    """A job, as the file held it when it was read. Instants are in UTC.

    Attributes:
        id: its id, by default a UUIDv7.
        name: its name, for people.
        status: one of six; see `JobStatus`.
        phase: a finer word than the status, derived when it was read; see `Phase`.
        queue: the name of its queue.
        priority: jobs with a larger number are claimed first.
        function: ``package.module:name``, or the name of a handler.
        args: the positional arguments.
        params: the keyword arguments.
        result: what the function returned; None until the job has completed.
        error: the error of the last attempt, or why the job was cancelled; None without one.
        attempts: how many attempts have begun, without those that were given back; 0 again after a requeue.
        max_attempts: how many attempts it has.
        releases: how often it was given back unfinished; of those executions its first and the last 20 are kept.
        timeout: the time limit of one execution, in seconds; None for no limit.
        retry_delay: seconds before the first retry.
        pass_parent_results: whether its function is given its parents' results; None: the worker decides.
        description: a text for people; may be empty.
        created_at: when it was submitted.
        updated_at: when its status, or another field that can change, was last written.
        run_at: the instant before which it may not start, while there is one to wait for; otherwise None.
        expires_at: it is cancelled if it has not been started by then; None for never.
        started_at: when the function of its last execution was called; None if it has not been.
        completed_at: when it ended, whatever its status; None while it is unfinished.
        worker_id: the name of the worker that runs it, or ran it last; None before the first, and after a requeue.
        progress: ``current``, ``total``, ``percentage`` and ``message``, as its function last said; None if it did not.
        cursor: the place in a long loop that its function has last set; None if it has set none.
        unique_key: while it is unfinished, no other job with this key is stored; None without a key.
        dependencies: the ids of its parents, in the order given; then those that these have submitted.
        submitted_by: the id of the job whose function has submitted it; None if none has, or that was deleted.
        workflow: the ``id`` and the ``name`` of its workflow; None if it belongs to none.
        tags: its tags, in alphabetical order.
        metadata: what was given with it.
        executions: its executions, the oldest first; see `releases`.

    Example:
        >>> from calendar import isleap
        >>> from gigq import JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     job = queue.get_job(queue.enqueue(isleap, year=2028))
        ...     job.status, job.phase, job.function, job.params, job.executions
        (<JobStatus.PENDING: 'pending'>, <Phase.READY: 'ready'>, 'calendar:isleap', {'year': 2028}, ())
    """

    id: str
    name: str
    status: JobStatus
    phase: Phase
    queue: str
    priority: int
    function: str
    args: list[Any]
    params: dict[str, Any]
    result: Any
    error: str | None
    attempts: int
    max_attempts: int
    releases: int
    timeout: float | None
    retry_delay: float
    pass_parent_results: bool | None
    description: str
    created_at: datetime
    updated_at: datetime
    run_at: datetime | None
    expires_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    worker_id: str | None
    progress: dict[str, Any] | None
    cursor: Any
    unique_key: str | None
    dependencies: tuple[str, ...]
    submitted_by: str | None
    workflow: dict[str, str] | None
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    executions: tuple[ExecutionRecord, ...]

    @property
    def duration(self) -> float | None:
        """Seconds from the start of the last execution to its end; None before that end."""
        if self.started_at is None or self.completed_at is None:
            return None
        return (self.completed_at - self.started_at).total_seconds()

    def _repr_html_(self) -> str:
        """Return how a notebook shows it."""
        from gigq.drawing import cards, job_card  # only here: few programs are notebooks

        return cards.shown(lambda: job_card.job_card(self), str(self.name))

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: words as text, instants as ISO-8601 text in UTC.

        Besides the attributes there are ``exists``, always true; ``function_module`` (empty for a handler) and
        ``function_name``, the two parts of the function; and ``retry_after``, the instant of a retry that is waited
        for.
        """
        values = as_plain(self)
        module, _, name = self.function.rpartition(":" if ":" in self.function else ".")
        retry_after = values["run_at"] if self.phase is Phase.RETRYING else None
        return {"exists": True, **values, "function_module": module, "function_name": name, "retry_after": retry_after}
