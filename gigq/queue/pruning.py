"""How old jobs are deleted while others work: in short transactions, as fast as a person wants or as a worker can."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from gigq import checks
from gigq.clock import Duration, earlier, to_seconds, to_text
from gigq.status import FINISHED, JobStatus
from gigq.store import pruning
from gigq.store.engine.database import Database, Transaction
from gigq.store.pruning import Place

USUAL = (JobStatus.COMPLETED, JobStatus.CANCELLED)
"""What is deleted unless a person says otherwise: dead letters are for a person to look at."""

_PAGES_AT_ONCE = 200
"""To give 200 pages back takes 3 to 8 ms; 1,000 took up to 160."""

_JOBS_AT_ONCE = 200
"""Deleted in 4 ms, with what belongs to them. 1,000 were no faster, and let a claim beside them wait up to 150 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """Which finished jobs are to go.

    Attributes:
        before: those that ended earlier; None for all.
        keep: not the newest so many of them, all statuses counted together; None for no such limit.
    """

    statuses: tuple[JobStatus, ...] = USUAL
    before: datetime | None = None
    keep: int | None = None

    @classmethod
    def of(
        cls, status: str | Iterable[str], *, now: datetime, older_than: Duration | None = None, keep: int | None = None
    ) -> Self:
        """Read what a caller gave.

        Raises:
            ValueError: a status that is not one of a finished job, or a number that cannot be.
        """
        seconds = checks.optional(older_than, "older_than", to_seconds)
        return cls(
            statuses=_finished(status),
            before=None if seconds is None else earlier(now, seconds),
            keep=checks.optional(keep, "keep", checks.count),
        )


def prune(database: Database, wanted: Pruning) -> Iterator[int]:
    """Delete the jobs, the oldest first, and give what they leave free back to the file system.

    A job stays while a child of it stays that has not completed. Each step reads, then writes in one transaction if
    there is anything to write, and yields how many jobs it deleted, at most 200.
    """
    yield from _delete(database, wanted)
    while pages := _spare_pages(database):
        with database.write() as tx:
            pruning.shrink(tx, pages=min(pages, _PAGES_AT_ONCE))
        yield 0


def _delete(database: Database, wanted: Pruning) -> Iterator[int]:
    statuses = wanted.statuses
    with database.read() as tx:
        before = _end(tx, wanted)
    place, jobs = pruning.BEGINNING, list[int]()
    while True:
        if not jobs:
            # Looked for before the write lock is taken, and once more under it.
            with database.read() as tx:
                found = pruning.finished(tx, statuses, after=place, before=before, limit=_JOBS_AT_ONCE)
            if not found:
                return
            place, jobs = found[-1][0], [each.seq for each, is_needed in found if not is_needed]
        deleted = 0
        if jobs:
            with database.write() as tx:
                deleted, jobs = pruning.delete(tx, jobs, statuses, before=before, limit=_JOBS_AT_ONCE)
        yield deleted


def _end(tx: Transaction, wanted: Pruning) -> Place:
    """Where the jobs begin that stay."""
    ends = [] if wanted.before is None else [Place(to_text(wanted.before), 0)]
    if wanted.keep is not None:
        ends.append(pruning.newest(tx, wanted.statuses, keep=wanted.keep))
    return min(ends, default=pruning.END)


def _spare_pages(database: Database) -> int:
    with database.read() as tx:
        return pruning.spare_pages(tx)


def _finished(status: str | Iterable[str]) -> tuple[JobStatus, ...]:
    wanted = [status] if isinstance(status, str) else list(dict.fromkeys(status))
    wrong = [each for each in wanted if each not in FINISHED]
    if wrong or not wanted:
        words = ", ".join(FINISHED)
        raise ValueError(f"status is {(wrong[0] if wrong else status)!r}; only finished jobs are pruned: {words}")
    return tuple(map(JobStatus, wanted))
