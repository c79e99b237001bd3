"""Lines between jobs that are written one below the other, as `git log --graph` draws them."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gigq.drawing.graph import Graph, neighbours

_CORNERS = {
    # up, down, left, right
    (True, True, False, False): "│",
    (False, False, True, True): "─",
    (True, True, False, True): "├",
    (True, True, True, False): "┤",
    (False, True, True, True): "┬",
    (True, False, True, True): "┴",
    (True, True, True, True): "┼",
    (False, True, True, False): "╮",
    (False, True, False, True): "╭",
    (True, False, True, False): "╯",
    (True, False, False, True): "╰",
}


class Row(NamedTuple):
    """One line of the drawing.

    Attributes:
        before: what is left of the sign of a node; or all of it in a line without a node.
        node: the id of the node whose sign follows; None in a line that only joins lines.
        after: what is right of the sign.
    """

    before: str
    node: str | None = None
    after: str = ""

    @property
    def width(self) -> int:
        """How many columns it takes."""
        return len(self.before) + (self.node is not None) + len(self.after)


def rails(graph: Graph) -> list[Row]:
    """Return the rows of an acyclic graph: each node below those that it waits for, joined to them by lines."""
    children = neighbours(graph.edges, of="parent")
    rows: list[Row] = []
    columns: list[str | None] = []
    """For each column the node to which its line leads; a node that waits for several has one line, which they join."""
    for node in _order(graph, children, columns):
        is_first = node not in columns
        here = _free(columns) if is_first else columns.index(node)
        if is_first and rows and rows[-1].node and len(rows[-1].before) == 2 * here:
            rows.append(Row(_passing(columns).rstrip()))  # or else it would seem to follow the node above it
        columns[here] = None
        rows.append(Row(_passing(columns[:here]), node, _passing(columns[here + 1 :], before=" ").rstrip()))
        before = list(columns)
        ends = {_column_of(child, columns, here) for child in children.get(node, ())}
        if ends - {here}:
            rows.append(Row(_joined(before, columns, here, ends)))
        while columns and columns[-1] is None:
            columns.pop()
    return rows


def _order(
    graph: Graph, children: Mapping[str, Sequence[str]], columns: Sequence[str | None]
) -> Iterator[str]:
    """Yield each node after its parents: first what follows the last one, then what a line leads to, then others.

    Args:
        columns: where the lines lead, as it is when the next node is asked for.
    """
    missing = {child: len(parents) for child, parents in neighbours(graph.edges, of="child").items()}
    ready = dict.fromkeys(node.id for node in graph.nodes if node.id not in missing)
    last: Sequence[str] = ()
    while ready:
        following = (each for each in (*last, *columns, *ready) if each in ready)
        node = next(following)
        del ready[node]
        yield node
        last = children.get(node, ())
        for child in last:
            missing[child] -= 1
            if not missing[child]:
                ready[child] = None


def _free(columns: list[str | None]) -> int:
    """Return a column without a line, the first one, or a new one."""
    if None not in columns:
        columns.append(None)
    return columns.index(None)


def _column_of(child: str, columns: list[str | None], parent: int) -> int:
    """Return the column of the line that leads to a child, which begins at its parent's column if that is free."""
    if child in columns:
        return columns.index(child)
    free = parent if columns[parent] is None else _free_after(columns, parent)
    columns[free] = child
    return free


def _free_after(columns: list[str | None], parent: int) -> int:
    if None not in columns[parent:]:
        columns.append(None)
    return columns.index(None, parent)


def _passing(columns: Sequence[str | None], *, before: str = "") -> str:
    cells = ("│" if column else " " for column in columns)
    return "".join(f"{before}{cell}" if before else f"{cell} " for cell in cells)


def _joined(before: Sequence[str | None], after: Sequence[str | None], here: int, ends: set[int]) -> str:
    """Return the row that joins a node's column to those of its children; it passes behind other lines."""
    first, last = min(here, *ends), max(here, *ends)
    cells = []
    for column in range(len(after)):
        is_inside = first <= column <= last
        up = column == here or (column < len(before) and before[column] is not None)
        down = after[column] is not None
        if is_inside and (column == here or column in ends):
            cells.append(_CORNERS[up, down, column > first, column < last])
        elif up and down:
            cells.append("│")
        else:
            cells.append("─" if is_inside else " ")
        cells.append("─" if first <= column < last else " ")
    return "".join(cells).rstrip()
