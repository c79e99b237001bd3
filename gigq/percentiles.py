"""Percentiles of durations, by the nearest rank: each is a value that occurred."""

from __future__ import annotations

import math
from collections.abc import Iterable

from gigq.history_records import Percentiles

_SHARES = (0.5, 0.95, 0.99)


def percentiles(values: Iterable[float]) -> Percentiles:
    """Return the middle and the upper end of many values."""
    ordered = sorted(values)
    if not ordered:
        return Percentiles(None, None, None)
    return Percentiles(*(ordered[max(0, math.ceil(share * len(ordered)) - 1)] for share in _SHARES))
