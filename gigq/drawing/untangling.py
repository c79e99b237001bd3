"""Vertices of one layer that change places where that saves crossings."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence

from gigq.drawing.layers import Layered

Ends = Mapping[int, Sequence[int]]
"""For each vertex of a layer the sorted places of its neighbours in another layer."""

_ROUNDS = 3


def exchanged(layers: Sequence[Sequence[int]], graph: Layered) -> list[list[int]]:
    """Return the layers after neighbours have changed places that save crossings."""
    return _improved(layers, graph, _exchange)


def sifted(layers: Sequence[Sequence[int]], graph: Layered) -> list[list[int]]:
    """Return the layers after each vertex has been moved to where it causes the fewest crossings."""
    return _improved(layers, graph, _sift)


def _improved(
    layers: Sequence[Sequence[int]], graph: Layered, improve: Callable[[list[int], Ends, Ends], bool]
) -> list[list[int]]:
    """Return the layers, improved one by one until that saves nothing, or three times."""
    found = [list(layer) for layer in layers]
    for _ in range(_ROUNDS):
        has_saved = False
        for here, layer in enumerate(found):
            above = _ends(layer, graph.above, found[here - 1] if here else ())
            below = _ends(layer, graph.below, found[here + 1] if here + 1 < len(found) else ())
            has_saved |= improve(layer, above, below)
        if not has_saved:
            break
    return found


def _ends(layer: Sequence[int], neighbours: Sequence[Sequence[int]], other: Sequence[int]) -> Ends:
    place = {vertex: number for number, vertex in enumerate(other)}
    return {vertex: sorted([place[each] for each in neighbours[vertex]]) for vertex in layer}


def _exchange(layer: list[int], above: Ends, below: Ends) -> bool:
    has_saved = False
    for place in range(len(layer) - 1):
        left, right = layer[place], layer[place + 1]
        if _gain(above[left], above[right]) + _gain(below[left], below[right]) > 0:
            layer[place], layer[place + 1] = right, left
            has_saved = True
    return has_saved


def _sift(layer: list[int], above: Ends, below: Ends) -> bool:
    has_saved = False
    for vertex in list(layer):
        here = layer.index(vertex)
        to_right = _best(vertex, layer[here + 1 :], above, below, 1)
        to_left = _best(vertex, layer[:here][::-1], above, below, -1)
        gain, steps = max(to_left, to_right)
        if gain > 0:
            layer.insert(here + steps, layer.pop(here))
            has_saved = True
    return has_saved


def _best(vertex: int, passed: Sequence[int], above: Ends, below: Ends, step: int) -> tuple[int, int]:
    """Return how much a vertex saves at most that passes these one after the other, and how many steps that takes."""
    saved, best, steps = 0, 0, 0
    for number, other in enumerate(passed, 1):
        left, right = (vertex, other) if step > 0 else (other, vertex)
        saved += _gain(above[left], above[right]) + _gain(below[left], below[right])
        if saved > best:
            best, steps = saved, number * step
    return best, steps


def _gain(left: Sequence[int], right: Sequence[int]) -> int:
    """Return how many crossings two vertices save that change places, by the places of their other ends."""
    if not left or not right or left[-1] < right[0]:
        return -len(left) * len(right)
    crossing = sum([bisect_left(right, place) for place in left])
    return crossing - sum([bisect_left(left, place) for place in right])
