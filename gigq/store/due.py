"""Jobs whose time has come: to be claimed, or to leave the queue because they were not started in time."""

from __future__ import annotations

from gigq.status import JobStatus
from gigq.store import moves
from gigq.store.dependencies import ended_badly, parent_ended_badly
from gigq.store.engine.transaction import Transaction


def make_due_ready(tx: Transaction) -> None:
    """Cancel the jobs that have expired, and move those that are due into the index of ready jobs."""
    expire(tx)
    tx.execute(
        "UPDATE jobs SET run_at = NULL, ready_at = :now WHERE status = 'pending' AND run_at <= :now", {"now": tx.stamp}
    )
    # A retry that was scheduled later than now was scheduled before the clock was set back. It must not wait until the
    # clock has caught up, which may take hours: its run_at is farther ahead than its own delay.
    tx.execute(
        """
        UPDATE jobs
           SET run_at = NULL, ready_at = :now
         WHERE status = 'pending' AND run_at IS NOT NULL AND attempts > 0
           AND updated_at > :now
        """,
        {"now": tx.stamp},
    )


def next_due(tx: Transaction) -> str | None:
    """Return when the next job will be due."""
    found: str | None = tx.value("SELECT min(run_at) FROM jobs WHERE status = 'pending' AND run_at IS NOT NULL")
    return found


def expire(tx: Transaction) -> None:
    """Cancel the jobs that were never started and should have been by now, and the descendants that need them."""
    expired = tx.execute(
        """
        SELECT seq, id, name, expires_at
          FROM jobs
         WHERE status = 'pending' AND expires_at IS NOT NULL AND has_begun = 0
           AND expires_at <= :now
        """,
        {"now": tx.stamp},
    ).fetchall()
    for seq, job_id, name, expires_at in expired:
        # A job may have been cancelled with a parent that expired too. Its children must count that once only.
        if moves.cancel(tx, [seq], error=f"expired: it was not started by {expires_at}"):
            parent_ended_badly(tx, seq, ended_badly(job_id, name, JobStatus.CANCELLED))


def next_expiry(tx: Transaction) -> str | None:
    """Return when the next job will expire."""
    found: str | None = tx.value(
        "SELECT min(expires_at) FROM jobs WHERE status = 'pending' AND expires_at IS NOT NULL AND has_begun = 0"
    )
    return found
