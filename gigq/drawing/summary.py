"""What a picture says of all its jobs together."""

from __future__ import annotations

from gigq.drawing.graph import EdgeKind, Graph, counts
from gigq.drawing.words import jobs, shortened
from gigq.status import FINISHED, Phase

KINDS: dict[EdgeKind, str] = {
    "found": "found at run time",
    "awaited": "waited for inside a function",
    "circle": "closes a circle: cannot be submitted",
}
"""The kinds of edges that are drawn unlike others, and what they mean."""

_LONGEST_NAME = 200


def headline(graph: Graph) -> str:
    """Return how many jobs have ended, such as ``7 of 12 jobs have ended``, or how many there are if nobody knows."""
    found = counts(graph.nodes)
    number = sum(found.values())
    if not number:
        return "no jobs"
    if set(found) == {None}:
        return jobs(number)
    ended = sum(found.get(Phase(status), 0) for status in FINISHED)
    return f"{ended:,} of {jobs(number)} {'has' if number == 1 else 'have'} ended"


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
    parts = [headline(graph), *(text for _, text in totals(graph))]
    return f"{shortened(graph.name, _LONGEST_NAME, len)}: {', '.join(parts)}."
