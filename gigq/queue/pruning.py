"""Deletion of old jobs while workers go on: in short transactions, one step at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self, Unpack

from gigq import checks
from gigq.affected import Affected
from gigq.clock import Duration, Instant, to_past, to_text
from gigq.filters import FilterOptions, Filters, Statuses
from gigq.queue.bounds import Bounds
from gigq.queue.bulk import plain
from gigq.status import FINISHED, PRUNED_BY_DEFAULT, JobStatus
from gigq.store import acting, paging, pruning, reading
from gigq.store.engine.database import Database
from gigq.store.engine.lists import portions
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
        filters: those that they must pass besides; None for none.
    """

    statuses: tuple[JobStatus, ...] = PRUNED_BY_DEFAULT
    before: datetime | None = None
    keep: int | None = None
    bound: int = pruning.ANY
    filters: Filters | None = None

    @classmethod
    def of(
        cls,
        status: Statuses,
        *,
        now: datetime,
        older_than: Duration | Instant | None = None,
        keep: int | None = None,
        **filters: Unpack[FilterOptions],
    ) -> Self:
        """Check what a caller chose.

        Raises:
            ValueError: a status that is not one of a finished job, or an invalid value.
            TypeError: there is no such filter.
        """
        statuses = _finished(status)
        more = Filters.of(status=statuses, **filters)
        return cls(
            statuses=statuses,
            filters=None if more == Filters.of(status=statuses) else more,
            before=None if older_than is None else to_past(older_than, "older_than", now=now),
            keep=checks.optional(keep, "keep", checks.count),
        )


def prune_all(database: Database, wanted: Pruning, verb: str, bounds: Bounds) -> Affected:
    """Delete the jobs as `prune` does, for a person; those that stay because another job needs them are skipped."""
    database.must_be_writable()
    with database.read() as tx:
        wanted = replace(wanted, bound=reading.newest(tx) if bounds.bound is None else bounds.bound)
        chosen = _chosen(tx, wanted)
        before = min(_end(tx, wanted), Place(tx.stamp, pruning.ANY))
    action = acting.Action(database, verb, of=_of(wanted), how=acting.given(keep=wanted.keep), bound=wanted.bound)
    done = 0
    for deleted in prune(database, wanted, action, among=chosen):
        done += deleted
        if bounds.on_chunk is not None:
            bounds.on_chunk(Affected(done, bound=wanted.bound))
    with database.read() as tx:
        if chosen is None:
            kept = pruning.remaining(tx, wanted.statuses, before=before, bound=wanted.bound)
        else:
            kept = len(pruning.places(tx, chosen))
    return Affected(done, reasons={_NEEDED: kept} if kept else {}, bound=wanted.bound)


def prune(
    database: Database, wanted: Pruning, action: acting.Action | None = None, *, among: Sequence[int] | None = None
) -> Iterator[int]:
    """Delete the jobs, the oldest first, then give the space they took back to the file system.

    A job stays as long as one that needs it has not completed. Each step reads, then writes in one transaction if
    there is anything to write, and yields how many jobs it deleted, at most 200.

    Args:
        among: the jobs that were found already, the oldest first; None to look for them.
    """
    database.must_be_writable()
    found = _portions(database, wanted) if among is None else portions(among, most=_JOBS_AT_ONCE)
    yield from _delete(database, wanted, found, action, among=None if among is None else set(among))
    while pages := _spare_pages(database):
        with database.write() as tx:
            pruning.shrink(tx, pages=min(pages, _PAGES_AT_ONCE))
        yield 0


def _portions(database: Database, wanted: Pruning) -> Iterator[Sequence[int]]:
    """Yield portions of the jobs. They are found before the write lock is taken, and checked again under it."""
    with database.read() as tx:
        before = _end(tx, wanted)
    place = pruning.BEGINNING
    while True:
        with database.read() as tx:
            found = pruning.finished(
                tx, wanted.statuses, after=place, before=before, limit=_JOBS_AT_ONCE, bound=wanted.bound
            )
        if not found:
            return
        place = found[-1][0]
        yield [each.seq for each, is_needed in found if not is_needed]


def _delete(
    database: Database,
    wanted: Pruning,
    found: Iterator[Sequence[int]],
    action: acting.Action | None,
    *,
    among: Collection[int] | None,
) -> Iterator[int]:
    with database.read() as tx:
        before = _end(tx, wanted)
    done = 0
    for portion in found:
        jobs = list(portion)
        if not jobs:
            yield 0
        while jobs:
            with database.write() as tx:
                deleted, jobs = pruning.delete(
                    tx, jobs, wanted.statuses, before=before, limit=_JOBS_AT_ONCE, bound=wanted.bound, among=among
                )
                done += deleted
                if action is not None:
                    action.note(tx, done)
            yield deleted


def _chosen(tx: Transaction, wanted: Pruning) -> list[int] | None:
    """Return the jobs that pass filters, the oldest first; None if only their status and age choose them."""
    if wanted.filters is None:
        return None
    places = pruning.places(tx, paging.seqs(tx, wanted.filters, bound=wanted.bound))
    end = _end(tx, wanted)
    return [each.seq for each in places[: max(0, len(places) - (wanted.keep or 0))] if each < end]


def _of(wanted: Pruning) -> dict[str, Any]:
    """Return the filters, as an action keeps them."""
    found = plain(wanted.filters or Filters(statuses=list(wanted.statuses)))
    before = [found["ended_until"]] if "ended_until" in found else []
    before += [to_text(wanted.before)] if wanted.before is not None else []
    return found | ({"ended_until": min(before)} if before else {})


def _end(tx: Transaction, wanted: Pruning) -> Place:
    """Return the place of the first job that stays, as far as that does not depend on filters."""
    ends = [] if wanted.before is None else [Place(to_text(wanted.before), 0)]
    if wanted.keep is not None and wanted.filters is None:
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
