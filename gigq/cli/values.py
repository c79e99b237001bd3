"""Readers of typed words: durations, parameters, priorities, numbers, IDs."""

from __future__ import annotations

import json
import math
import re
from argparse import ArgumentTypeError
from typing import Any

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([smhd]?)")


def duration(text: str, *, unit: str = "s") -> float:
    """Return the seconds of ``90``, ``30s``, ``5m``, ``2h`` or ``7d``; a number alone is in `unit`."""
    found = _DURATION.fullmatch(text)
    seconds = float(found[1]) * _SECONDS[found[2] or unit] if found else math.inf
    if not math.isfinite(seconds):
        raise ArgumentTypeError(f"{text!r} is not a duration such as 90, 30s, 5m, 2h or 7d")
    return seconds


def age(text: str) -> float:
    """Return the seconds of a duration; a number alone is in days, as ``clear --before`` has always taken it."""
    return duration(text, unit="d")


def limit(text: str) -> float | None:
    """Return the seconds of a duration, or None for ``none``, which is no limit."""
    return None if text == "none" else duration(text)


def parameter(text: str) -> tuple[str, Any]:
    """Return the key and the value of ``key=value``. A value that is not JSON is text as it was typed."""
    key, sign, value = text.partition("=")
    if not (key and sign):
        raise ArgumentTypeError(f"{text!r} is not a parameter such as path=data.csv or count=3")
    try:
        return key, json.loads(value, parse_constant=_refuse, parse_float=_finite)
    except ValueError:
        return key, value
    except RecursionError:
        raise ArgumentTypeError(f"the value of {key!r} is nested too deeply") from None


def priority(text: str) -> int:
    """Return a priority given as a whole number or by the name of a level."""
    from gigq.priority import to_priority  # only here: few commands take a priority

    try:
        return to_priority(int(text) if re.fullmatch(r"[+-]?[0-9]{1,30}", text) else text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def whole(text: str) -> int:
    """Return a whole number of at least 0."""
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def at_least_one(text: str) -> int:
    """Return a whole number of at least 1."""
    number = whole(text)
    if number == 0:
        raise ArgumentTypeError("0 is too few; it must be at least 1")
    return number


def prefix(text: str) -> str:
    """Return a prefix of an ID. An empty one is refused: it would name the only job of a queue, whatever that is."""
    if not text:
        raise ArgumentTypeError("an ID, or a prefix of one, must be given")
    return text


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else float(_refuse(text))
