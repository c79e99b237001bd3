"""Priorities, by number or by name."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

from gigq.checks import MOST_INTEGER

PriorityLevel = int | Literal["low", "normal", "high", "critical"]
"""A priority, or the name of one of the usual ones."""


class Priority(IntEnum):
    """Names for usual priorities; any integer will do. Larger goes first.

    Example:
        >>> from gigq import Job, Priority
        >>> Job("first", "package.module:name", priority=Priority.HIGH + 1).priority
        101
        >>> Job("second", "package.module:name", priority="critical").priority
        200
    """

    LOW = -100
    NORMAL = 0
    HIGH = 100
    CRITICAL = 200


def to_priority(value: int | str, name: str = "priority") -> int:
    """Return a priority given as a number or by the name of a level; `name` is for messages.

    Raises:
        ValueError: it is neither, or larger than the file can hold.
    """
    if isinstance(value, str):
        return _level(value, name)
    if isinstance(value, bool) or not isinstance(value, int) or not -MOST_INTEGER <= value <= MOST_INTEGER:
        raise ValueError(f"{name} is {value!r:.80}; it must be a whole number from {-MOST_INTEGER} to {MOST_INTEGER}")
    return int(value)


def _level(value: str, name: str) -> int:
    try:
        return Priority[value.upper()].value
    except KeyError:
        names = ", ".join(level.name.lower() for level in Priority)
        raise ValueError(f"{name} is {value!r:.80}; it must be a whole number or one of {names}") from None
