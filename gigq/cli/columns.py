"""How many columns a text takes on a terminal, and as much of it as fits into some."""

from __future__ import annotations

from collections.abc import Iterable

Pieces = list[tuple[str, str]]
"""Safe texts with their styles."""


def columns(text: str) -> int:
    """Return the columns that a text takes on a terminal: two for an East Asian letter, none for an accent."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def width_of(pieces: Pieces) -> int:
    """Return the columns that pieces of text take."""
    return sum(columns(text) for text, _ in pieces)


def cut(pieces: Pieces, width: int, *, ellipsis: str = "…") -> Pieces:
    """Return the pieces, or as much of their beginning as leaves room for an ellipsis."""
    if width_of(pieces) <= width:
        return pieces
    kept: Pieces = []
    room = max(0, width - len(ellipsis))
    for text, style in pieces:
        fitting = beginning(text, room)
        room -= columns(fitting)
        if len(fitting) < len(text):
            return [*kept, (fitting + ellipsis[:width], style)]
        kept.append((text, style))
    return kept


def fitted(pieces: Pieces, width: int, *, is_right: bool = False, ellipsis: str = "…") -> Pieces:
    """Return pieces of exactly `width` columns: cut, or filled up with spaces, which come first with `is_right`."""
    shorter = cut(pieces, width, ellipsis=ellipsis)
    spaces = [(" " * (width - width_of(shorter)), "")]
    return spaces + shorter if is_right else shorter + spaces


def joined(cells: Iterable[Pieces], gap: str) -> Pieces:
    """Return the pieces of several cells, with a gap between two of them."""
    line: Pieces = []
    for cell in cells:
        line += [(gap, ""), *cell] if line else cell
    return line


def beginning(text: str, width: int) -> str:
    """Return as much of a text as takes no more than `width` columns."""
    if text.isascii():
        return text[:width]
    taken = 0
    for end, character in enumerate(text):
        taken += _columns_of(character)
        if taken > width:
            return text[:end]
    return text


def _columns_of(character: str) -> int:
    import unicodedata  # only here: it is a large library, and most texts are ASCII

    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
