"""The current job: which one runs in which context."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from gigq.claims import Claim
from gigq.runtime.call_state import CallState
from gigq.runtime.durable import Tools
from gigq.runtime.job_context import JobContext
from gigq.runtime.output import Log, Output

_Call = tuple[Claim, str, CallState | None, Output, Tools | None]
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
    """Return the execution that is running here, and its job's id; None outside a job, and in a replay of one."""
    call = _CURRENT.get(None)
    return None if call is None or not call[0].execution_id else (call[0].execution_id, call[0].job_id)


def current_log() -> Log | None:
    """Return the log of the job that is running here; None if its log is not kept, or no job is running."""
    call = _CURRENT.get(None)
    return None if call is None else call[3].log


def enter(claim: Claim, started_at: str, log: Log | None = None, tools: Tools | None = None) -> Output:
    """Make a claim the current job of the current context. Return the object that will hold its function's output.

    Args:
        claim: the job.
        started_at: now, as the file holds it.
        log: where its log is kept, if it is.
        tools: what it uses for work that outlives its process, if it can have any.
    """
    state, output = _STATE.get(None), Output(claim.execution_id, log)
    if state is not None:
        state.output, state.started_at = output, started_at
    _CURRENT.set((claim, started_at, state, output, tools))
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
