"""The ready jobs that come next: the highest priority first, and among those the oldest, across queues.

With a handful of queues, the first jobs of each are merged. With more, or where a worker lacks functions, the first
jobs of each function are: then neither the number of queues nor that of the jobs which the worker cannot run matters.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice

from gigq.missing import NOTHING, Lacking
from gigq.store.engine.lists import distinct, listed
from gigq.store.engine.transaction import Transaction
from gigq.store.limits import Limits
from gigq.store.tables import READY

_DEPTHS = (16, 32, 64, 128, 256, 4096)
"""How many jobs of each function are read, in turn, until enough of them may start. Each time, queues that were found
closed are left out."""

_MOST_READ = 20_000
"""Jobs that are read in the order of functions, about 0.4 us each. To ask 3,000 queues takes as long."""

_MOST_PASSED = 50_000
"""Jobs of closed queues that SQLite passes over for each function, about 0.05 us each."""

_MOST_FUNCTIONS = 500

_MOST_NAMES = 256
"""Functions, or queues, that one statement leaves out."""


_Place = tuple[int, int, str, str]
"""The rank of a job among all, in two numbers, smaller first; its queue and its function."""


def next_jobs(tx: Transaction, limits: Limits, *, most: int, lacking: Lacking = NOTHING) -> list[int]:
    """Return the next jobs that may start now, in order."""
    names = limits.few_queues
    if names is None or (names and lacking != NOTHING):
        found = _by_function(tx, limits, most, lacking)
        if found is not None:
            return found
    return _by_queue(tx, limits, limits.open_queues() if names is None else names, most, lacking.absent)


def _by_function(tx: Transaction, limits: Limits, most: int, lacking: Lacking) -> list[int] | None:
    """Merge the first jobs of each function; None if that would take too long."""
    functions = _functions(tx, at_most=_MOST_FUNCTIONS)
    if functions is None:
        return None
    wanted = [function for function in functions if function not in lacking.absent]
    closed: set[str] = set()  # queues of which jobs come first that may not start
    for depth in (most, *_DEPTHS):
        if depth > _DEPTHS[0] and depth * len(wanted) > _MOST_READ:
            break
        places = [_of_function(tx, each, max(most, depth), closed) for each in wanted]
        if closed and any(_is_long(tx, each) for each, found in zip(wanted, places, strict=True) if len(found) < depth):
            break
        jobs = _enough(limits, places, max(most, depth), most, lacking.probed, closed)
        if jobs is not None:
            return jobs
    return None


def _enough(
    limits: Limits,
    places: Sequence[Sequence[_Place]],
    depth: int,
    most: int,
    probed: Collection[str],
    closed: set[str],
) -> list[int] | None:
    """Return the next jobs that may start, and note closed queues; None if some that come before were not read."""
    ends = {each[-1][1] for each in places if len(each) == depth}
    found: list[int] = []
    started, tried = Counter[str](), set[str]()
    for _, seq, queue, function in heapq.merge(*places):
        if function in tried:
            continue
        if started[queue] < limits.left(queue, at_most=most):
            found.append(seq)
            if len(found) == most:
                return found
            started[queue] += 1
            if function in probed:
                tried.add(function)
        elif started[queue] == 0:
            closed.add(queue)
        if seq in ends and function not in tried:
            return None
    return found


def _by_queue(
    tx: Transaction, limits: Limits, names: Iterable[str], most: int, absent: Collection[str]
) -> list[int]:
    """Merge the first jobs of each queue."""
    places = heapq.merge(*([(*place, name) for place in _of_queue(tx, name, most, absent)] for name in names))
    return list(islice(_admitted(places, limits, most), most))


def _admitted(places: Iterable[tuple[int, int, str]], limits: Limits, most: int) -> Iterator[int]:
    started = Counter[str]()
    for _, seq, queue in places:
        if started[queue] < limits.left(queue, at_most=most):
            started[queue] += 1
            yield seq


def _of_queue(tx: Transaction, queue: str, limit: int, absent: Collection[str]) -> list[tuple[int, int]]:
    """Return how the next ready jobs of one queue rank among all jobs. Read from the index alone, if none is absent."""
    condition, values = _none_of("function", absent)
    return tx.execute(
        f"""
        SELECT -priority, seq
          FROM jobs
         WHERE {READY}
           AND queue = ?
           AND {condition}
         ORDER BY priority DESC, seq
         LIMIT ?
        """,
        (queue, *values, limit),
    ).fetchall()


def _of_function(tx: Transaction, function: str, limit: int, closed: Collection[str]) -> list[_Place]:
    """Return the next ready jobs of one function that are not in these queues. Read from the index alone."""
    condition, values = _none_of("queue", closed)
    return tx.execute(
        f"""
        SELECT -priority, seq, queue, function
          FROM (SELECT priority, seq, queue, function
                  FROM jobs INDEXED BY jobs_ready_by_function
                 WHERE {READY}
                   AND function = ?
                 ORDER BY priority DESC, seq
                 LIMIT ?)
         WHERE {condition}
         LIMIT ?  -- as the inner rows come: to order them again would read them all
        """,
        (function, _MOST_PASSED, *values, limit),
    ).fetchall()


def _is_long(tx: Transaction, function: str) -> bool:
    """Whether a function has more ready jobs than are passed over."""
    found = tx.execute(
        f"""
        SELECT 1
          FROM jobs INDEXED BY jobs_ready_by_function
         WHERE {READY}
           AND function = ?
         LIMIT 1 OFFSET ?
        """,
        (function, _MOST_PASSED),
    )
    return found.fetchone() is not None


def _none_of(column: str, values: Collection[str]) -> tuple[str, list[str]]:
    """Return the SQL of the condition that a column has none of these values, and as many of them as it takes."""
    if not values:
        return "1", []
    names, filled = listed(list(values)[:_MOST_NAMES])
    return f"{column} NOT IN {names}", filled


def _functions(tx: Transaction, *, at_most: int) -> list[str] | None:
    """Return the functions that ready jobs call, one step in the index for each; None if there are more."""
    sql = distinct("function", index="jobs_ready_by_function", where=READY)
    found = tx.execute(f"{sql} LIMIT ?", (at_most + 1,)).fetchall()
    return None if len(found) > at_most else [function for (function,) in found]
