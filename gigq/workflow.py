"""Workflows: jobs that wait for each other, submitted in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from gigq.errors import CyclicWorkflow
from gigq.job import Job, Submittable
from gigq.new_job import JobId
from gigq.queue.job_queue import JobQueue


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
        self.name = name
        self._jobs: dict[str, Job] = {}

    def add_job(self, job: Job, depends_on: Sequence[Job] | None = None) -> Job:
        """Add a job, and return it with its dependencies.

        Args:
            job: the job. If it is added again, it waits for the new parents as well.
            depends_on: the jobs that must complete before it; they may be added later.
        """
        before = self._jobs[job.id].dependencies or () if job.id in self._jobs else ()
        parents = [parent.id for parent in depends_on or ()]
        self._jobs[job.id] = replace(job, dependencies=[*before, *(job.dependencies or ()), *parents])
        return self._jobs[job.id]

    def add_task(
        self, task: Submittable, params: Mapping[str, Any] | None = None, depends_on: Sequence[Job] | None = None
    ) -> Job:
        """Add a job that calls a task with these params, and return it."""
        return self.add_job(task.to_job(**(params or {})), depends_on)

    def submit_all(self, queue: JobQueue) -> list[JobId]:
        """Store all jobs in one transaction, and return their ids in the order in which they were added.

        If another unfinished job has the `unique_key` of one of them, that job's id is returned in its place, and its
        children wait for that job.

        Raises:
            CyclicWorkflow: some jobs wait for each other in a circle, which the message names; nothing was stored.
            UnknownParent: a dependency is neither in the workflow nor in the queue; nothing was stored.
            InvalidJob, StoreError: as `JobQueue.submit`.
        """
        jobs = self._parents_first()
        stored = dict(zip((job.id for job in jobs), queue.submit_many(jobs), strict=True))
        return [stored[job_id] for job_id in self._jobs]

    @property
    def ids(self) -> list[str]:
        """The ids of the jobs, in the order in which they were added."""
        return list(self._jobs)

    def _parents_first(self) -> list[Job]:
        graph = {
            job.id: [parent for parent in job.dependencies or () if parent in self._jobs] for job in self._jobs.values()
        }
        try:
            return [self._jobs[job_id] for job_id in TopologicalSorter(graph).static_order()]
        except CycleError as error:
            # graphlib lists each job before the one that waits for it.
            circle = " -> ".join(self._jobs[job_id].name for job_id in error.args[1])
            raise CyclicWorkflow(f"workflow {self.name!r} has jobs that wait for each other: {circle}") from None
