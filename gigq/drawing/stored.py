"""The graph of a workflow in a file: where its jobs stand, how long they took, and which were found at run time."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from gigq.drawing.graph import Edge, Graph, Node
from gigq.drawing.words import ended
from gigq.durations import span
from gigq.status import FINISHED, Phase
from gigq.workflow_records import WorkflowGraph, WorkflowJob


class _Job(Protocol):
    """A job of a file, of whatever graph."""

    @property
    def phase(self) -> Phase: ...
    @property
    def run_at(self) -> datetime | None: ...
    @property
    def started_at(self) -> datetime | None: ...
    @property
    def completed_at(self) -> datetime | None: ...


def graph_of(found: WorkflowGraph) -> Graph:
    """Return what is drawn of a workflow in a file.

    Jobs outside of it on which its own depend are in the picture, and are not counted.
    """
    edges = [Edge(parent, child) for parent, child in found.edges]
    edges += [Edge(job.submitted_by, job.id, "found") for job in found.jobs if job.submitted_by is not None]
    return Graph(found.name, [_node(job, found.at) for job in found.jobs], edges)


def _node(job: WorkflowJob, at: datetime) -> Node:
    return Node(job.id, job.name, job.function, job.phase, time_of(job, at), is_outside=job.is_outside)


def time_of(job: _Job, at: datetime) -> str:
    """Return how long a job ran or has been running, or when it may run; empty if it does not matter."""
    if job.phase.value in FINISHED:
        if job.started_at is None or job.completed_at is None:
            return ""
        return ended(job.phase, (job.completed_at - job.started_at).total_seconds())
    if job.phase is Phase.RUNNING:
        return "" if job.started_at is None else f"for {span((at - job.started_at).total_seconds())}"
    if job.run_at is not None and job.run_at > at:
        return f"in {span((job.run_at - at).total_seconds())}"
    return ""
