"""Where each vertex is in its layer: chains straight, parents in the middle over their children.

The method of Brandes and Köpf (Fast and Simple Horizontal Coordinate Assignment, 2001): vertices are joined to blocks,
in each of which all have one coordinate, in four ways, from the left or the right with parents or children; the result
is the mean of the two in the middle. Blocks are pushed together along a graph of their neighbours, as dagre does, for
the paper's own way has a fault (its erratum, 2020).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from gigq.drawing.layers import Layered

Pair = tuple[int, int]


def placed(graph: Layered, extents: Sequence[float], *, gap: float) -> list[float]:
    """Return the coordinate of the middle of each vertex along its layer.

    Args:
        extents: how much room each vertex takes along its layer.
        gap: the room between two vertices of a layer.
    """
    conflicts = _conflicts(graph)
    candidates = [
        _placed_once(graph, extents, gap, conflicts, upward=upward, mirrored=mirrored)
        for upward in (False, True)
        for mirrored in (False, True)
    ]
    _bring_together(candidates, extents)
    middles = []
    for places in zip(*candidates, strict=True):
        _, low, high, _ = sorted(places)
        middles.append((low + high) / 2)
    return middles


def _conflicts(graph: Layered) -> set[Pair]:
    """Return the lines between two layers that cross one that passes through both: that one is to be straight."""
    found: set[Pair] = set()
    for upper, lower in pairwise(graph.layers):
        place = {vertex: number for number, vertex in enumerate(upper)}
        least, begin = 0, 0
        for number, vertex in enumerate(lower):
            inner = _passing(graph, vertex)
            if inner is None and number < len(lower) - 1:
                continue
            most = place[inner] if inner is not None else len(upper) - 1
            for each in lower[begin : number + 1]:
                found |= {
                    (above, each)
                    for above in graph.above[each]
                    if not least <= place[above] <= most and not (above >= graph.nodes and each >= graph.nodes)
                }
            least, begin = most, number + 1
    return found


def _passing(graph: Layered, vertex: int) -> int | None:
    """Return the point above a point of the same line; None for a node, or below one."""
    if vertex < graph.nodes:
        return None
    return next((above for above in graph.above[vertex] if above >= graph.nodes), None)


def _placed_once(
    graph: Layered, extents: Sequence[float], gap: float, conflicts: set[Pair], *, upward: bool, mirrored: bool
) -> list[float]:
    """Return the coordinates by one of the four ways, as small as they can be, or as large if it is mirrored."""
    layers = [layer[::-1] if mirrored else layer for layer in graph.layers]
    neighbours = graph.below if upward else graph.above
    blocks = _blocks(layers[::-1] if upward else layers, neighbours, conflicts)
    places = _pushed_together(layers, blocks, extents, gap)
    return [-place for place in places] if mirrored else places


def _blocks(layers: Sequence[Sequence[int]], neighbours: Sequence[Sequence[int]], conflicts: set[Pair]) -> list[int]:
    """Return for each vertex the first one of its block: each is joined to its middle neighbour, if nothing crosses."""
    first = list(range(len(neighbours)))
    for before, layer in pairwise(layers):
        place = {vertex: number for number, vertex in enumerate(before)}
        last = -1
        for vertex in layer:
            ends = sorted(neighbours[vertex], key=place.__getitem__)
            for each in dict.fromkeys(ends[(len(ends) - 1) // 2 : len(ends) // 2 + 1]):
                is_free = last < place[each] and (each, vertex) not in conflicts and (vertex, each) not in conflicts
                if is_free and first[vertex] == vertex:
                    first[vertex], last = first[each], place[each]
    return first


def _pushed_together(
    layers: Sequence[Sequence[int]], blocks: Sequence[int], extents: Sequence[float], gap: float
) -> list[float]:
    """Return the coordinates of the vertices: those of their blocks, which are as near to each other as can be."""
    distance: dict[Pair, float] = {}
    for layer in layers:
        for left, right in pairwise(layer):
            pair, least = (blocks[left], blocks[right]), (extents[left] + extents[right]) / 2 + gap
            distance[pair] = max(distance.get(pair, 0.0), least)
    right_of: defaultdict[int, list[Pair]] = defaultdict(list)
    waits_for: defaultdict[int, int] = defaultdict(int)
    for pair in distance:
        right_of[pair[0]].append(pair)
        waits_for[pair[1]] += 1
    order = [block for block in dict.fromkeys(blocks) if not waits_for[block]]
    place = dict.fromkeys(blocks, 0.0)
    for block in order:
        for pair in right_of[block]:
            place[pair[1]] = max(place[pair[1]], place[block] + distance[pair])
            waits_for[pair[1]] -= 1
            if not waits_for[pair[1]]:
                order.append(pair[1])
    for block in reversed(order):  # a block that was not pushed comes near to what is on its right
        if right_of[block]:
            place[block] = max(place[block], min(place[pair[1]] - distance[pair] for pair in right_of[block]))
    return [place[block] for block in blocks]


def _bring_together(candidates: list[list[float]], extents: Sequence[float]) -> None:
    """Move the four results over the narrowest: those from the left by their left ends, the others by the right."""
    bounds = [
        (
            min(place - extent / 2 for place, extent in zip(places, extents, strict=True)),
            max(place + extent / 2 for place, extent in zip(places, extents, strict=True)),
        )
        for places in candidates
    ]
    left, right = min(bounds, key=lambda bound: bound[1] - bound[0])
    for number, (places, bound) in enumerate(zip(candidates, bounds, strict=True)):
        shift = right - bound[1] if number % 2 else left - bound[0]
        places[:] = [place + shift for place in places]
