"""A job that was taken by hand, as the program that took it sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from gigq.claims import Claim
from gigq.clock import later
from gigq.codec import decode


@dataclass(frozen=True, slots=True, kw_only=True)
class JobClaim:
    """What `JobQueue.dequeue` returns: a job, and the proof that one holds it.

    Attributes:
        id: of the job.
        execution_id: of this try, never used again: what is said of it later changes no other.
        function: ``package.module:name``, or the name of a handler.
        attempt: which try this is, from 1.
        timeout: seconds, or None.
        deadline: when others may settle it as timeout, in UTC; None without a timeout.
        tags: in alphabetical order.
        parent_results: ``{parent id: result}``, in the order of the job's dependencies.
        taken: the same as the queue knows it.
    """

    id: str
    execution_id: int
    name: str
    queue: str
    function: str
    args: list[Any]
    params: dict[str, Any]
    attempt: int
    max_attempts: int
    timeout: float | None
    deadline: datetime | None
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    parent_results: dict[str, Any]
    taken: Claim = field(repr=False)

    @classmethod
    def of(cls, claim: Claim, *, now: datetime) -> Self:
        """Return what was claimed just now with its JSON read."""
        return cls(
            id=claim.job_id,
            execution_id=claim.execution_id,
            name=claim.name,
            queue=claim.queue,
            function=claim.function,
            args=decode(claim.args),
            params=decode(claim.params),
            attempt=claim.attempt,
            max_attempts=claim.max_attempts,
            timeout=claim.timeout,
            deadline=None if claim.timeout is None else later(now, claim.timeout),
            tags=claim.tags,
            metadata=decode(claim.metadata),
            parent_results=decode(claim.parent_results or "{}"),
            taken=claim,
        )
