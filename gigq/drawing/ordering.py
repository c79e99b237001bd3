"""The order of the vertices in each layer, so that few lines cross."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from gigq.drawing.layers import Layered
from gigq.drawing.untangling import exchanged, sifted

Middle = Callable[[list[int]], float]

_SMALL = 260
"""Vertices of a graph up to which each turn is thorough; a larger one has time for a few such turns only."""
_TURNS, _QUICK_TURNS, _LAST_TURNS = 10, 10, 3
_SIFTED = 12_000
"""Pairs of vertices in the same layer up to which the best order is sifted."""


def with_few_crossings(graph: Layered) -> Layered:
    """Return a graph with its layers in an order in which few lines cross. The same graph is always ordered alike.

    Layer by layer, down and up in turn, each vertex is drawn towards the middle of its neighbours (Sugiyama, Tagawa and
    Toda, 1981), and then neighbours change places where that saves crossings (Gansner and others, 1993). That begins
    from above and from below, with means and with medians. The best order that was seen is kept, and at last each
    vertex is moved to where it causes the fewest crossings (Matuszewski, Schönfeld and Molitor, 1999).
    """
    size = sum(map(len, graph.layers))
    seen = _Best(graph)
    for layers, middle in _starts(graph):
        _turn(seen, layers, middle, _TURNS if size <= _SMALL else _QUICK_TURNS, is_thorough=size <= _SMALL)
    if size > _SMALL:
        _turn(seen, seen.layers, _mean, _LAST_TURNS, is_thorough=True)
    if seen.crossings and sum(len(layer) ** 2 for layer in graph.layers) <= _SIFTED:
        seen.look_at(sifted(seen.layers, graph))
    return graph._replace(layers=seen.layers)


class _Best:
    """The best order of a graph's layers that was seen so far."""

    def __init__(self, graph: Layered) -> None:
        self.graph = graph
        self.layers = graph.layers
        self.crossings = crossings(graph.layers, graph.below)

    def look_at(self, layers: list[list[int]]) -> None:
        """Keep an order if fewer lines cross in it."""
        found = crossings(layers, self.graph.below)
        if found < self.crossings:
            self.layers, self.crossings = layers, found


def _turn(seen: _Best, layers: list[list[int]], middle: Middle, turns: int, *, is_thorough: bool) -> None:
    """Sort the layers so many times, and after each time let neighbours change places if that is asked for."""
    for turn in range(turns):
        if not seen.crossings:
            return
        layers = _swept(layers, seen.graph, middle, turn)
        if is_thorough:
            layers = exchanged(layers, seen.graph)
        seen.look_at(layers)


def _starts(graph: Layered) -> list[tuple[list[list[int]], Middle]]:
    from_above = _as_reached(graph, graph.above, graph.below)
    from_below = _as_reached(graph, graph.below, graph.above)
    return [(from_above, _mean), (from_below, _median), (from_above, _median), (from_below, _mean)]


def crossings(layers: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> int:
    """Return how many pairs of lines cross."""
    found = 0
    for upper, lower in pairwise(layers):
        place = {vertex: number for number, vertex in enumerate(lower)}
        seen: list[int] = []
        for vertex in upper:
            ends = sorted(place[each] for each in below[vertex])
            found += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return found


def _mean(places: list[int]) -> float:
    return sum(places) / len(places)


def _median(places: list[int]) -> float:
    places = sorted(places)
    return (places[(len(places) - 1) // 2] + places[len(places) // 2]) / 2


def _as_reached(graph: Layered, back: Sequence[Sequence[int]], on: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the layers in the order in which a walk reaches their vertices, so that related ones are side by side.

    Args:
        back: the neighbours on one side; the walk starts where there are none.
        on: the neighbours on the other side, to which it goes on.
    """
    reached: dict[int, None] = {}
    for start in [vertex for layer in graph.layers for vertex in layer if not back[vertex]]:
        waiting = [start]
        while waiting:
            vertex = waiting.pop()
            if vertex not in reached:
                reached[vertex] = None
                waiting += reversed(on[vertex])
    rank = {vertex: number for number, vertex in enumerate(reached)}
    return [sorted(layer, key=rank.__getitem__) for layer in graph.layers]


def _swept(layers: list[list[int]], graph: Layered, middle: Middle, turn: int) -> list[list[int]]:
    """Return the layers, each sorted by the middles of its vertices' neighbours in the layer before it.

    Down and up in turn. In every other pair of turns vertices whose middles are equal change their order.
    """
    found = list(layers)
    is_down = turn % 2 == 0
    neighbours = graph.above if is_down else graph.below
    for here in range(1, len(layers)) if is_down else range(len(layers) - 2, -1, -1):
        before = {vertex: number for number, vertex in enumerate(found[here - 1 if is_down else here + 1])}
        middles = {
            vertex: middle([before[each] for each in neighbours[vertex]])
            for vertex in found[here]
            if neighbours[vertex]
        }
        found[here] = _sorted(found[here], middles, are_ties_turned=turn % 4 >= 2)
    return found


def _sorted(layer: list[int], middles: Mapping[int, float], *, are_ties_turned: bool) -> list[int]:
    """Return a layer sorted. Vertices without a middle keep their places."""
    moving = [vertex for vertex in (reversed(layer) if are_ties_turned else layer) if vertex in middles]
    moved = iter(sorted(moving, key=middles.__getitem__))
    return [next(moved) if vertex in middles else vertex for vertex in layer]
