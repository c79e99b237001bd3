"""Output for a terminal: lines without control characters, tables that fit, spans of time, JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from io import TextIOWrapper
from typing import Any

from gigq.cleaning import clean

_GAP = "  "
_LEAST = 8
"""Columns below which no cell of a table is cut."""
_PIPED = 1_000_000
"""Columns of a file or a pipe: nothing that is written there is cut."""
_PATIENCE = 0.5
"""Seconds after which a thread that still prints seems to hang."""
_ROOM_FOR_IDS = 120
"""Columns of a terminal from which on IDs are shown whole."""
_OUR_ID, _ITS_INSTANT = 36, 18
"""Characters of a UUIDv7, and of the time in it: a quarter of a microsecond, in which two are hardly ever made."""
_ITS_HASH = 28
"""Characters of a UUIDv8 that are hardly ever those of another job. In the first 18 all jobs of a submitter agree."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

def write(lines: Iterable[str]) -> None:
    """Print lines on standard output, each of them cleaned: a line break inside a line becomes visible."""
    for line in lines:
        print(clean(line))


def write_drawing(lines: Iterable[str]) -> None:
    """Print lines on standard output that are cleaned, but for the colours in them."""
    for line in lines:
        print(line)


def write_json(value: Any) -> None:
    """Print a value as one line of JSON in ASCII, with null for NaN and the infinities: JSON has no words for them."""
    from gigq.codec import standard  # only here: the help needs nothing of it

    print(json.dumps(standard(value)).replace("\x7f", "\\u007f"))


def note(message: str) -> None:
    """Print one line on standard error. If that cannot be written, there is no place left to say so."""
    try:
        print(f"gigq: {clean(message)}", file=sys.stderr, flush=True)
    except OSError:
        _discard(sys.stderr)


def table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, flexible: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a table that fits the terminal.

    Args:
        titles: the titles of the columns.
        rows: the cells of each row.
        flexible: the titles of the columns that may be cut, in the order in which they are cut.
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
    """Yield ``label: text`` for each field, all texts in one column. A text of no lines is left out."""
    fields = [(f"{label}:", lines) for label, lines in fields if lines]
    margin = max(len(label) for label, _ in fields)
    for label, lines in fields:
        for line in lines:
            yield f"{label:<{margin}} {line}"
            label = ""


def shown_ids(ids: Sequence[str]) -> Sequence[str]:
    """Return the IDs as a table shows them: in a narrow terminal, prefixes of ours that tell them apart.

    IDs that the user chose stay whole.
    """
    if terminal_width() >= _ROOM_FOR_IDS:
        return ids
    for length in range(_ITS_INSTANT, _OUR_ID):
        shown = [each[: _enough(each, length)] for each in ids]
        if len(set(shown)) == len(ids):
            return shown
    return ids


def _enough(job_id: str, length: int) -> int:
    if len(job_id) != _OUR_ID:
        return len(job_id)
    return max(length, _ITS_HASH) if job_id[14] == "8" else length


def span(seconds: float) -> str:
    """Return a span of time in its largest whole unit, such as ``5m``; a negative one is ``0s``."""
    unit = max((each for each in _UNITS if seconds >= _UNITS[each]), key=_UNITS.__getitem__, default="s")
    return f"{max(0, int(seconds // _UNITS[unit]))}{unit}"


def terminal_width(*, otherwise: int = _PIPED) -> int:
    """Return ``COLUMNS``, or else the columns of the terminal, or else `otherwise`."""
    # As shutil.get_terminal_size does, whose import takes as long as opening a queue.
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns[:9]) > 0:
        return int(columns[:9])
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or otherwise  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):
        return otherwise


def can_write(text: str) -> bool:
    """Whether standard output can write this text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def is_coloured() -> bool:
    """Whether standard output shows colours: it is a terminal, and nobody has asked for none (no-color.org)."""
    is_wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return is_wanted and sys.stdout is not None and sys.stdout.isatty()


def accept_any_text() -> None:
    """Let standard output write escapes for characters that its encoding lacks, instead of raising."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def flush() -> None:
    """Write what is still buffered, so that an error is found here and not when the interpreter exits."""
    if sys.stdout is not None and not sys.stdout.closed:  # a job in a thread may have closed it
        sys.stdout.flush()


def discard_unwritable() -> None:
    """Drop what standard output cannot write. Otherwise the interpreter would print a traceback about it at exit."""
    try:
        flush()
    except OSError:
        _discard(sys.stdout)


def has_stuck_thread() -> bool:
    """Whether a thread seems to hang while it prints or logs, because nobody reads that.

    Then this thread would hang too: at the next line, or when the interpreter exits.
    """
    import threading  # only here: few commands have other threads

    flushing = threading.Thread(target=_flush_everything, daemon=True)
    flushing.start()
    flushing.join(_PATIENCE)
    return flushing.is_alive()


def _flush_everything() -> None:
    import logging

    for each in (*logging.root.handlers, logging.lastResort, sys.stdout, sys.stderr):
        with suppress(Exception):
            if each is not None:
                each.flush()


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
    """The columns that a text takes on a terminal: two for an East Asian letter, none for a combining accent."""
    if text.isascii():
        return len(text)
    return sum(map(_columns_of, text))


def _columns_of(character: str) -> int:
    import unicodedata  # only here: it is a large library, and most texts are ASCII

    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
