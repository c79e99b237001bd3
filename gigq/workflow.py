"""Workflows: jobs that wait for each other, submitted in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from gigq import checks
from gigq.errors import CyclicWorkflow
from gigq.job import Job, Submittable, is_task
from gigq.job_ids import JobId, JobRef, ids_of
from gigq.queue.job_queue import JobQueue
from gigq.queue.preparing import called, job_of


class Workflow:
    """A graph of jobs, kept in memory until `submit_all`. Not safe to share between threads.

    Args:
        name: a name for people.

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

    def __init__(self, name: str) -> None:
        self.name = checks.text(name, "name")
        self._jobs: dict[str, Job] = {}

    def add_job(
        self, job: Job | Submittable | Callable[..., Any], depends_on: JobRef | Iterable[JobRef] | None = None
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
        before = _dependencies(self._jobs[added.id]) if added.id in self._jobs else ()
        self._jobs[added.id] = replace(added, dependencies=[*before, *_dependencies(added), *parents])
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

    def submit_all(self, queue: JobQueue) -> list[JobId]:
        """Store all jobs in one transaction, and return their ids in the order in which they were added.

        If another unfinished job has the `unique_key` of one of them, that job's id is returned in its place, and its
        children wait for that job.

        Raises:
            CyclicWorkflow: some jobs wait for each other in a circle, which the message names; nothing was stored.
            UnknownParent: a dependency is neither in the workflow nor in the queue; nothing was stored.
            InvalidJob, StoreError: as `JobQueue.submit`.
        """
        if not isinstance(queue, JobQueue):
            raise TypeError(f"queue is {checks.shown(queue)}; it must be a JobQueue")
        jobs = self._parents_first()
        stored = dict(zip((job.id for job in jobs), queue.submit_many(jobs), strict=True))
        return [stored[job_id] for job_id in self._jobs]

    @property
    def jobs(self) -> list[Job]:
        """The jobs, in the order in which they were added."""
        return list(self._jobs.values())

    @property
    def ids(self) -> list[str]:
        """The ids of the jobs, in the order in which they were added."""
        return list(self._jobs)

    def _parents_first(self) -> list[Job]:
        graph = {
            job.id: [parent for parent in _dependencies(job) if parent in self._jobs] for job in self._jobs.values()
        }
        try:
            return [self._jobs[job_id] for job_id in TopologicalSorter(graph).static_order()]
        except CycleError as error:
            # graphlib lists each job before the one that waits for it.
            circle = " -> ".join(self._jobs[job_id].name for job_id in error.args[1])
            raise CyclicWorkflow(f"workflow {self.name!r} has jobs that wait for each other: {circle}") from None


def _dependencies(job: Job) -> Sequence[str]:
    """Return the ids of a job's parents."""
    return ids_of(() if job.dependencies is None else job.dependencies, "dependencies")
