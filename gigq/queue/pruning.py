"""Deletion of old jobs while workers go on: in short transactions, one step at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from gigq import checks
from gigq.affected import Affected
from gigq.clock import Duration, Instant, to_past, to_text
from gigq.filters import Statuses
from gigq.queue.bounds import Bounds
from gigq.status import FINISHED, PRUNED_BY_DEFAULT, JobStatus
from gigq.store import acting, pruning, reading
from gigq.store.engine.database import Database
from gigq.store.engine.transaction import Transaction
from gigq.store.pruning import Place

_PAGES_AT_ONCE = 200
"""Giving back 200 pages takes 3 to 8 ms; 1,000 took up to 160."""

_JOBS_AT_ONCE = 200
"""They are deleted in 4 ms, executions and all. 1,000 at once were no faster, and made a claim wait up to 150 ms."""


_NEEDED = "a job that has not completed needs it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """The choice of finished jobs to delete.

    Attributes:
        statuses: the statuses of those jobs.
        before: only jobs that ended before this instant; None for all.
        keep: how many of the newest jobs stay, all these statuses counted together; None for none.
        bound: only jobs up to this one.
    """

    statuses: tuple[JobStatus, ...] = PRUNED_BY_DEFAULT
    before: datetime | None = None
    keep: int | None = None
    bound: int = pruning.ANY

    @classmethod
    def of(
        cls, status: Statuses, *, now: datetime, older_than: Duration | Instant | None = None, keep: int | None = None
    ) -> Self:
        """Check what a caller chose.

        Raises:
            ValueError: a status that is not one of a finished job, or an invalid number.
        """
        return cls(
            statuses=_finished(status),
            before=None if older_than is None else to_past(older_than, "older_than", now=now),
            keep=checks.optional(keep, "keep", checks.count),
        )


def prune_all(database: Database, wanted: Pruning, verb: str, bounds: Bounds) -> Affected:
    """Delete the jobs as `prune` does, for a person; those that stay because another job needs them are skipped."""
    database.must_be_writable()
    with database.read() as tx:
        bound = reading.newest(tx) if bounds.bound is None else bounds.bound
        before = min(_end(tx, wanted), Place(tx.stamp, pruning.ANY))
    of = {"status": list(wanted.statuses), "ended_until": wanted.before and to_text(wanted.before)}
    action = acting.Action(database, verb, of=of, how=acting.given(keep=wanted.keep), bound=bound)
    done = 0
    for deleted in prune(database, replace(wanted, bound=bound), action):
        done += deleted
        if bounds.on_chunk is not None:
            bounds.on_chunk(Affected(done, bound=bound))
    with database.read() as tx:
        kept = pruning.remaining(tx, wanted.statuses, before=before, bound=bound)
    return Affected(done, reasons={_NEEDED: kept} if kept else {}, bound=bound)


def prune(database: Database, wanted: Pruning, action: acting.Action | None = None) -> Iterator[int]:
    """Delete the jobs, the oldest first, then give the space they took back to the file system.

    A job stays as long as one that needs it has not completed. Each step reads, then writes in one transaction if
    there is anything to write, and yields how many jobs it deleted, at most 200.
    """
    yield from _delete(database, wanted, action)
    while pages := _spare_pages(database):
        with database.write() as tx:
            pruning.shrink(tx, pages=min(pages, _PAGES_AT_ONCE))
        yield 0


def _delete(database: Database, wanted: Pruning, action: acting.Action | None) -> Iterator[int]:
    database.must_be_writable()
    statuses = wanted.statuses
    with database.read() as tx:
        before = _end(tx, wanted)
    place, jobs, bound, done = pruning.BEGINNING, list[int](), wanted.bound, 0
    while True:
        if not jobs:
            # They are looked for before the write lock is taken, and checked again under it.
            with database.read() as tx:
                found = pruning.finished(tx, statuses, after=place, before=before, limit=_JOBS_AT_ONCE, bound=bound)
            if not found:
                return
            place, jobs = found[-1][0], [each.seq for each, is_needed in found if not is_needed]
        deleted = 0
        if jobs:
            with database.write() as tx:
                deleted, jobs = pruning.delete(tx, jobs, statuses, before=before, limit=_JOBS_AT_ONCE, bound=bound)
                done += deleted
                if action is not None:
                    action.note(tx, done)
        yield deleted


def _end(tx: Transaction, wanted: Pruning) -> Place:
    """Return the place of the first job that stays."""
    ends = [] if wanted.before is None else [Place(to_text(wanted.before), 0)]
    if wanted.keep is not None:
        ends.append(pruning.newest(tx, wanted.statuses, keep=wanted.keep))
    return min(ends, default=pruning.END)


def _spare_pages(database: Database) -> int:
    with database.read() as tx:
        return pruning.spare_pages(tx)


def _finished(status: Statuses) -> tuple[JobStatus, ...]:
    wanted = dict.fromkeys(checks.several(status, "status"))
    wrong = [each for each in wanted if each not in FINISHED]
    if wrong or not wanted:
        found = checks.shown(wrong[0] if wrong else status)
        raise ValueError(f"status is {found}; it must be one of {', '.join(FINISHED)}")
    return tuple(map(JobStatus, wanted))
