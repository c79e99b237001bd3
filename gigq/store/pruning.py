"""How finished jobs leave the file, and how the file becomes smaller after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gigq.store.engine.database import Transaction
from gigq.store.engine.lists import listed


class Place(NamedTuple):
    """A place in the order in which jobs ended."""

    completed_at: str
    seq: int


BEGINNING = Place("", 0)
END = Place("~", 0)

_AT_ONCE = 256
"""Jobs that one statement looks at."""

_LEFT_FREE = 256
"""Free pages (1 MB) that are left to the jobs to come, or a quarter of the file if that is more."""

_INCREMENTAL = 2
"""The auto_vacuum of our files: pages are given back when that is asked for, and only so many."""


def newest(tx: Transaction, statuses: Sequence[str], *, keep: int) -> Place:
    """Return where the newest so many of these finished jobs begin, all statuses counted together."""
    if keep == 0:
        return END
    each = """
        SELECT * FROM (
               SELECT completed_at, seq
                 FROM jobs
                WHERE status = ?
                  AND completed_at IS NOT NULL
                ORDER BY completed_at DESC, seq DESC
                LIMIT ?)"""
    found = tx.execute(
        f"{_all_of(each, statuses)} ORDER BY completed_at DESC, seq DESC LIMIT 1 OFFSET ?",
        (*(value for status in statuses for value in (status, keep)), keep - 1),
    ).fetchone()
    return Place(*found) if found else BEGINNING


def finished(
    tx: Transaction, statuses: Sequence[str], *, after: Place, before: Place, limit: int
) -> list[tuple[Place, bool]]:
    """Return the next finished jobs between two places, the oldest first, and whether a child still needs them."""
    # Each status by its own part of the index: with IN, SQLite would read and sort all of them for each portion.
    each = """
        SELECT * FROM (
               SELECT completed_at, seq
                 FROM jobs
                WHERE status = ?
                  AND completed_at IS NOT NULL
                  AND (completed_at, seq) > (?, ?)
                  AND (completed_at, seq) < (?, ?)
                ORDER BY completed_at, seq
                LIMIT ?)"""
    rows = tx.execute(
        f"""
        SELECT completed_at, seq, {_is_needed("oldest")}
          FROM ({_all_of(each, statuses)} ORDER BY completed_at, seq LIMIT ?) AS oldest
         ORDER BY completed_at, seq
        """,
        (*(value for status in statuses for value in (status, *after, *before, limit)), limit),
    )
    return [(Place(completed_at, seq), bool(is_needed)) for completed_at, seq, is_needed in rows]


def delete(
    tx: Transaction, jobs: Sequence[int], statuses: Sequence[str], *, before: Place, limit: int
) -> tuple[int, list[int]]:
    """Delete those of these jobs that are still finished so, and that no child needs, with their executions.

    Then their parents, if nobody else needs those.

    Args:
        limit: how many jobs to look at.

    Returns:
        How many it deleted, and which jobs it has not yet looked at.
    """
    deleted, rest = 0, list(jobs)
    while rest and limit > 0:
        some = rest[: min(limit, _AT_ONCE)]
        limit -= len(some)
        rest = rest[len(some) :]
        gone = _unneeded(tx, some, statuses, before=before)
        if gone:
            rest = _parents(tx, gone) + rest
            seqs, values = listed(gone)
            deleted += tx.execute(f"DELETE FROM jobs WHERE seq IN {seqs}", values).rowcount
    return deleted, rest


def spare_pages(tx: Transaction) -> int:
    """Return how many free pages can be given back to the file system, and are not better left to the jobs to come."""
    free: int = tx.value("PRAGMA freelist_count")
    size: int = tx.value("PRAGMA page_count")
    if tx.value("PRAGMA auto_vacuum") != _INCREMENTAL:  # another application made the file
        return 0
    return max(0, free - max(_LEFT_FREE, size // 4))


def shrink(tx: Transaction, *, pages: int) -> None:
    """Give so many free pages back to the file system.

    The file is cut when SQLite next writes its log into it, which it does by itself.
    """
    for _ in range(pages):
        # However many pages are named, sqlite3 takes one step of it and lets go.
        tx.execute("PRAGMA incremental_vacuum(1)")


def _unneeded(tx: Transaction, jobs: Sequence[int], statuses: Sequence[str], *, before: Place) -> list[int]:
    seqs, values = listed(jobs)
    words, wanted = listed(statuses)
    found = tx.execute(
        f"""
        SELECT seq
          FROM jobs
         WHERE seq IN {seqs}
           AND status IN {words}
           AND (completed_at, seq) < (?, ?)
           AND NOT {_is_needed("jobs")}
        """,
        (*values, *wanted, *before),
    )
    return [seq for (seq,) in found]


def _parents(tx: Transaction, jobs: Sequence[int]) -> list[int]:
    seqs, values = listed(jobs)
    found = tx.execute(f"SELECT DISTINCT parent FROM job_dependencies WHERE child IN {seqs}", values)
    return [parent for (parent,) in found]


def _is_needed(table: str) -> str:
    """The SQL of whether a child is unfinished or may be requeued: it would run without this result."""
    return f"""EXISTS (
                SELECT 1
                  FROM job_dependencies JOIN jobs AS children ON children.seq = job_dependencies.child
                 WHERE job_dependencies.parent = {table}.seq
                   AND children.status <> 'completed')"""


def _all_of(each: str, statuses: Sequence[str]) -> str:
    return " UNION ALL ".join([each] * len(statuses))
