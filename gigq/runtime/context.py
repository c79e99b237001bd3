"""The current job, as its function sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from gigq.claims import Claim
from gigq.clock import from_text, later
from gigq.codec import decode
from gigq.errors import JobCancelled
from gigq.runtime.output import Log, Output, progress_of


class CallState:
    """What a runner shares with the function that it is calling.

    Attributes:
        is_running: whether an exception may be raised in the function's thread to stop it.
        has_ended: whether no more will be.
        is_aimed_at: whether another thread is about to raise one.
        stop_reason: the exception that stops the function, once its runner has decided to stop it.
        output: what the last function that was called leaves behind. Its runner clears it.
        started_at: when that was, as the file holds it.
    """

    __slots__ = ("has_ended", "is_aimed_at", "is_running", "output", "started_at", "stop_reason")

    def __init__(self) -> None:
        self.is_running = self.has_ended = self.is_aimed_at = False
        self.stop_reason: type[BaseException] | None = None
        self.output: Output | None = None
        self.started_at: str | None = None


class JobContext:
    """The running job, as its function sees it. Safe to use from any thread.

    >>> from gigq import Job, JobQueue, current_job
    >>> from gigq.testing import drain
    >>> def convert() -> str:
    ...     job = current_job()
    ...     for page in range(1, 4):
    ...         job.check()  # raises JobCancelled once the job is cancelled
    ...         job.progress(page, 3, f"page {page}")
    ...     return f"{job.name}, attempt {job.attempt} of {job.max_attempts}"
    >>> with JobQueue(":memory:") as queue:
    ...     job_id = queue.submit(Job("Convert the report", "convert"))
    ...     executions = drain(queue, handlers={"convert": convert})
    ...     print(queue.result(job_id))
    Convert the report, attempt 1 of 3
    """

    __slots__ = ("_claim", "_output", "_started_at", "_state")

    def __init__(self, claim: Claim, started_at: str, state: CallState | None, output: Output) -> None:
        self._claim = claim
        self._started_at = started_at
        self._state = state
        self._output = output

    def __repr__(self) -> str:
        if self.id is None:
            return f"<{type(self).__name__}: no job is running here>"
        return f"<{type(self).__name__} {self.id} ({self.name!r}), attempt {self.attempt} of {self.max_attempts}>"

    @property
    def id(self) -> str | None:
        """The job's id; None outside a job."""
        return self._claim.job_id or None

    @property
    def name(self) -> str | None:
        """The job's name; None outside a job."""
        return self._claim.name or None

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1; 1 outside a job."""
        return self._claim.attempt

    @property
    def max_attempts(self) -> int:
        """How many attempts the job may have; 1 outside a job."""
        return self._claim.max_attempts

    @property
    def deadline(self) -> datetime | None:
        """When the job will be stopped, in UTC; None if it has no timeout, and outside a job."""
        timeout = self._claim.timeout
        return None if timeout is None else later(from_text(self._started_at), timeout)

    @property
    def tags(self) -> tuple[str, ...]:
        """The job's tags, in alphabetical order."""
        return self._claim.tags

    @property
    def metadata(self) -> dict[str, Any]:
        """The job's metadata; a new copy each time."""
        found: dict[str, Any] = decode(self._claim.metadata)
        return found

    @property
    def cancelled(self) -> bool:
        """Whether the job has been cancelled, or taken from this worker, since its function was called."""
        return self._state is not None and self._state.stop_reason is JobCancelled

    def check(self) -> None:
        """Raise if the job must stop. For loops that call into C, and for threads that the job has started.

        Raises:
            JobCancelled: the job was cancelled, or taken from this worker.
            JobTimeout: the job has overrun its timeout.
        """
        if self._state is not None and self._state.stop_reason is not None:
            raise self._state.stop_reason

    def progress(self, current: float, total: float | None = None, message: str | None = None) -> None:
        """Report how far the job is, as often as you like: a call takes about a microsecond and writes nothing.

        The worker writes the latest progress about once a second, and when the job ends. It is kept with the job
        until a new attempt begins.

        Args:
            current: how much is done, in any unit; at least 0.
            total: how much there is to do, in the same unit; of 0, all is done. None if it is not known.
            message: a note for people, of at most 500 characters.

        Raises:
            TypeError: a number is not a number, or the message is not text.
            ValueError: a number is negative or not finite, or the message is too long.
        """
        self._output.progress = progress_of(current, total, message)


_Call = tuple[Claim, str, CallState | None, Output]
"""The arguments of a `JobContext`, which is made only for a function that asks for it: most do not."""

_CURRENT: ContextVar[_Call] = ContextVar("gigq_current_job")
_STATE: ContextVar[CallState] = ContextVar("gigq_call_state")


_DETACHED = Claim(
    execution_id=0, is_ahead=False, job_seq=0, job_id="", name="", queue="", function="", args="[]", params="{}",
    attempt=1, max_attempts=1, timeout=None, retry_on="[]", no_retry_on="[]", pass_parent_results=None, metadata="{}",
)  # fmt: skip
"""Stands for the job where none is running."""


def current_job() -> JobContext:
    """Return the job that this function is called for, or outside a job a context that is attached to none.

    So a function that uses it can also be called directly, for example in a test. The detached context has no `id` and
    no `name`, its `attempt` is 1 of 1, it is never `cancelled`, and what it is told of progress is checked and dropped.

    Call it in the thread in which the worker has called the function. For another thread that the job starts, copy
    the context: ``contextvars.copy_context().run(…)``.

    >>> from gigq import Job, JobQueue, current_job
    >>> from gigq.testing import drain
    >>> def report() -> list[str]:
    ...     return list(current_job().tags)
    >>> with JobQueue(":memory:") as queue:
    ...     job_id = queue.submit(Job("Report", "report", tags=["weekly", "sales"]))
    ...     executions = drain(queue, handlers={"report": report})
    ...     print(queue.result(job_id))
    ['sales', 'weekly']
    >>> report()
    []
    """
    call = _CURRENT.get(None)
    return JobContext(*call) if call else JobContext(_DETACHED, "", None, Output(0))


def current_execution() -> tuple[int, str] | None:
    """Return the execution that is running here, and its job's id; None outside a job."""
    call = _CURRENT.get(None)
    return None if call is None else (call[0].execution_id, call[0].job_id)


def current_log() -> Log | None:
    """Return the log of the job that is running here; None if its log is not kept, or no job is running."""
    call = _CURRENT.get(None)
    return None if call is None else call[-1].log


def enter(claim: Claim, started_at: str, log: Log | None = None) -> Output:
    """Make a claim the current job of the current context. Return the object that will hold its function's output.

    Args:
        claim: the job.
        started_at: now, as the file holds it.
        log: where its log is kept, if it is.
    """
    state, output = _STATE.get(None), Output(claim.execution_id, log)
    if state is not None:
        state.output, state.started_at = output, started_at
    _CURRENT.set((claim, started_at, state, output))
    return output


def take(state: CallState) -> None:
    """Share this state with every job that this thread will run."""
    _STATE.set(state)


@contextmanager
def using(state: CallState) -> Iterator[None]:
    """Share this state with every job that runs inside the block."""
    token = _STATE.set(state)
    try:
        yield
    finally:
        _STATE.reset(token)
