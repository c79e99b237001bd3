"""Strict JSON: a value reads back as it was written, or is refused with the place in it that JSON cannot hold."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from gigq.errors import NotSerializable

MEGABYTE = 1_000_000
PARAMS_LIMIT = 1 * MEGABYTE
RESULT_LIMIT = 10 * MEGABYTE

# Made once: json.dumps makes a new one at each call, a third of the cost of a small value.
_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))

# Not dict | list | tuple: that makes two new types at each call, which takes longer than all other checks of a value.
_CONTAINERS = (dict, list, tuple)

_DEEPEST = 200
"""Levels of nesting. Not Python's own limit, which may be lower in the process that reads them."""

_WIDEST_INTEGER = 14_000
"""Bits, about 4,200 digits: Python refuses to read an integer of more than 4,300."""


class _Fault(NamedTuple):
    place: str
    problem: str

    def inside(self, step: str) -> _Fault:
        return _Fault(step + self.place, self.problem)


def encode(value: object, *, name: str, limit: int) -> str:
    """Write a value as compact JSON.

    Tuples become lists. Keys that are not text are refused rather than turned into text, because
    ``{1: "a", "1": "b"}`` would lose an entry.

    Args:
        value: what to write.
        name: what messages call it, such as ``params``.
        limit: the most bytes that the JSON may have.

    Raises:
        NotSerializable: JSON cannot hold it, it contains itself, or it is longer than `limit`.
    """
    if value is None:
        return "null"
    if not value and isinstance(value, _CONTAINERS):  # the usual case
        return "{}" if isinstance(value, dict) else "[]"
    try:
        fault = _fault_in(value, depth=0)
        if fault:
            raise NotSerializable(f"{name}{fault.place} {fault.problem}")
        text = _ENCODER.encode(value)
    except RecursionError:
        raise NotSerializable(f"{name} contains itself, or is nested more than {_DEEPEST} deep") from None
    except ValueError as error:  # a value that cannot even be shown, such as a key that is an integer of 5,000 digits
        if isinstance(error, NotSerializable):
            raise
        raise NotSerializable(f"{name} cannot be written as JSON: {error}") from None
    size = len(text) if text.isascii() else len(text.encode())
    if size > limit:
        raise NotSerializable(
            f"{name} has {size:,} bytes of JSON, and the limit is {limit:,}; "
            "store the data elsewhere and pass a reference, such as a path or a key"
        )
    return text


def encode_object(entries: Iterable[tuple[str, str]]) -> str:
    """Write an object whose values are JSON text already."""
    return "{" + ",".join(f"{json.dumps(key)}:{text}" for key, text in entries) + "}"


def decode(text: str) -> Any:
    """Read what `encode` wrote."""
    if text == "{}":  # the usual case
        return {}
    return [] if text == "[]" else json.loads(text)


def _fault_in(value: object, *, depth: int) -> _Fault | None:
    if value is None:
        return None
    if isinstance(value, int):
        too_wide = value.bit_length() > _WIDEST_INTEGER
        return _Fault("", "is an integer of more than 4,200 digits: pass it as text") if too_wide else None
    if isinstance(value, str):
        return None if _is_unicode(value) else _Fault("", "is text with a lone surrogate, which UTF-8 cannot hold")
    if isinstance(value, float):
        return None if math.isfinite(value) else _Fault("", f"is {value!r}, which JSON cannot hold")
    if not isinstance(value, _CONTAINERS):
        return _Fault("", f"is {_article(type(value).__name__)} object, which JSON cannot hold")
    if depth == _DEEPEST:
        raise RecursionError
    if isinstance(value, dict):
        return _fault_in_dict(value, depth=depth + 1)
    return _fault_in_list(value, depth=depth + 1)


def _fault_in_dict(value: dict[object, object], *, depth: int) -> _Fault | None:
    for key, item in value.items():
        if not isinstance(key, str):
            return _Fault("", f"has the key {key!r}, and keys must be text: use str(key)")
        if not _is_unicode(key):
            return _Fault("", f"has the key {key!r} with a lone surrogate, which UTF-8 cannot hold")
        fault = _fault_in(item, depth=depth)
        if fault:
            return fault.inside(f"[{json.dumps(key, ensure_ascii=False)}]")
    return None


def _fault_in_list(value: list[object] | tuple[object, ...], *, depth: int) -> _Fault | None:
    for index, item in enumerate(value):
        fault = _fault_in(item, depth=depth)
        if fault:
            return fault.inside(f"[{index}]")
    return None


def _is_unicode(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _article(noun: str) -> str:
    return f"an {noun}" if noun[:1] in "aeiouAEIOU" else f"a {noun}"
