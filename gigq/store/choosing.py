"""Which source of jobs to look through, if any: the one that holds the fewest."""

from __future__ import annotations

from collections.abc import Iterator

from gigq.filters import Filters
from gigq.store.engine.transaction import Transaction
from gigq.store.sources import ALL_UNFINISHED, MOST, Source, Waiting, may_wait, sources, standing

_MOST_PARENTS = 20_000
"""Unfinished jobs that are asked for their children, to find those that wait: that takes 20 ms."""

_MOST_CHILDREN = 20_000
"""Dependencies of jobs that are asked whether they still wait: likewise."""


def source_of(tx: Transaction, filters: Filters) -> Source | None:
    """Return the source with the fewest jobs; None if all jobs should be looked through instead."""
    best, fewest = None, MOST + 1
    for source in _sources(tx, filters):
        number = _size(tx, source, most=fewest)
        if number < fewest or (best is None and source.is_sorted):
            best, fewest = source, number
    return best


def waiting(tx: Transaction, filters: Filters) -> Waiting | None:
    """Return how to find the jobs that wait for parents, if the filters let any pass; None if that would take long."""
    if not may_wait(filters) or tx.value("SELECT 1 FROM job_dependencies LIMIT 1") is None:
        return Waiting.NONE
    if not _are_many_unfinished(tx):
        return Waiting.BY_PARENTS
    children: int = tx.value("SELECT count(*) FROM (SELECT 1 FROM job_dependencies LIMIT ?)", (_MOST_CHILDREN,))
    return Waiting.BY_CHILDREN if children < _MOST_CHILDREN else None


def _sources(tx: Transaction, filters: Filters) -> Iterator[Source]:
    yield from sources(filters)
    if (how := waiting(tx, filters)) is not None:
        found = standing(filters, now=tx.stamp, waiting=how)
        if found is not None:
            yield found


def _size(tx: Transaction, source: Source, *, most: int) -> int:
    found: int = tx.value(
        f"SELECT count(*) FROM (SELECT 1 FROM ({source.sql}) LIMIT :most)", source.values | {"most": most}
    )
    return found


def _are_many_unfinished(tx: Transaction) -> bool:
    found: int = tx.value(
        f"SELECT count(*) FROM (SELECT 1 FROM ({ALL_UNFINISHED}) LIMIT :most)", {"most": _MOST_PARENTS, "now": tx.stamp}
    )
    return found == _MOST_PARENTS
