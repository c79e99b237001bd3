"""What is written under the name of a node."""

from __future__ import annotations

from gigq.drawing.graph import Node
from gigq.status import Phase


def lines_of(node: Node) -> list[tuple[Phase | None, str]]:
    """Return where a job stands, or how many jobs of several stand where; nothing if that is not known."""
    if node.counts:
        return [(phase, f"{number:,} {phase}") for phase, number in node.counts.items() if phase]
    if node.phase is None:
        return []
    outside: list[tuple[Phase | None, str]] = [(None, "not of this workflow")] if node.is_outside else []
    return [(node.phase, f"{node.phase} {node.time}".rstrip()), *outside]
