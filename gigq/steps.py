"""The steps of a job: what is remembered of each, between the function that makes it and the file, and for people."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from datetime import datetime
from typing import Any, Literal, NamedTuple

from gigq.plain import as_plain

StepKind = Literal["step", "transaction"]
"""What a step was: a call of a function, or one that has written in the commit that remembers it."""


class Step(NamedTuple):
    """A step whose function has returned, on its way into the file.

    Attributes:
        name: with those of the steps around it: ``outer/inner``.
        occurrence: 1 for the first of its name in a run of the job's function, then 2, 3, ….
        depth: how many steps it is inside.
        fingerprint: of its arguments; None if JSON cannot hold them.
        arguments: the beginning of them, as JSON; None likewise.
        result: what it returned, as JSON.
        started_at: when its function was called, as the file holds it.
    """

    name: str
    occurrence: int
    depth: int
    kind: StepKind
    fingerprint: str | None
    arguments: str | None
    result: str
    started_at: str


class RememberedStep(NamedTuple):
    """What the file holds of a step that an earlier run of the function, or this one, has made. As in `Step`."""

    depth: int
    kind: StepKind
    fingerprint: str | None
    arguments: str | None
    result: str


class Place(NamedTuple):
    """Where in the steps of a running job something is done.

    Attributes:
        steps: how the names of steps begin there; empty outside of all.
        call: the number of the call of the innermost one in this run of the function; 0 outside of all.
    """

    steps: str
    call: int


class StepRecord(NamedTuple):
    """A step of a job that is remembered, as the file held it when it was read. Instants are in UTC.

    Attributes:
        job_id: the id of its job.
        name: its name; ``outer/inner`` for a step inside another one, ``outer[2]/inner`` inside its second call.
        occurrence: 1 for the first call of this name in a run of the job's function, then 2, 3, ...
        depth: how many steps it is inside.
        kind: ``step``, or ``transaction`` if it has written to the file in the commit that remembers it.
        arguments: the first 500 characters of its arguments, as JSON; None if JSON cannot hold them.
        result: what it returned.
        execution_id: the number of the execution that called it.
        attempt: which attempt that was; None if the execution is no longer in the file.
        started_at: when its function was called.
        completed_at: when it was remembered.

    Example:
        >>> from gigq import JobQueue, current_job
        >>> from gigq.testing import drain
        >>> def report(city: str) -> int:
        ...     letters = current_job().step("count", len, city)
        ...     return current_job().step("double", lambda: 2 * letters)
        >>> with JobQueue(":memory:") as queue:
        ...     job_id = queue.enqueue("report", "Oslo")
        ...     executions = drain(queue, handlers={"report": report})
        ...     [(step.name, step.arguments, step.result) for step in queue.steps(job_id)]
        [('count', '["Oslo"]', 4), ('double', '[]', 8)]
    """

    job_id: str
    name: str
    occurrence: int
    depth: int
    kind: StepKind
    arguments: str | None
    result: Any
    execution_id: int
    attempt: int | None
    started_at: datetime
    completed_at: datetime

    @property
    def duration(self) -> float:
        """Seconds from the call of its function to the commit that remembers it."""
        return (self.completed_at - self.started_at).total_seconds()

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: words as text, instants as ISO-8601 text in UTC."""
        return as_plain(self)
