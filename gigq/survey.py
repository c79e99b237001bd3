"""A close look at a value: what JSON lacks in it and where, the size of the rest, and what `default` makes of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from gigq.checks import Default
from gigq.foreign import complaint
from gigq.measure import DEEPEST, SIMPLE, Fault

_WIDEST_INTEGER = 14_000
"""Bits, about 4,200 digits: Python refuses to read an integer of more than 4,300."""

_OPEN = (-1, 0)
_WORDS = {True: "true", False: "false", None: "null"}
_ODD_FLOATS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_LONE = "lone surrogate, which UTF-8 cannot hold"


class Survey:
    """Looks at one value, in time that is linear in the objects that it consists of. To be used once.

    Args:
        default: makes of an object that JSON lacks one that it has. It is called once for each object.
    """

    def __init__(self, default: Default | None) -> None:
        self._default = default
        self._known: dict[int, tuple[int, int]] = {}  # by id: the depth at which it was measured, and its size
        self._converted: dict[int, tuple[object, object]] = {}  # by id; with the object, so that no other gets its id
        self._kept: list[object] = []  # for the same reason

    def size(self, value: object) -> int:
        """Return the least number of bytes that a value has as JSON, as `gigq.measure.Measure` does.

        Raises:
            Fault: JSON lacks something in it, and `default` does not help.
            RecursionError: it is nested too deeply.
        """
        return self._size(value, 0)

    def convert(self, value: object) -> object:
        """Return what `default` makes of an object that JSON lacks. Raises Fault as `size`."""
        if id(value) not in self._converted:
            self._converted[id(value)] = (value, self._by_default(value))
        return self._converted[id(value)][1]

    def _size(self, value: Any, depth: int) -> int:
        if value is None or isinstance(value, SIMPLE):
            return _size_of_simple(value)
        known = self._known.get(id(value))
        if known is _OPEN:
            raise Fault("contains itself")
        if known is not None and depth <= known[0]:
            return known[1]
        if depth == DEEPEST:
            raise RecursionError
        self._known[id(value)] = _OPEN
        size = self._size_inside(value, depth + 1)
        self._known[id(value)] = (depth, size)
        return size

    def _size_inside(self, value: Any, depth: int) -> int:
        if isinstance(value, dict):
            if type(value) is not dict:
                value = dict(value.items())  # as the encoder asks for them
                self._kept.append(value)
            return self._size_of_items(value.values(), texts_of_keys(value), depth)
        if isinstance(value, list | tuple):
            return self._size_of_items(value, range(len(value)), depth)
        return self._size(self.convert(value), depth)

    def _size_of_items(self, items: Collection[object], steps: Iterable[str | int], depth: int) -> int:
        size = len(items)
        for step, item in zip(steps, items, strict=True):
            try:
                size += self._size(item, depth)
            except Fault as fault:
                fault.place.append(step)
                raise
        return size

    def _by_default(self, value: object) -> object:
        if self._default is None:
            raise Fault(complaint(value))
        try:
            converted = self._default(value)
        except Exception as error:
            raise Fault(f"{complaint(value)} (default raised {type(error).__name__}: {error})") from error
        if converted is value:
            raise Fault(f"{complaint(value)} (default returned it as it was)")
        return converted


def texts_of_keys(value: dict[Any, Any]) -> list[str]:
    """Return the keys of a dict as `json` writes them.

    Raises:
        Fault: it has no word for one, or the same for two.
    """
    keys: dict[str, object] = {}
    for key in value:
        text = text_of_key(key)
        if text in keys:
            raise Fault(f"has the keys {keys[text]!r} and {key!r}, and both are {text!r} in JSON, which has only text")
        keys[text] = key
    return list(keys)


def text_of_key(key: object) -> str:
    """Return a key of a dict as `json` writes it. Raises Fault where it has no word for it."""
    if isinstance(key, str):
        if not _is_unicode(key):
            raise Fault(f"has the key {key!r} with a {_LONE}")
        return str.__str__(key)
    if key is None or isinstance(key, bool):
        return _WORDS[key]
    if isinstance(key, int):
        return int.__repr__(key)
    if isinstance(key, float):
        return _ODD_FLOATS.get(float.__repr__(key)) or float.__repr__(key)
    raise Fault(f"has the key {key!r}, and keys must be text, numbers, True, False or None: use str(key)")


def _size_of_simple(value: object) -> int:
    if isinstance(value, str):
        if not _is_unicode(value):
            raise Fault(f"is text with a {_LONE}")
        return len(value) + 2
    if isinstance(value, int) and value.bit_length() > _WIDEST_INTEGER:
        raise Fault("is an integer of more than 4,200 digits: pass it as text")
    return 2


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
