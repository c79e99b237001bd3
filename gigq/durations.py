"""Lengths of time in words: in sentences and pictures, in the columns of a table, and as a clock that counts down."""

from __future__ import annotations

_UNITS = ((0.9995, 0.001, "ms"), (60, 1, "s"), (3600, 60, "min"), (172_800, 3600, "h"), (float("inf"), 86_400, "days"))
_SHORT_UNITS = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))

_LONGEST = 1e12
"""Seconds: more than from the first to the last year that an instant can have."""


def span(seconds: float) -> str:
    """Return a length of time as people say it, such as ``40 ms``, ``2.1 s`` or ``3.5 min``; a negative one is 0."""
    seconds = _told(seconds)
    unit, name = next((unit, name) for limit, unit, name in _UNITS if seconds < limit)
    value = seconds / unit
    return f"{value:.0f} {name}" if value >= 9.95 else f"{value:.1f}".removesuffix(".0") + f" {name}"


def age(seconds: float) -> str:
    """Return a length of time in its largest whole unit, for a column: ``12s``, ``5m``, ``3h`` or ``41d``.

    It can be typed where a duration is expected. A negative one is ``0s``.
    """
    seconds = _told(seconds)
    name, unit = next(((name, unit) for name, unit in _SHORT_UNITS if seconds >= unit), _SHORT_UNITS[-1])
    return f"{int(seconds // unit)}{name}"


def countdown(seconds: float) -> str:
    """Return a length of time as a clock shows it, ``0:48`` or ``1:02:03``, and ``2 d 3 h`` from two days on."""
    minutes, rest = divmod(round(min(_told(seconds), 100 * 86_400 - 1)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _told(seconds: float) -> float:
    """Return what can be told of a length of time: clocks that were set make negative ones."""
    return min(seconds, _LONGEST) if seconds > 0 else 0.0
