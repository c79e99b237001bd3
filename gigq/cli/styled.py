"""Text with a style. Every text is cleaned where it is shown, so nothing of a job can do anything on a terminal."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Self, TypeAlias

from gigq.cleaning import clean
from gigq.cli.terminal import Terminal

PLAIN, BOLD, DIM, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN = "", "1", "2", "31", "32", "33", "34", "35", "36"
"""Styles, as the numbers of an escape sequence."""

LOST = ("†", "L", YELLOW)
"""How an attempt that ended with its worker is shown: its sign, that in ASCII, and its style."""


class _Part(NamedTuple):
    """A piece of a text.

    Attributes:
        text: what is shown. If it is drawn, it is safe already and stays as it is.
        style: the numbers of an escape sequence for its colour, which is never all that says something.
        ascii: what is shown instead where signs beyond ASCII are not.
        is_for_people: whether it is left out where a program reads.
        is_drawn: whether it is the work of `gigq.drawing`, which cleans and colours by itself.
        status: the status or phase that it names: people get its sign and its colour, too.
    """

    text: str
    style: str = PLAIN
    ascii: str | None = None
    is_for_people: bool = False
    is_drawn: bool = False
    status: str = ""


class Styled:
    """A text of pieces, each with its style. `+` joins it with another, or with a str.

    Immutable, so threads may share it.
    """

    __slots__ = ("_parts",)

    def __init__(self, text: str, style: str = PLAIN) -> None:
        self._parts: tuple[_Part, ...] = (_Part(text, style),)

    @classmethod
    def sign(cls, sign: str, ascii: str, style: str = PLAIN) -> Self:
        """Return a sign for people, which says nothing that the words beside it do not say: programs do not get it."""
        return cls._of((_Part(sign, style, ascii, is_for_people=True),))

    @classmethod
    def of_status(cls, text: str, status: str) -> Self:
        """Return the word of a status or a phase, which has a sign and a colour for people."""
        return cls._of((_Part(text, status=status),))

    @classmethod
    def drawn(cls, line: str) -> Self:
        """Return a line of `gigq.drawing`, which is cleaned and coloured already."""
        return cls._of((_Part(line, is_drawn=True),))

    @classmethod
    def of_pieces(cls, pieces: Iterable[tuple[str, str]]) -> Self:
        """Return a text of texts with their styles."""
        return cls._of(tuple(_Part(text, style) for text, style in pieces))

    @classmethod
    def _of(cls, parts: tuple[_Part, ...]) -> Self:
        new = cls.__new__(cls)
        new._parts = parts
        return new

    def __add__(self, other: "str | Styled") -> Self:
        return self._of(self._parts + _parts_of(other))

    def __radd__(self, other: str) -> Self:
        return self._of(_parts_of(other) + self._parts)

    def __str__(self) -> str:
        return "".join(part.text for part in self._parts if not part.is_for_people)

    def __repr__(self) -> str:
        return f"Styled({str(self)!r})"

    def pieces(self, terminal: Terminal) -> Iterator[tuple[str, str]]:
        """Yield what a terminal shows: safe texts with their styles, which are empty where nothing is coloured."""
        for part in self._parts:
            if part.is_for_people and not terminal.is_terminal:
                continue
            if part.status and (terminal.is_terminal or terminal.is_coloured):
                yield from _looking(part, terminal)
                continue
            text = part.text if part.ascii is None or terminal.is_unicode else part.ascii
            yield (text if part.is_drawn else clean(text)), (part.style if terminal.is_coloured else PLAIN)


Line: TypeAlias = str | Styled
"""A line, or the cell of a table. A str is text like any other: it is cleaned too."""


def shown(line: Line, terminal: Terminal) -> str:
    """Return a line as it is written to a terminal."""
    if isinstance(line, str):
        return clean(line)
    return painted(line.pieces(terminal))


def painted(pieces: Iterable[tuple[str, str]]) -> str:
    """Return safe texts with their styles as escape sequences."""
    return "".join(f"\x1b[{style}m{text}\x1b[0m" if style and text else text for text, style in pieces)


def status_cell(phase: str, note: str = "", *, word: str = "") -> Styled:
    """Return a status or a phase as it is shown everywhere: sign, word and colour.

    Args:
        phase: the word.
        note: what follows it, such as a percentage.
        word: another word in its place, where a title says the rest.
    """
    return Styled.of_status(f"{word or phase} {note}".rstrip(), phase)


def _looking(part: _Part, terminal: Terminal) -> Iterator[tuple[str, str]]:
    """A status as people see it."""
    from gigq.drawing.looks import LOOKS  # only here: programs get the word alone
    from gigq.status import Phase

    like = _LIKE.get(part.status, part.status)
    look = LOOKS[Phase(like)] if like in LOOKS else None
    known = ("", "", PLAIN) if look is None else (look.sign, look.plain, look.terminal)
    sign, plain, colour = LOST if like == "lost" else known
    style = colour if terminal.is_coloured else PLAIN
    if sign and terminal.is_terminal:
        yield f"{sign if terminal.is_unicode else plain} ", style
    yield clean(part.text), style


_LIKE = {"pending": "ready", "released": "cancelled"}
"""Words that are shown like another."""


def _parts_of(text: str | Styled) -> tuple[_Part, ...]:
    return text._parts if isinstance(text, Styled) else (_Part(text),)
