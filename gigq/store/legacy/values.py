"""Readers of the values in a row of the GigQ package 0.5.1, where somebody may have written anything."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from gigq.clock import to_instant, to_text
from gigq.codec import decode

T = TypeVar("T")

Old = Mapping[str, Any]
"""A row of the old file, by the names of its columns."""

Faults = dict[str, Any]
"""The columns of a row that cannot be read, and their values."""

_TIMEOUT = 300.0
"""Seconds: the limit that the old worker set for a job that names none."""

_EXACT = 2.0**53
"""Up to here a float has a whole number next to it. Not a number is below nothing."""

_SHOWN = 80
"""How many characters of a value a message shows."""


def read(old: Old, column: str, faults: Faults, reader: Callable[[Any], T], default: T) -> T:
    """Return the value of a column by its reader; where that fails, note it in `faults` and return `default`."""
    value = old[column]
    try:
        return reader(value)
    except (ValueError, OverflowError, RecursionError):
        faults[column] = as_text(value) if isinstance(value, bytes) else value
        return default


def complaint(faults: Faults) -> str:
    """Return the error of a job that has these faults."""
    found = ", ".join(f"{column} is {repr(value)[:_SHOWN]}" for column, value in faults.items())
    return f"GigQ 0.5.1 left values that cannot be read: {found}"


def as_text(value: object) -> str:
    """Return what a column holds as text, whatever it is; NULL is empty."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


def as_text_or_null(value: object) -> str | None:
    return None if value is None else as_text(value)


# readers: each raises ValueError for a value that it cannot read


def instant(value: object) -> str | None:
    """An instant as our file holds it; one without a zone is the machine's local time, as the old package wrote it."""
    return to_text(to_instant(as_text(value))) if value else None


def ids(value: object) -> list[str]:
    """A list of ids, each once."""
    text = as_text(value)
    found = decode(text) if text else []
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise ValueError("not a list of ids")
    "".join(found).encode()  # a lone surrogate, which JSON can name, is no text
    return list(dict.fromkeys(found))


def params(value: object) -> str:
    """Keyword arguments as they are: values that are not JSON, such as NaN, stay as they were."""
    text = as_text(value)
    if value is None or (text and not isinstance(decode(text), dict)):
        raise ValueError("not an object")
    return text or "{}"


def result(value: object) -> str:
    """A result as it is. The old package stored nothing for None."""
    text = as_text(value)
    if text:
        decode(text)
    return text or "null"


@lru_cache(maxsize=1024)
def name(value: object) -> str:
    """Of a module or a function: names with dots between them."""
    text = as_text(value)
    if not all(part.isidentifier() for part in text.split(".")):
        raise ValueError("not a name")
    return text


def priority(value: object) -> int:
    return _whole(0 if value is None else value)


def max_attempts(value: object) -> int:
    """At least 1, because the old worker gave every job a first attempt."""
    return max(1, _whole(3 if value is None else value, up=True))  # 2.5 allowed a third one


def attempts(value: object) -> int:
    return max(0, _whole(value or 0))


def timeout(value: object) -> float:
    seconds = _number(value or _TIMEOUT)
    if seconds < 0:
        raise ValueError("negative")
    return seconds


def retry_delay(value: object) -> float:
    return max(0.0, _number(value or 0))


def _whole(value: object, *, up: bool = False) -> int:
    """A whole number; the old package took, and stored, any other number in its place."""
    if isinstance(value, float) and abs(value) < _EXACT:
        return math.ceil(value) if up else round(value)
    if not isinstance(value, int):
        raise ValueError("not a whole number")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("not a number")
    return float(value)
