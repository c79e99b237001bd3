"""The last lines of the screen: the keys, a question, the filter that is being typed, or what was done."""

from __future__ import annotations

from gigq.cli.columns import Pieces, columns, cut, width_of
from gigq.cli.top.pieces import KEY, MUTED, WARNING, Look, wrapped
from gigq.cli.top.state import State

_MOST = 4
"""Lines that a question may have."""


def lines(state: State, look: Look, *, width: int, rows: int, is_read_only: bool) -> list[Pieces]:
    """Return the lines below the panes: one, unless a question needs more."""
    if rows < 2:
        return []
    if state.question:
        return _question(state.question.text, look, width, most=min(_MOST, rows - 1))
    if state.typed is not None:
        return [_prompt(state.typed, look, width)]
    if state.notice:
        text = look.piece(state.notice)[0]
        return [[(f" {line}", WARNING)] for line in wrapped(text, width - 1)[: min(3, rows - 1)]]
    return [_keys(state, look, width, is_read_only=is_read_only)]


def _question(text: str, look: Look, width: int, *, most: int) -> list[Pieces]:
    """Return a question with the answers at its end. What it names stands at its beginning, and is always seen."""
    answers = " y/N "
    lines = wrapped(look.piece(text)[0], width - 1)
    shown, rest = lines[: most - 1], " ".join(lines[most - 1 :])
    if shown and (not rest or columns(rest) + len(answers) < width) and columns(shown[-1]) + len(answers) < width:
        shown, rest = (shown[:-1], shown[-1]) if not rest else (shown, rest)
    found: list[Pieces] = [[(f" {line}", WARNING)] for line in shown]
    last = cut([(f" {rest}", WARNING)], max(1, width - len(answers)), ellipsis=look.ellipsis) if rest else []
    return [*found, [*last, (answers, KEY)]]


def _prompt(typed: str, look: Look, width: int) -> Pieces:
    """Return what is being typed: its end, when it is too long."""
    text, room = look.piece(typed)[0], max(0, width - 4)
    while columns(text) > room:
        text = text[1:]
    return [(" / ", KEY), (text, ""), ("_", KEY)]


def _keys(state: State, look: Look, width: int, *, is_read_only: bool) -> Pieces:
    line: Pieces = []
    for key, word in _known(state, is_read_only=is_read_only):
        piece = [(f" {key}", KEY), (f" {word} ", MUTED)]
        if width_of(line) + width_of(piece) > width:
            break
        line += piece
    return line


def _known(state: State, *, is_read_only: bool) -> list[tuple[str, str]]:
    if state.shows_help:
        return [("any key", "back")]
    if state.opened:
        verbs = [] if is_read_only else [("R", "requeue"), ("K", "cancel")]
        return [("q", "back"), *verbs, ("PgDn", "further")]
    verbs = {
        "queues": [("p", "pause")], "running": [("K", "cancel"), ("R", "requeue")],
        "failures": [("R", "requeue")], "next": [("K", "cancel")],
    }[state.pane]  # fmt: skip
    enter = "its jobs" if state.pane == "queues" else "open"
    back = [("Esc", "no filter")] if state.filter else []
    return [
        ("q", "quit"), ("?", "help"), ("Tab", "pane"), ("Enter", enter), *([] if is_read_only else verbs),
        ("/", "filter"), *back, ("Space", "go on" if state.is_held else "hold"),
        ("z", "all" if state.is_whole else "zoom"),
    ]  # fmt: skip
