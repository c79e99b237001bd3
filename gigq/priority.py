"""Priorities, by number or by name."""

from __future__ import annotations

from enum import IntEnum

MOST_INTEGER = 2**63 - 1
"""The largest that a SQLite column holds."""


class Priority(IntEnum):
    """Names for usual priorities; any integer will do. Larger goes first."""

    LOW = -100
    NORMAL = 0
    HIGH = 100
    CRITICAL = 200


def to_priority(value: int | str) -> int:
    """Return a priority given as a number or by the name of a level.

    Raises:
        ValueError: it is neither, or larger than the file can hold.
    """
    if isinstance(value, str):
        try:
            return Priority[value.upper()].value
        except KeyError:
            names = ", ".join(level.name.lower() for level in Priority)
            raise ValueError(f"priority {value!r} is not a whole number and not one of {names}") from None
    if isinstance(value, bool) or not isinstance(value, int) or not -MOST_INTEGER <= value <= MOST_INTEGER:
        raise ValueError(f"priority is {value!r}; it must be a whole number from {-MOST_INTEGER} to {MOST_INTEGER}")
    return int(value)
