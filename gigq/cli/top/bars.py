"""Bars in eighths of a character: a row of columns for the last hour, and one bar for the progress of a job."""

from __future__ import annotations

from collections.abc import Sequence

_UP = " ▁▂▃▄▅▆▇█"
_ALONG = " ▏▎▍▌▋▊▉█"
_UP_ASCII = " .:-=+*#@"
"""Eight heights for terminals without the signs: each is darker than the one before."""


def heights(values: Sequence[int], most: int, *, rows: int = 1) -> list[int]:
    """Return the height of a column for each value, in eighths of a row: at least one, where there is anything."""
    eighths = 8 * rows
    return [min(eighths, max(1, round(eighths * each / most))) if each and most else 0 for each in values]


def row_of_columns(columns: Sequence[int], row: int, *, wide: int = 1, is_unicode: bool = True) -> str:
    """Return one row of columns that stand on a line.

    Args:
        columns: their heights, in eighths.
        row: which row of them, from 0 for that on the line.
        wide: the characters that a column is wide.
    """
    signs = _UP if is_unicode else _UP_ASCII
    return "".join(signs[max(0, min(8, each - 8 * row))] * wide for each in columns)


def row_of_hanging_columns(columns: Sequence[int], *, wide: int = 1, is_unicode: bool = True) -> str:
    """Return a row of columns that hang from a line. Unless in ASCII, it must be drawn with its colours exchanged.

    There are no signs for the upper eighths: the lower ones of the ground are drawn in their place.
    """
    if not is_unicode:
        return row_of_columns(columns, 0, wide=wide, is_unicode=False)
    return "".join(_UP[8 - min(8, each)] * wide for each in columns)


def progress(share: float, width: int, *, is_unicode: bool = True) -> str:
    """Return a bar of `width` characters, of which a share is filled."""
    eighths = round(8 * width * max(0.0, min(1.0, share)))
    if not is_unicode:
        return ("#" * (eighths // 8)).ljust(width, ".")
    full, part = divmod(eighths, 8)
    return ("█" * full + (_ALONG[part] if part else "")).ljust(width)
