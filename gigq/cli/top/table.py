"""The panes as tables: which columns fit, and how a row of cells becomes a line."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from gigq.cli.columns import Pieces, cut, fitted
from gigq.cli.top.pieces import ACCENT, CHOSEN, HEADING, TITLE, Look
from gigq.cli.top.scene import FailureLine, JobLine, QueueLine

_GAP = "  "


class Column(NamedTuple):
    """A column of a pane.

    Attributes:
        heading: what stands above it.
        width: its width; 0 for the first one, which takes what the others leave.
        least: it is left out in panes that are narrower than this.
        is_right: whether it is aligned on the right, as numbers are.
    """

    heading: str
    width: int = 0
    least: int = 0
    is_right: bool = False


class Row(NamedTuple):
    """A line of a pane.

    Attributes:
        key: what it shows, whatever its place: the id of the job, the name of the queue.
        subject: the same, as the scene has it.
    """

    key: str
    subject: JobLine | QueueLine | FailureLine


class Pane(NamedTuple):
    """A part of the screen.

    Attributes:
        name: its name, which does not change.
        title: what stands above it.
        number: how many things it has, in words; empty for none.
        columns: its columns.
        rows: its rows, more than are seen.
        cells: returns what stands in each column of a row; it is asked only for those that are seen.
        empty: what stands there if it has none.
    """

    name: str
    title: str
    number: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    cells: Callable[[Any], Sequence[Pieces]]
    empty: str


def drawn(
    pane: Pane, width: int, height: int, look: Look, *, first: int, chosen: str | None, has_focus: bool
) -> list[Pieces]:
    """Return a pane as lines: its title with the headings of its columns, and the rows from `first` on."""
    shown = pane.rows[first : first + height - 1]
    marker = look.marker if has_focus else " "
    title: Pieces = [(f" {pane.title}", f"{TITLE} {ACCENT}" if has_focus else TITLE)]
    if pane.number:
        title.append((f" {pane.number}", HEADING))
    if has_focus and len(pane.rows) > len(shown) > 0:
        title.append((f" {look.dot} {first + 1}{look.dash}{first + len(shown)}", HEADING))
    lines = [_line(pane.columns, [title, *_headings(pane.columns)], width, look, HEADING)]
    for row in shown:
        mark = marker if row.key == chosen else " "
        first_cell, *others = pane.cells(row.subject)
        line = _line(pane.columns, [[(mark, ACCENT), *first_cell], *others], width, look)
        if row.key == chosen and has_focus:
            line = [(text, CHOSEN) for text, _ in line]
        lines.append(line)
    if not pane.rows and height > 1:
        lines.append(cut([(f" {look.text(pane.empty)}", "muted")], width, ellipsis=look.ellipsis))
    return lines + [[] for _ in range(height - len(lines))]


def _headings(columns: Sequence[Column]) -> list[Pieces]:
    return [[(column.heading, HEADING)] for column in columns[1:]]


def _line(columns: Sequence[Column], cells: Sequence[Pieces], width: int, look: Look, role: str = "") -> Pieces:
    shown = [(column, cell) for column, cell in zip(columns, cells, strict=True) if column.least <= width]
    taken = sum(column.width + len(_GAP) for column, _ in shown[1:]) + 1
    line = fitted(list(shown[0][1]), max(4, width - taken), ellipsis=look.ellipsis)
    for column, cell in shown[1:]:
        line += [(_GAP, role), *fitted(list(cell), column.width, is_right=column.is_right, ellipsis=look.ellipsis)]
    line = [(text, each or role) for text, each in [*line, (" ", role)]]
    return cut(line, width, ellipsis="")
