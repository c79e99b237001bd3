"""The graph of a job with its ancestors and descendants; of very many, one box for each distance from the job."""

from __future__ import annotations

from itertools import pairwise

from gigq.drawing.collapsing import function_name
from gigq.drawing.graph import Edge, Graph, Node
from gigq.drawing.stored import time_of
from gigq.graph_records import GraphJob, GraphLevel, JobGraph
from gigq.status import Phase


def graph_of(found: JobGraph) -> Graph:
    """Return what is drawn of a job and its relatives."""
    if len(found.jobs) < found.number:
        return _of_levels(found)
    shown = {job.id for job in found.jobs}
    edges = [Edge(parent, child) for parent, child in found.edges]
    edges += [Edge(job.submitted_by, job.id, "found") for job in found.jobs if job.submitted_by in shown]
    return Graph(found.name, [_node(job, found) for job in found.jobs], edges)


def _node(job: GraphJob, found: JobGraph) -> Node:
    name = f"{job.name} (this job)" if job.distance == 0 else job.name
    return Node(job.id, name, job.function, job.phase, time_of(job, found.at))


def _of_levels(found: JobGraph) -> Graph:
    nodes = [_box(level, found) for level in found.levels]
    return Graph(found.name, nodes, [Edge(above.id, below.id) for above, below in pairwise(nodes)])


def _box(level: GraphLevel, found: JobGraph) -> Node:
    if level.distance == 0:
        return next(_node(job, found) for job in found.jobs if job.distance == 0)
    counts = {Phase(phase): number for phase, number in level.phases.items()}
    ordered: dict[Phase | None, int] = {phase: counts[phase] for phase in Phase if phase in counts}
    return Node(f"level {level.distance}", _name(level), counts=ordered)


def _name(level: GraphLevel) -> str:
    steps = abs(level.distance)
    where = f"{steps:,} step{'' if steps == 1 else 's'} {'before' if level.distance < 0 else 'after'}"
    function, number = next(iter(level.functions.items()))
    what = function_name(function) if number == level.number else f"{function_name(function)} and others"
    return f"{level.number:,} \N{MULTIPLICATION SIGN} {what}, {where}"
