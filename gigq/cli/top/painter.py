"""What is sent to a terminal so that it shows other lines than before: only what has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile

from gigq.cli.columns import Pieces, columns
from gigq.cli.top.capabilities import Capabilities
from gigq.drawing.words import clusters

Cell = tuple[str, str]
"""A letter with its accents, and its role, or the numbers of a style; an empty text is the rest of a wide letter."""

_BLANK: Cell = (" ", "")
_STRIDE = 7
"""Equal letters that are sent again, because to move the cursor over them takes as many bytes."""

_MOST_SHIFTED = 8
_LEAST_SHIFTED = 24
"""Letters from which it is worth while to find out whether a part of a line has only moved, as the last hour does."""


class Painter:
    """Knows what a terminal shows, and what to send so that it shows something else."""

    def __init__(self, capabilities: Capabilities, palette: Mapping[str, str], *, rows: int, width: int) -> None:
        self._can = capabilities
        self._palette = palette
        self._rows, self._width = rows, width
        self._shown: list[Pieces] | None = None
        self._at: tuple[int, int] | None = None
        self._role = ""

    def paint(self, lines: Sequence[Pieces]) -> str:
        """Return what to send so that the terminal shows these lines; an empty text if it does already."""
        wanted = [*lines[: self._rows], *[[] for _ in range(self._rows - len(lines))]]
        sent = [] if self._shown is not None else [self._can.style(""), self._can.clear]
        shown = self._shown or [[] for _ in range(self._rows)]
        self._at = None
        for row, (old, new) in enumerate(zip(shown, wanted, strict=True)):
            if old != new:  # most lines are as they were, and to part them into letters takes much longer
                sent += self._line(row, self._cells(old), self._cells(new))
        sent.append(self._style(""))
        self._shown = wanted
        return "".join(sent)

    def _cells(self, line: Pieces) -> list[Cell]:
        cells: list[Cell] = []
        for text, role in line:
            for letter in text if text.isascii() else clusters(text):
                wide = 1 if letter.isascii() else columns(letter)
                if wide and len(cells) + wide <= self._width:
                    cells += [(letter, role), *[("", role)] * (wide - 1)]
        return (cells + [_BLANK] * self._width)[: self._width]

    def _line(self, row: int, old: list[Cell], new: list[Cell]) -> list[str]:
        sent = []
        moved = self._moved(old, new)
        if moved:
            first, stop, by = moved
            sent += [self._style(""), self._go(row, first), self._can.shift(by, stop - by - first)]
            self._at = (row, stop - by)
            old = old[:first] + old[first + by : stop] + [_BLANK] * by + old[stop:]
        end = self._width
        while end and new[end - 1] == _BLANK:
            end -= 1
        for start, stop in _runs(old[:end], new[:end]):
            sent.append(self._run(row, start, new[start:stop]))
        if any(cell != _BLANK for cell in old[end:]):
            sent += [self._style(""), self._go(row, end), self._can.to_end]
        return sent

    def _moved(self, old: list[Cell], new: list[Cell]) -> tuple[int, int, int] | None:
        """Where letters that have moved to the left begin and end, and by how much; None if that is not worth while."""
        changed = [place for place, (one, other) in enumerate(zip(old, new, strict=True)) if one != other]
        if not self._can.can_shift or len(changed) < _LEAST_SHIFTED // 2:
            return None
        first = changed[0]
        number, by = max((_same(new[first:], old[first + by :]), by) for by in range(1, _MOST_SHIFTED + 1))
        end = first + by + number
        has_wide = not all(text for text, _ in old[first : end + 1])  # they would be parted
        return None if number < _LEAST_SHIFTED or has_wide else (first, end, by)

    def _run(self, row: int, start: int, cells: Sequence[Cell]) -> str:
        sent, place, is_sure = [self._go(row, start)], start, True
        for text, role in cells:
            if text:
                if not is_sure:
                    sent.append(self._can.move(row, place))
                sent.append(self._style(role))
                # Terminals do not agree how wide an emoji of several parts is: what it may not cover is emptied first.
                if not text.isascii() and columns(text) > 2:
                    sent += [" " * columns(text), self._can.move(row, place)]
                sent.append(text)
                is_sure = text.isascii() or columns(text) == len(text)
            place += 1
        self._at = (row, place) if is_sure else None
        return "".join(sent)

    def _go(self, row: int, column: int) -> str:
        move = "" if self._at == (row, column) else self._can.move(row, column)
        self._at = (row, column)
        return move

    def _style(self, role: str) -> str:
        numbers = self._palette.get(role, role if role[:1].isdigit() else "")
        if numbers == self._role:
            return ""
        self._role = numbers
        return self._can.style(numbers)


def _same(one: Sequence[Cell], other: Sequence[Cell]) -> int:
    """Return how many cells at the beginning of both are the same."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _runs(old: Sequence[Cell], new: Sequence[Cell]) -> list[tuple[int, int]]:
    """Return where cells differ, from and to; near ones as one, and never a half of a wide letter."""
    runs: list[tuple[int, int]] = []
    for place, (one, other) in enumerate(zip(old, new, strict=True)):
        if one == other:
            continue
        start = place
        while start and not (new[start][0] and old[start][0]):
            start -= 1
        stop = place + 1
        while stop < len(new) and not (new[stop][0] and old[stop][0]):
            stop += 1
        if runs and start - runs[-1][1] <= _STRIDE:
            runs[-1] = (runs[-1][0], max(stop, runs[-1][1]))
        else:
            runs.append((start, stop))
    return runs
