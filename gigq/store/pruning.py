"""Delete finished jobs, and give the space that they leave back to the file system."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Collection, Sequence
from typing import NamedTuple

from gigq.store import deleting
from gigq.store.engine.lists import listed, portions
from gigq.store.engine.transaction import Transaction


class Place(NamedTuple):
    """A place in the order in which jobs ended."""

    completed_at: str
    seq: int


BEGINNING = Place("", 0)
END = Place("~", 0)

ANY = 2**63 - 1
"""A bound that no job passes."""

_AT_ONCE = 256
"""Jobs that one statement looks at."""

_STEPS_AT_ONCE = 10_000
"""Steps that one transaction deletes, if they are those of several jobs: 50 ms."""

_LEFT_FREE = 256
"""Free pages (1 MB) that are left for jobs to come, or a quarter of the file if that is more."""

_INCREMENTAL = 2
"""The auto_vacuum of our files: pages are given back only when we ask for it, and only as many as we ask for."""


def newest(tx: Transaction, statuses: Sequence[str], *, keep: int) -> Place:
    """Return where the newest `keep` of these finished jobs begin, all statuses counted together."""
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
        f"{_for_each(statuses, each)} ORDER BY completed_at DESC, seq DESC LIMIT 1 OFFSET ?",
        (*(value for status in statuses for value in (status, keep)), keep - 1),
    ).fetchone()
    return Place(*found) if found else BEGINNING


def finished(
    tx: Transaction, statuses: Sequence[str], *, after: Place, before: Place, limit: int, bound: int = ANY
) -> list[tuple[Place, bool]]:
    """Return the next finished jobs between two places, the oldest first, and whether another job needs them."""
    # Each status by its own part of the index: with IN, SQLite would read and sort all of them for each portion.
    each = """
        SELECT * FROM (
               SELECT completed_at, seq, submitted_by
                 FROM jobs
                WHERE status = ?
                  AND completed_at IS NOT NULL
                  AND (completed_at, seq) > (?, ?)
                  AND (completed_at, seq) < (?, ?)
                  AND seq <= ?
                ORDER BY completed_at, seq
                LIMIT ?)"""
    rows = tx.execute(
        f"""
        SELECT completed_at, seq, {_is_needed("oldest")}
          FROM ({_for_each(statuses, each)} ORDER BY completed_at, seq LIMIT ?) AS oldest
         ORDER BY completed_at, seq
        """,
        (*(value for status in statuses for value in (status, *after, *before, bound, limit)), limit),
    )
    return [(Place(completed_at, seq), bool(is_needed)) for completed_at, seq, is_needed in rows]


def places(tx: Transaction, jobs: Sequence[int]) -> list[Place]:
    """Return where those of these jobs that have ended stand, the oldest first."""
    found = list[Place]()
    for portion in portions(jobs):
        seqs, values = listed(portion)
        rows = tx.execute(
            f"SELECT completed_at, seq FROM jobs WHERE seq IN {seqs} AND completed_at IS NOT NULL", values
        )
        found += [Place(*row) for row in rows]
    return sorted(found)


def delete(
    tx: Transaction,
    jobs: Sequence[int],
    statuses: Sequence[str],
    *,
    before: Place,
    limit: int,
    bound: int = ANY,
    among: Collection[int] | None = None,
) -> tuple[int, list[int]]:
    """Delete those of these jobs that still have one of these statuses and that no other needs, with their executions.

    Then their parents and what they have submitted, if no other job needs those.

    Args:
        limit: how many jobs to look at.
        among: delete no others than these; None for any.

    Returns:
        How many it deleted, and which jobs it has not looked at yet.
    """
    deleted, rest = 0, list(jobs)
    while rest and limit > 0:
        some = rest[: min(limit, _AT_ONCE)]
        limit -= len(some)
        rest = rest[len(some) :]
        gone, heavy = _portion(tx, _unneeded(tx, some, statuses, before=before, bound=bound))
        if heavy:
            limit, rest = 0, heavy + rest
        if gone:
            freed = _parents(tx, gone) + _submitted_by(tx, gone)
            rest = [each for each in freed if among is None or each in among] + rest
            deleted += deleting.remove(tx, gone)
    return deleted, rest


def remaining(tx: Transaction, statuses: Sequence[str], *, before: Place, bound: int) -> int:
    """Return how many finished jobs there are before a place."""
    words, wanted = listed(statuses)
    found: int = tx.value(
        f"""
        SELECT count(*)
          FROM jobs INDEXED BY jobs_finished
         WHERE status IN {words}
           AND completed_at IS NOT NULL
           AND (completed_at, seq) < (?, ?)
           AND seq <= ?
        """,
        (*wanted, *before, bound),
    )
    return found


def spare_pages(tx: Transaction) -> int:
    """Return how many free pages may be given back to the file system, and need not be left for jobs to come."""
    free: int = tx.value("PRAGMA freelist_count")
    size: int = tx.value("PRAGMA page_count")
    if tx.value("PRAGMA auto_vacuum") != _INCREMENTAL:  # another application made the file
        return 0
    return max(0, free - max(_LEFT_FREE, size // 4))


def shrink(tx: Transaction, *, pages: int) -> None:
    """Give free pages back to the file system.

    The file becomes shorter at SQLite's next checkpoint, which it makes by itself.
    """
    for _ in range(pages):
        # However many pages the pragma names, sqlite3 takes one step of the statement and drops it.
        tx.execute("PRAGMA incremental_vacuum(1)")


def _unneeded(
    tx: Transaction, jobs: Sequence[int], statuses: Sequence[str], *, before: Place, bound: int
) -> list[int]:
    seqs, values = listed(jobs)
    words, wanted = listed(statuses)
    found = tx.execute(
        f"""
        SELECT seq
          FROM jobs
         WHERE seq IN {seqs}
           AND status IN {words}
           AND seq <= ?
           AND (completed_at, seq) < (?, ?)
           AND NOT {_is_needed("jobs")}
        """,
        (*values, *wanted, bound, *before),
    )
    return [seq for (seq,) in found]


def _portion(tx: Transaction, jobs: list[int]) -> tuple[list[int], list[int]]:
    """Return the first of these jobs, as many as one transaction deletes with their steps, but at least one; the rest.

    The steps of one job go in one transaction: if some were left, the job could be requeued without the others.
    """
    if len(jobs) < 2:
        return jobs, []
    seqs, values = listed(jobs)
    counted = tx.execute(f"SELECT job_seq, count(*) FROM job_steps WHERE job_seq IN {seqs} GROUP BY job_seq", values)
    numbers, steps = dict(counted.fetchall()), 0
    for place, job in enumerate(jobs):
        steps += numbers.get(job, 0)
        if place > 0 and steps > _STEPS_AT_ONCE:
            return jobs[:place], jobs[place:]
    return jobs, []


def _parents(tx: Transaction, jobs: Sequence[int]) -> list[int]:
    seqs, values = listed(jobs)
    found = tx.execute(f"SELECT DISTINCT parent FROM job_dependencies WHERE child IN {seqs}", values)
    return [parent for (parent,) in found]


def _submitted_by(tx: Transaction, jobs: Sequence[int]) -> list[int]:
    seqs, values = listed(jobs)
    return [seq for (seq,) in tx.execute(f"SELECT seq FROM jobs WHERE submitted_by IN {seqs}", values)]


def _is_needed(table: str) -> str:
    """Return the SQL of whether a job that has not completed, and so may still run, needs this one.

    It is a child and needs its result; or it has submitted this job, and would submit it again.
    """
    return f"""(EXISTS (
                SELECT 1
                  FROM job_dependencies JOIN jobs AS children ON children.seq = job_dependencies.child
                 WHERE job_dependencies.parent = {table}.seq
                   AND children.status <> 'completed')
             OR EXISTS (
                SELECT 1
                  FROM jobs AS submitter
                 WHERE submitter.seq = {table}.submitted_by
                   AND submitter.status <> 'completed'))"""


def _for_each(statuses: Sequence[str], query: str) -> str:
    """Return the SQL of a query with one `?` for a status, repeated for each of them."""
    return " UNION ALL ".join([query] * len(statuses))
