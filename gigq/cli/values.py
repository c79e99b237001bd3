"""Readers of typed words: durations, parameters, priorities, numbers, IDs."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from gigq.cli.exits import BadValue

_NUMBER = r"[0-9.]+"


def duration(text: str, *, unit: str = "s") -> float:
    """Return the seconds of ``90``, ``30s``, ``5m``, ``2h`` or ``7d``; a number alone is in `unit`."""
    from gigq.clock import to_seconds  # only here: help and usage errors need no clock

    try:
        seconds = to_seconds(text + unit if re.fullmatch(_NUMBER, text) else text)
    except ValueError:
        raise BadValue(f"{text!r:.80} is not a duration such as 90, 30s, 5m, 2h or 7d") from None
    return int(seconds) if seconds.is_integer() else seconds  # messages say 0, as it was typed, and not 0.0


def age(text: str) -> float:
    """Return the seconds of a duration; a number alone is in days, as ``clear --before`` has always taken it."""
    return duration(text, unit="d")


def older_than(text: str) -> float | str:
    """Return a duration in seconds, or an instant as it was typed, which both say how old something is."""
    from gigq.clock import SystemClock, to_past

    if re.fullmatch(_NUMBER, text):
        return duration(text)
    try:
        to_past(text, "it", now=SystemClock().now())
    except ValueError:
        raise BadValue(f"{text!r:.80} is neither a duration such as 7d nor an instant in ISO 8601") from None
    return text


def limit(text: str) -> float | None:
    """Return the seconds of a duration, or None for ``none``, which is no limit."""
    return None if text == "none" else duration(text)


def parameter(text: str) -> tuple[str, Any]:
    """Return the key and the value of ``key=value``. A value that is not JSON is text as it was typed."""
    key, value = text_parameter(text)
    return key, json_or_text(value, f"the value of {key!r}")


def json_or_text(text: str, name: str = "the argument") -> Any:
    """Return the value that is written as JSON; what is not JSON is text as it was typed."""
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except ValueError:
        return text
    except RecursionError:
        raise BadValue(f"{name} is nested too deeply") from None


def metadata(text: str) -> list[tuple[str, Any]]:
    """Return the keys and values of an object of JSON, or of ``key=value``."""
    found = json_or_text(text) if text.lstrip().startswith("{") else None
    return list(found.items()) if isinstance(found, dict) else [parameter(text)]


def number(text: str) -> float:
    """Return a number, which need not be whole."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise BadValue(f"{text!r} is not a number")
    return int(found) if found.is_integer() else found


def text_parameter(text: str) -> tuple[str, str]:
    """Return the key and the text of ``key=text``."""
    key, sign, value = text.partition("=")
    if not (key and sign):
        raise BadValue(f"{text!r} is not a parameter such as path=data.csv or count=3")
    return key, value


def handler(text: str) -> tuple[str, str]:
    """Return the name of a handler and the path of its function, from ``name=module:function``."""
    name, _, path = text.partition("=")
    if not (name and path):
        raise BadValue(f"{text!r} is not a name and a function such as send=shop.tasks:send")
    return name, path


def priority(text: str) -> int:
    """Return a priority given as a whole number or by the name of a level."""
    from gigq.priority import to_priority  # only here: few commands take a priority

    try:
        return to_priority(int(text) if re.fullmatch(r"[+-]?[0-9]{1,30}", text) else text)
    except ValueError as error:
        raise BadValue(f"{text!r} is not {str(error).partition('; it must be ')[2]}") from None


def whole(text: str) -> int:
    """Return a whole number of at least 0."""
    return _whole(text, least=0)


def limited(text: str) -> int | None:
    """Return a whole number of at least 1, or None for ``none``, which is no limit."""
    return None if text == "none" else at_least_one(text)


def at_least_one(text: str) -> int:
    """Return a whole number of at least 1."""
    return _whole(text, least=1)


def _whole(text: str, *, least: int) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < least:
        raise BadValue(f"{text!r} is not a whole number of at least {least}")
    return int(text)


def function(text: str) -> str:
    """Return the path of a function, or the name of a handler."""
    if not text:
        raise BadValue("a function must be given, such as package.module.name")
    return text


def prefix(text: str) -> str:
    """Return a prefix of an ID. An empty one is refused: it would name the only job of a queue, whatever that is."""
    if not text:
        raise BadValue("an ID, or a prefix of one, must be given")
    return text


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else float(_refuse(text))
