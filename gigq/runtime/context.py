"""What a function can know of the job that it is called for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from datetime import datetime
from typing import Any

from gigq.claims import Claim
from gigq.clock import later
from gigq.codec import decode
from gigq.errors import JobCancelled
from gigq.runtime.output import Log, Output, progress_of


class CallState:
    """Where a runner and the function that it calls see each other.

    Attributes:
        reason: put up by the runner when the function is to stop: the exception that says why.
        output: what the function that was called last has left behind. The runner takes it away.
    """

    __slots__ = ("reason", "output")

    def __init__(self) -> None:
        self.reason: type[BaseException] | None = None
        self.output: Output | None = None


_CURRENT: ContextVar[JobContext] = ContextVar("gigq_current_job")
_STATE: ContextVar[CallState] = ContextVar("gigq_seat")


class JobContext:
    """The job that is running, as its function sees it. Safe to use from any thread."""

    __slots__ = ("_claim", "_state", "_started_at", "_output")

    def __init__(self, claim: Claim, started_at: datetime, state: CallState | None, output: Output) -> None:
        self._claim = claim
        self._started_at = started_at
        self._state = state
        self._output = output

    @property
    def id(self) -> str:
        """The job's id."""
        return self._claim.job_id

    @property
    def name(self) -> str:
        """The job's name."""
        return self._claim.name

    @property
    def attempt(self) -> int:
        """Which try this is, from 1."""
        return self._claim.attempt

    @property
    def max_attempts(self) -> int:
        """How many there may be."""
        return self._claim.max_attempts

    @property
    def deadline(self) -> datetime | None:
        """When it will be stopped, in UTC; None without a timeout."""
        timeout = self._claim.timeout
        return None if timeout is None else later(self._started_at, timeout)

    @property
    def tags(self) -> tuple[str, ...]:
        """The job's tags, in alphabetical order."""
        return self._claim.tags

    @property
    def metadata(self) -> dict[str, Any]:
        """What the caller keeps beside the job; a new copy each time."""
        found: dict[str, Any] = decode(self._claim.metadata)
        return found

    @property
    def cancelled(self) -> bool:
        """Whether the job was cancelled, or taken from this worker, since its function was called."""
        return self._state is not None and self._state.reason is JobCancelled

    def check(self) -> None:
        """Do nothing while the job may go on. For a loop that calls into C, or a thread that the job has started.

        Raises:
            JobCancelled: it was cancelled, or taken from this worker.
            JobTimeout: it has overrun its timeout.
        """
        if self._state is not None and self._state.reason is not None:
            raise self._state.reason

    def progress(self, current: float, total: float | None = None, message: str | None = None) -> None:
        """Say how far the job is, as often as you like: a call takes about a microsecond and writes nothing.

        The worker writes what was said last about once a second, and when the job ends. It stays with the job; a new
        attempt begins without.

        Args:
            current: how much is done, in any unit; from 0.
            total: how much there is to do; None if nobody knows.
            message: a word for people, of at most 500 characters.

        Raises:
            TypeError: a value is not a number, or not text.
            ValueError: a number is negative or not finite, `total` is 0, or the message is too long.
        """
        self._output.progress = progress_of(current, total, message)


def current_job() -> JobContext:
    """Return the job that this function is called for.

    It is known in the thread that the worker called the function in. For another thread that the job starts, copy the
    context: ``contextvars.copy_context().run(…)``.

    Raises:
        RuntimeError: no job is running here.
    """
    try:
        return _CURRENT.get()
    except LookupError:
        raise RuntimeError("current_job() was called outside of a job") from None


def current_log() -> Log | None:
    """Return where the log of the job that is running here is kept; None if it is not, or none is running."""
    context = _CURRENT.get(None)
    return None if context is None else context._output.log


def enter(claim: Claim, *, started_at: datetime, log: Log | None = None) -> tuple[Token[JobContext], Output]:
    """Make a claim the current job, until `leave`, and return also what will hold the output of its function."""
    state, output = _STATE.get(None), Output(claim.execution_id, log)
    if state is not None:
        state.output = output
    return _CURRENT.set(JobContext(claim, started_at, state, output)), output


def take(state: CallState) -> None:
    """Give this state to all jobs that this thread will run."""
    _STATE.set(state)


@contextmanager
def using(state: CallState) -> Iterator[None]:
    """Give this state to all jobs that run inside the block."""
    token = _STATE.set(state)
    try:
        yield
    finally:
        _STATE.reset(token)


def leave(token: Token[JobContext]) -> None:
    """End what `enter` began."""
    _CURRENT.reset(token)
