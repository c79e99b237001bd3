"""Jobs and what they wait for, as a picture shows them, and the level of each."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Literal, NamedTuple

from gigq.status import Phase

EdgeKind = Literal["needs", "found", "awaited", "circle"]
"""Why there is an edge: the child depends on the parent, or the parent found it at run time, or it awaits the parent.

``circle`` is a dependency that closes a circle, turned around: it is the parent that depends on the child.
"""


class Node(NamedTuple):
    """A job, or several that are drawn as one.

    Attributes:
        id: what edges call it; unique in its graph.
        name: what is written in its box.
        function: ``package.module:name``, or the name of a handler; empty if it is not known.
        phase: where it stands; None if nothing is known of that.
        time: how long it ran, or has been running, or when it may run, as words; empty for nothing.
        counts: of several jobs that are drawn as one: how many there are in each phase, None for jobs that are not in
            the file; empty for one job.
        is_outside: whether it does not belong to what is drawn, which waits for it. It does not count.
    """

    id: str
    name: str
    function: str = ""
    phase: Phase | None = None
    time: str = ""
    counts: Mapping[Phase | None, int] = {}
    is_outside: bool = False


class Edge(NamedTuple):
    """A line from one node to another one below it."""

    parent: str
    child: str
    kind: EdgeKind = "needs"


class Graph(NamedTuple):
    """The jobs of a workflow, in the order in which they were added, and what they wait for.

    Attributes:
        left_out: how many edges are not drawn, since they follow from others.
    """

    name: str
    nodes: Sequence[Node]
    edges: Sequence[Edge]
    left_out: int = 0


def tidied(graph: Graph) -> Graph:
    """Return a graph without edges that lead to themselves or to no node, each pair of nodes joined once.

    Where a job depends on the one that found it, the dependency is drawn.
    """
    known = {node.id for node in graph.nodes}
    kinds: dict[tuple[str, str], EdgeKind] = {}
    for parent, child, kind in graph.edges:
        if parent != child and parent in known and child in known and kinds.get((parent, child)) != "needs":
            kinds[parent, child] = kind
    return graph._replace(edges=[Edge(parent, child, kind) for (parent, child), kind in kinds.items()])


def acyclic(graph: Graph) -> Graph:
    """Return a graph in which the dependencies that close circles are turned around.

    A circle cannot be submitted, but a workflow in memory may have one, and its picture shows it.
    """
    children = neighbours(graph.edges, of="parent")
    closing: set[tuple[str, str]] = set()
    done: set[str] = set()
    for node in graph.nodes:
        _walk(node.id, children, done, closing)
    edges = [Edge(edge.child, edge.parent, "circle") if edge[:2] in closing else edge for edge in graph.edges]
    return graph._replace(edges=edges)


def _walk(start: str, children: Mapping[str, Sequence[str]], done: set[str], closing: set[tuple[str, str]]) -> None:
    """Go depth first from a node, and add the edges that lead back to a node on the way. Deep graphs need no stack."""
    if start in done:
        return
    way, on_way = [(start, iter(children.get(start, ())))], {start}
    while way:
        here, rest = way[-1]
        child = next(rest, None)
        if child is None:
            way.pop()
            on_way.remove(here)
            done.add(here)
        elif child in on_way:
            closing.add((here, child))
        elif child not in done:
            way.append((child, iter(children.get(child, ()))))
            on_way.add(child)


def neighbours(edges: Iterable[Edge], *, of: Literal["parent", "child"]) -> dict[str, list[str]]:
    """Return the children of each parent, or the parents of each child, in the order of the edges."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for parent, child, _ in edges:
        if of == "parent":
            found[parent].append(child)
        else:
            found[child].append(parent)
    return dict(found)


def levels(graph: Graph) -> dict[str, int]:
    """Return the level of each node of an acyclic graph: 0 without parents, else one below its lowest parent."""
    children = neighbours(graph.edges, of="parent")
    missing = {child: len(parents) for child, parents in neighbours(graph.edges, of="child").items()}
    found = {node.id: 0 for node in graph.nodes}
    ready = [node.id for node in graph.nodes if node.id not in missing]
    for here in ready:
        for child in children.get(here, ()):
            found[child] = max(found[child], found[here] + 1)
            missing[child] -= 1
            if missing[child] == 0:
                ready.append(child)
    return found


def implied(graph: Graph) -> set[Edge]:
    """Return the dependencies of an acyclic graph that follow from others.

    Then the child waits for another job that waits for the parent. It looks at all pairs of nodes: not for thousands.
    """
    children = neighbours(graph.edges, of="parent")
    level_of = levels(graph)
    bit = {node.id: 1 << number for number, node in enumerate(graph.nodes)}
    below: dict[str, int] = {}
    by_others: dict[str, int] = {}
    for node in sorted(level_of, key=level_of.__getitem__, reverse=True):
        by_others[node] = reduce(or_, (below[child] for child in children.get(node, ())), 0)
        below[node] = reduce(or_, (bit[child] for child in children.get(node, ())), by_others[node])
    return {edge for edge in graph.edges if edge.kind == "needs" and by_others[edge.parent] & bit[edge.child]}


def components(graph: Graph) -> list[Graph]:
    """Return the parts of a graph between which there is no edge, in the order of their first nodes."""
    leader = {node.id: node.id for node in graph.nodes}

    def leader_of(node: str) -> str:
        while leader[node] != node:
            leader[node] = node = leader[leader[node]]
        return node

    for parent, child, _ in graph.edges:
        leader[leader_of(child)] = leader_of(parent)
    nodes: defaultdict[str, list[Node]] = defaultdict(list)
    edges: defaultdict[str, list[Edge]] = defaultdict(list)
    for node in graph.nodes:
        nodes[leader_of(node.id)].append(node)
    for edge in graph.edges:
        edges[leader_of(edge.parent)].append(edge)
    return [Graph(graph.name, found, edges[first]) for first, found in nodes.items()]


def counts(nodes: Iterable[Node]) -> dict[Phase | None, int]:
    """Return how many jobs there are in each phase, in the order of the phases; those without one come last."""
    found: defaultdict[Phase | None, int] = defaultdict(int)
    for node in nodes:
        if node.is_outside:
            continue
        for phase, number in (node.counts or {node.phase: 1}).items():
            found[phase] += number
    return {phase: found[phase] for phase in (*Phase, None) if phase in found}
