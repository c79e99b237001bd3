"""What a function can know of the job that it is called for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gigq.clock import later
from gigq.codec import decode
from gigq.records import Claim

_CURRENT: ContextVar[JobContext] = ContextVar("gigq_current_job")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobContext:
    """The job that is running, as its function sees it.

    Attributes:
        attempt: which try this is, from 1.
        deadline: when it will be stopped, in UTC; None without a timeout.
    """

    id: str
    name: str
    attempt: int
    max_attempts: int
    deadline: datetime | None
    tags: tuple[str, ...]
    metadata: dict[str, Any]


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


@contextmanager
def entered(claim: Claim, *, now: datetime) -> Iterator[None]:
    """Make a claim the current job while the block runs."""
    context = JobContext(
        id=claim.job_id,
        name=claim.name,
        attempt=claim.attempt,
        max_attempts=claim.max_attempts,
        deadline=None if claim.timeout is None else later(now, claim.timeout),
        tags=claim.tags,
        metadata=decode(claim.metadata),
    )
    token = _CURRENT.set(context)
    try:
        yield
    finally:
        _CURRENT.reset(token)
