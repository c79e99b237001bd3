"""The least size that a value has as JSON, found without writing it: what it has in several places costs no more."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

DEEPEST = 200
"""Levels of nesting. Not Python's own limit, which may be lower in the process that reads them."""

SIMPLE = (str, int, float)
"""The types of values without others in them, apart from that of None. JSON takes their subclasses as well."""

_ATOMS = frozenset({type(None), bool, *SIMPLE})
_LISTS = (list, tuple)  # not list | tuple: that makes a new type at each call, which takes longer than all else here

_FEW = 16
_OPEN = (-1, 0)


class Unusual(Exception):
    """There is more to say about a value than its size: it takes a `gigq.survey.Survey`."""


class Fault(Exception):
    """Something in a value that JSON lacks.

    Attributes:
        problem: what it is, as the rest of a sentence.
        place: the keys and indexes that lead to it, the innermost first.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.place: list[str | int] = []


class Measure:
    """Measures one value, in time that is linear in the objects that it consists of. To be used once."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, int]] = {}  # by id: the depth at which it was measured, and its size

    def size(self, value: Any) -> int:
        """Return the least number of bytes that a value has as JSON: its texts, and two for all else.

        Raises:
            Unusual: this cannot be told.
        """
        return 1 if value is None or isinstance(value, SIMPLE) else self._container(value, 0)

    def _container(self, value: Any, depth: int) -> int:
        known = self._known.get(id(value))
        if known is not None and depth <= known[0]:
            return known[1]
        if known is _OPEN or depth == DEEPEST:
            raise Unusual
        items = _items(value)
        if len(items) > _FEW:  # in C: to look at each in Python takes five times as long
            kinds = set(map(type, items))
            if kinds <= _ATOMS:
                return self._note(value, depth, _size_of_atoms(items, kinds))
        size, is_open = 2 * len(items), False
        for each in items:
            kind = type(each)
            if kind is str:
                size += len(each)
            elif kind not in _ATOMS and not isinstance(each, SIMPLE):
                if not is_open:
                    is_open, self._known[id(value)] = True, _OPEN
                size += self._container(each, depth + 1)
        return self._note(value, depth, size) if is_open else size

    def _note(self, value: object, depth: int, size: int) -> int:
        self._known[id(value)] = (depth, size)
        return size


def _items(value: Any) -> Collection[Any]:
    if isinstance(value, dict):
        for key in value:
            if type(key) is not str:
                raise Unusual
        return value.values()
    if not isinstance(value, _LISTS):
        raise Unusual
    return value


def _size_of_atoms(items: Collection[Any], kinds: Collection[type]) -> int:
    if str not in kinds:
        return 2 * len(items)
    return 2 * len(items) + sum(map(len, items if len(kinds) == 1 else [each for each in items if type(each) is str]))
