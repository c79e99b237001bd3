"""The graph of a workflow in memory, and of one that is in a file in part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gigq.drawing import stored
from gigq.drawing.graph import Edge, Graph, Node
from gigq.errors import NotImportable
from gigq.job import Job
from gigq.paths import path_of
from gigq.workflow_order import dependencies_of
from gigq.workflow_records import WorkflowGraph


def graph_of(
    name: str, jobs: Iterable[Job], *, found: WorkflowGraph | None = None, known: Mapping[str, str] | None = None
) -> Graph:
    """Return the graph of jobs in memory, of which nothing is known but what they are.

    Args:
        found: the workflow as it is in a file. Then the graph is that one, with those jobs that were never stored.
        known: for each job that was stored the id under which that is, which may be another job's.
    """
    nodes, edges = [], []
    for job in jobs:
        nodes.append(Node(job.id, job.name, _function(job)))
        edges += [Edge(parent, job.id) for parent in dependencies_of(job)]
    plan = Graph(name, nodes, edges)
    return plan if found is None else _together(stored.graph_of(found), plan, known or {})


def _together(there: Graph, plan: Graph, known: Mapping[str, str]) -> Graph:
    ids = {node.id for node in there.nodes}
    if not known and ids.isdisjoint(node.id for node in plan.nodes):  # the same workflow, made anew and not submitted
        return there
    added = {node.id for node in plan.nodes if node.id not in ids and node.id not in known}
    new = [
        Edge(known.get(parent, parent), known.get(child, child))
        for parent, child, _ in plan.edges
        if parent in added or child in added
    ]
    nodes = [node for node in plan.nodes if node.id in added]
    return Graph(plan.name, [*there.nodes, *nodes], [*there.edges, *new])


def _function(job: Job) -> str:
    """Return what a job calls; the submit would say what is wrong with a function that it refuses."""
    try:
        return path_of(job.function)
    except NotImportable:
        return str(getattr(job.function, "__qualname__", type(job.function).__name__))
