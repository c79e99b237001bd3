"""The parts of a drawing between which there are no lines, side by side and one below the other, without much waste."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

Size = tuple[float, float]
Point = tuple[float, float]

_GAP = 32.0
"""Pixels between two parts."""
_PAGE = 1_000.0
_ASPECT = 1.4
"""How much wider than high a drawing of many small parts is to be, as long as a page is wide enough."""


def packed(sizes: Sequence[Size]) -> tuple[list[Point], Size]:
    """Return the left upper corners of rectangles of these sizes, and the size of all together.

    The highest comes first, and each comes where it is highest up, there as far to the left as possible.
    """
    if not sizes:
        return [], (0.0, 0.0)
    area = sum((width + _GAP) * (height + _GAP) for width, height in sizes)
    width = max([each for each, _ in sizes] + [min(_PAGE, sqrt(area * _ASPECT))]) + _GAP
    corners: list[Point] = [(0.0, 0.0)] * len(sizes)
    skyline = [(0.0, 0.0)]
    for number in sorted(range(len(sizes)), key=lambda number: -sizes[number][1]):
        size = (sizes[number][0] + _GAP, sizes[number][1] + _GAP)
        corners[number] = _highest(skyline, size, width)
        skyline = _lowered(skyline, corners[number], size)
    return corners, (
        max(x + size[0] for (x, _), size in zip(corners, sizes, strict=True)),
        max(y + size[1] for (_, y), size in zip(corners, sizes, strict=True)),
    )


def _highest(skyline: Sequence[Point], size: Size, width: float) -> Point:
    """Return the highest place for a rectangle; the first piece of the skyline always has room for it."""
    found = []
    for x, _ in skyline:
        if x + size[0] <= width or x == 0:
            end = x + size[0]
            ends = [*(left for left, _ in skyline[1:]), float("inf")]
            below = [y for (left, y), right in zip(skyline, ends, strict=True) if left < end and right > x]
            found.append((max(below), x))
    y, x = min(found)
    return x, y


def _lowered(skyline: Sequence[Point], corner: Point, size: Size) -> list[Point]:
    """Return the skyline under a rectangle: pieces by their left ends, each with the place from which it is free."""
    start, end = corner[0], corner[0] + size[0]
    level_at_end = max((piece for piece in skyline if piece[0] <= end), key=lambda piece: piece[0])[1]
    pieces = {x: y for x, y in skyline if not start <= x < end}
    pieces[start] = corner[1] + size[1]
    pieces.setdefault(end, level_at_end)
    return sorted(pieces.items())
