"""The order of the jobs of a workflow: each is stored after those that it waits for, and one may wait for all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from heapq import heappop, heappush
from typing import Any

from gigq.errors import CyclicWorkflow
from gigq.job import Job, is_task
from gigq.job_ids import ids_of


def parents_first(name: str, jobs: Mapping[str, Job]) -> list[Job]:
    """Return jobs by their ids with each parent before its children, and otherwise in the order given.

    Args:
        name: the name of the workflow, for the message.
        jobs: the jobs by their ids.

    Raises:
        CyclicWorkflow: some jobs wait for each other in a circle.
    """
    sorter = TopologicalSorter(
        {job.id: [parent for parent in dependencies_of(job) if parent in jobs] for job in jobs.values()}
    )
    try:
        sorter.prepare()
    except CycleError as error:
        # graphlib lists each job before the one that waits for it.
        circle = " -> ".join(jobs[job_id].name for job_id in error.args[1])
        raise CyclicWorkflow(f"workflow {name!r} has jobs that wait for each other: {circle}") from None
    return [jobs[job_id] for job_id in _in_order(sorter, jobs)]


def with_ends(jobs: Mapping[str, Job], last: str | None) -> Mapping[str, Job]:
    """Return jobs by their ids, of which the last one depends on all others and runs however they end."""
    if last is None:
        return jobs
    parents = [job_id for job_id in jobs if job_id != last]
    dependencies = [*dependencies_of(jobs[last]), *parents]
    return {**jobs, last: replace(jobs[last], on_parent_failure="run", dependencies=dependencies)}


def _in_order(sorter: TopologicalSorter[str], jobs: Iterable[str]) -> Iterator[str]:
    """Yield the ids of the jobs with each parent before its children, and otherwise in the order of `jobs`."""
    place = {job_id: number for number, job_id in enumerate(jobs)}
    ready: list[tuple[int, str]] = []
    while sorter.is_active():
        for job_id in sorter.get_ready():
            heappush(ready, (place[job_id], job_id))
        _, job_id = heappop(ready)
        yield job_id
        sorter.done(job_id)


def each_of(element: Any) -> list[Any]:
    """Return the elements of a list, or the one element."""
    is_list = isinstance(element, Iterable) and not isinstance(element, Job | str | bytes | Mapping)
    return list(element) if is_list and not is_task(element) else [element]


def dependencies_of(job: Job) -> Sequence[str]:
    """Return the ids of a job's parents."""
    return ids_of(() if job.dependencies is None else job.dependencies, "dependencies")
