"""What a look at a large queue returns: a part of it that says how to go on, and a number that says if it is exact."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Page(list[T]):
    """A list of records: all that were asked for, or the first of them, and how to go on from there.

    Attributes:
        cursor: where it ends; give it as ``after=`` for the next page. None if there are no more.
        is_cut: whether it is shorter than it could be, because the time of ``within=`` was over.
        looked_at: how many jobs, or other rows, were looked at to find these.
        bound: the number of the newest job in the file at that time; 0 without one. Later jobs have larger numbers,
            unless the newest were deleted.

    Example:
        >>> from calendar import isleap
        >>> from gigq import JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     ids = [queue.enqueue(isleap, year) for year in (2026, 2027, 2028)]
        ...     newest = queue.find_jobs(limit=2)
        ...     older = queue.find_jobs(limit=2, after=newest.cursor)
        ...     [job.args for job in newest], [job.args for job in older], older.cursor
        ([[2028], [2027]], [[2026]], None)
    """

    def __init__(
        self,
        records: Iterable[T] = (),
        *,
        cursor: str | None = None,
        is_cut: bool = False,
        looked_at: int = 0,
        bound: int = 0,
    ) -> None:
        super().__init__(records)
        self.cursor = cursor
        self.is_cut = is_cut
        self.looked_at = looked_at
        self.bound = bound

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: the records as ``items``, and the attributes."""
        items = [each.as_dict() if hasattr(each, "as_dict") else each for each in self]
        return {"items": items, **vars(self)}


class Count(int):
    """How many jobs there are of some kind: a number, which may be the least that there are.

    Attributes:
        is_exact: whether there are exactly so many. Otherwise there are more than that, if it is the `at_most` that was
            given; or at least so many, because the time of ``within=`` was over.
        is_cut: whether the time of ``within=`` ended the count.
        looked_at: how many jobs were looked at; those that an index has counted are among them.
        bound: the number of the newest job in the file at that time; 0 without one. Later jobs have larger numbers,
            unless the newest were deleted.

    Example:
        >>> from calendar import isleap
        >>> from gigq import JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     ids = [queue.enqueue(isleap, year) for year in (2026, 2027, 2028)]
        ...     few, all_of_them = queue.count(at_most=2), queue.count()
        ...     few.in_words(), all_of_them.in_words(), few + 1
        ('more than 2', '3', 3)
    """

    is_exact: bool
    is_cut: bool
    looked_at: int
    bound: int

    def __new__(
        cls, number: int = 0, *, is_exact: bool = True, is_cut: bool = False, looked_at: int = 0, bound: int = 0
    ) -> Self:
        made = super().__new__(cls, number)
        made.is_exact, made.is_cut, made.looked_at, made.bound = is_exact, is_cut, looked_at, bound
        return made

    def in_words(self) -> str:
        """Return the number for people: ``1,234``, ``more than 10,000`` or ``at least 8,231``."""
        return f"{'' if self.is_exact else 'at least ' if self.is_cut else 'more than '}{int(self):,}"

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: the number as ``count``, and the attributes."""
        return {"count": int(self), **vars(self)}
