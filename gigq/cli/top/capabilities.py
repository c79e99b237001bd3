"""What a terminal can do, and the sequences that make it do so: from terminfo, where it knows the terminal."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import re
from collections.abc import Mapping
from typing import NamedTuple

_PADDING = re.compile(rb"\$<[^>]*>")
_MARK = "\x1b["


class Capabilities(NamedTuple):
    """The sequences of a terminal; those of ANSI by default, which almost all have.

    Attributes:
        enter: shows the screen of full-screen programs.
        leave: shows again what was there before.
        hide: takes the cursor away.
        unhide: shows it.
        clear: empties the screen.
        to_end: empties the rest of a line.
        can_shift: whether letters of a line can be taken away and inserted.
        has_styles: whether there is bold and reverse.
        colours: how many colours there are.
    """

    enter: str = f"{_MARK}?1049h"
    leave: str = f"{_MARK}?1049l"
    hide: str = f"{_MARK}?25l"
    unhide: str = f"{_MARK}?25h"
    clear: str = f"{_MARK}H{_MARK}2J"
    to_end: str = f"{_MARK}K"
    can_shift: bool = True
    has_styles: bool = True
    colours: int = 256

    def move(self, row: int, column: int) -> str:
        """Move the cursor to a place, counted from 0."""
        return f"{_MARK}{row + 1};{column + 1}H" if column else f"{_MARK}{row + 1}H"

    def style(self, numbers: str) -> str:
        """Draw what follows in a style, and in no other."""
        return "" if not self.has_styles else f"{_MARK}0;{numbers}m" if numbers else f"{_MARK}m"

    def shift(self, by: int, columns: int) -> str:
        """Take `by` letters away at the cursor, and then insert as many, `columns` letters further on."""
        return f"{_MARK}{by}P{_MARK}{columns}C{_MARK}{by}@"


def capabilities(environ: Mapping[str, str], fileno: int) -> Capabilities | None:
    """Return what the terminal can do; None if its cursor cannot be moved, or not in the way of ANSI.

    Where there is no terminfo, or it does not know the terminal, as on a server that is older than the terminal, those
    of ANSI are taken.
    """
    name = environ.get("TERM", "")
    if name in ("", "dumb", "unknown"):
        return None
    try:
        import curses

        curses.setupterm(name, fileno)
    except Exception:  # there is no curses, or it does not know the terminal: its error is a class of its own
        return Capabilities(colours=256 if "256" in name or environ.get("COLORTERM") else 8)
    if not _text("cup").startswith(_MARK):
        return None
    return Capabilities(
        enter=_text("smcup"),
        leave=_text("rmcup"),
        hide=_text("civis"),
        unhide=_text("cnorm"),
        clear=_text("clear"),
        to_end=_text("el"),
        can_shift=all(_text(each).startswith(_MARK) for each in ("dch", "ich", "cuf")),
        has_styles=_text("rev").startswith(_MARK),
        colours=curses.tigetnum("colors"),
    )


def _text(name: str) -> str:
    import curses

    return _PADDING.sub(b"", curses.tigetstr(name) or b"").decode("latin-1")
