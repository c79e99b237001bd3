"""The ancestors and the descendants of a job as people read them."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from datetime import datetime
from typing import Any, NamedTuple

from gigq.plain import as_plain
from gigq.status import Phase


class GraphJob(NamedTuple):
    """A job of a `JobGraph`. Instants are in UTC.

    Attributes:
        id: its id.
        name: its name, for people.
        function: ``package.module:name``, or the name of a handler.
        queue: the name of its queue.
        phase: where it stands; see `Phase`.
        distance: how many steps it is from the job that was asked for: negative for an ancestor, positive for a
            descendant, 0 for the job itself.
        run_at: the instant before which it may not start, while there is one to wait for; otherwise None.
        started_at: when the function of its last execution was called; None if it has not been.
        completed_at: when it ended, whatever its status; None while it is unfinished.
        submitted_by: the id of the job whose function has submitted it; None if none has, or that was deleted.

    Example:
        >>> from gigq import JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     (job,) = queue.graph(queue.enqueue("send_mail")).jobs
        ...     job.name, job.phase, job.distance
        ('send_mail', <Phase.READY: 'ready'>, 0)
    """

    id: str
    name: str
    function: str
    queue: str
    phase: Phase
    distance: int
    run_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    submitted_by: str | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: words as text, instants as ISO-8601 text in UTC."""
        return as_plain(self)


class GraphLevel(NamedTuple):
    """All jobs of a `JobGraph` at one distance from the job that was asked for.

    Attributes:
        distance: as that of a `GraphJob`.
        phases: how many of them there are in each phase that occurs.
        functions: how many of them call each function, those that most of them call first; at most three.

    Example:
        >>> from gigq import JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     (level,) = queue.graph(queue.enqueue("send_mail")).levels
        ...     level.distance, level.number, level.functions
        (0, 1, {'send_mail': 1})
    """

    distance: int
    phases: dict[str, int]
    functions: dict[str, int]

    @property
    def number(self) -> int:
        """How many jobs there are."""
        return sum(self.phases.values())

    def as_dict(self) -> dict[str, Any]:
        """Return the attributes and `number` as plain values that JSON can hold."""
        return as_plain(self) | {"number": self.number}


class JobGraph(NamedTuple):
    """A job, what it depends on, and what depends on it, near and far, all of one instant.

    A job that has submitted another one counts as one that it depends on.

    Attributes:
        id: the id of the job that was asked for.
        name: its name.
        at: the instant, in UTC.
        jobs: the nearest of them, and the job itself, in the order of submission.
        edges: a pair of the parent's and the child's id for each dependency between these.
        levels: how many there are at each distance, the farthest ancestors first.
        is_complete: whether all relatives are in `levels`; of more than 10,000 ancestors or descendants, the nearest
            are.

    Example:
        >>> from gigq import Job, JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     load = queue.submit(Job("load", "load_rows"))
        ...     clean = queue.submit(Job("clean", "clean_rows", dependencies=[load]))
        ...     graph = queue.graph(load)
        ...     [(job.name, job.distance) for job in graph.jobs], graph.edges == ((load, clean),)
        ([('load', 0), ('clean', 1)], True)
    """

    id: str
    name: str
    at: datetime
    jobs: tuple[GraphJob, ...]
    edges: tuple[tuple[str, str], ...]
    levels: tuple[GraphLevel, ...]
    is_complete: bool

    @property
    def number(self) -> int:
        """How many jobs there are in all levels together."""
        return sum(level.number for level in self.levels)

    def as_dict(self) -> dict[str, Any]:
        """Return the attributes and `number` as plain values that JSON can hold; instants as ISO-8601 text in UTC."""
        return as_plain(self) | {"number": self.number}
