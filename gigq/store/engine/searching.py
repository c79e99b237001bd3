"""The search for text and for arguments in the columns of a row, as functions of SQL.

SQLite itself knows the case of ASCII alone, and fails for a whole list where one row holds what is no JSON.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from gigq.codec import canonical, decode

_ESCAPE = r"(?is)\\(?:u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|u([0-9a-f]{4})|(.))"
"""An escape of JSON: two halves of a character, one character, or a short one."""

_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_SPECIAL = rb'["\\\x00-\x1f]'
"""What JSON always writes as an escape."""


def add_search(connection: sqlite3.Connection) -> None:
    """Add ``gigq_finds(needle, separator, columns)`` to a connection; the first two values are those of `search_for`.

    The columns are joined by the separator, the last two being JSON, and all three are blobs: not all that somebody has
    put into a column need be UTF-8. In JSON, text is found as it was before it became JSON, or as it stands there.

    And ``gigq_has(args, params, path, value)``, the first two blobs of JSON, the value JSON: see `Filters`.

    Neither raises anything of its own, so that what is raised inside is an interrupt: see `sqlite_errors`.
    """
    connection.create_function("gigq_finds", 3, _finds, deterministic=True)
    connection.create_function("gigq_has", 4, _has, deterministic=True)


def needles_of(path: str, wanted: str) -> list[str]:
    """Return texts that the JSON of arguments contains, in one of its columns, if they have a value at a path.

    Only such as Python always writes in one way, in which they stand there.
    """
    name, value = path.rpartition(".")[2], decode(wanted)
    found = [f'{name}"'] if not name.isdecimal() and _is_written_so(name) else []
    if isinstance(value, str):
        return [*found, value] if _is_written_so(value) else found
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # 2.0 equals 2, which it begins with
    is_plain = value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < 10**15)
    return [*found, f"{canonical(value)}"] if is_plain else found


def _is_written_so(text: str) -> bool:
    """Whether JSON has no other way to write some text."""
    return text.isascii() and text.isprintable() and text != "" and '"' not in text and "\\" not in text


def search_for(text: str, *, prefix: str = "") -> dict[str, str]:
    """Return the named values of a search for text, whose case makes no difference; the names have this prefix."""
    folded = text.casefold()
    # It joins the columns, so that one call finds the text in all of them, and never where two of them meet.
    separator = next(each for each in map(chr, range(1, len(folded) + 2)) if each not in folded)
    return {f"{prefix}search": folded, f"{prefix}separator": separator}


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


def _has(args: Any, params: Any, path: str, wanted: str) -> bool:
    """Whether a call has an argument of this value; no, for one that somebody has spoilt."""
    try:
        positional, named = decode(str(args, "utf-8")), decode(str(params, "utf-8"))
    except (ValueError, TypeError, RecursionError):
        return False
    value = _value_of(wanted)
    found = (*_at(named, path), *_at(positional, path))
    return any(_is(each, value) for each in found)


@lru_cache(maxsize=16)
def _value_of(json: str) -> Any:
    return decode(json)


def _at(value: Any, path: str) -> Iterator[Any]:
    """Yield what is at a path. A key may have dots of its own, so there may be several ways."""
    if isinstance(value, list):
        first, _, rest = path.partition(".")
        if first.isdecimal() and len(first) < 10 and int(first) < len(value):
            yield from _at(value[int(first)], rest) if rest else (value[int(first)],)
    elif isinstance(value, dict):
        if path in value:
            yield value[path]
        for dot in re.finditer(r"[.]", path):
            if (key := path[: dot.start()]) in value:
                yield from _at(value[key], path[dot.end() :])


def _is(found: Any, wanted: Any) -> bool:
    """Whether an argument is the value that was asked for. Text also means the number or the word that it shows."""
    if isinstance(wanted, str) and not isinstance(found, str):
        return not isinstance(found, list | dict) and canonical(found) == wanted
    return isinstance(found, bool) == isinstance(wanted, bool) and bool(found == wanted)
