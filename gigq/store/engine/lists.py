"""The parts of statements that serve many rows, or set many columns, together with their values.

Lists and tables are filled up to a power of two, so that SQLite sees few different texts and compiles each of them
once: to compile one with 64 rows takes 0.3 ms, as long as to run it. They are not filled up with NULL, because sqlite3
takes 1 us to bind None: ten times as long as for a number or a text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any, TypeVar

T = TypeVar("T")

_MOST = 256
"""Rows in one statement. With three values each they stay below 999, the most that every SQLite takes."""


def distinct(column: str, *, index: str, where: str) -> str:
    """Return the SQL of a query for the values of a column of `jobs` that is the first of a partial index.

    It takes one step in the index for each value, and all steps are inside SQLite: a name that is not UTF-8 would not
    go back as it came out, and be found for ever.
    """
    return f"""
        SELECT value
          FROM (WITH RECURSIVE steps (value) AS (
                     SELECT min({column}) FROM jobs INDEXED BY {index} WHERE {where}
                      UNION ALL
                     SELECT (SELECT min({column}) FROM jobs INDEXED BY {index} WHERE {where} AND {column} > steps.value)
                       FROM steps
                      WHERE steps.value IS NOT NULL)
                SELECT value FROM steps)
         WHERE value IS NOT NULL"""


def portions(rows: Sequence[T], *, most: int = _MOST) -> Iterator[Sequence[T]]:
    """Cut rows into portions that one statement can take."""
    if len(rows) <= most:
        return iter((rows,) if rows else ())
    return (rows[start : start + most] for start in range(0, len(rows), most))


def listed(values: Sequence[Any]) -> tuple[str, list[Any]]:
    """Return the SQL of a list, ``(?, ?)``, and its values, of which there is at least one.

    The last value fills it up: it may be in the list several times.
    """
    size = _filled(len(values))
    return _list(size), [*values, *(values[-1],) * (size - len(values))]


def tabled(rows: Sequence[tuple[Any, ...]], *, filler: tuple[Any, ...] | None = None) -> tuple[str, list[Any]]:
    """Return the SQL of a table, ``(VALUES …)`` with ``column1`` and so on, and its values, of at least one row.

    Args:
        filler: the row that fills it up; without one, the last row may be in it several times.
    """
    size, width = _filled(len(rows)), len(rows[0])
    values = list(chain.from_iterable(rows))
    if len(rows) < size:
        values += (filler or rows[-1]) * (size - len(rows))
    return _table(size, width), values


def assigned(**values: Any) -> tuple[str, Sequence[Any]]:
    """Return the SQL of assignments, ``a = ?, b = ?``, and their values."""
    return _assignments(tuple(values)), tuple(values.values())


def _filled(size: int) -> int:
    return 1 << (size - 1).bit_length()


@cache
def _list(size: int) -> str:
    return f"({', '.join('?' * size)})"


@cache
def _table(size: int, width: int) -> str:
    return f"(VALUES {', '.join([_list(width)] * size)})"


@cache
def _assignments(columns: tuple[str, ...]) -> str:
    return ", ".join(f"{column} = ?" for column in columns)
