"""The search for text in the columns of a row, as a function of SQL: SQLite itself knows the case of ASCII alone."""

from __future__ import annotations

import re
import sqlite3
from functools import lru_cache

_ESCAPE = r"(?is)\\(?:u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|u([0-9a-f]{4})|(.))"
"""An escape of JSON: two halves of a character, one character, or a short one."""

_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_SPECIAL = rb'["\\\x00-\x1f]'
"""What JSON always writes as an escape."""


def add_search(connection: sqlite3.Connection) -> None:
    """Add ``gigq_finds(needle, separator, columns)`` to a connection; the first two values are those of `search_for`.

    The columns are joined by the separator, the last two being JSON, and all three are blobs: not all that somebody has
    put into a column need be UTF-8. In JSON, text is found as it was before it became JSON, or as it stands there.
    """
    connection.create_function("gigq_finds", 3, _finds, deterministic=True)


def search_for(text: str) -> dict[str, str]:
    """Return the named values of a search for text, whose case makes no difference."""
    folded = text.casefold()
    # It joins the columns, so that one call finds the text in all of them, and never where two of them meet.
    separator = next(each for each in map(chr, range(1, len(folded) + 2)) if each not in folded)
    return {"search": folded, "separator": separator}


def _finds(needle: bytes, separator: bytes, columns: bytes) -> bool:
    """Whether a row has some text. For most rows its first two lines decide."""
    if needle in columns.lower():
        return True
    return (not columns.isascii() or _sign(needle) in columns) and _is_hidden(needle, separator, columns)


@lru_cache(maxsize=16)
def _sign(needle: bytes) -> bytes:
    """Return what ASCII columns contain if they may have this text in another form."""
    return b"\\" if re.search(_SPECIAL, needle) else b"\\u"


def _is_hidden(needle: bytes, separator: bytes, columns: bytes) -> bool:
    text, wanted = columns.decode(errors="backslashreplace"), needle.decode()  # as it is shown
    texts = [text, *(re.sub(_ESCAPE, _character, json) for json in text.rsplit(separator.decode(), 2)[1:])]
    return any(wanted in each.casefold() for each in texts)


def _character(found: re.Match[str]) -> str:
    high, low, single, short = found.groups()
    if high:
        return chr(0x10000 + (int(high, 16) - 0xD800 << 10) + int(low, 16) - 0xDC00)
    return chr(int(single, 16)) if single else _SHORT.get(short, short)
