"""The graph of a workflow in a queue: where its jobs stand, and how long they took."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gigq.drawing.graph import Edge, Graph, Node
from gigq.drawing.words import span
from gigq.status import FINISHED, Phase
from gigq.workflow_records import WorkflowGraph, WorkflowJob


def graph_of(workflow: WorkflowGraph) -> Graph:
    """Return what is drawn of a workflow as a queue holds it.

    Jobs outside of it, on which its own depend, belong to the picture.
    """
    nodes = [
        Node(job.id, job.name, job.function, phase=job.phase, time=_time(job, workflow.at)) for job in workflow.jobs
    ]
    return Graph(workflow.name, nodes, [*_found(workflow), *(Edge(*edge) for edge in workflow.edges)])


def _found(workflow: WorkflowGraph) -> Iterator[Edge]:
    """Yield an edge from each job to those that it has found at run time."""
    drawn = {job.id for job in workflow.jobs}
    for job in workflow.jobs:
        if job.submitted_by in drawn:
            yield Edge(str(job.submitted_by), job.id, "found")


def _time(job: WorkflowJob, now: datetime) -> str:
    if job.phase in (Phase.SCHEDULED, Phase.RETRYING) and job.run_at is not None:
        return f"in {span((job.run_at - now).total_seconds())}"
    if job.started_at is None:
        return ""
    if job.phase is Phase.RUNNING:
        return f"for {span((now - job.started_at).total_seconds())}"
    if job.phase.value in FINISHED and job.completed_at is not None:
        took = span((job.completed_at - job.started_at).total_seconds())
        return f"{'in' if job.phase is Phase.COMPLETED else 'after'} {took}"
    return ""
