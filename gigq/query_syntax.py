"""The words of filters as they are typed: their keys, their values, and the quotes around these."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import re
from collections.abc import Iterator
from typing import NamedTuple

from gigq.errors import InvalidFilter

_BLANKS = re.compile(r"\s*+")
_KEY = re.compile(
    r"""(?i)(?P<args>args\.(?:"(?:[^"\\]|\\.)*+"|[^\s:"']++)):|(?P<sign>-?)(?P<key>\w[\w.\-]*+):"""
)
_VALUE = re.compile(r"\S*+")
_QUOTED = re.compile(r"""(["'])((?:(?!\1)[^\\]|\\.)*+)(\1?)""", re.DOTALL)


class Word(NamedTuple):
    """A word of the text, with the place that it has there."""

    key: str | None
    value: str
    is_quoted: bool
    start: int
    end: int


def words(text: str) -> Iterator[Word]:
    """Yield the words of a text.

    Raises:
        InvalidFilter: a quote is not closed, a filter is negated, or `args.` has no name or no value.
    """
    at = _end(_BLANKS, text, 0)
    while at < len(text):
        word = _word(text, at)
        yield word
        at = _end(_BLANKS, text, word.end)


def _word(text: str, start: int) -> Word:
    key, at = _key(text, start)
    found = _QUOTED.match(text, at)
    if found is None:
        end = _end(_VALUE, text, at)
        return Word(key, text[at:end], False, start, end)
    end = _end(_VALUE, text, found.end())
    if not found[3]:
        raise invalid("its quote is not closed", text, start, end)
    if end > found.end():
        raise invalid("a blank must follow its closing quote", text, start, end)
    return Word(key, unescaped(found[2]), True, start, end)


def _key(text: str, start: int) -> tuple[str | None, int]:
    """Return the key of a word, if it has one, and where its value begins."""
    found = _KEY.match(text, start)
    if found is None:
        if text[start : start + 5].lower() == "args.":
            raise invalid("it needs a name and a value, such as args.user:42", text, start, _end(_VALUE, text, start))
        return None, start
    if found["sign"]:
        raise invalid("a filter cannot be negated", text, start, found.end())
    return found["args"] or found["key"], found.end()


def invalid(problem: str, text: str, start: int, end: int) -> InvalidFilter:
    """Return the error of a word."""
    return InvalidFilter(f"{text[start:end]!r:.80}: {problem}", text=text, start=start, end=end)


def unescaped(text: str) -> str:
    """Return what stands between quotes without its backslashes."""
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()


def quoted(text: str) -> str:
    """Return a text in quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
