"""Which source of jobs to look through, if any: the one that holds the fewest."""

from __future__ import annotations

from collections.abc import Iterator

from gigq.filters import Filters
from gigq.store.engine.transaction import Transaction
from gigq.store.sources import ALL_UNFINISHED, MOST, Source, sources, standing

_MOST_PARENTS = 20_000
"""Unfinished jobs that are asked for their children, to find those that wait: that takes 20 ms."""


def source_of(tx: Transaction, filters: Filters) -> Source | None:
    """Return the source with the fewest jobs; None if all jobs should be looked through instead."""
    best, fewest = None, MOST + 1
    for source in _sources(tx, filters):
        number = _size(tx, source, most=fewest)
        if number < fewest or (best is None and source.is_sorted):
            best, fewest = source, number
    return best


def has_dependencies(tx: Transaction) -> bool:
    """Whether there are jobs that wait for others, or have waited."""
    return tx.value("SELECT 1 FROM job_dependencies LIMIT 1") is not None


def _sources(tx: Transaction, filters: Filters) -> Iterator[Source]:
    yield from sources(filters)
    found = standing(filters, now=tx.stamp, has_dependencies=has_dependencies(tx))
    if found is not None and not (found.asks_parents and _are_many_unfinished(tx)):
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
