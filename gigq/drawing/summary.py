"""What a picture says of all its jobs together."""

from __future__ import annotations

from gigq.drawing.graph import EdgeKind, Graph, counts
from gigq.drawing.words import jobs
from gigq.status import Phase

KINDS: dict[EdgeKind, str] = {
    "found": "found at run time",
    "awaited": "waits for it inside its function",
    "circle": "closes a circle: cannot be submitted",
}
"""The kinds of edges that are drawn unlike others, and what they mean."""


def headline(graph: Graph) -> str:
    """Return how much of it is done, such as ``7 of 12 jobs done``, or how many jobs there are if nobody knows."""
    found = counts(graph.nodes)
    number = sum(found.values())
    if not number:
        return "no jobs"
    if set(found) == {None}:
        return jobs(number)
    return f"{found.get(Phase.COMPLETED, 0):,} of {jobs(number)} done"


def totals(graph: Graph) -> list[tuple[Phase | None, str]]:
    """Return how many jobs there are in each phase, in words; nothing if no phase is known."""
    found = counts(graph.nodes)
    if set(found) <= {None}:
        return []
    return [(phase, f"{number:,} {phase.value if phase else 'not in the queue'}") for phase, number in found.items()]


def kinds(graph: Graph) -> list[tuple[EdgeKind, str]]:
    """Return the kinds of edges that need to be explained, with what they mean."""
    used = {edge.kind for edge in graph.edges}
    return [(kind, meaning) for kind, meaning in KINDS.items() if kind in used]


def note(graph: Graph) -> str:
    """Return what is not drawn; empty if that is nothing."""
    if not graph.left_out:
        return ""
    if graph.left_out == 1:
        return "1 line that follows from others is not drawn"
    return f"{graph.left_out:,} lines that follow from others are not drawn"


def sentence(graph: Graph) -> str:
    """Return one sentence with the numbers, for those who do not see the picture."""
    parts = [headline(graph), *(text for phase, text in totals(graph) if phase is not Phase.COMPLETED)]
    return f"{graph.name}: {', '.join(parts)}."
