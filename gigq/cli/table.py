"""Tables that fit the terminal, fields with labels, IDs that fit, and instants as people or programs read them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from gigq.cli.columns import Pieces, cut, fitted, joined, width_of
from gigq.cli.command import argument
from gigq.cli.styled import BOLD, Line, Styled
from gigq.clock import to_text

if TYPE_CHECKING:
    from gigq.cli.args import Args
    from gigq.cli.terminal import Terminal

Cell = Line | int | None
"""A number is aligned to the right, and None is empty."""

_GAP = "  "
_LEAST = 8
"""Columns below which no cell of a table is cut."""
_ENOUGH = 24
"""Columns for whose sake others are left out."""
_RELATIVE, _ISO = "relative", "iso"

TABLE = (
    argument("-w", "--wide", action="store_true", help="cut nothing, even where a line is wider than the terminal"),
    argument("--no-header", action="store_true", help="leave out the line of titles"),
    argument("--time", choices=(_RELATIVE, _ISO), help="show how long ago something was, or when; default: relative"),
)
"""The options of a command that shows a table."""


def table(
    args: Args,
    titles: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    flexible: Sequence[str] = (),
    right: Sequence[str] = (),
    dropped: Sequence[str] = (),
) -> Iterator[Styled]:
    """Yield the lines of a table that fits the terminal, unless ``--wide`` was typed.

    Args:
        args: what was typed, of a command that takes `TABLE`, or not.
        titles: the titles of the columns.
        rows: the cells of each row.
        flexible: the titles of the columns that may be cut, in the order in which they are cut.
        right: the titles of columns to align to the right, besides those of numbers.
        dropped: the titles of columns that are left out, in this order, until the first flexible one has room.
    """
    rows = list(rows)
    numbers = {place for place, title in enumerate(titles) if title in right or _is_of_numbers(rows, place)}
    header = [] if _typed(args, "no_header") else [[Styled(title, BOLD) for title in titles]]
    cells = [[_pieces(cell, args.terminal) for cell in row] for row in (*header, *rows)]
    widths = [max(map(width_of, column)) for column in zip(*cells, strict=True)]
    room = sum(widths) + 1_000 if _typed(args, "wide") else args.terminal.width
    gone = _gone(dict(zip(titles, widths, strict=False)), room, flexible=flexible, dropped=dropped)
    for place in [titles.index(title) for title in gone]:
        widths[place] = 0
    for turn, title in enumerate((*flexible, *flexible[:1]) if cells else ()):
        excess, place = _total(widths) - room, titles.index(title)
        least = _ENOUGH if dropped and turn == 0 else _LEAST
        widths[place] = min(widths[place], max(least, widths[place] - max(0, excess)))
    ellipsis = "…" if args.terminal.is_unicode or not args.terminal.is_terminal else "..."
    for row in cells:
        columns = [each for each in enumerate(zip(row, widths, strict=True)) if each[1][1]]
        line = joined((fitted(c, w, is_right=n in numbers, ellipsis=ellipsis) for n, (c, w) in columns), _GAP)
        yield Styled.of_pieces(cut(_stripped(line), room, ellipsis=ellipsis))


def labelled(fields: Iterable[tuple[str, Sequence[Line]]]) -> Iterator[Line]:
    """Yield ``label: text`` for each field, all texts in one column. A text of no lines is left out."""
    fields = [(f"{label}:", lines) for label, lines in fields if lines]
    margin = max(len(label) for label, _ in fields)
    for label, lines in fields:
        for line in lines:
            yield f"{label:<{margin}} " + line
            label = ""


def age(args: Args, instant: datetime, now: datetime) -> str:
    """Return how long ago an instant was, or with ``--time=iso`` when."""
    from gigq import durations  # only here: this module is loaded to declare the options of tables

    return to_text(instant) if _typed(args, "time") == _ISO else durations.age((now - instant).total_seconds())


def shown_ids(args: Args, ids: Sequence[str]) -> Sequence[str]:
    """Return the IDs as a table shows them: their handles where lines are cut, unless ``--wide`` was typed."""
    from gigq import handles

    return handles.shorts(ids) if args.terminal.width_or(0) and not _typed(args, "wide") else ids


def _gone(widths: dict[str, int], room: int, *, flexible: Sequence[str], dropped: Sequence[str]) -> list[str]:
    """The columns that are left out, so that the first flexible one has `_ENOUGH`."""
    least = {title: min(width, _LEAST) if title in flexible else width for title, width in widths.items()}
    least |= {title: min(widths[title], _ENOUGH) for title in flexible[:1] if title in widths}
    gone: list[str] = []
    for title in dropped:
        if title in least and _total(least.values()) > room:
            del least[title]
            gone.append(title)
    return gone


def _total(widths: Collection[int]) -> int:
    return sum(widths) + len(_GAP) * (sum(map(bool, widths)) - 1)


def _typed(args: Args, name: str) -> object:
    return args.given(name).get(name)


def _is_of_numbers(rows: Sequence[Sequence[Cell]], place: int) -> bool:
    return any(isinstance(row[place], int) for row in rows)


def _pieces(cell: Cell, terminal: Terminal) -> Pieces:
    text = "" if cell is None else str(cell) if isinstance(cell, int) else cell
    return list((text if isinstance(text, Styled) else Styled(text)).pieces(terminal))


def _stripped(line: Pieces) -> Pieces:
    """The line without the spaces at its end."""
    line = list(line)
    while line and not line[-1][0].strip(" "):
        line.pop()
    return [*line[:-1], (line[-1][0].rstrip(" "), line[-1][1])] if line else line
