"""Cancel, requeue and reschedule: what people do to jobs from outside."""

from __future__ import annotations

from datetime import datetime

from gigq.clock import later, to_text
from gigq.reports import Report
from gigq.status import ENDED_BADLY, JobStatus
from gigq.store import adopting, moves, steps
from gigq.store.dependencies import ended_badly, failed_parent_of, is_key_taken, parent_ended_badly, reopen, revive
from gigq.store.engine.transaction import Transaction
from gigq.store.settling import settle
from gigq.store.tables import OPEN


def cancel(tx: Transaction, job_id: str, *, running: bool = False) -> bool:
    """Cancel a pending job, or with `running` also a running one, and the descendants that need it.

    The worker of a running job learns of it from the bell, or at its next heartbeat. False for any other job, or none.
    """
    tx.has_news |= running
    execution = tx.value(
        f"SELECT id FROM executions WHERE job_seq = (SELECT seq FROM jobs WHERE id = ?) AND {OPEN}", (job_id,)
    )
    if execution is not None and running:
        settle(tx, execution, Report.cancelled("cancelled while it ran"))
        return True
    return _cancel_pending(tx, job_id)


def _cancel_pending(tx: Transaction, job_id: str) -> bool:
    job = tx.execute(
        """
        SELECT seq, name, coalesce('cancelled after an attempt that failed: ' || error, 'cancelled before it ran')
          FROM jobs
         WHERE id = :id
           AND status = 'pending'
        """,
        {"id": job_id},
    ).fetchone()
    if job is None:
        return False
    seq, name, reason = job
    moves.cancel(tx, [seq], error=reason)
    parent_ended_badly(tx, seq, ended_badly(job_id, name, JobStatus.CANCELLED))
    return True


def requeue(
    tx: Transaction, job_id: str, *, delay: float = 0.0, restart: bool = False, from_step: str | None = None
) -> bool:
    """Send a job that ended badly back, its attempts reset, and the jobs that were cancelled because of it.

    False for any other job, for none, for a job that a failed parent still blocks (requeue that parent), and for one
    whose unique key an unfinished job has.

    Args:
        restart: forget its steps and its cursor, and let go the jobs that it has submitted.
        from_step: forget its steps from the first of this name on.

    Raises:
        ValueError: it has no step of this name.
    """
    job = tx.execute("SELECT seq, status, unique_key FROM jobs WHERE id = ?", (job_id,)).fetchone()
    if job is None or job[1] not in ENDED_BADLY or failed_parent_of(tx, job[0]) is not None or is_key_taken(tx, job[2]):
        return False
    if restart:
        steps.forget(tx, job[0])
    if from_step is not None:
        steps.forget_from(tx, job[0], job_id, from_step)
    reopen(tx, job[0], run_at=to_text(later(tx.now, delay)) if delay > 0 else None)
    revive(tx, job[0])
    if restart:
        adopting.let_go(tx, job[0])
    return True


def why_not_requeued(tx: Transaction, seq: int) -> str:
    """Say why a job that ended badly is not requeued."""
    if failed_parent_of(tx, seq) is not None:
        return "a job on which it depends ended badly"
    return "an unfinished job has its unique key"


def reschedule(
    tx: Transaction,
    job_id: str,
    *,
    run_at: datetime | None = None,
    priority: int | None = None,
    queue: str | None = None,
) -> bool:
    """Change when a pending job runs, its priority or its queue; None leaves it. False for any other job, or none.

    It may be waiting for its parents or for a retry. An instant in the past makes it ready.
    """
    changed = tx.execute(
        """
        UPDATE jobs
           SET run_at = CASE WHEN :is_moved THEN :run_at ELSE run_at END,
               updated_at = CASE WHEN :is_moved THEN :now ELSE updated_at END,   -- for the rule of `make_due_ready`
               priority = coalesce(:priority, priority),
               queue = coalesce(:queue, queue)
         WHERE id = :id
           AND status = 'pending'
        """,
        {
            "id": job_id,
            "is_moved": run_at is not None,
            "run_at": to_text(run_at) if run_at is not None and run_at > tx.now else None,
            "now": tx.stamp,
            "priority": priority,
            "queue": queue,
        },
    )
    tx.has_news |= changed.rowcount > 0
    return changed.rowcount > 0
