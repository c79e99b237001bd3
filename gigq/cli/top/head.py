"""The first lines of the screen: the file and the clock, what is not getting on, numbers, and the last hour."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePath

from gigq.cli.columns import Pieces, cut, width_of
from gigq.cli.top import bars
from gigq.cli.top.pieces import ACCENT, MUTED, TITLE, UPSIDE_DOWN, WARNING, Look, between, wrapped
from gigq.cli.top.scene import Minute, Scene
from gigq.cli.top.state import State
from gigq.status import Phase

_LEAST_FOR_CHART = 18
_GUTTER = 9
"""Columns before the chart, for its words."""

_AFTER = 10
"""Columns behind it, for its numbers."""

_SUMMED = ("ready", "running", "scheduled")


def lines(
    scene: Scene, state: State, now: datetime, look: Look, *, width: int, rows: int, is_read_only: bool
) -> list[Pieces]:
    """Return the lines above the panes: fewer on a small terminal."""
    found = [_first(scene, state, now, look, width, is_read_only=is_read_only)]
    if rows < 4:
        return found
    found += _sentences(scene, look, width, most=1 if rows < 30 else 2 if rows < 48 else 3)
    found.append(_numbers(scene, look, width))
    is_covered = state.opened or state.shows_help or scene.is_empty
    if rows >= _LEAST_FOR_CHART and scene.minutes and not is_covered:
        found += _chart(scene.minutes, look, width, height=1 if rows < 32 else 2 if rows < 48 else 3)
    return found


def _first(scene: Scene, state: State, now: datetime, look: Look, width: int, *, is_read_only: bool) -> Pieces:
    left: Pieces = [(" ", ""), look.piece(PurePath(scene.path).name, TITLE)]
    if is_read_only:
        left.append(("  read-only", WARNING))
    if scene.filter:
        left += [("  / ", MUTED), look.piece(scene.filter, ACCENT)]
    crew = f"{_known(scene.crew.workers, scene, 'crew', look)} worker{'' if scene.crew.workers == 1 else 's'}"
    live = ("live", str(Phase.COMPLETED))
    if state.is_held or scene.trouble:
        live = ("held" if state.is_held else "not live", WARNING)
    # In UTC, as all instants of the file; no seconds, so that a queue in which nothing happens sends nothing.
    clock = f"{now:%H:%M} UTC"
    right: Pieces = [(crew, ""), ("   ", ""), live, ("   ", ""), (clock, MUTED), (" ", "")]
    if width < 56:
        right = [live, ("  ", ""), (clock, MUTED)]
    return between(left, right, width, look)


def _sentences(scene: Scene, look: Look, width: int, *, most: int) -> list[Pieces]:
    """Return what is not getting on, or that all is well, in `most` lines, so that nothing below them moves."""
    if scene.trouble:
        text = look.piece(f"as of {scene.at:%H:%M:%S}: {scene.trouble}")[0]
        return [[(f" {line}", WARNING)] for line in wrapped(text, width - 2)[: max(2, most)]]
    shown: list[Pieces] = []
    if "sentences" in scene.unread and not scene.sentences:
        shown.append([(" there was no time to read what holds jobs back", MUTED)])
    for number, sentence in enumerate(scene.sentences, start=1):
        mark = "! " if sentence in scene.troubles else ""
        more = f" (+{len(scene.sentences) - number})" if number < len(scene.sentences) else ""
        parts, room = wrapped(look.piece(sentence)[0], width - 2 - len(mark)), most - len(shown)
        marks = [f" {mark}", *[" " * (1 + len(mark))] * (room - 1)]
        shown += [[(mark, WARNING), (part, "")] for mark, part in zip(marks, parts, strict=False)]
        if len(shown) == most:
            is_cut = len(parts) > room
            line = [*shown[-1], (f" {parts[room]}", "")] if is_cut else shown[-1]
            shown[-1] = [*cut(line, width - len(more), ellipsis=look.ellipsis), (more, MUTED)]
            return shown
    return shown + [[] for _ in range(most - len(shown))]


def _numbers(scene: Scene, look: Look, width: int) -> Pieces:
    """Return the numbers, each with its sign and its word; the last ones go first when there is no room."""
    ready, running, later = (sum(getattr(each, name) for each in scene.queues) for name in _SUMMED)
    failed = sum(each.times for each in scene.failures)
    numbers = (
        (Phase.READY, ready, f"{ready:,} ready"),
        (Phase.RUNNING, running, f"{running:,} running"),
        (Phase.FAILED, failed, f"{_known(failed, scene, 'failures', look)} failed in 24 h"),
        (Phase.SCHEDULED, later, f"{later:,} scheduled"),
    )
    line: Pieces = []
    for phase, number, words in numbers:
        piece = (f"{'   ' if line else ' '}{look.sign(phase)} {words}", str(phase) if number else MUTED)
        if width_of([*line, piece]) > width:
            break
        line.append(piece)
    return line


def _known(number: int, scene: Scene, name: str, look: Look) -> str:
    """Return a number; a dash for a 0 that only says that there was no time to read it."""
    return look.dash if not number and name in scene.unread else f"{number:,}"


def _chart(minutes: tuple[Minute, ...], look: Look, width: int, *, height: int) -> list[Pieces]:
    """Return the last hour: what completed stands on a line, and what failed hangs from it."""
    wide = max(1, (width - _GUTTER - _AFTER) // 60)
    shown = minutes[-max(1, min(60, (width - _GUTTER - _AFTER) // wide)) :]
    most = max((max(each) for each in shown), default=0)
    up = bars.heights([each.completed for each in shown], most, rows=height)
    down = bars.heights([each.failed for each in shown], most)
    completed, failed = (f" {sum(each[place] for each in shown):,}" for place in (0, 1))
    lines: list[Pieces] = []
    for row in reversed(range(height)):
        drawn = bars.row_of_columns(up, row, wide=wide, is_unicode=look.is_unicode)
        lines.append([_label("" if row else "done"), (drawn, str(Phase.COMPLETED)), ("" if row else completed, MUTED)])
    role = UPSIDE_DOWN if look.is_unicode else str(Phase.FAILED)
    hanging = bars.row_of_hanging_columns(down, wide=wide, is_unicode=look.is_unicode)
    ago = f"{len(shown)} min ago"
    axis = f"{ago}{'now':>{max(4, len(shown) * wide - len(ago))}}"
    scale = f" max {most:,}" if most else ""
    return [
        *lines,
        [_label("failed"), *_only_filled(hanging, role), (failed, MUTED)],
        [_label(""), (axis, MUTED), (scale, MUTED)],
    ]


def _label(word: str) -> tuple[str, str]:
    return f" {word:<{_GUTTER - 1}}", MUTED


def _only_filled(hanging: str, role: str) -> Pieces:
    """Return columns as pieces, so that places without one are left alone: a full block upside down is nothing."""
    pieces: Pieces = []
    for sign in hanging:
        piece = (" ", "") if sign == "█" and role == UPSIDE_DOWN else (sign, role)
        if pieces and pieces[-1][1] == piece[1]:
            pieces[-1] = (pieces[-1][0] + piece[0], piece[1])
        else:
            pieces.append(piece)
    return pieces
