"""The jobs that run next as people read them."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from gigq.clock import to_text
from gigq.plain import as_plain
from gigq.status import Phase


class NextJob(NamedTuple):
    """A job that will run, and when it is predicted to. Instants are in UTC.

    Attributes:
        id: its id.
        name: its name, for people.
        function: ``package.module:name``, or the name of a handler.
        queue: the name of its queue.
        priority: jobs with a larger number are claimed first.
        phase: where it stands: ``reserved``, ``ready``, ``paused``, ``scheduled`` or ``retrying``.
        run_at: the instant before which it may not start, while there is one to wait for; otherwise None.
        starts_at: when its function is predicted to be called; None if that cannot be told.
        duration: how long it is predicted to run, in seconds; None if that cannot be told.
        reason: why its start cannot be told, in a few words; None if it can.

    Example:
        >>> from gigq import JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     job_id = queue.enqueue("send_mail")
        ...     pause = queue.pause()
        ...     queue.next_jobs()[0].reason
        'all queues are paused'
    """

    id: str
    name: str
    function: str
    queue: str
    priority: int
    phase: Phase
    run_at: datetime | None
    starts_at: datetime | None
    duration: float | None
    reason: str | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: words as text, instants as ISO-8601 text in UTC."""
        return as_plain(self)


class NextJobs(list[NextJob]):
    """The jobs that run next, in the order in which they are predicted to start; last those of which nobody can tell.

    Attributes:
        at: when the file was read, in UTC.
        assumption: what the prediction rests on, as a sentence.
        is_cut: whether the prediction ended early, because the time of ``within=`` was over or too many other jobs
            come before.

    Example:
        >>> from gigq import Job, JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     ids = queue.submit_many([Job("first", "send_mail"), Job("urgent", "send_mail", priority="high")])
        ...     [(job.name, job.starts_at, job.reason) for job in queue.next_jobs()]
        [('urgent', None, 'no live worker serves its queue'), ('first', None, 'no live worker serves its queue')]
    """

    def __init__(self, jobs: Iterable[NextJob], *, at: datetime, assumption: str, is_cut: bool = False) -> None:
        super().__init__(jobs)
        self.at = at
        self.assumption = assumption
        self.is_cut = is_cut

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: the jobs as ``items``, and the attributes."""
        items = [job.as_dict() for job in self]
        return {"items": items, "at": to_text(self.at), "assumption": self.assumption, "is_cut": self.is_cut}
