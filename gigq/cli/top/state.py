"""What the person at the screen has done: the pane, the chosen lines, the filter, a question that is open.

`pressed` is the whole of it: a state, a key and what the screen shows make the next state, and perhaps something to do.
"""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gigq.cli.columns import columns
from gigq.cli.top.panes import NAMES
from gigq.cli.top.questions import Question, about
from gigq.cli.top.scene import FailureLine, JobLine, QueueLine
from gigq.cli.top.table import Pane, Row
from gigq.query import text_of

_LONGEST_FILTER = 500


class Opened(NamedTuple):
    """A job whose story is shown in place of the panes.

    Attributes:
        job_id: its id.
        first: the first line of it that is seen.
    """

    job_id: str
    first: int = 0


class State(NamedTuple):
    """What the person at the screen has done.

    Attributes:
        pane: the name of the pane with the focus.
        chosen: the key of the chosen row of each pane, whatever its place; no entry where none is.
        places: where the chosen rows were when they were last seen, to go on from when they have gone.
        firsts: the first row of each pane that is seen.
        filter: the filter that holds.
        typed: the filter that is being typed; None while none is.
        question: a question that waits for an answer.
        notice: what was done, or why not; it stays until the next key.
        opened: the job that is opened.
        is_held: whether the screen stays as it is, until Space is pressed again.
        is_whole: whether the pane with the focus has the whole screen.
        shows_help: whether the keys are explained.
    """

    pane: str = "running"
    chosen: Mapping[str, str] = {}
    places: Mapping[str, int] = {}
    firsts: Mapping[str, int] = {}
    filter: str = ""
    typed: str | None = None
    question: Question | None = None
    notice: str = ""
    opened: Opened | None = None
    is_held: bool = False
    is_whole: bool = False
    shows_help: bool = False


QUIT, DO, FILTER, REDRAW = "quit", "do", "filter", "redraw"


class Effect(NamedTuple):
    """Something to be done outside of the screen.

    Attributes:
        kind: ``quit``, ``do`` what a question asked, apply the ``filter``, or draw everything again.
        question: what was asked.
        filter: what was typed.
    """

    kind: str
    question: Question | None = None
    filter: str = ""


Step = tuple[State, Effect | None]


def pressed(
    state: State,
    key: str,
    panes: Mapping[str, Pane],
    *,
    page: int,
    is_read_only: bool = False,
    lines: int = 0,
    opened: JobLine | None = None,
) -> Step:
    """Return what a key makes of a state, and what is to be done.

    Args:
        panes: what the screen shows.
        page: the rows by which PageUp and PageDown go.
        is_read_only: whether nothing may be changed.
        lines: the lines of the opened job.
        opened: the opened job.
    """
    if key == "Ctrl-L":
        return state, Effect(REDRAW)
    if state.question:
        return _answered(state, key)
    if state.typed is not None:
        return _typed(state, state.typed, key)
    state = state._replace(notice="")
    if key in ("q", "Ctrl-D"):
        return _left(state, key)
    if state.shows_help:
        return state._replace(shows_help=False), None
    if state.opened and key in _MOVES:
        return state._replace(opened=_scrolled(state.opened, key, page, lines)), None
    if key in ("p", "R", "K"):
        return _asked(state, key, opened if state.opened else chosen(state, panes), is_read_only=is_read_only), None
    return _walked(state, key, panes, page)


def seen(state: State, panes: Mapping[str, Pane], heights: Mapping[str, int]) -> State:
    """Return the state for new contents: chosen rows stay chosen, and are where they are seen.

    Args:
        heights: the lines of each pane that is drawn, its title included.
    """
    places, firsts = dict(state.places), dict(state.firsts)
    for name, pane in panes.items():
        place = _place_of(state.chosen.get(name), pane.rows)
        if place is not None:
            places[name] = place
        room = max(1, heights.get(name, 2) - 1)
        first = min(firsts.get(name, 0), max(0, len(pane.rows) - room))
        if place is not None:
            first = max(min(first, place), place - room + 1)
        firsts[name] = first
    return state._replace(places=places, firsts=firsts)


def chosen(state: State, panes: Mapping[str, Pane]) -> JobLine | QueueLine | FailureLine | None:
    """Return what is chosen in the pane with the focus; None if nothing is, or if it has gone."""
    row = _row_of(state, panes)
    return row.subject if row else None


_MOVES = {"Up": -1, "k": -1, "Down": 1, "j": 1, "PageUp": 0, "PageDown": 0, "Home": 0, "End": 0}


