"""The layers of a drawing: each node in one, and points through which the lines pass those in between."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from gigq.drawing.graph import Edge, Graph, implied, levels, neighbours

_MANY = 6


class Layered(NamedTuple):
    """A graph whose lines lead from each layer to the next only.

    Vertices are numbers: first the nodes in the order of the graph, then the points of the lines.

    Attributes:
        layers: the vertices of each layer; their order is that in which they are drawn.
        above: for each vertex its neighbours in the layer above.
        below: for each vertex its neighbours in the layer below.
        nodes: how many vertices are nodes.
        routes: for each edge the vertices through which it leads, both ends included.
    """

    layers: list[list[int]]
    above: list[list[int]]
    below: list[list[int]]
    nodes: int
    routes: list[list[int]]


def layered(graph: Graph) -> Layered:
    """Return the layers of an acyclic graph of one component."""
    layer_of = _short_edges(graph, levels(graph))
    number_of = {node.id: number for number, node in enumerate(graph.nodes)}
    layers: list[list[int]] = [[] for _ in range(max(layer_of.values()) + 1)]
    for node in graph.nodes:
        layers[layer_of[node.id]].append(number_of[node.id])
    routes = _routes(graph.edges, layer_of, number_of, layers)
    size = sum(map(len, layers))
    above: list[list[int]] = [[] for _ in range(size)]
    below: list[list[int]] = [[] for _ in range(size)]
    for upper, lower in dict.fromkeys(pair for route in routes for pair in pairwise(route)):
        above[lower].append(upper)
        below[upper].append(lower)
    return Layered(layers, above, below, len(graph.nodes), routes)


def _short_edges(graph: Graph, level_of: Mapping[str, int]) -> dict[str, int]:
    """Return the layers of nodes: their levels, but that what is needed late is drawn late, so that its line is short.

    A node goes down to its children if it has no fewer of them than parents, and then up again if it has no more.
    """
    children, parents = neighbours(graph.edges, of="parent"), neighbours(graph.edges, of="child")
    above, below = _weights(graph)
    downward = sorted(level_of, key=level_of.__getitem__)
    found = dict(level_of)
    for node in reversed(downward):
        if below[node] and below[node] >= above[node]:
            found[node] = min(found[child] for child in children[node]) - 1
    for node in downward:
        if above[node] and above[node] >= below[node]:
            found[node] = max(found[parent] for parent in parents[node]) + 1
    lowest = min(found.values())
    return {node: layer - lowest for node, layer in found.items()}


def _weights(graph: Graph) -> tuple[Counter[str], Counter[str]]:
    """Return how many parents and how many children of each node want it near to themselves.

    Edges that follow from others do not, nor do the many that lead to one node: they are drawn as one line.
    """
    needed = set(graph.edges) - implied(graph)
    arriving = Counter(edge.child for edge in needed)
    near = [edge for edge in needed if arriving[edge.child] <= _MANY]
    return Counter(edge.child for edge in near), Counter(edge.parent for edge in near)


def _routes(
    edges: Sequence[Edge], layer_of: Mapping[str, int], number_of: Mapping[str, int], layers: list[list[int]]
) -> list[list[int]]:
    """Return the routes of the edges, and add their points to the layers.

    Long edges of one kind share the points of the end that has more of them, so that they are drawn as one line that
    forks: the last job of a workflow may wait for all others.
    """
    points: dict[tuple[str, str, int], int] = {}
    next_point = len(number_of)
    long = [edge for edge in edges if layer_of[edge.child] - layer_of[edge.parent] > 1]
    leaving, arriving = Counter(edge.parent for edge in long), Counter(edge.child for edge in long)
    routes = []
    for parent, child, kind in edges:
        end = parent if leaving[parent] > arriving[child] else child
        route = [number_of[parent]]
        for layer in range(layer_of[parent] + 1, layer_of[child]):
            key = (end if end == parent else f"to {end}", kind, layer)
            if key not in points:
                points[key] = next_point
                layers[layer].append(next_point)
                next_point += 1
            route.append(points[key])
        routes.append([*route, number_of[child]])
    return routes
