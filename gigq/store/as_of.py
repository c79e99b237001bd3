"""The queue as it was at an instant: the statuses of its jobs, and what ran."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from datetime import datetime
from typing import NamedTuple

from gigq.clock import from_text, later, to_text
from gigq.history_records import ExecutionSummary
from gigq.status import FINISHED, JobStatus
from gigq.store import executions
from gigq.store.engine.budget import Budget
from gigq.store.engine.transaction import Transaction
from gigq.store.spans import OVERLAPS, Span, Walk, known_since
from gigq.store.tables import OPEN


class Past(NamedTuple):
    """What was.

    Attributes:
        statuses: the number of jobs of each.
        running: what ran, the newest first.
        requeued: how many jobs that count as pending had ended by then, and were sent back since.
        known_since: what had ended before may have been deleted since; None if nothing seems to have been.
        looked_since: executions that had begun before may have run; None if all were looked at.
    """

    statuses: dict[str, int]
    running: list[ExecutionSummary]
    requeued: int
    known_since: datetime | None
    looked_since: datetime | None


def as_of(tx: Transaction, at: datetime, budget: Budget) -> Past:
    """Return what was at an instant, with all that had happened at it.

    Raises:
        ReadTooLong: the time was over before the jobs were counted.
    """
    if budget.is_over:
        raise budget.exceeded()
    with budget.stopping(tx):
        statuses = _ended_by(tx, to_text(at))
        jobs = _jobs_by(tx, to_text(at))
    running, requeued, walk = _executions(tx, at, budget)
    statuses["running"] = len({each.job_id for each in running})
    statuses["pending"] = max(0, jobs - sum(statuses.values()))
    return Past(
        statuses={status.value: statuses[status] for status in JobStatus},
        running=running,
        requeued=requeued,
        known_since=known_since(tx),
        looked_since=begun(tx, walk.first) if walk.is_cut else None,
    )


def _ended_by(tx: Transaction, at: str) -> dict[str, int]:
    """Return how many jobs of each final status had ended."""
    return {
        status.value: tx.value(
            """
            SELECT count(*)
              FROM jobs INDEXED BY jobs_finished
             WHERE status = :status AND completed_at IS NOT NULL AND completed_at <= :at
            """,
            {"status": status.value, "at": at},
        )
        for status in FINISHED
    }


def _jobs_by(tx: Transaction, at: str) -> int:
    """Return how many jobs had been submitted: their numbers grow with the instants of that."""
    oldest, newest = tx.execute("SELECT (SELECT min(seq) FROM jobs), (SELECT max(seq) FROM jobs)").fetchone()
    if newest is None:
        return 0
    low, high = oldest, newest + 1
    while low < high:
        middle = (low + high) // 2
        seq, created_at = tx.execute(
            "SELECT seq, created_at FROM jobs WHERE seq >= ? ORDER BY seq LIMIT 1", (middle,)
        ).fetchone()
        low, high = (low, middle) if created_at > at else (seq + 1, high)
    if high - oldest < newest - high:
        number: int = tx.value("SELECT count(*) FROM jobs WHERE seq < ?", (high,))
        return number
    # SQLite counts all of a table in its smallest index.
    all_of_them: int = tx.value("SELECT count(*) FROM jobs")
    return all_of_them - int(tx.value("SELECT count(*) FROM jobs WHERE seq >= ?", (high,)))


def _executions(tx: Transaction, at: datetime, budget: Budget) -> tuple[list[ExecutionSummary], int, Walk]:
    """Return what ran, and how many jobs had ended and are no longer what they were.

    It goes back to the first execution of the file, for one may have run for as long.
    """
    moment = to_text(later(at, 1e-6))
    span = Span(moment, moment)
    found, requeued = _open(tx, span), set[int]()

    def look(first: int, last: int) -> int:
        values = {**span._asdict(), "first": first, "last": last}
        found.update(_ran(tx, values))
        requeued.update(_sent_back(tx, values))
        return 0

    walk = Walk(tx, span, budget, goes_on=True)
    walk.go(look)
    return executions.these(tx, sorted(found, reverse=True)), len(requeued), walk


def _open(tx: Transaction, span: Span) -> set[int]:
    rows = tx.execute(
        f"""
        SELECT executions.id
          FROM executions INDEXED BY executions_open
         WHERE executions.{OPEN} AND executions.started_at IS NOT NULL AND {OVERLAPS}
        """,
        span._asdict(),
    )
    return {execution for (execution,) in rows}


def _ran(tx: Transaction, values: dict[str, object]) -> set[int]:
    rows = tx.execute(
        f"""
        SELECT executions.id
          FROM executions
         WHERE executions.id BETWEEN :first AND :last AND executions.started_at IS NOT NULL AND {OVERLAPS}
        """,
        values,
    )
    return {execution for (execution,) in rows}


def _sent_back(tx: Transaction, values: dict[str, object]) -> set[int]:
    """Return the jobs that had ended, and whose next attempt is no retry: the attempts count from 1 again."""
    rows = tx.execute(
        """
        SELECT executions.job_seq
          FROM executions JOIN jobs ON jobs.seq = executions.job_seq
         WHERE executions.id BETWEEN :first AND :last
           AND executions.status IN ('failed', 'timeout', 'cancelled', 'lost')
           AND executions.completed_at < :until
           AND coalesce(jobs.completed_at, '~') >= :until
           AND coalesce((SELECT later.attempt
                           FROM executions AS later
                          WHERE later.job_seq = executions.job_seq
                            AND later.id > executions.id
                          ORDER BY later.id
                          LIMIT 1), jobs.attempts + 1) <= executions.attempt
        """,
        values,
    )
    return {job for (job,) in rows}


def begun(tx: Transaction, execution: int) -> datetime | None:
    """Return when the first execution from this one on began."""
    at = tx.value(
        "SELECT started_at FROM executions WHERE id >= ? AND started_at IS NOT NULL ORDER BY id LIMIT 1", (execution,)
    )
    return None if at is None else from_text(at)
