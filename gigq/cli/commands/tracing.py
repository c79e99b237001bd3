"""The command that draws what workers did over time: `gigq trace`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import command
from gigq.cli.fields import BAR
from gigq.cli.hiding import SHOW_SECRETS, redactor
from gigq.cli.looking_back import WITHIN, shown, span, span_of
from gigq.cli.styled import BOLD, CYAN, DIM, GREEN, LOST, MAGENTA, RED, Line, Styled

if TYPE_CHECKING:
    from gigq.drawing.lanes import Cell, Column, Lane
    from gigq.history_records import ExecutionSummary
    from gigq.pages import Page
    from gigq.queue.job_queue import JobQueue

_MOST_EXECUTIONS = 5_000
_MOST_LANES = 60
"""Lanes that are drawn one by one; of more, those of one worker together."""

_NAME = 20
"""Columns of a worker's name."""

_NARROWEST = 6
_BLOCKS, _PLAIN_BLOCKS = "▁▂▃▄▅▆▇█", "---===##"
_ENDS = {
    "failed": ("✕", "x", RED),
    "timeout": ("⧖", "!", MAGENTA),
    "lost": LOST,
    "cancelled": ("⊘", "/", DIM),
}


@command(
    *span("15m"),
    SHOW_SECRETS,
    fields=BAR,
    examples=(("gigq trace --since 09:30 --until 10:00", "half an hour of this morning"),),
)
def trace(queue: JobQueue, args: Args) -> Answer:
    """Draw what the slots of all workers did over time.

    Each line is a slot, and each character a moment: the fuller a block, the longer something ran in it.
    A sign shows where an attempt failed, timed out, was lost or was cancelled.
    Long times in which nothing ran are folded.
    The file does not keep which slot ran what; the lines have as few slots as there must have been.
    """
    from gigq.clock import to_past
    from gigq.drawing.lanes import lanes_of

    now = queue.clock.now()
    typed = span_of(args, "since", "15m")
    since, until = to_past(typed["since"], "--since", now=now), typed["until"] or now
    found = queue.history.executions(since, until, _MOST_EXECUTIONS, within=WITHIN)
    since = _known_since(found, since)
    lanes = lanes_of(found, since, until)
    lines = _lines(args, lanes, since, until) if lanes else ["Nothing ran."]
    return Answer(_records(args, found, lanes), lines, ids=[each.job_id for each in found], notes=_notes(found, since))


def _known_since(found: Page[ExecutionSummary], since: datetime) -> datetime:
    """Return since when all is known, if not all executions were read."""
    if found.cursor is None:
        return since
    return max(since, min((each.started_at for each in found if each.started_at), default=since))


def _records(args: Args, found: Sequence[ExecutionSummary], lanes: Sequence[Lane]) -> list[dict[str, Any]]:
    numbers = {bar.execution: number for number, lane in enumerate(lanes, 1) for bar in lane.bars}
    hide = redactor(args)
    return [{**each.as_dict(), "error": hide.maybe(each.error), "lane": numbers.get(each.id)} for each in found]


def _notes(found: Page[ExecutionSummary], since: datetime) -> list[str]:
    if found.cursor is None:
        return []
    return [f"only the newest {len(found):,} executions are drawn, from {shown(since)} on"]


# lines


