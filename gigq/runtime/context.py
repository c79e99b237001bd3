"""What a function can know of the job that it is called for."""

from __future__ import annotations

from contextvars import ContextVar, Token
from datetime import datetime
from typing import Any

from gigq.clock import later
from gigq.codec import decode
from gigq.errors import JobCancelled
from gigq.records import Claim


class StopSign:
    """Put up by a runner when the function that its thread calls is to stop.

    Attributes:
        reason: the exception that says why; None while it may go on.
    """

    __slots__ = ("reason",)

    def __init__(self) -> None:
        self.reason: type[BaseException] | None = None


_CURRENT: ContextVar[JobContext] = ContextVar("gigq_current_job")
_SIGN: ContextVar[StopSign] = ContextVar("gigq_stop_sign")


class JobContext:
    """The job that is running, as its function sees it. Safe to use from any thread."""

    __slots__ = ("_claim", "_sign", "_started_at")

    def __init__(self, claim: Claim, started_at: datetime, sign: StopSign | None) -> None:
        self._claim = claim
        self._started_at = started_at
        self._sign = sign

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
        return self._sign is not None and self._sign.reason is JobCancelled

    def check(self) -> None:
        """Do nothing while the job may go on. For a loop that calls into C, or a thread that the job has started.

        Raises:
            JobCancelled: it was cancelled, or taken from this worker.
            JobTimeout: it has overrun its timeout.
        """
        if self._sign is not None and self._sign.reason is not None:
            raise self._sign.reason


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


def enter(claim: Claim, *, started_at: datetime) -> Token[JobContext]:
    """Make a claim the current job, until `leave`."""
    return _CURRENT.set(JobContext(claim, started_at, _SIGN.get(None)))


def heed(sign: StopSign) -> None:
    """Show a stop sign to all jobs that this thread will run."""
    _SIGN.set(sign)


def leave(token: Token[JobContext]) -> None:
    """End what `enter` began."""
    _CURRENT.reset(token)
