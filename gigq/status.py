"""The statuses of jobs and executions, and every legal move from one status to the next."""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Literal

StatusText = Literal["pending", "running", "completed", "failed", "cancelled", "timeout"]
"""A `JobStatus` as text."""

PhaseText = Literal[
    "ready", "scheduled", "waiting", "paused", "retrying", "reserved", "running", "completed", "failed", "cancelled",
    "timeout",
]  # fmt: skip
"""A `Phase` as text."""


class JobStatus(StrEnum):
    """The status of a job, in the words that the file holds.

    Example:
        >>> from gigq import JobStatus
        >>> JobStatus("failed") == "failed" == JobStatus.FAILED
        True
    """

    PENDING = "pending"
    """To be run: now, at `run_at`, or once its parents have completed."""
    RUNNING = "running"
    """Claimed: exactly one execution is open."""
    COMPLETED = "completed"
    """The function returned; its result is kept."""
    FAILED = "failed"
    """The last attempt raised, or its worker died, or the error was final."""
    CANCELLED = "cancelled"
    """Cancelled from outside, expired, or not run because a parent ended badly."""
    TIMEOUT = "timeout"
    """The last attempt ran longer than the job's timeout."""


UNFINISHED = (JobStatus.PENDING, JobStatus.RUNNING)
DEAD = (JobStatus.FAILED, JobStatus.TIMEOUT)
ENDED_BADLY = (*DEAD, JobStatus.CANCELLED)
FINISHED = (JobStatus.COMPLETED, *ENDED_BADLY)
PRUNED_BY_DEFAULT = (JobStatus.COMPLETED, JobStatus.CANCELLED)
"""The statuses that are pruned by default. Dead letters stay, for a person to look at."""


class ExecutionStatus(StrEnum):
    """The status of an execution, in the words that the file holds. While it is `running`, its row is the lease."""

    RUNNING = "running"
    """Open: its worker owns the job."""
    COMPLETED = "completed"
    """The function returned."""
    FAILED = "failed"
    """The function raised, cannot be called, or returned what JSON cannot hold."""
    TIMEOUT = "timeout"
    """It ran longer than the job's timeout."""
    CANCELLED = "cancelled"
    """The job was cancelled while it ran."""
    LOST = "lost"
    """Its worker died."""
    RELEASED = "released"
    """Given back unfinished; the attempt does not count."""


class Phase(StrEnum):
    """A finer word than the status, for people. It is derived when a job is read, and never stored."""

    READY = "ready"
    """pending: a worker may claim it now"""
    SCHEDULED = "scheduled"
    """pending: not before `run_at`, never tried"""
    WAITING = "waiting"
    """pending: not all of its parents have completed"""
    PAUSED = "paused"
    """pending: ready, but its queue is paused"""
    RETRYING = "retrying"
    """pending: tried before, and not again before `run_at`"""
    RESERVED = "reserved"
    """running: prefetched by a worker, its function not called yet"""
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"


class Move(Enum):
    """A legal change of a job's status: where it may start, and where it leads."""

    CLAIM = ("claim", (JobStatus.PENDING,), JobStatus.RUNNING)
    COMPLETE = ("complete", (JobStatus.RUNNING,), JobStatus.COMPLETED)
    RETRY = ("retry", (JobStatus.RUNNING,), JobStatus.PENDING)
    RELEASE = ("release", (JobStatus.RUNNING,), JobStatus.PENDING)
    FAIL = ("fail", (JobStatus.RUNNING,), JobStatus.FAILED)
    TIME_OUT = ("time out", (JobStatus.RUNNING,), JobStatus.TIMEOUT)
    CANCEL = ("cancel", UNFINISHED, JobStatus.CANCELLED)
    REQUEUE = ("requeue", ENDED_BADLY, JobStatus.PENDING)
    RERUN = ("run again", (JobStatus.COMPLETED,), JobStatus.PENDING)

    def __init__(self, label: str, sources: tuple[JobStatus, ...], target: JobStatus) -> None:
        self.label = label
        self.sources = sources
        self.target = target


def move_after(ended: ExecutionStatus, *, is_final: bool, attempts_left: int) -> Move:
    """Return the move of a job whose execution has ended.

    Args:
        ended: how the execution ended; not `RUNNING`.
        is_final: whether a failure is final, so that no other attempt is made.
        attempts_left: how many attempts the job has left after this one.
    """
    match ended:
        case ExecutionStatus.COMPLETED:
            return Move.COMPLETE
        case ExecutionStatus.RELEASED:
            return Move.RELEASE
        case ExecutionStatus.CANCELLED:
            return Move.CANCEL
        case ExecutionStatus.TIMEOUT:
            return Move.RETRY if attempts_left > 0 else Move.TIME_OUT
        case ExecutionStatus.FAILED | ExecutionStatus.LOST:
            return Move.RETRY if attempts_left > 0 and not is_final else Move.FAIL
    raise ValueError(f"an execution that is {ended} has not ended")
