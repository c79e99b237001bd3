"""How jobs that were not started in time leave the queue."""

from __future__ import annotations

from gigq.status import JobStatus
from gigq.store.dependencies import ended_badly, parent_ended_badly
from gigq.store.engine.database import Transaction


def expire(tx: Transaction) -> None:
    """Cancel what was never started and should have been by now, and the descendants that need it."""
    expired = tx.execute(
        """
        SELECT seq, id, name, expires_at
          FROM jobs
         WHERE status = 'pending' AND expires_at IS NOT NULL AND attempts = 0
           AND expires_at <= ?
        """,
        (tx.stamp,),
    ).fetchall()
    for seq, job_id, name, expires_at in expired:
        cancelled = tx.execute(
            """
            UPDATE jobs
               SET status = 'cancelled', run_at = NULL, error = ?, updated_at = ?, completed_at = ?
             WHERE seq = ?
               AND status = 'pending'
            """,
            (f"expired: it was not started by {expires_at}", tx.stamp, tx.stamp, seq),
        )
        if cancelled.rowcount:  # it may have gone with a parent that expired too; its children count that once
            parent_ended_badly(tx, seq, ended_badly(job_id, name, JobStatus.CANCELLED))


def next_expiry(tx: Transaction) -> str | None:
    """When the next job will expire."""
    found: str | None = tx.value(
        "SELECT min(expires_at) FROM jobs WHERE status = 'pending' AND expires_at IS NOT NULL AND attempts = 0"
    )
    return found
