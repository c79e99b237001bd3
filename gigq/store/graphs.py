"""Graphs of jobs: an order in which parents come before their children, and the circles that allow none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush

Edges = Mapping[int, Sequence[int]]
"""The jobs that each job waits for, which are keys themselves."""


def in_order(parents: Edges) -> tuple[list[int], set[int]]:
    """Return all jobs, each as early as its number and its parents allow, and those of them that can never run."""
    waits_for = {job: len(its) for job, its in parents.items()}
    children = defaultdict(list)
    for job, its in parents.items():
        for each in its:
            children[each].append(job)
    ready = sorted(job for job, number in waits_for.items() if number == 0)  # and so a heap
    order = []
    while ready:
        job = heappop(ready)
        order.append(job)
        for child in children[job]:
            waits_for[child] -= 1
            if waits_for[child] == 0:
                heappush(ready, child)
    stuck = waits_for.keys() - set(order)
    return order + sorted(stuck), stuck


def in_circles(edges: Iterable[tuple[int, int]]) -> set[int]:
    """Return the jobs that wait for each other in circles, or lie between two circles. Edges are children and parents.
    """
    pairs = list(edges)
    below = _stuck(pairs)  # in circles, and all that waits for those
    return _stuck([(parent, child) for child, parent in pairs if {child, parent} <= below])


def _stuck(pairs: Iterable[tuple[int, int]]) -> set[int]:
    parents: dict[int, list[int]] = {}
    for child, parent in pairs:
        parents.setdefault(child, []).append(parent)
        parents.setdefault(parent, [])
    return in_order(parents)[1]