def _left(state: State, key: str) -> Step:
    if key == "q" and (state.opened or state.shows_help):
        return state._replace(opened=None, shows_help=False), None
    return state, Effect(QUIT)


def _answered(state: State, key: str) -> Step:
    """Only `y` says yes. Every other key says no, also Enter: it is pressed too easily."""
    asked, state = state.question, state._replace(question=None)
    if key in ("y", "Y"):
        return state, Effect(DO, asked)
    return state._replace(notice="nothing was done"), None


def _typed(state: State, typed: str, key: str) -> Step:
    match key:
        case "Enter":
            return state._replace(typed=None), Effect(FILTER, filter=typed.strip())
        case "Escape":
            return state._replace(typed=None), None
        case "Ctrl-U":
            return state._replace(typed=""), None
        case "Backspace":
            return state._replace(typed=typed[:-1]), None
        case _ if len(key) == 1 and columns(key) and len(typed) < _LONGEST_FILTER:
            return state._replace(typed=typed + key), None
    return state, None


def _asked(
    state: State, key: str, subject: JobLine | QueueLine | FailureLine | None, *, is_read_only: bool
) -> State:
    if is_read_only:
        return state._replace(notice="--read-only: nothing is changed from here")
    asked = about(key, subject)
    return state._replace(notice=asked) if isinstance(asked, str) else state._replace(question=asked)


def _walked(state: State, key: str, panes: Mapping[str, Pane], page: int) -> Step:
    match key:
        case "Tab" | "Right" | "Shift-Tab" | "Left" if not state.opened:
            by = 1 if key in ("Tab", "Right") else -1
            return state._replace(pane=NAMES[(NAMES.index(state.pane) + by) % len(NAMES)]), None
        case "?" | "h":
            return state._replace(shows_help=True), None
        case "/":
            return state._replace(typed=state.filter, opened=None), None
        case " ":
            return state._replace(is_held=not state.is_held), None
        case "z":
            return state._replace(is_whole=not state.is_whole), None
        case "Escape":
            return _escaped(state)
        case "Enter" if not state.opened:
            return _opened(state, panes)
    if key in _MOVES:
        return _moved(state, key, panes[state.pane].rows, page), None
    return state, None


def _escaped(state: State) -> Step:
    """Escape takes away one thing: what is opened, the whole screen, then the filter, then what is chosen."""
    if state.opened:
        return state._replace(opened=None), None
    if state.is_whole:
        return state._replace(is_whole=False), None
    if state.filter:
        return state, Effect(FILTER, filter="")
    return state._replace(chosen={k: v for k, v in state.chosen.items() if k != state.pane}), None


def _opened(state: State, panes: Mapping[str, Pane]) -> Step:
    row = _row_of(state, panes)
    if row is None:
        return state._replace(notice="choose a line first, with the arrow keys"), None
    if isinstance(row.subject, QueueLine):
        return state._replace(pane="running"), Effect(FILTER, filter=text_of({"queue": row.subject.name}))
    return state._replace(opened=Opened(_id_of(row))), None


def _id_of(row: Row) -> str:
    return row.subject.example if isinstance(row.subject, FailureLine) else row.key


def _moved(state: State, key: str, rows: Sequence[Row], page: int) -> State:
    """Choose another row. From one that has gone it goes on where that was."""
    if not rows:
        return state
    place = _place_of(state.chosen.get(state.pane), rows)
    last = len(rows) - 1
    if place is None:
        had_one = state.pane in state.chosen
        place = min(state.places.get(state.pane, 0), last) if had_one else 0
        to = place if key in ("Up", "k", "Down", "j") else _to(key, place, page, last)
    else:
        to = _to(key, place, page, last)
    to = max(0, min(to, last))
    return state._replace(
        chosen={**state.chosen, state.pane: rows[to].key}, places={**state.places, state.pane: to}
    )


def _to(key: str, place: int, page: int, last: int) -> int:
    jumps = {"PageUp": place - page, "PageDown": place + page, "Home": 0, "End": last}
    return jumps.get(key, place + _MOVES[key])


def _scrolled(opened: Opened, key: str, page: int, lines: int) -> Opened:
    to = _to(key, opened.first, page, max(0, lines - page))
    return opened._replace(first=max(0, min(to, lines - page)))


def _place_of(key: str | None, rows: Sequence[Row]) -> int | None:
    return next((place for place, row in enumerate(rows) if row.key == key), None)


def _row_of(state: State, panes: Mapping[str, Pane]) -> Row | None:
    rows = panes[state.pane].rows
    place = _place_of(state.chosen.get(state.pane), rows)
    return None if place is None else rows[place]
