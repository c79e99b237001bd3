"""What reaches a terminal: lines without control characters, tables that fit, JSON."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from io import TextIOWrapper
from typing import Any

_GAP = "  "
_LEAST = 8
"""Columns below which no cell of a table is cut."""
_PIPED = 1_000_000
"""Columns of what is no terminal: a file or a pipe loses nothing."""

_UNSAFE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # control characters, C0 and C1: they move the cursor, set titles, answer for the user
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction marks, overrides, isolates: text that reads otherwise
    "\u2028\u2029"  # separators of lines and paragraphs
    "\ud800-\udfff"  # lone surrogates, which no encoding holds
    "]"
)


def clean(text: str) -> str:
    r"""Return text as one line that a terminal only shows: what would do more becomes visible, such as ``\x1b``."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def write(lines: Iterable[str]) -> None:
    """Print lines on standard output, each cleaned: a line break inside one does not break it."""
    for line in lines:
        print(clean(line))


def write_json(value: Any) -> None:
    """Print a value as one line of JSON in ASCII."""
    print(json.dumps(value).replace("\x7f", "\\u007f"))


def complain(message: str) -> None:
    """Print one line on standard error; where nobody reads that, nothing is to be done."""
    try:
        print(f"gigq: {clean(message)}", file=sys.stderr, flush=True)
    except OSError:
        _discard(sys.stderr)


def table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, flexible: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a table that fits the terminal.

    Args:
        titles: of the columns.
        rows: their cells.
        flexible: titles of the columns that may be cut, the first one first.
    """
    cells = [[clean(cell) for cell in row] for row in (titles, *rows)]
    widths = [max(map(_columns, column)) for column in zip(*cells, strict=True)]
    for title in flexible:
        excess = sum(widths) + len(_GAP) * (len(widths) - 1) - terminal_width()
        index = titles.index(title)
        widths[index] = min(widths[index], max(_LEAST, widths[index] - max(0, excess)))
    for row in cells:
        line = _GAP.join(_fitted(cell, width) for cell, width in zip(row, widths, strict=True))
        yield _cut(line.rstrip(), terminal_width())


def labelled(fields: Iterable[tuple[str, Sequence[str]]]) -> Iterator[str]:
    """Yield ``label: text`` with all texts below each other, each of one line or more; one of none is left out."""
    fields = [(f"{label}:", lines) for label, lines in fields if lines]
    margin = max(len(label) for label, _ in fields)
    for label, lines in fields:
        for line in lines:
            yield f"{label:<{margin}} {line}"
            label = ""


def terminal_width() -> int:
    """Return the columns of the terminal, or what ``COLUMNS`` says; without either, more than any line has."""
    return shutil.get_terminal_size(fallback=(_PIPED, 24)).columns


def accept_any_text() -> None:
    """Let standard output write escapes for what its encoding lacks, where it would raise."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def flush() -> None:
    """Write out what is still held back, so that an error of it is found here and not at the end of the process."""
    print(end="", flush=True)


def let_go() -> None:
    """Drop what standard output cannot write: the interpreter would complain of it once more, with a traceback."""
    try:
        flush()
    except OSError:
        _discard(sys.stdout)


class CleanFormatter(logging.Formatter):
    """Log records that are one line each, whatever name a job has; a traceback below one keeps its lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return clean(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        return "\n".join(map(clean, super().formatException(ei).split("\n")))


def _discard(stream: Any) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _fitted(text: str, width: int) -> str:
    cut = _cut(text, width)
    return cut + " " * (width - _columns(cut))


def _cut(text: str, width: int) -> str:
    """The text, or as much of its beginning as leaves a column for an ellipsis."""
    if _columns(text) <= width:
        return text
    end, taken = 0, 0
    while taken + _columns(text[end]) < width:
        taken += _columns(text[end])
        end += 1
    return text[:end] + "…"


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes: letters of East Asia two, accents on another letter none."""
    if text.isascii():
        return len(text)
    return sum(_columns_of(character) for character in text)


def _columns_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
