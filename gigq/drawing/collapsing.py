"""Graphs too large to be read, drawn as their levels: the jobs of a level that call one function are one box."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from gigq.drawing.graph import Edge, Graph, Node, acyclic, components, counts, implied, levels, tidied

MOST_NODES = 300
MOST_IN_LEVEL = 60
"""Nodes of one level in one component. Isolated nodes are packed, and do not count."""
MOST_EDGES = 500
"""Mermaid draws no more, either, unless it is told to."""
MOST_CROSSED = 4_000
"""Levels that the edges pass through, all edges taken together: each is a point through which a line is led."""

_MOST_BANDS = 40
"""Levels that are drawn apart; of more, neighbouring ones are taken together."""
_MOST_FUNCTIONS = 6
"""Boxes of one level."""
_MANY_PARENTS = 6


def readable(graph: Graph) -> Graph:
    """Return a graph that can be read, without circles: the same one, or its levels if it is too large.

    Edges that follow from others are left out where a job has many parents, or found others; of levels, all of these,
    and the jobs outside of the workflow.
    """
    graph = acyclic(tidied(graph))
    if len(graph.nodes) <= MOST_NODES and is_readable(single := _without_implied(graph, least=_MANY_PARENTS)):
        return single
    graph = tidied(graph._replace(nodes=[node for node in graph.nodes if not node.is_outside] or graph.nodes))
    found = levels(graph)
    number = max(found.values()) + 1
    bands = min(number, _MOST_BANDS)
    band_of = {node: level * bands // number for node, level in found.items()}
    by_function = _without_implied(_merged(graph, band_of, _function_groups(graph, band_of)), least=0)
    return by_function if is_readable(by_function) else _merged(graph, band_of, lambda node: "")


def _without_implied(graph: Graph, *, least: int) -> Graph:
    """Return a graph without the edges that follow from others and lead to a job with more than so many parents.

    Nor with those that lead from a job that found others: what waits for that one waits for these.
    """
    parents = Counter(edge.child for edge in graph.edges)
    finders = {edge.parent for edge in graph.edges if edge.kind == "found"}
    left_out = {edge for edge in implied(graph) if parents[edge.child] > least or edge.parent in finders}
    return graph._replace(edges=[edge for edge in graph.edges if edge not in left_out], left_out=len(left_out))


def is_readable(graph: Graph) -> bool:
    """Whether people can read the picture of an acyclic graph, and it can be drawn in a moment."""
    if len(graph.nodes) > MOST_NODES or len(graph.edges) > MOST_EDGES:
        return False
    found = levels(graph)
    if sum(found[child] - found[parent] - 1 for parent, child, _ in graph.edges) > MOST_CROSSED:
        return False
    sizes = (Counter(found[node.id] for node in part.nodes) for part in components(graph))
    return all(max(each.values()) <= MOST_IN_LEVEL for each in sizes)


def _function_groups(graph: Graph, band_of: Mapping[str, int]) -> Callable[[Node], str]:
    """Return a function that says to which box of its band a node belongs: that of its function, or of the others."""
    sizes: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for node in graph.nodes:
        sizes[band_of[node.id]][_function(node)] += 1
    shown = {
        band: set(size) if len(size) <= _MOST_FUNCTIONS else {name for name, _ in size.most_common(_MOST_FUNCTIONS - 1)}
        for band, size in sizes.items()
    }

    def group(node: Node) -> str:
        return _function(node) if _function(node) in shown[band_of[node.id]] else ""

    return group


def _function(node: Node) -> str:
    return node.function or node.name


def _merged(graph: Graph, band_of: Mapping[str, int], group: Callable[[Node], str]) -> Graph:
    """Return a graph with one node for each group of each band, and the edges from one band to a later one."""
    members: defaultdict[tuple[int, str], list[Node]] = defaultdict(list)
    for node in sorted(graph.nodes, key=lambda node: band_of[node.id]):
        members[band_of[node.id], group(node)].append(node)
    place = {node.id: f"{band} {name}" for (band, name), nodes in members.items() for node in nodes}
    nodes = [_box(f"{band} {name}", name, found) for (band, name), found in members.items()]
    edges = [
        Edge(place[parent], place[child], kind)
        for parent, child, kind in graph.edges
        if band_of[parent] < band_of[child]
    ]
    merged = tidied(Graph(graph.name, nodes, edges))
    # Of a box for each band nothing is said by the edges that pass bands.
    return merged if any(name for _, name in members) else merged._replace(edges=_from_each_to_the_next(nodes))


def _box(place: str, function: str, nodes: Sequence[Node]) -> Node:
    if len(nodes) == 1:
        return nodes[0]._replace(id=place)
    names = {node.name for node in nodes}
    functions = {_function(node) for node in nodes}
    if len(names) == 1:
        name = nodes[0].name
    elif len(functions) == 1:
        name = function_name(nodes[0].function)
    else:
        name = f"{len(functions):,} functions"
    return Node(place, f"{len(nodes):,} \N{MULTIPLICATION SIGN} {name}", function, counts=counts(nodes))


def function_name(function: str) -> str:
    """Return the last part of a function's path: that of ``package.module:name`` is ``name``."""
    return function.rpartition(":")[2].rpartition(".")[2]


def _from_each_to_the_next(nodes: Sequence[Node]) -> list[Edge]:
    return [Edge(above.id, below.id) for above, below in pairwise(nodes)]
