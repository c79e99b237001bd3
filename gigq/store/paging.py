"""Pages of jobs, and counts: of all that pass some filters, or of those that were found in the time given."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext, suppress
from typing import TypeVar

from gigq.checks import MOST_INTEGER
from gigq.errors import ReadTooLong
from gigq.filters import Filters
from gigq.pages import Count, Page
from gigq.records import JobRecord
from gigq.status import JobStatus
from gigq.store import reading
from gigq.store.choosing import source_of, waiting
from gigq.store.engine.budget import Budget
from gigq.store.engine.transaction import Transaction
from gigq.store.filtering import where
from gigq.store.sources import Source, all_passing
from gigq.store.ways import Ended, Number, Place, Rows, Sourced, Step, Way

Found = TypeVar("Found", Step, Number)

_SMALLEST, _FIRST, _LARGEST = 256, 2_048, 65_536
"""Jobs in one step. The first is never stopped, so that whoever goes on from cursor to cursor comes to the end."""

_SPELL = 0.02
"""Seconds that a step of a read in limited time is to take."""

_LOADED = 64
"""Jobs that are loaded between two looks at the clock: 2 ms."""


def find(
    tx: Transaction,
    filters: Filters,
    budget: Budget,
    *,
    by_end: bool,
    after: Place | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> Page[JobRecord]:
    """Return the jobs that pass the filters, those that came last first.

    Args:
        by_end: only those that have ended, in the order of that; otherwise all, in the order of submission.
        after: from which place on.
        offset: how many to skip first.
        limit: how many to return; None for all.

    Raises:
        ReadTooLong: the time was over before there was anything to return after the offset.
    """
    bound = reading.newest(tx)
    if limit == 0:
        return Page(cursor=after and after.text, bound=bound)
    most = None if limit is None else offset + limit
    walk = Walk(tx, budget, after)
    places = _found(walk, Ended(tx, filters) if by_end else _way(tx, filters, budget), most)
    is_enough = walk.end is None or (most is not None and len(places) >= most)
    if not is_enough and len(places) < offset:
        raise budget.exceeded()
    wanted = places[offset:most]
    records = _loaded(tx, wanted, budget)
    is_cut = not is_enough or len(records) < len(wanted)
    has_more = most is not None and len(places) > most
    end = wanted[len(records) - 1] if has_more or len(records) < len(wanted) else walk.end
    return Page(records, cursor=end and end.text, is_cut=is_cut, looked_at=walk.looked_at, bound=bound)


def _found(walk: Walk, way: Way, most: int | None) -> list[Place]:
    """Return the places of the jobs that pass: so many at least, if there are."""
    places: list[Place] = []
    for step in walk.steps(way.step, _first_size(way, most, walk.is_limited)):
        places += step.found
        if most is not None and len(places) >= most:
            break
    return places


def count(tx: Transaction, filters: Filters, budget: Budget, *, at_most: int | None = None) -> Count:
    """Return how many jobs pass the filters, or that there are more than `at_most`."""
    bound = reading.newest(tx)
    with suppress(ReadTooLong), budget.stopping(tx):
        known = _counted(tx, filters, at_most)
        if known is not None:
            return _count(known, known, at_most, bound=bound, is_cut=False)
    walk, found = Walk(tx, budget, None), 0
    way = _way(tx, filters, budget)
    for step in walk.steps(way.number, _SMALLEST if walk.is_limited else _FIRST):
        found += step.found
        if at_most is not None and found > at_most:
            break
    return _count(found, walk.looked_at, at_most, bound=bound, is_cut=walk.end is not None)


def seqs(tx: Transaction, filters: Filters, *, bound: int) -> list[int]:
    """Return the numbers of the jobs up to this one that pass the filters, the oldest first."""
    return [seq for seq, _ in _all(tx, filters, bound)]


def ids(tx: Transaction, filters: Filters) -> list[str]:
    """Return the ids of the jobs that pass the filters, the oldest first."""
    return [job_id for _, job_id in _all(tx, filters, reading.newest(tx))]


def _all(tx: Transaction, filters: Filters, bound: int) -> sqlite3.Cursor:
    source = source_of(tx, filters)
    condition, values = where(filters if source is None else source.left, now=tx.stamp)
    values |= {"bound": bound}
    if source is None:
        return tx.execute(f"SELECT seq, id FROM jobs WHERE {condition} AND seq <= :bound ORDER BY seq", values)
    return tx.execute(
        f"SELECT seq, id FROM jobs WHERE seq IN ({source.sql}) AND {condition} AND seq <= :bound ORDER BY seq",
        values | source.values,
    )


class Walk:
    """The steps of a way, as far as the time goes: longer ones where they are quick.

    Attributes:
        looked_at: how many jobs were looked at so far.
        end: from where to go on; None where the way has ended.
        is_limited: whether the time is limited.
    """

    def __init__(self, tx: Transaction, budget: Budget, after: Place | None) -> None:
        self.is_limited = budget.left is not None
        self._tx = tx
        self._budget = budget
        self.looked_at = 0
        self.end = after

    def steps(self, take: Callable[[Place | None, int], Found], size: int) -> Iterator[Found]:
        """Yield what each step has found."""
        is_first = True
        while is_first or (self.end is not None and not self._budget.is_over):
            left = self._budget.left
            try:
                with nullcontext() if is_first else self._budget.stopping(self._tx):
                    step = take(self.end, size)
            except ReadTooLong:
                return
            self.looked_at += step.looked_at
            self.end = step.end
            yield step
            size, is_first = self._next_size(size, left), False

    def _next_size(self, size: int, left: float | None) -> int:
        """Return how many jobs to look at next, so that it is over in time: what is stopped was in vain."""
        if left is None:
            return min(4 * size, _LARGEST)
        left_now = self._budget.left or 0.0
        pace = size / max(left - left_now, 1e-6)
        return max(_SMALLEST, min(4 * size, _LARGEST, int(pace * min(_SPELL, 0.8 * left_now))))


def _way(tx: Transaction, filters: Filters, budget: Budget) -> Way:
    source = source_of(tx, filters)
    return Rows(tx, filters, is_bounded=budget.left is not None) if source is None else Sourced(tx, source)


def _first_size(way: Way, most: int | None, is_limited: bool) -> int:
    """Return how many jobs to look at first: one more than are asked for, to know whether there are more."""
    if way.is_bare:
        largest = _FIRST if is_limited else _LARGEST
        return largest if most is None else min(most + 1, largest)
    if is_limited:  # each of them may take a tenth of a millisecond
        return _SMALLEST
    return _FIRST if most is None else min(max(_SMALLEST, 2 * most), _FIRST)


def _loaded(tx: Transaction, places: Sequence[Place], budget: Budget) -> list[JobRecord]:
    """Return the jobs at some places, or the first of them if the time is over."""
    found: list[JobRecord] = []
    size = max(1, len(places)) if budget.left is None else _LOADED
    for start in range(0, len(places), size):
        found += reading.jobs_at(tx, [place.seq for place in places[start : start + size]])
        if budget.is_over:
            break
    return found


def _counted(tx: Transaction, filters: Filters, at_most: int | None) -> int | None:
    """Return how many jobs pass, up to one more than `at_most`, if an index knows; otherwise None."""
    how = waiting(tx, filters)
    source = None if how is None else all_passing(filters, now=tx.stamp, waiting=how)
    if source is not None:
        return _number(tx, source, at_most)
    if at_most is None and filters.statuses is not None and filters == Filters(statuses=filters.statuses):
        by_status = reading.statuses(tx)  # those that are pending are what is left
        return sum(by_status[JobStatus(status)] for status in filters.statuses)
    return None


def _number(tx: Transaction, source: Source, at_most: int | None) -> int:
    found: int
    if at_most is None:  # without a limit SQLite counts in half the time
        found = tx.value(f"SELECT count(*) FROM ({source.sql})", source.values)
    else:
        limited = source.values | {"most": min(at_most, MOST_INTEGER - 1) + 1}
        found = tx.value(f"SELECT count(*) FROM (SELECT 1 FROM ({source.sql}) LIMIT :most)", limited)
    return found


def _count(found: int, looked_at: int, at_most: int | None, *, bound: int, is_cut: bool) -> Count:
    is_more = at_most is not None and found > at_most
    return Count(
        at_most if at_most is not None and is_more else found,
        is_exact=not is_more and not is_cut,
        is_cut=is_cut and not is_more,
        looked_at=looked_at,
        bound=bound,
    )
