"""Workers over time: their executions in lanes, as many as ran side by side, on an axis without long idle times."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from gigq.history_records import ExecutionSummary

_LONG = 0.2
"""The part of the whole span from which on an idle time is folded."""

FOLD = 3
"""Columns of a folded time."""


class Bar(NamedTuple):
    """One execution, or the part of it that is in the span.

    Attributes:
        start: seconds from the beginning of the span.
        end: likewise.
        status: how it ended; None if it ended after the span, or has not.
        execution: its number.
    """

    start: float
    end: float
    status: str | None
    execution: int


class Lane(NamedTuple):
    """Executions of one worker, one after the other. The file does not know the slots, so these are made up."""

    worker: str
    bars: tuple[Bar, ...]

    @property
    def busy(self) -> float:
        """The seconds in which something ran."""
        return sum(bar.end - bar.start for bar in self.bars)


class Column(NamedTuple):
    """A span of time that is drawn as one character; a folded one is longer than the others.

    Attributes:
        start: seconds from the beginning of the span.
        end: likewise.
    """

    start: float
    end: float
    is_folded: bool


class Cell(NamedTuple):
    """What a lane did in a column.

    Attributes:
        share: of the time in which something ran, from 0 to 1.
        ended: how the worst of what ended in it ended; None if nothing did, or all was well.
        runs_on: whether what ran at the end of the span ran there.
    """

    share: float
    ended: str | None
    runs_on: bool


_WORST = ("timeout", "failed", "lost", "cancelled")


def lanes_of(executions: Iterable[ExecutionSummary], since: datetime, until: datetime) -> list[Lane]:
    """Return the lanes of each worker, in the order of their names. What was never called is in none."""
    length = (until - since).total_seconds()
    lanes: dict[str, list[list[Bar]]] = {}
    for worker, bar in sorted(_bars(executions, since, length), key=lambda each: (each[1].start, each[1].execution)):
        of_worker = lanes.setdefault(worker, [])
        free = next((lane for lane in of_worker if lane[-1].end <= bar.start), None)
        if free is None:
            of_worker.append([bar])
        else:
            free.append(bar)
    return [Lane(worker, tuple(lane)) for worker in sorted(lanes) for lane in lanes[worker]]


def _bars(executions: Iterable[ExecutionSummary], since: datetime, length: float) -> Iterable[tuple[str, Bar]]:
    for each in executions:
        if each.started_at is None:
            continue
        start = (each.started_at - since).total_seconds()
        end = length if each.completed_at is None else max(start, (each.completed_at - since).total_seconds())
        has_ended = each.completed_at is not None and end <= length
        if end >= 0 and start <= length:
            status = each.status.value if has_ended else None
            yield each.worker_id, Bar(max(0.0, start), min(length, end), status, each.id)


def columns_of(lanes: Sequence[Lane], length: float, width: int) -> list[Column]:
    """Return the columns of a picture of this width. Times of which nothing ran for long are folded."""
    folded = [gap for gap in _idle(lanes, length) if gap[1] - gap[0] > _LONG * length]
    folded = folded if width - FOLD * len(folded) >= 2 * FOLD * len(folded) else []
    left = width - FOLD * len(folded)
    shown = length - sum(end - start for start, end in folded)
    if not folded or shown <= 0:
        return _even(0.0, length, width)
    columns, at, used = list[Column](), 0.0, 0.0
    for start, end in [*folded, (length, length)]:
        before = round(left * used / shown)
        used += start - at
        columns += _even(at, start, round(left * used / shown) - before)
        columns += [Column(start, end, True)] * (FOLD if end > start else 0)
        at = end
    return columns


def _even(start: float, end: float, number: int) -> list[Column]:
    step = (end - start) / max(1, number)
    return [Column(start + place * step, start + (place + 1) * step, False) for place in range(number)]


def _idle(lanes: Sequence[Lane], length: float) -> Iterable[tuple[float, float]]:
    """Yield the times in which nothing ran."""
    at = 0.0
    for bar in sorted((bar for lane in lanes for bar in lane.bars), key=lambda each: each.start):
        if bar.start > at:
            yield at, bar.start
        at = max(at, bar.end)
    if length > at:
        yield at, length


def cells_of(lanes: Sequence[Lane], columns: Sequence[Column], length: float) -> list[Cell]:
    """Return what one lane, or several together, did in each column."""
    cells = [[0.0, len(_WORST), False] for _ in columns]
    for lane in lanes:
        place = 0
        for bar in lane.bars:
            while place < len(columns) - 1 and columns[place].end <= bar.start:
                place += 1
            _fill(cells, columns, bar, place, length)
    return [
        Cell(
            min(1.0, busy / (max(1e-9, column.end - column.start) * len(lanes))),
            _WORST[int(worst)] if worst < len(_WORST) else None,
            bool(runs_on),
        )
        for (busy, worst, runs_on), column in zip(cells, columns, strict=True)
    ]


def _fill(cells: list[list[float]], columns: Sequence[Column], bar: Bar, place: int, length: float) -> None:
    for number in range(place, len(columns)):
        column = columns[number]
        if column.start >= bar.end and number > place:
            break
        # Even what took no time is seen.
        least = (column.end - column.start) / 100 if number == place else 0.0
        cells[number][0] += max(least, min(bar.end, column.end) - max(bar.start, column.start), 0.0)
        is_last = bar.end <= column.end or number == len(columns) - 1
        if is_last and bar.status in _WORST:
            cells[number][1] = min(cells[number][1], _WORST.index(bar.status))
        if is_last and bar.status is None and bar.end >= length:
            cells[number][2] = True
        if is_last:
            break
