"""What a program holds of a job that it has claimed itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from gigq.claims import Claim
from gigq.clock import later
from gigq.codec import decode


@dataclass(frozen=True, slots=True, kw_only=True)
class JobClaim:
    """A job that `JobQueue.dequeue` has claimed, and the proof of who owns it.

    Attributes:
        id: the job's id.
        execution_id: the number of this execution. It is never used again, so a late call cannot end another one.
        name: the job's name.
        queue: the queue that it was claimed from.
        function: ``package.module:name``, or the name of a handler.
        args: the positional arguments.
        params: the keyword arguments.
        attempt: the number of this execution, from 1.
        max_attempts: how many attempts the job has.
        timeout: how long this execution may take, in seconds; None for no limit.
        claimed_at: when it was claimed, in UTC.
        deadline: when others may settle it as timeout, in UTC; None without a timeout.
        tags: the job's tags, in alphabetical order.
        metadata: the job's metadata.
        parent_results: ``{parent id: result}``, in the order of the job's dependencies.
        claim: the same as the queue and its functions use it.

    Example:
        >>> from gigq import JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     job_id = queue.enqueue("send_mail", to="ada@example.org")
        ...     claim = queue.dequeue()
        ...     claim.function, claim.params, claim.attempt, claim.max_attempts
        ('send_mail', {'to': 'ada@example.org'}, 1, 3)
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
    claimed_at: datetime
    deadline: datetime | None
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    parent_results: dict[str, Any]
    claim: Claim = field(repr=False)

    @classmethod
    def of(cls, claim: Claim, *, now: datetime) -> Self:
        """Return what was claimed just now, its JSON read."""
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
            claimed_at=now,
            deadline=None if claim.timeout is None else later(now, claim.timeout),
            tags=claim.tags,
            metadata=decode(claim.metadata),
            parent_results=decode(claim.parent_results or "{}"),
            claim=claim,
        )
