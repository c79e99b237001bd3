"""The screen as lines: the head, the last hour, the panes or an opened job, and the foot."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from gigq.cli.columns import Pieces, cut, fitted
from gigq.cli.top import foot, head, helping
from gigq.cli.top.panes import NAMES, panes
from gigq.cli.top.pieces import Look, folded
from gigq.cli.top.scene import Scene
from gigq.cli.top.state import State, seen
from gigq.cli.top.table import Pane, drawn

_SIDE_BY_SIDE = 140
"""Columns from which two panes lie beside each other."""

_LEAST_UPPER = 10
"""Lines of the upper two panes, which grow with their contents up to half of the screen."""

_SHARES = {"queues": 3, "running": 4, "failures": 3, "next": 3}
_LEAST_FOR_ALL = 12
"""Lines below which the panes do not all fit: then the one with the focus has them all."""


class View(NamedTuple):
    """What is drawn.

    Attributes:
        lines: the lines of the screen, all of them.
        state: the state, with chosen rows where they are seen.
        panes: the panes that the lines show, by their names.
        page: the rows by which PageUp and PageDown go.
        told: how many lines the opened job has at this width.
    """

    lines: list[Pieces]
    state: State
    panes: dict[str, Pane]
    page: int
    told: int


def view(
    scene: Scene,
    state: State,
    now: datetime,
    *,
    rows: int,
    columns: int,
    look: Look,
    story: Sequence[Pieces] = (),
    is_read_only: bool = False,
) -> View:
    """Return what the screen shows.

    Args:
        now: the instant from which times are counted.
        rows: the lines of the terminal.
        columns: the letters of a line, of which the last one stays free: some terminals begin a new line there.
        story: the lines of the opened job.
        is_read_only: whether nothing may be changed.
    """
    width = max(1, columns - 1)
    top = head.lines(scene, state, now, look, width=width, rows=rows, is_read_only=is_read_only)
    bottom = foot.lines(state, look, width=width, rows=rows, is_read_only=is_read_only)
    room = max(0, rows - len(top) - 1)
    told = [part for line in story for part in folded(line, width - 1)] if state.opened else []
    tables = panes(scene, now, look, width=_pane_width(width))
    heights = _heights(tables, state, room, width)
    state = seen(state, tables, heights)
    if state.shows_help:
        middle = helping.lines(look, width=width, is_read_only=is_read_only)
    elif state.opened:
        middle = [[(" ", ""), *line] for line in told[state.opened.first :]]
    elif scene.is_empty and not scene.filter:
        middle = helping.welcome(look, width=width, room=room)
    else:
        middle = _drawn(tables, heights, state, look, width)
    lines = [*top, *(middle + [[] for _ in range(room)])[:room], []][:rows]
    lines[rows - len(bottom) :] = bottom  # a long question covers what is above it, so that nothing moves
    shown = [cut(line, width, ellipsis=look.ellipsis) for line in lines]
    page = room if state.opened else heights.get(state.pane, 2) - 1
    return View(shown, state, tables, max(1, page), len(told))


def _pane_width(width: int) -> int:
    return (width - 3) // 2 if width >= _SIDE_BY_SIDE else width


def _heights(tables: Mapping[str, Pane], state: State, room: int, width: int) -> dict[str, int]:
    """Return how many lines each pane has. It depends on the terminal, hardly on the contents: nothing jumps."""
    if state.is_whole or room < _LEAST_FOR_ALL:
        return {state.pane: room}
    if width >= _SIDE_BY_SIDE:
        listed = max(len(tables["queues"].rows), len(tables["failures"].rows))
        upper = min(room // 2, max(_LEAST_UPPER, listed + 2))
        return {"queues": upper, "failures": upper, "running": room - upper, "next": room - upper}
    queues = max(3, len(tables["queues"].rows))
    total = sum(_SHARES.values())
    heights = {name: 1 + (room - len(_SHARES)) * share // total for name, share in _SHARES.items()}
    heights["queues"] = min(heights["queues"], 1 + queues)
    heights["running"] += room - sum(heights.values())
    return heights


def _drawn(
    tables: Mapping[str, Pane], heights: Mapping[str, int], state: State, look: Look, width: int
) -> list[Pieces]:
    if len(heights) == 1 or width < _SIDE_BY_SIDE:
        shown = [name for name in NAMES if name in heights]
        return [line for name in shown for line in _pane(tables[name], heights[name], state, look, width)]
    half = _pane_width(width)
    blocks = {name: _pane(tables[name], heights[name], state, look, half) for name in NAMES}
    left, right = blocks["queues"] + blocks["running"], blocks["failures"] + blocks["next"]
    return [
        [*fitted(one, half, ellipsis=look.ellipsis), ("   ", ""), *other]
        for one, other in zip(left, right, strict=True)
    ]


def _pane(pane: Pane, height: int, state: State, look: Look, width: int) -> list[Pieces]:
    return drawn(
        pane, width, height, look,
        first=state.firsts.get(pane.name, 0), chosen=state.chosen.get(pane.name), has_focus=pane.name == state.pane,
    )  # fmt: skip
