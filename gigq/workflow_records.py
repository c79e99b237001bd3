"""Workflows of the file as people read them."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from datetime import datetime
from typing import Any, NamedTuple

from gigq.plain import as_plain
from gigq.status import FINISHED, Phase


class WorkflowRecord(NamedTuple):
    """A workflow, as the file held it when it was read. Instants are in UTC.

    Attributes:
        id: its id, by default a UUIDv7.
        name: its name, for people.
        created_at: when it was submitted.
        statuses: the number of its jobs by status, zeros included.
        last_job: the id of the job that runs when all others have ended; None if it has none.

    Example:
        >>> from calendar import isleap
        >>> from gigq import Job, JobQueue, Workflow
        >>> workflow = Workflow("leap years")
        >>> leap = workflow.add_job(Job("leap", isleap, {"year": 2028}))
        >>> with JobQueue(":memory:") as queue:
        ...     ids = workflow.submit_all(queue)
        ...     [(each.name, each.total, each.done) for each in queue.workflows()]
        [('leap years', 1, 0.0)]
    """

    id: str
    name: str
    created_at: datetime
    statuses: dict[str, int]
    last_job: str | None

    @property
    def total(self) -> int:
        """How many jobs it has."""
        return sum(self.statuses.values())

    @property
    def done(self) -> float:
        """The share of its jobs that have ended, whatever their status: from 0 to 1."""
        return _done(self.statuses)

    def as_dict(self) -> dict[str, Any]:
        """Return the attributes, `total` and `done` as plain values that JSON can hold; instants as ISO-8601 text."""
        return as_plain(self) | {"total": self.total, "done": self.done}


class WorkflowStatus(NamedTuple):
    """Where a workflow stood when it was read, all of it at one instant. Instants are in UTC.

    Attributes:
        id: its id.
        name: its name, for people.
        created_at: when it was submitted.
        started_at: when the function of one of its jobs was first called; None before.
        completed_at: when the last of its jobs ended; None while one is unfinished.
        statuses: the number of its jobs by status, zeros included.
        phases: the same by phase, a finer word than the status.
        time_left: an estimate of the seconds until all have ended; 0 when they have. None while it cannot be told:
            some unfinished job calls a function that has not completed lately, or no live worker serves its queue.
        last_job: the id of the job that runs when all others have ended; None if it has none.

    Example:
        >>> from calendar import isleap
        >>> from gigq import Job, JobQueue, Workflow
        >>> workflow = Workflow("leap years")
        >>> jobs = [workflow.add_job(Job("leap", isleap, {"year": year})) for year in (2027, 2028)]
        >>> with JobQueue(":memory:") as queue:
        ...     ids = workflow.submit_all(queue)
        ...     cancelled = queue.cancel(ids[0])
        ...     status = workflow.status(queue)
        ...     status.statuses["cancelled"], status.phases["ready"], status.done, status.has_ended
        (1, 1, 0.5, False)
    """

    id: str
    name: str
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    statuses: dict[str, int]
    phases: dict[str, int]
    time_left: float | None
    last_job: str | None

    @property
    def total(self) -> int:
        """How many jobs it has, with those that were found at run time."""
        return sum(self.statuses.values())

    @property
    def done(self) -> float:
        """The share of its jobs that have ended, whatever their status: from 0 to 1."""
        return _done(self.statuses)

    @property
    def has_ended(self) -> bool:
        """Whether all of its jobs have ended, whatever their status."""
        return self.completed_at is not None

    def as_dict(self) -> dict[str, Any]:
        """Return the attributes and properties as plain values that JSON can hold; instants as ISO-8601 text."""
        return as_plain(self) | {"total": self.total, "done": self.done, "has_ended": self.has_ended}


class WorkflowJob(NamedTuple):
    """A job of a workflow, as a picture of it needs it.

    Attributes:
        submitted_by: the id of the job that found it at run time; None for the others.
        is_outside: whether it belongs to no workflow, or another, and a job of this one depends on it.
    """

    id: str
    name: str
    function: str
    phase: Phase
    run_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    submitted_by: str | None
    is_outside: bool

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: words as text, instants as ISO-8601 text in UTC."""
        return as_plain(self)


class WorkflowGraph(NamedTuple):
    """The jobs of a workflow and what they depend on, all of one instant.

    Attributes:
        at: that instant.
        jobs: in the order of submission.
        edges: a pair of the parent's and the child's id for each dependency.
    """

    id: str
    name: str
    last_job: str | None
    at: datetime
    jobs: tuple[WorkflowJob, ...]
    edges: tuple[tuple[str, str], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: words as text, instants as ISO-8601 text in UTC."""
        return as_plain(self)


def _done(statuses: dict[str, int]) -> float:
    ended, total = sum(statuses[status] for status in FINISHED), sum(statuses.values())
    return ended / total if total else 1.0
