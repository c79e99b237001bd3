"""The order in which the jobs of an old file become ours, and the dependencies that they can keep.

The old package did not check the dependencies of a new job. So a child may come before its parent, wait for itself by
way of others, or name a parent that never existed or has been cleared, for which it did not wait.
"""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gigq.store.graphs import in_order


class OldJob(NamedTuple):
    """What matters for the order of a job of the old file; `row` grows in the order of submission."""

    row: int
    id: str
    dependencies: Sequence[str]
    is_unfinished: bool


class Place(NamedTuple):
    """The place of a job of the old file among ours.

    Attributes:
        parents: the `seq` of each parent that it keeps.
        missing: the ids of parents that are not in the file.
        circular: the ids of parents that cannot come before it.
        is_stuck: it is unfinished and could never run, because the jobs that it depends on wait for each other.
    """

    seq: int
    id: str
    parents: Sequence[int]
    missing: Sequence[str]
    circular: Sequence[str]
    is_stuck: bool


def places(jobs: Iterable[OldJob]) -> dict[int, Place]:
    """Return the place of each job by its row: in the order of submission, but parents before their children."""
    by_row = {job.row: job for job in _with_ids_of_their_own(jobs)}
    rows = {job.id: job.row for job in by_row.values()}
    parents = {row: [rows[each] for each in job.dependencies if each in rows] for row, job in by_row.items()}
    order, stuck = in_order(parents)
    if stuck:  # the dependencies of a finished job hold nothing up
        order, stuck = in_order({row: its if by_row[row].is_unfinished else () for row, its in parents.items()})
    seqs = {row: seq for seq, row in enumerate(order, start=1)}
    return {
        row: Place(
            seq=seqs[row],
            id=job.id,
            parents=[seqs[each] for each in parents[row] if seqs[each] < seqs[row]],
            missing=[each for each in job.dependencies if each not in rows],
            circular=[by_row[each].id for each in parents[row] if seqs[each] >= seqs[row]],
            is_stuck=row in stuck,
        )
        for row, job in by_row.items()
    }


def _with_ids_of_their_own(jobs: Iterable[OldJob]) -> Iterable[OldJob]:
    """SQLite allows NULL in a primary key that is text, in any number of rows."""
    taken = set[str]()
    for job in jobs:
        job_id = job.id or f"without-id-{job.row}"
        while job_id in taken:
            job_id += f"-{job.row}"
        taken.add(job_id)
        yield job._replace(id=job_id)
