"""Workflows: jobs that wait for each other, submitted in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from gigq import checks
from gigq.clock import Duration
from gigq.errors import InvalidJob
from gigq.job import Job, Submittable, is_task
from gigq.job_ids import JobId, JobRef, ids_of, new_job_id
from gigq.lazy import LazyModule
from gigq.queue import workflows
from gigq.queue.job_queue import JobQueue
from gigq.queue.preparing import called, job_of, prepare
from gigq.workflow_order import dependencies_of, each_of, parents_first, with_ends
from gigq.workflow_records import WorkflowStatus

if TYPE_CHECKING:
    from gigq.drawing import mermaid, notebook, planned, svg
    from gigq.drawing.graph import Graph
else:  # few programs draw
    mermaid, notebook = LazyModule("gigq.drawing.mermaid"), LazyModule("gigq.drawing.notebook")
    planned, svg = LazyModule("gigq.drawing.planned"), LazyModule("gigq.drawing.svg")

_Element = Job | Submittable | Callable[..., Any]
"""What becomes a job of a workflow."""


class Workflow:
    """A graph of jobs, kept in memory until `submit_all` stores it under its id. Not safe to share between threads.

    Args:
        name: a name for people.
        id: by default a new UUIDv7. With an id of your own, the workflow is stored once however often that is tried.

    Example:
        >>> from statistics import mean
        >>> from gigq import Job, JobQueue, Workflow
        >>> workflow = Workflow("report")
        >>> measure = workflow.add_job(Job("measure", mean, {"data": [1, 2, 6]}))
        >>> report = workflow.add_job(Job("report", mean, {"data": [3, 5]}), depends_on=[measure])
        >>> with JobQueue(":memory:") as queue:
        ...     ids = workflow.submit_all(queue)
        ...     queue.get_status(report.id)["phase"]
        'waiting'
    """

    def __init__(self, name: str, *, id: str | None = None) -> None:
        self.name = checks.text(name, "name")
        self.id = new_job_id() if id is None else checks.text(id, "id")
        self._jobs: dict[str, Job] = {}
        self._last: str | None = None
        self._known: dict[str, str] = {}
        self._is_ours = False  # what the queue holds under its id was stored by this object, or loaded
        self._queue: JobQueue | None = None  # that it was submitted to, or loaded from

    @classmethod
    def load(cls, queue: JobQueue, workflow_id: str) -> Self:
        """Return a stored workflow, with its jobs as they were stored.

        They call their functions by their paths, and those are among them that other jobs have submitted at run time.
        What is added to it is stored by `submit_all`.

        Args:
            queue: the queue that holds it.
            workflow_id: its id, or any prefix of it that no other workflow's id has.

        Raises:
            WorkflowNotFound: no workflow has this id.
            ValueError: several have ids that begin with it.
        """
        database, prefix = _queue(queue).database, checks.text(workflow_id, "workflow_id")
        found = workflows.load(database, workflows.full_id(database, prefix))
        loaded = cls(found.name, id=found.id)
        loaded._jobs = {job.id: job for job in found.jobs}
        loaded._last = found.last
        loaded._known = {job_id: job_id for job_id in loaded._jobs}
        loaded._is_ours = True
        loaded._queue = queue
        return loaded

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, id={self.id!r})"

    def add_job(
        self, job: _Element, depends_on: JobRef | Iterable[JobRef] | None = None
    ) -> Job:
        """Add a job, and return it with its dependencies: a copy, for a `Job` never changes.

        Args:
            job: the job; or a task or a function that needs no arguments. If a job is added again, it waits for the new
                parents as well.
            depends_on: the jobs that must complete before it, one or several, as jobs or by their ids. They may be
                added later, or be in the queue already.

        Raises:
            TypeError: not a job, or not jobs.
        """
        added = job_of(job)
        parents = ids_of(() if depends_on is None else depends_on, "depends_on")
        before = dependencies_of(self._jobs[added.id]) if added.id in self._jobs else ()
        self._jobs[added.id] = replace(added, dependencies=[*before, *dependencies_of(added), *parents])
        return self._jobs[added.id]

    def add_task(
        self,
        task: Submittable | Callable[..., Any],
        params: Mapping[str, Any] | None = None,
        depends_on: JobRef | Iterable[JobRef] | None = None,
        pass_parent_results: bool | None = None,
    ) -> Job:
        """Add a job that calls a task, or a function, with these params, and return it.

        Args:
            task: the task or the function.
            params: its keyword arguments.
            depends_on: as for `add_job`.
            pass_parent_results: as for `Job`; None leaves it to the task.

        Raises:
            TypeError: neither a task nor a function, or not jobs.
        """
        if isinstance(task, Job) or not (callable(task) or is_task(task)):
            raise TypeError(f"task is {checks.shown(task)}; it must be a task or a function, and add_job adds a Job")
        job = called(task, (), checks.keywords({} if params is None else params, "params"))
        if pass_parent_results is not None:
            job = replace(job, pass_parent_results=pass_parent_results)
        return self.add_job(job, depends_on)

    def chain(self, *elements: _Element | Iterable[_Element]) -> list[Job]:
        """Add jobs one after the other, and return them: each waits for the one before it.

        Args:
            elements: jobs, tasks or functions, as for `add_job`; or lists of these, which run side by side. What comes
                after a list waits for all of it. An empty list is passed over.

        Raises:
            TypeError: neither jobs nor lists of jobs.

        Example:
            >>> from calendar import isleap
            >>> from gigq import Job, Workflow
            >>> workflow = Workflow("chained")
            >>> jobs = [Job(name, isleap, {"year": 2028}) for name in "abcd"]
            >>> a, b, c, d = workflow.chain(jobs[0], [jobs[1], jobs[2]], jobs[3])
            >>> d.dependencies == (b.id, c.id)
            True
        """
        added: list[Job] = []
        before: list[Job] = []
        for element in elements:
            side_by_side = [self.add_job(job, depends_on=before) for job in each_of(element)]
            added += side_by_side
            before = side_by_side or before
        return added

    def at_end(self, job: _Element) -> Job:
        """Add the job that runs once when all others of the workflow have ended, however they ended, and return it.

        It depends on all others, those that are added after it included, and on what they submit at run time. Their bad
        ends do not cancel it: it has ``on_parent_failure="run"``. If its function takes ``parent_results``, it is given
        the results of all of them.

        Args:
            job: as for `add_job`.

        Raises:
            ValueError: the workflow has such a job already.
            InvalidJob: the job has a `unique_key`: another job could take its place.
            TypeError: not a job.
        """
        last = job_of(job)
        if self._last not in (None, last.id):
            there = self._jobs[self._last or ""].name
            raise ValueError(f"workflow {self.name!r} has a job at its end already: {there!r}")
        if last.unique_key is not None:
            raise InvalidJob(f"job {last.name!r} has a unique_key; the job at the end of a workflow must have none")
        self._last = self.add_job(last).id
        return with_ends(self._jobs, self._last)[last.id]

    def submit_all(self, queue: JobQueue, *, connection: object = None) -> list[JobId]:
        """Store the workflow with its jobs in one transaction, and return their ids in the order of addition.

        If the queue has a workflow of this id already, nothing is stored, and the ids are those of its jobs. So it may
        be tried again, also by a program that makes the same workflow anew. Jobs that were added since this object was
        submitted or loaded are stored, and join the workflow. Its last job, as `at_end` makes it, waits for them too,
        and runs once more, from scratch, if it has begun or ended.

        With `connection` it is a part of the transaction that is open there, as for `JobQueue.submit`.

        If another unfinished job has the `unique_key` of one of them, that job's id is returned in its place, and its
        children wait for that job. It does not join the workflow.

        Raises:
            CyclicWorkflow: some jobs wait for each other in a circle, which the message names; nothing was stored.
            UnknownParent: a dependency is neither in the workflow nor in the queue; nothing was stored.
            InvalidJob, StoreError: as `JobQueue.submit`.
        """
        _queue(queue)
        jobs = [
            prepare(job, limit=queue.params_limit, default=queue.default, is_child=job.id == self._last)
            for job in parents_first(self.name, with_ends(self._jobs, self._last))
        ]
        wanted = workflows.Submission(self.id, self.name, jobs, self._last, self._known, self._is_ours)
        stored = workflows.submit(queue.database, wanted, connection)
        if stored.is_sure:
            self._known = {job_id: str(stored.ids.get(job_id, job_id)) for job_id in self._jobs}
        self._queue, self._is_ours = queue, stored.is_ours
        return [stored.ids[job_id] for job_id in self._jobs] if stored.is_ours else list(stored.ids.values())

    @property
    def jobs(self) -> list[Job]:
        """The jobs, in the order in which they were added."""
        return list(with_ends(self._jobs, self._last).values())

    @property
    def ids(self) -> list[str]:
        """The ids of the jobs, in the order in which they were added."""
        return list(self._jobs)

    def status(self, queue: JobQueue) -> WorkflowStatus:
        """Return where the workflow stands in a queue: its jobs counted, and how long they will still take.

        One read transaction. Only the id of this object counts.

        Raises:
            WorkflowNotFound: the queue has no workflow of this id.
        """
        return workflows.status(_queue(queue).database, self.id)

    def wait(self, queue: JobQueue, timeout: Duration | None = None) -> WorkflowStatus:
        """Return where the workflow stands once all of its jobs have ended, also those that were found meanwhile.

        Args:
            queue: the queue that holds it.
            timeout: seconds after which to give up; None waits forever.

        Raises:
            JobNotFinished: the timeout has passed.
            WorkflowNotFound: as `status`; also if the last of its jobs is deleted meanwhile.
        """
        return workflows.wait(_queue(queue).database, queue.clock, self.id, timeout=timeout)

    def cancel(self, queue: JobQueue) -> int:
        """Cancel its pending and its running jobs, all but the one that `at_end` has added, and return how many.

        That one runs then. Running functions are interrupted as by `JobQueue.cancel`. One write transaction.

        Raises:
            WorkflowNotFound: as `status`.
        """
        return workflows.cancel(_queue(queue).database, self.id)

    def requeue_failed(self, queue: JobQueue) -> int:
        """Send back its jobs that failed or timed out, their attempts reset, and return how many.

        One write transaction. The jobs that were cancelled because of them come back with them, and are not counted.
        The one that `at_end` has added runs again, from scratch, when they have ended, also if it has completed. If it
        is just running, it is given back.

        Raises:
            WorkflowNotFound: as `status`.
        """
        return workflows.requeue_failed(_queue(queue).database, self.id)

    def to_mermaid(self, queue: JobQueue | None = None) -> str:
        """Return the workflow as a Mermaid flowchart, which GitHub and many editors draw.

        Args:
            queue: the queue that holds it, for where each job stands, and the jobs that were found at run time.

        Raises:
            WorkflowNotFound: the queue has no workflow of this id.
        """
        return mermaid.to_mermaid(self._graph(queue))

    def to_svg(self, queue: JobQueue | None = None) -> str:
        """Return a picture of the workflow as SVG: each job below, or to the right of, those that it waits for.

        It needs no other file and no script, and is right on light and dark pages. More than 300 jobs, or 60 side by
        side, are drawn by levels, with one box for the jobs that call one function. `queue` is as for `to_mermaid`.
        """
        return str(svg.to_svg(self._graph(queue)))

    def _repr_html_(self) -> str:
        """Return how a notebook shows it: with where its jobs stand in the queue that it was submitted to."""
        return notebook.html(self.name, lambda: self._graph(self._queue), lambda: self._graph(None))

    def _graph(self, queue: JobQueue | None) -> Graph:
        found = None if queue is None else workflows.graph(_queue(queue).database, self.id)
        return planned.graph_of(self.name, self.jobs, found=found, known=self._known)


def _queue(queue: JobQueue) -> JobQueue:
    if not isinstance(queue, JobQueue):
        raise TypeError(f"queue is {checks.shown(queue)}; it must be a JobQueue")
    return queue
