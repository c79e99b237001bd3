"""JSON as Python's own `json` writes it, but for what would not read back: that is refused with its place."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable
from typing import Any

from gigq.checks import Default
from gigq.errors import NotSerializable
from gigq.measure import DEEPEST, Fault, Measure, Unusual

MEGABYTE = 1_000_000
PARAMS_LIMIT = 1 * MEGABYTE
RESULT_LIMIT = 10 * MEGABYTE

_FORM: dict[str, Any] = {"ensure_ascii": False, "check_circular": False, "separators": (",", ":")}
_ENCODER = json.JSONEncoder(**_FORM)  # made once: json.dumps makes a new one at each call, a third of a small value

_CANONICAL = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)

_CONTAINERS = (dict, list, tuple)

_MOST_DIGITS = 4300
"""Python refuses to read an integer of more, unless a program says otherwise. Others must be able to read it."""


def encode(value: object, *, name: str, limit: int, default: Default | None = None) -> str:
    """Write a value as compact JSON, as `json.dumps` does.

    Tuples become lists, and keys that are numbers, True, False or None become text; NaN and the infinities are written
    as ``NaN``, ``Infinity`` and ``-Infinity``, which is JSON5.

    Args:
        value: what to write.
        name: what messages call it, such as ``params``.
        limit: the most bytes that the JSON may have.
        default: makes of any other object one that JSON has, as for `json.dumps`.

    Raises:
        NotSerializable: JSON lacks something in it, two keys of a dict would become the same, it contains itself, or it
            is longer than `limit`.
    """
    if value is None:
        return "null"
    if isinstance(value, _CONTAINERS) and not value:  # the usual case
        return "{}" if isinstance(value, dict) else "[]"
    try:
        return _text(value, name=name, limit=limit, default=default)
    except Fault as fault:
        place = "".join(f"[{json.dumps(step, ensure_ascii=False)}]" for step in reversed(fault.place))
        raise NotSerializable(f"{name}{place} {fault.problem}") from fault.__cause__
    except RecursionError:
        raise NotSerializable(f"{name} is nested more than {DEEPEST} deep") from None
    except ValueError as error:  # a value that cannot even be shown, such as a key that is an integer of 5,000 digits
        if isinstance(error, NotSerializable):
            raise
        raise NotSerializable(f"{name} cannot be written as JSON: {error}") from None


def encode_object(entries: Iterable[tuple[str, str]]) -> str:
    """Write an object whose values are JSON text already."""
    return "{" + ",".join(f"{json.dumps(key)}:{text}" for key, text in entries) + "}"


def encode_texts(texts: Iterable[str]) -> str:
    """Write a list of texts that UTF-8 can hold."""
    return _ENCODER.encode(list(texts))


def canonical(value: object) -> str | None:
    """Write a value so that equal ones have equal text, to be compared; return None if JSON cannot hold it."""
    try:
        return _CANONICAL.encode(value)
    except (TypeError, ValueError, RecursionError):
        return None


def decode(text: str) -> Any:
    """Read what `encode` wrote."""
    if text == "{}":  # the usual case
        return {}
    return [] if text == "[]" else json.loads(text)


def standard(value: Any) -> Any:
    """Return a value that was read with None in the place of NaN and the infinities, which other programs cannot read.

    Python writes these, and a few other languages read them; JSON proper has no word for them.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: standard(each) for key, each in value.items()}
    return [standard(each) for each in value] if isinstance(value, list | tuple) else value


def _text(value: object, *, name: str, limit: int, default: Default | None) -> str:
    try:
        if sys.get_int_max_str_digits() != _MOST_DIGITS:
            raise Unusual
        return _written(value, Measure().size(value), _ENCODER, name=name, limit=limit)
    except (Unusual, UnicodeEncodeError, ValueError) as error:
        if isinstance(error, NotSerializable):
            raise
    from gigq.survey import Survey  # only here: few values need it

    found = Survey(default)
    size = found.size(value)
    return _written(value, size, json.JSONEncoder(**_FORM, default=found.convert), name=name, limit=limit)


def _written(value: object, least: int, encoder: json.JSONEncoder, *, name: str, limit: int) -> str:
    """Write a value, unless it would be far too long: it may have the same part in many places."""
    if least > 2 * limit:
        raise _too_long(name, f"at least {least:,}", limit)
    text = encoder.encode(value)
    size = len(text) if text.isascii() else len(text.encode())
    if size > limit:
        raise _too_long(name, f"{size:,}", limit)
    return text


def _too_long(name: str, size: str, limit: int) -> NotSerializable:
    return NotSerializable(
        f"{name} has {size} bytes of JSON, and the limit is {limit:,}; "
        "store the data elsewhere and pass a reference, such as a path or a key"
    )
