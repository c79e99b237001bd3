"""Many jobs cancelled, requeued or deleted at once, in short transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from gigq.clock import Duration, Instant, SystemClock, to_past, to_seconds, to_text
from gigq.filters import Filters
from gigq.liveness import certainly_dead
from gigq.process import is_gone, this_process
from gigq.status import ENDED_BADLY, UNFINISHED, JobStatus
from gigq.store import acting, control, deleting, manual, reading, workers
from gigq.store.engine.database import Database
from gigq.store.engine.transaction import Transaction

_BATCH = 200
"""Jobs in one transaction. It takes about 20 ms, so workers hardly wait for it."""

_LONGEST = 0.5
"""Seconds after which a transaction is committed with fewer: a job may have 100,000 steps to delete."""


def cancel_jobs(database: Database, filters: Filters, *, running: bool) -> int:
    """Cancel the jobs that pass the filters, and return how many. One transaction for each 200.

    Raises:
        ValueError: the filters let every job pass, or a status that cannot be cancelled.
    """
    chosen = _chosen(filters, among=UNFINISHED if running else (JobStatus.PENDING,), verb="cancel_jobs")
    return _each(database, chosen, lambda tx, job_id: control.cancel(tx, job_id, running=running))


def requeue_jobs(database: Database, filters: Filters, *, delay: Duration) -> int:
    """Requeue the jobs that pass the filters, parents first, and return how many. One transaction for each 200.

    Raises:
        ValueError: the filters let every job pass, a status that cannot be requeued, or an invalid delay.
    """
    seconds = to_seconds(delay, "delay")
    chosen = _chosen(filters, among=ENDED_BADLY, verb="requeue_jobs")
    return _each(database, chosen, lambda tx, job_id: control.requeue(tx, job_id, delay=seconds))


def delete_jobs(database: Database, filters: Filters) -> int:
    """Delete the jobs that pass the filters, children before their parents, and return how many.

    One transaction for each 200.

    Raises:
        ValueError: the filters let every job pass, or the status of running jobs.
    """
    chosen = _chosen(filters, among=[each for each in JobStatus if each is not JobStatus.RUNNING], verb="delete_jobs")
    return _each(database, chosen, deleting.delete, newest_first=True)


def requeue_stuck(database: Database, *, older_than: Duration | Instant | None) -> int:
    """Settle as lost what dead workers hold, and what is overdue in manual consumption as timeout; return how many.

    Args:
        older_than: also settle as lost what has been running for longer than this, or since before this instant, dead
            worker or not.
    """
    here = this_process()
    with database.write() as tx:
        before = None if older_than is None else to_past(older_than, "older_than", now=tx.now)
        dead = certainly_dead(workers.heartbeats(tx), here=here, is_gone=is_gone)
        jobs = sum(workers.expel(tx, each) for each in dead) + manual.time_out(tx)
        if before is not None:
            jobs += workers.reclaim(tx, before=before)
        acting.note(tx, database, "requeue_stuck", jobs, acting.given(older_than=before and to_text(before)))
    return jobs


def _chosen(filters: Filters, *, among: Iterable[JobStatus], verb: str) -> Filters:
    """Narrow the filters to the statuses that the verb takes; refuse filters that let every job pass."""
    if filters._replace(search=filters.search or None) == Filters.of():
        raise ValueError("without a filter this would take every job; give a status or another filter")
    words = [status.value for status in among]
    for status in filters.statuses or ():
        if status not in words:
            hint = "; running=True takes running ones too" if verb == "cancel_jobs" and status == "running" else ""
            raise ValueError(f"status is {status!r}; {verb} takes {', '.join(words)}{hint}")
    return filters if filters.statuses is not None else filters._replace(statuses=words)


def _each(
    database: Database, filters: Filters, act: Callable[[Transaction, str], bool], *, newest_first: bool = False
) -> int:
    """Do something to each job that passes now, by default the oldest first, and return to how many it was done.

    A job to which it could not be done gets another chance once it was done to others: a parent is not always older
    than its children.
    """
    database.must_be_writable()
    with database.read() as tx:
        ids = reading.ids(tx, filters)[:: -1 if newest_first else 1]
    done = 0
    while ids:
        left = _refused(database, ids, act)
        done += len(ids) - len(left)
        ids = left if len(left) < len(ids) else []
    return done


def _refused(database: Database, ids: Sequence[str], act: Callable[[Transaction, str], bool]) -> list[str]:
    """Do something to each of these jobs, and return those to which it could not be done."""
    refused, begun, now = list[str](), 0, SystemClock().monotonic
    while begun < len(ids):
        with database.write() as tx:
            until = now() + _LONGEST
            for job_id in ids[begun : begun + _BATCH]:
                begun += 1
                if not act(tx, job_id):
                    refused.append(job_id)
                if now() > until:
                    break
    return refused
