"""The drawing of a graph: where its boxes are, and the ways of its lines."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from gigq.drawing.graph import Edge, Graph, components, levels
from gigq.drawing.layers import Layered, layered
from gigq.drawing.ordering import with_few_crossings
from gigq.drawing.packing import packed
from gigq.drawing.placing import placed

Direction = Literal["down", "right"]
Size = tuple[float, float]
Point = tuple[float, float]

_SIDE = 24.0
"""Pixels between boxes of one layer that stand side by side."""
_ROW = 12.0
"""Pixels between boxes of one layer that stand one below the other."""
_LINE = 8.0
"""Pixels that a line takes in a layer through which it passes, without the gaps beside it."""
_LEAST_GAP, _MOST_GAP = 36.0, 120.0
"""Pixels between two layers: the more, the farther its lines go to the side."""
_SLOPE = 0.15
ARROW = 9.0
"""Pixels before a box that are straight, for the head of an arrow."""
_PAGE = 1_000.0
"""Pixels that a page has from left to right. What is wider grows down rather than to the right."""


class Box(NamedTuple):
    """A node in its place: its left upper corner, and its size."""

    node: str
    x: float
    y: float
    width: float
    height: float


class Line(NamedTuple):
    """An edge as the points through which it is led, from the parent to the child.

    The pieces between them are straight and curved in turn, the first and the last one straight. Every piece begins and
    ends in the direction of the drawing, and the last one is at least as long as an arrow head.
    """

    edge: Edge
    points: Sequence[Point]


class Drawing(NamedTuple):
    """Where everything is. The left upper corner is 0, 0; lengths are pixels."""

    width: float
    height: float
    direction: Direction
    boxes: Sequence[Box]
    lines: Sequence[Line]


def drawn(graph: Graph, sizes: Mapping[str, Size]) -> Drawing:
    """Return the drawing of an acyclic graph whose boxes have these sizes. The same graph is always drawn alike."""
    parts = components(graph)
    direction = _direction(parts, sizes)
    drawings = [_component(part, sizes, direction) for part in parts]
    corners, (width, height) = packed([(each.width, each.height) for each in drawings])
    boxes, lines = [], []
    for (left, top), each in zip(corners, drawings, strict=True):
        boxes += [box._replace(x=box.x + left, y=box.y + top) for box in each.boxes]
        lines += [line._replace(points=[(x + left, y + top) for x, y in line.points]) for line in each.lines]
    return Drawing(width, height, direction, boxes, lines)


def _direction(parts: Sequence[Graph], sizes: Mapping[str, Size]) -> Direction:
    """Return whether layers go down, or to the right, which is better for many nodes side by side."""
    wide = max((width for width, _ in sizes.values()), default=0.0)
    down, right = 0.0, 0.0
    for part in parts:
        found = list(levels(part).values())
        down = max(down, max(map(found.count, set(found))) * (wide + _SIDE))
        right = max(right, (max(found) + 1) * (wide + _LEAST_GAP))
    return "down" if down <= max(_PAGE, right) else "right"


def _component(graph: Graph, sizes: Mapping[str, Size], direction: Direction) -> Drawing:
    """Return the drawing of one component: made downwards, and turned if it goes to the right."""
    if direction == "right":
        turned = _downward(graph, {node: (height, width) for node, (width, height) in sizes.items()}, _ROW)
        boxes = [Box(node, y, x, height, width) for node, x, y, width, height in turned.boxes]
        lines = [line._replace(points=[(y, x) for x, y in line.points]) for line in turned.lines]
        return Drawing(turned.height, turned.width, direction, boxes, lines)
    return _downward(graph, sizes, _SIDE)


def _downward(graph: Graph, sizes: Mapping[str, Size], gap: float) -> Drawing:
    ordered = with_few_crossings(layered(graph))
    points = len(ordered.above) - len(graph.nodes)
    widths = [sizes[node.id][0] for node in graph.nodes] + [_LINE] * points
    middles = placed(ordered, widths, gap=gap)
    left = min(middle - width / 2 for middle, width in zip(middles, widths, strict=True))
    middles = [round(middle - left, 1) for middle in middles]
    bands = _bands(ordered, middles, [sizes[node.id][1] for node in graph.nodes])
    boxes = []
    for number, node in enumerate(graph.nodes):
        (width, height), (top, bottom) = sizes[node.id], bands[number]
        boxes.append(Box(node.id, middles[number] - width / 2, (top + bottom - height) / 2, width, height))
    routes = zip(graph.edges, ordered.routes, strict=True)
    lines = [Line(edge, _points(route, middles, bands, boxes)) for edge, route in routes]
    right = max(middle + width / 2 for middle, width in zip(middles, widths, strict=True))
    return Drawing(right, max(bottom for _, bottom in bands), "down", boxes, lines)


def _bands(ordered: Layered, middles: Sequence[float], heights: Sequence[float]) -> list[tuple[float, float]]:
    """Return for each vertex where its layer begins and ends."""
    bands = [(0.0, 0.0)] * len(middles)
    top = 0.0
    for layer in ordered.layers:
        bottom = top + max((heights[vertex] for vertex in layer if vertex < ordered.nodes), default=0.0)
        farthest = 0.0
        for vertex in layer:
            bands[vertex] = (top, bottom)
            farthest = max([farthest, *(abs(middles[vertex] - middles[below]) for below in ordered.below[vertex])])
        top = bottom + min(_MOST_GAP, _LEAST_GAP + farthest * _SLOPE)
    return bands


def _points(
    route: Sequence[int], middles: Sequence[float], bands: Sequence[tuple[float, float]], boxes: Sequence[Box]
) -> list[Point]:
    """Return the points of a line: in a layer it goes straight down, so that it meets no other box."""
    first, last = boxes[route[0]], boxes[route[-1]]
    points = [(middles[route[0]], first.y + first.height)]
    for upper, lower in pairwise(route):
        points += [(middles[upper], bands[upper][1]), (middles[lower], bands[lower][0] - ARROW)]
    return [*points, (middles[route[-1]], last.y)]
