"""What a stream can show: how wide it is, whether anybody looks at it, whether it has colours and signs."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import os
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

ALWAYS, NEVER, AUTO = "always", "never", "auto"
COLOURS = (AUTO, ALWAYS, NEVER)
"""The values of ``--color``."""

_SIGNS = "├─●✓…"
_OF_PROGRAMS = 1_000_000
"""Columns of a file or a pipe: nothing that is written there is cut."""


class Terminal(NamedTuple):
    """What a stream can show.

    Attributes:
        width: its columns; a million for a file or a pipe, where nothing is cut.
        height: its lines; 0 for a file or a pipe.
        is_terminal: whether a person looks at it, and no program.
        is_coloured: whether colours are wanted.
        is_unicode: whether signs beyond ASCII are shown.
        is_accessible: whether what is shown is read out (``ACCESSIBLE``): nothing is drawn twice.
        is_dumb: whether the cursor cannot be moved (``TERM=dumb``).
    """

    width: int = _OF_PROGRAMS
    height: int = 0
    is_terminal: bool = False
    is_coloured: bool = False
    is_unicode: bool = False
    is_accessible: bool = False
    is_dumb: bool = False

    def width_or(self, otherwise: int) -> int:
        """Return its columns, or others where nothing is cut."""
        return self.width if self.width < _OF_PROGRAMS else otherwise

    @property
    def is_live(self) -> bool:
        """Whether a line may be drawn again over itself."""
        return self.is_terminal and not self.is_accessible and not self.is_dumb


def terminal_of(stream: Any, environ: Mapping[str, str], *, colour: str = AUTO) -> Terminal:
    """Return what a stream can show.

    Args:
        stream: such as `sys.stdout`; None for a program that has none.
        environ: the environment variables.
        colour: ``always``, ``never``, or ``auto`` to go by the stream and the variables.
    """
    is_terminal = _is_terminal(stream)
    width, height = _size_of(stream, environ) if is_terminal else (0, 0)
    return Terminal(
        _columns_in(environ) or width or _OF_PROGRAMS,
        height,
        is_terminal,
        _is_coloured(environ, colour, is_terminal=is_terminal),
        _is_unicode(stream, environ, is_terminal=is_terminal),
        bool(environ.get("ACCESSIBLE")),
        environ.get("TERM") == "dumb",
    )


def can_write(text: str, stream: Any) -> bool:
    """Whether the encoding of a stream has all characters of a text."""
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def width_for_help(environ: Mapping[str, str]) -> int:
    """Return the columns of the help: those of the terminal, or else 80."""
    return terminal_of(sys.stdout, environ).width_or(80)


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError, OSError):  # there is no stream, or it is closed
        return False


def _columns_in(environ: Mapping[str, str]) -> int:
    columns = environ.get("COLUMNS", "")
    return int(columns[:9]) if columns.isdecimal() else 0


def _size_of(stream: Any, environ: Mapping[str, str]) -> tuple[int, int]:
    """The columns and lines of a terminal, 80 and 24 where it does not tell."""
    # As shutil.get_terminal_size does, whose import takes as long as opening a queue.
    lines = environ.get("LINES", "")
    try:
        size = os.get_terminal_size(stream.fileno())
    except (AttributeError, ValueError, OSError):
        size = os.terminal_size((0, 0))
    return size.columns or 80, (int(lines[:9]) if lines.isdecimal() else 0) or size.lines or 24


def _is_coloured(environ: Mapping[str, str], colour: str, *, is_terminal: bool) -> bool:
    """As no-color.org and bixense.com/clicolors have it; what was typed counts for more."""
    if colour != AUTO:
        return colour == ALWAYS
    if environ.get("NO_COLOR"):
        return False
    if environ.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return is_terminal and environ.get("TERM") != "dumb" and environ.get("CLICOLOR") != "0"


def _is_unicode(stream: Any, environ: Mapping[str, str], *, is_terminal: bool) -> bool:
    if not can_write(_SIGNS, stream) or environ.get("TERM") == "dumb":
        return False
    return not is_terminal or sys.platform == "win32" or _is_utf8(environ)


def _is_utf8(environ: Mapping[str, str]) -> bool:
    """Whether the locale is one of UTF-8.

    The encoding of the stream does not tell: in the locale C, Python takes UTF-8, and sets LC_CTYPE (PEP 538, 540).
    """
    category = environ.get("LC_CTYPE")
    if sys.flags.utf8_mode and category == "C.UTF-8":
        category = None
    name = environ.get("LC_ALL") or category or environ.get("LANG") or ""
    return name.lower().replace("-", "").endswith("utf8") or "utf8@" in name.lower().replace("-", "")