def _lines(args: Args, lanes: Sequence[Lane], since: datetime, until: datetime) -> Iterator[Line]:
    from gigq.drawing.lanes import columns_of

    length = (until - since).total_seconds() or 1.0
    rows = _rows(lanes)
    if args.terminal.is_accessible:
        yield from _told(rows, since, until, length)
        return
    room = args.terminal.width_or(100)
    margin = min(_NAME, max(len(name) for name, _ in rows), max(4, room // 3)) + 2
    width = max(_NARROWEST, room - margin - 6)
    columns = columns_of(lanes, length, width)
    is_unicode = args.terminal.is_unicode or not args.terminal.is_terminal
    for line in _heading(columns, since, until, is_unicode=is_unicode):
        yield _fitted(args, line)
    before = None
    for name, group in rows:
        yield _row(name if name != before else "", group, columns, length, margin, is_unicode=is_unicode)
        before = name
    yield _fitted(args, Styled(f"{'':<{margin}}{_axis(columns, since, length)}", DIM))
    for line in _folds(columns, since):
        yield _fitted(args, line)


def _fitted(args: Args, line: Styled) -> Styled:
    """Return a line that is no wider than the terminal."""
    from gigq.cli.columns import cut

    return Styled.of_pieces(cut([*line.pieces(args.terminal)], args.terminal.width))


def _told(
    rows: Sequence[tuple[str, Sequence[Lane]]], since: datetime, until: datetime, length: float
) -> Iterator[Line]:
    """Say what would be drawn."""
    yield f"{shown(since)} to {shown(until)[11:]}"
    for name, lanes in rows:
        bars = [bar for lane in lanes for bar in lane.bars]
        bad = sum(bar.status in _ENDS for bar in bars)
        number = f"{len(bars)} execution{'' if len(bars) == 1 else 's'}"
        yield f"{name}: {_busy(lanes, length)} % busy, {number}, {bad} ended badly"


def _busy(lanes: Sequence[Lane], length: float) -> int:
    return round(sum(lane.busy for lane in lanes) / (length * len(lanes)) * 100)


def _rows(lanes: Sequence[Lane]) -> list[tuple[str, list[Lane]]]:
    if len(lanes) <= _MOST_LANES:
        return [(lane.worker, [lane]) for lane in lanes]
    return [(worker, list(group)) for worker, group in groupby(lanes, key=lambda lane: lane.worker)]


def _heading(columns: Sequence[Column], since: datetime, until: datetime, *, is_unicode: bool) -> Iterator[Styled]:
    from gigq import durations

    step = next((column.end - column.start for column in columns if not column.is_folded), 0.0)
    yield Styled(f"{shown(since)} to {shown(until)[11:]}, {durations.span(step)} a column", BOLD)
    legend = Styled("█" if is_unicode else "#", GREEN) + f" ran  {'·' if is_unicode else '.'} idle"
    for word, (sign, plain, style) in _ENDS.items():
        legend = legend + "  " + Styled(sign if is_unicode else plain, style) + f" {word}"
    yield legend + "  " + Styled("▶" if is_unicode else ">", CYAN) + " running"


def _row(
    name: str, lanes: Sequence[Lane], columns: Sequence[Column], length: float, margin: int, *, is_unicode: bool
) -> Styled:
    from gigq.cleaning import clean
    from gigq.cli.columns import fitted
    from gigq.drawing.lanes import cells_of

    cells = zip(cells_of(lanes, columns, length), columns, strict=True)
    characters = [_character(cell, column, is_unicode=is_unicode) for cell, column in cells]
    by_style = groupby(characters, key=lambda each: each[1])  # one escape sequence for many characters
    drawn = Styled.of_pieces(("".join(text for text, _ in some), style) for style, some in by_style)
    label = fitted([(clean(name), "")], margin - 2, ellipsis="…" if is_unicode else "~")
    return Styled.of_pieces([*label, ("  ", "")]) + drawn + f" {_busy(lanes, length):3} %"


def _character(cell: Cell, column: Column, *, is_unicode: bool) -> tuple[str, str]:
    if column.is_folded:
        return ("╌" if is_unicode else "~"), DIM
    if cell.ended in _ENDS:
        sign, plain, style = _ENDS[cell.ended]
        return (sign if is_unicode else plain), style
    if cell.runs_on:
        return ("▶" if is_unicode else ">"), CYAN
    if not cell.share:
        return ("·" if is_unicode else "."), DIM
    blocks = _BLOCKS if is_unicode else _PLAIN_BLOCKS
    return blocks[min(len(blocks) - 1, int(cell.share * len(blocks)))], GREEN


def _axis(columns: Sequence[Column], since: datetime, length: float) -> str:
    """Return the times below the columns, as many as there is room for."""
    form = "%H:%M:%S" if length < 3600 else "%H:%M" if length < 86_400 else "%m-%d %H:%M"
    line = ""
    for place, column in enumerate(columns):
        label = (since + timedelta(seconds=column.start)).strftime(form)
        has_room = not line or place >= len(line) + 4
        if has_room and not column.is_folded and place + len(label) <= len(columns):
            line = f"{line:<{place}}{label}"
    return line


def _folds(columns: Sequence[Column], since: datetime) -> Iterator[Styled]:
    from gigq import durations

    for column in dict.fromkeys(column for column in columns if column.is_folded):
        begun = shown(since + timedelta(seconds=column.start))
        yield Styled(f"folded: {durations.span(column.end - column.start)} from {begun}, in which nothing ran", DIM)
